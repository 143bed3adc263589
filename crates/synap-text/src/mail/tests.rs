//! Mails of every shape.

use super::*;

#[track_caller]
fn check(text: &str, expected: &[(&str, &str, &str)]) {
    let found = pieces(text);
    let found: Vec<(&str, String, String)> = found
        .iter()
        .map(|piece| {
            assert!(text.get(piece.span.clone()).is_some(), "{piece:?}");
            (
                piece.speaker.as_deref().unwrap_or_default(),
                join(piece.context.as_deref().unwrap_or_default(), &piece.body),
                piece.said_at.map(|at| at.to_string()).unwrap_or_default(),
            )
        })
        .collect();
    let found: Vec<(&str, &str, &str)> = found
        .iter()
        .map(|(who, text, at)| (*who, text.as_str(), at.as_str()))
        .collect();
    assert_eq!(found, expected, "{text:?}");
}

const NOON: &str = "2026-03-03T12:00:00Z";
const TEN: &str = "2026-03-03T10:05:00Z";

#[test]
fn headers_give_speaker_time_and_subject() {
    check(
        "From: \"Kim, Dana\" <dana@acme.example>\nTo: Bo Li\nSubject: Re: The late\n  \u{1}invoice\nDate: Tue, 3 Mar 2026 12:00:00 +0000\n\
         X-Mailer: y\n\nHi Bo,\n\nthe invoice is three weeks late. Please pay it by Friday.\n\nBest regards,\nDana Kim\nCFO, Acme\n\
         +1 555 0100\n",
        &[
            (
                "",
                "From: \"Kim, Dana\" <dana@acme.example>; To: Bo Li; Subject: Re: The late invoice; Date: Tue, 3 Mar 2026 12:00:00 +0000",
                NOON,
            ),
            (
                "Dana Kim",
                "The late invoice: Hi Bo, the invoice is three weeks late.",
                NOON,
            ),
            (
                "Dana Kim",
                "The late invoice: Please pay it by Friday.",
                NOON,
            ),
            (
                "Dana Kim",
                "Signature: Dana Kim; CFO, Acme; +1 555 0100",
                NOON,
            ),
        ],
    );
    check(
        "# Plan\n\n- From: Zoë <zoe@a.example>\n- Date: 2026-03-03T12:00:00+00:00\n\nWe meet at the café.\n",
        &[
            (
                "",
                "Subject: Plan; From: Zoë <zoe@a.example>; Date: 2026-03-03T12:00:00+00:00",
                NOON,
            ),
            ("Zoë", "Plan: We meet at the café.", NOON),
        ],
    );
}

#[test]
fn quotations_are_of_those_who_are_quoted() {
    check(
        "From: Bo\nDate: 2026-03-03 12:00\n\nI paid it today.\n\nOn Tue, Mar 3, 2026 at 10:05 AM Dana Kim\n<dana@acme.example> wrote:\n\n\
         > The invoice is late.\n>\n> Ravi wrote:\n>> I sent the invoice in May.\n\nThat was all of it.\n",
        &[
            ("", "From: Bo; Date: 2026-03-03 12:00", NOON),
            ("Bo", "I paid it today.", NOON),
            ("Dana Kim", "The invoice is late.", TEN),
            ("Ravi", "I sent the invoice in May.", ""),
            ("Bo", "That was all of it.", NOON),
        ],
    );
    check(
        "From: Bo\nSubject: x y\n\nAm 03.03.2026 um 10:05 schrieb Dana Kim:\n\nDas war schon alles hier.",
        &[
            ("", "From: Bo; Subject: x y", ""),
            ("Dana Kim", "x y: Das war schon alles hier.", TEN),
        ],
    );
}

#[test]
fn forwarded_mails_are_of_their_authors() {
    for separator in [
        "---------- Forwarded message ---------\n",
        "-----Original Message-----\n",
        "Begin forwarded message:\n\n",
        "________________________________\n",
        "",
    ] {
        check(
            &format!(
                "From: Bo\nSubject: Fwd: Pay\n\nLook at this mail.\n\n{separator}From: Dana Kim <d@a.example>\nSent: Tuesday, March 3, 2026 12:00 PM\n\
                 To: Bo\nSubject: Pay rise\n\nWe pay more from June on.\n"
            ),
            &[
                ("", "From: Bo; Subject: Fwd: Pay", ""),
                ("Bo", "Pay: Look at this mail.", ""),
                (
                    "",
                    "From: Dana Kim <d@a.example>; Date: Tuesday, March 3, 2026 12:00 PM; To: Bo; Subject: Pay rise",
                    NOON,
                ),
                ("Dana Kim", "Pay rise: We pay more from June on.", NOON),
            ],
        );
    }
}

#[test]
fn what_machines_add_is_left_out() {
    check(
        "From: Bo\nSubject: Pay\n\nWe pay more from June on.\n\nSent from my iPhone\n\nThis e-mail is confidential and intended solely for \
         the person it is addressed to. Notify the sender if you got it.\n",
        &[
            ("", "From: Bo; Subject: Pay", ""),
            ("Bo", "Pay: We pay more from June on.", ""),
        ],
    );
    check(
        "From: Bo\nSubject: Pay\n\nAll,\n\nWe pay more from June on.\n\nThanks,\nBo\n\n-- \nBo\n",
        &[
            ("", "From: Bo; Subject: Pay", ""),
            ("Bo", "Pay: All, We pay more from June on.", ""),
        ],
    );
}

#[test]
fn ranges_point_at_what_was_quoted() {
    let text = "From: Bo\nSubject: Pay\n\nHe wrote this.\n\n> One is here. Two\n> are there.\n> Three is here.\n";
    let found: Vec<&str> = pieces(text)
        .into_iter()
        .map(|piece| part(text, piece.span))
        .skip(1)
        .collect();
    assert_eq!(
        found,
        [
            "He wrote this.",
            "One is here.",
            "Two\n> are there.",
            "Three is here."
        ]
    );
}

#[test]
fn lines_may_end_with_carriage_returns() {
    let text = "From: Bo\r\nCc:\r\nSubject:\r\n Pay\r\n\r\nWe pay more\r\nfrom June on.\r\n\r\nOn 2026-03-03 Dana wrote:\r\n> Do we pay more now?\r\n-- \r\nBo\r\n";
    check(
        text,
        &[
            ("", "From: Bo; Subject: Pay", ""),
            ("Bo", "Pay: We pay more from June on.", ""),
            ("Dana", "Pay: Do we pay more now?", "2026-03-03T00:00:00Z"),
        ],
    );
}

#[test]
fn mails_are_known_by_their_headers() {
    for (text, expected) in [
        ("From: Bo\nSubject: Pay\n\nx", true),
        ("From: Bo\nSent: 2026-03-03\n\nx", true),
        ("\n# Pay\n\n- From: Bo\n\nx", true),
        ("From: Lisbon\nTo: Porto\n\nx", false),
        ("Subject: Pay\n\nx", false),
        ("Dana: From: x\nSubject: y", false),
        ("", false),
    ] {
        assert_eq!(is_mail(text), expected, "{text:?}");
    }
}

#[test]
fn nested_replies_take_bounded_time_and_keep_their_words() {
    let text = (0..2_000).fold("From: a\nSubject: b\n\n".to_owned(), |text, depth| {
        text + &">".repeat(depth % 300) + " x said this here today.\n"
    });
    let found = pieces(&text);
    let kept: usize = found
        .iter()
        .map(|piece| piece.body.matches("today").count())
        .sum();
    assert_eq!(kept, 2_000);
    let all = "From: a\nSubject: b\n\nOn 2026-03-03 Bo wrote:\n".repeat(2_000);
    assert!(!pieces(&all).is_empty());
}
