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
