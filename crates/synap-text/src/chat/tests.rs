//! Transcripts, as lines and as messages.

use super::{Reading, pieces};

#[track_caller]
fn check(text: &str, people: bool, expected: Option<&[(&str, &str)]>) {
    let reading = if people {
        Reading::People
    } else {
        Reading::Any
    };
    let found = pieces(text, reading);
    let found: Option<Vec<(&str, &str)>> = found.as_ref().map(|pieces| {
        pieces
            .iter()
            .map(|piece| {
                (
                    piece.speaker.as_deref().unwrap_or_default(),
                    piece.body.as_str(),
                )
            })
            .collect()
    });
    assert_eq!(found.as_deref(), expected, "{text:?}");
}

#[test]
fn roles_start_turns() {
    check(
        "User: I moved to Porto.\nand I like it\n\nAssistant: Noted.\nuser: Thanks",
        false,
        Some(&[
            ("User", "I moved to Porto. and I like it"),
            ("Assistant", "Noted."),
            ("User", "Thanks"),
        ]),
    );
    check(
        "**User:** hi there\n**Assistant**: hello\nPros: fast\nPros: cheap",
        false,
        Some(&[
            ("User", "hi there"),
            ("Assistant", "hello Pros: fast Pros: cheap"),
        ]),
    );
    check(
        "Human: hi\n\nAI: hello",
        false,
        Some(&[("Human", "hi"), ("AI", "hello")]),
    );
}

#[test]
fn names_start_turns_when_they_recur_or_when_people_talk() {
    check(
        "Dana: hi\nAlex: hello\nDana: bye",
        false,
        Some(&[("Dana", "hi"), ("Alex", "hello"), ("Dana", "bye")]),
    );
    check(
        "Dana: hi\nAlex: hello",
        true,
        Some(&[("Dana", "hi"), ("Alex", "hello")]),
    );
    check("Dana: hi\nAlex: hello", false, None);
    check(
        "Dana: hi\nAssistant: hello",
        false,
        Some(&[("Dana", "hi"), ("Assistant", "hello")]),
    );
    check(
        "[2026-01-02 10:00] Dana Scully: hi\n10:01 AM - Alex: yes\n[10:02] Dana Scully: ok",
        false,
        Some(&[
            ("Dana Scully", "hi"),
            ("Alex", "yes"),
            ("Dana Scully", "ok"),
        ]),
    );
}

#[test]
fn prose_has_no_speakers() {
    check(
        "Sprint planning: migrating auth service to OAuth 2.1 by end of Q2.",
        false,
        None,
    );
    check(
        "Sprint planning: migrating auth service to OAuth 2.1 by end of Q2.",
        true,
        None,
    );
    check(
        "Note: a\nNote: b\nProduction: x\nProduction: y",
        false,
        None,
    );
    check("Name: Dana\nCity: Porto", true, None);
    check("Alice prefers dark mode. She lives in Lisbon.", false, None);
    check("```\nUser: in code\n```", false, None);
    check("https://a.example/x\nhttps://a.example/y", false, None);
    check("", false, None);
}

#[test]
fn what_stands_before_the_first_turn_stays() {
    check(
        "Call of Monday with support.\n\nUser: hi\nAssistant: hello",
        false,
        Some(&[
            ("", "Call of Monday with support."),
            ("User", "hi"),
            ("Assistant", "hello"),
        ]),
    );
}

#[test]
fn long_turns_are_cut_into_groups_of_sentences() {
    let long = "Here is a sentence about the weather in Porto. ".repeat(20);
    let found = pieces(&format!("User: {long}\nAssistant: ok"), Reading::Any).unwrap();
    assert!(found.len() > 4 && found.len() < 12, "{}", found.len());
    assert!(
        found
            .iter()
            .all(|piece| piece.body.len() <= 240 && piece.speaker.is_some())
    );
}

#[test]
fn a_whole_time_before_a_name_is_when_it_was_said() {
    let found = pieces("[2026-01-02 10:00:00] User: hi", Reading::Any).unwrap();
    assert_eq!(
        found[0].said_at.unwrap().to_string(),
        "2026-01-02T10:00:00Z"
    );
}

#[track_caller]
fn check_times(text: &str, expected: &[(&str, &str, &str)]) {
    let found = pieces(text, Reading::People).unwrap_or_default();
    let found: Vec<(&str, &str, String)> = found
        .iter()
        .map(|piece| {
            assert!(text.get(piece.span.clone()).is_some(), "{piece:?}");
            (
                piece.speaker.as_deref().unwrap_or_default(),
                piece.body.as_str(),
                piece.said_at.map(|at| at.to_string()).unwrap_or_default(),
            )
        })
        .collect();
    let found: Vec<(&str, &str, &str)> = found
        .iter()
        .map(|(who, text, at)| (*who, *text, at.as_str()))
        .collect();
    assert_eq!(found, expected, "{text:?}");
}

#[test]
fn names_and_times_on_lines_of_their_own_start_turns() {
    for stamps in [
        ["Dana Kim (10:32 AM)", "Bo (10:33 AM)"],
        ["Dana Kim  10:32 AM", "Bo  10:33 AM"],
        ["Dana Kim — Today at 10:32 AM", "Bo — Today at 10:33 AM"],
        ["[10:32 AM] Dana Kim", "[10:33 AM] Bo"],
        ["**Dana Kim** [10:32]", "**Bo** [10:33]"],
        ["Dana Kim   0:03", "Bo   0:07"],
    ] {
        let [dana, bo] = stamps;
        check_times(
            &format!("{dana}\nWe ship on Friday.\n\n{bo}\nI agree with that.\n"),
            &[
                ("Dana Kim", "We ship on Friday.", ""),
                ("Bo", "I agree with that.", ""),
            ],
        );
    }
    check_times("Breakfast 8:00\nLunch 12:30\nDinner 19:00\n", &[]);
}

#[test]
fn headings_and_brackets_of_chat_programs_start_turns() {
    check_times(
        "## User\n\nI moved to Porto.\n\n## Assistant\n\nNoted.\n",
        &[
            ("User", "I moved to Porto.", ""),
            ("Assistant", "Noted.", ""),
        ],
    );
    check_times(
        "10:02:11 From Dana Kim to Everyone: hi all\n10:02:15 From Bo to Dana Kim (Direct Message): yes\n",
        &[("Dana Kim", "hi all", ""), ("Bo", "yes", "")],
    );
    check_times(
        "[10:02] <dana> hi\n[10:03] <bo> hello\n",
        &[("dana", "hi", ""), ("bo", "hello", "")],
    );
}

#[test]
fn times_take_their_date_from_what_is_around_them() {
    check_times(
        "3/4/26, 10:02 PM - Dana: hi\n3/14/26, 9:02 AM - Bo: yes\n",
        &[
            ("Dana", "hi", "2026-03-04T22:02:00Z"),
            ("Bo", "yes", "2026-03-14T09:02:00Z"),
        ],
    );
    check_times(
        "[04.03.2026, 10:02:11] Dana: hi\n[04.03.2026, 10:03:00] Bo: yes\n",
        &[
            ("Dana", "hi", "2026-03-04T10:02:11Z"),
            ("Bo", "yes", "2026-03-04T10:03:00Z"),
        ],
    );
    check_times(
        "Date: March 3, 2026 10:00 AM\n\n[00:00:05] Dana: hi\n[01:12:03] Bo: yes\n",
        &[
            ("", "Date: March 3, 2026 10:00 AM", ""),
            ("Dana", "hi", "2026-03-03T10:00:05Z"),
            ("Bo", "yes", "2026-03-03T11:12:03Z"),
        ],
    );
    check_times(
        "[2026-01-02 23:59] Dana: hi\n[0:01] Bo: yes\n",
        &[
            ("Dana", "hi", "2026-01-02T23:59:00Z"),
            ("Bo", "yes", "2026-01-03T00:01:00Z"),
        ],
    );
}

#[test]
fn subtitles_are_what_somebody_says() {
    check_times(
        "WEBVTT\n\nNOTE by us\n\n1\n00:00:01.000 --> 00:00:03.000 align:start\n<v Dana Kim>We ship <i>on</i>\n\n2\n\
         00:00:03.000 --> 00:00:05.000\n<v Dana Kim>Friday.</v>\n\n00:00:05.000 --> 00:00:06.000\n<v Bo>I agree.</v>\n",
        &[
            ("Dana Kim", "We ship on Friday.", ""),
            ("Bo", "I agree.", ""),
        ],
    );
    check_times(
        "1\r\n00:00:01,000 --> 00:00:03,000\r\nDana: We ship on\r\nFriday.\r\n\r\n2\r\n00:00:03,000 --> 00:00:05,000\r\nBo: I agree.\r\n",
        &[("Dana", "We ship on Friday.", ""), ("Bo", "I agree.", "")],
    );
    check_times(
        "1\n00:00:01,000 --> 00:00:03,000\nThe sea is deep. It is\n\n2\n00:00:03,000 --> 00:00:05,000\nalso cold there.\n",
        &[("", "The sea is deep. It is also cold there.", "")],
    );
}
