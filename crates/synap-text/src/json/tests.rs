//! JSON documents, flattened.

use super::pieces;
use crate::piece::{join, part};

#[track_caller]
fn check(text: &str, chat: bool, expected: &[&str]) {
    let found: Vec<String> = pieces(text, chat)
        .unwrap()
        .iter()
        .map(|piece| {
            assert!(text.get(piece.span.clone()).is_some());
            let said = join(piece.context.as_deref().unwrap_or_default(), &piece.body);
            piece
                .speaker
                .as_deref()
                .map_or_else(|| said.clone(), |speaker| format!("{speaker}: {said}"))
        })
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn small_objects_are_one_piece() {
    check(
        r#"{"user":{"name":"Dana","city":"Porto"}}"#,
        false,
        &["user: name: Dana, city: Porto"],
    );
    check(
        r#"{"name":"Dana","home":{"city":"Porto"}}"#,
        false,
        &["name: Dana, home: (city: Porto)"],
    );
    check(
        r#"{"name": "Dana", "tags": ["a", "b"], "age": 41, "x": null}"#,
        false,
        &["name: Dana, tags: [a, b], age: 41, x: null"],
    );
    check(r#"["a", "b"]"#, false, &["a, b"]);
}

#[test]
fn larger_objects_are_a_piece_per_part() {
    let long = "x".repeat(180);
    check(
        &format!(
            r#"{{"user":{{"name":"Dana","city":"Porto"}},"note":"{long}","empty":{{}},"a":{{"b":{{"c":"{long}","d":"{long}"}}}}}}"#
        ),
        false,
        &[
            "user: name: Dana, city: Porto",
            &format!("note: {long}, empty:"),
            &format!("a.b: c: {long}"),
            &format!("a.b: d: {long}"),
        ],
    );
}

#[test]
fn lists_of_objects_are_a_piece_per_element_that_knows_its_parent() {
    check(
        r#"{"projects":[{"name":"Atlas","milestones":[{"title":"alpha","due":"2026-01-01"},{"title":"beta"}]},{"name":"Hermes"}]}"#,
        false,
        &[
            "projects[Atlas]: name: Atlas",
            "projects[Atlas].milestones: title: alpha, due: 2026-01-01",
            "projects[Atlas].milestones: title: beta",
            "projects: name: Hermes",
        ],
    );
}

#[test]
fn long_strings_are_read_as_markdown() {
    let text = format!("# Guide\n\n{}", "A sentence of some words. ".repeat(20));
    let json = serde_json::to_string(&serde_json::json!({ "doc": { "body": text } })).unwrap();
    let found = pieces(&json, false).unwrap();
    assert_eq!(found.len(), 20);
    assert!(
        found
            .iter()
            .all(|piece| piece.context.as_deref() == Some("doc.body: Guide"))
    );
}

#[test]
fn messages_are_turns() {
    check(
        r#"[{"role":"user","content":"I moved.","timestamp":"2026-01-02T10:00:00Z","speaker":null},{"role":"assistant","content":[{"type":"text","text":"Noted."},"Where?"],"name":"Bo","metadata":{"model":"m"}}]"#,
        true,
        &[
            "User: I moved.",
            "Bo: Noted.",
            "Bo: Where?",
            "Bo: metadata: model: m",
        ],
    );
    check(
        r#"{"topic":"move","messages":[{"role":"user","content":"I moved."}]}"#,
        true,
        &["topic: move", "User: I moved."],
    );
    check(
        r#"[{"role":"user","content":"I moved."}]"#,
        false,
        &["role: user, content: I moved."],
    );
}

#[test]
fn times_of_messages_are_read() {
    for (time, expected) in [
        (r#""2026-01-02T10:00:00Z""#, Some("2026-01-02T10:00:00Z")),
        ("1700000000", Some("2023-11-14T22:13:20Z")),
        ("1700000000.5", Some("2023-11-14T22:13:20.5Z")),
        ("1700000000000", Some("2023-11-14T22:13:20Z")),
        (r#""1700000000000""#, Some("2023-11-14T22:13:20Z")),
        (r#""Mar 4, 2026 at 10:00 AM""#, Some("2026-03-04T10:00:00Z")),
        (r#""yesterday""#, None),
    ] {
        let found = pieces(
            &format!(r#"[{{"role":"user","content":"hi","timestamp":{time}}}]"#),
            true,
        )
        .unwrap();
        assert_eq!(
            found[0].said_at.map(|at| at.to_string()).as_deref(),
            expected,
            "{time}"
        );
    }
}

#[test]
fn a_times_words_stay_when_it_is_none() {
    check(
        r#"[{"role":"user","content":"hi","timestamp":"yesterday"}]"#,
        true,
        &["User: hi", "User: timestamp: yesterday"],
    );
}

#[test]
fn strings_know_their_place() {
    let text =
        r#"[{"role":"user","content":"plain here"},{"role":"user","content":"a \"quoted\" one"}]"#;
    let found: Vec<&str> = pieces(text, true)
        .unwrap()
        .into_iter()
        .map(|piece| part(text, piece.span))
        .collect();
    assert_eq!(found, ["plain here", r#""a \"quoted\" one""#]);
}

#[test]
fn what_is_no_json_is_left_alone() {
    for text in [
        "",
        "{",
        "[link](x)",
        "\"text\"",
        "12",
        "{} {}",
        &"[".repeat(100_000),
    ] {
        assert!(pieces(text, true).is_none(), "{:?}", text.get(..20));
    }
}

#[test]
fn keys_that_do_not_fit_a_path_stay_in_some_piece() {
    let key = "word ".repeat(60);
    let long = "x".repeat(250);
    let json = serde_json::json!({ &*key: { "a": long, "b": { "c": long } } }).to_string();
    let found: Vec<String> = pieces(&json, false)
        .unwrap()
        .into_iter()
        .map(|piece| piece.body)
        .collect();
    assert!(found.iter().any(|body| body == key.trim()), "{found:?}");
}

#[test]
fn messages_of_other_shapes_are_turns() {
    for text in [
        r#"{"conversations":[{"from":"human","value":"I like tea."},{"from":"assistant","value":"Noted."}]}"#,
        r#"{"contents":[{"role":"human","parts":[{"text":"I like tea."}]},{"role":"assistant","parts":[{"text":"Noted."}]}]}"#,
        r#"[{"type":"human","data":{"content":"I like tea."}},{"type":"assistant","data":{"content":"Noted."}}]"#,
        r#"[{"human":"I like tea."},{"assistant":"Noted."}]"#,
        "{\"role\":\"human\",\"content\":\"I like tea.\"}\n{\"role\":\"assistant\",\"content\":\"Noted.\"}\n",
        r#"{"events":[{"event_type":"user_message","role":"human","content":"I like tea."},{"role":"assistant","content":"Noted.","event_id":"x"}]}"#,
        r#"[{"role":"human","content":[{"type":"text","text":"I like tea."},{"type":"image","source":{"data":"AAAA"}}]},{"role":"assistant","content":"Noted."}]"#,
    ] {
        check(text, true, &["Human: I like tea.", "Assistant: Noted."]);
    }
    check(
        r#"[{"type":"message","user":"dana","text":"We ship.","ts":"1700000000.5"},{"role":"assistant","content":null,"tool_calls":[{"function":{"name":"weather"}}]}]"#,
        true,
        &[
            "dana: We ship.",
            "Assistant: tool_calls.function: name: weather",
        ],
    );
}

#[test]
fn lines_of_json_are_a_piece_each() {
    let text = "{\"name\":\"Dana\"}\n\n{\"name\":\"Bo\"}\n";
    check(text, false, &["name: Dana", "name: Bo"]);
    assert_eq!(pieces(text, false).unwrap()[1].span, 17..30);
    assert!(pieces("{\"name\":\"Dana\"}\nand more", false).is_none());
}

/// Each of its statements shows it.
#[test]
fn a_long_name_of_a_speaker_is_clipped() {
    let text = format!(
        r#"[{{"name":"{}\u0007","content":"hi"}}]"#,
        "word ".repeat(1_000)
    );
    let found = pieces(&text, true).unwrap();
    let name = found[0].speaker.as_deref().unwrap();
    assert!(
        name.len() < 210 && !name.contains(char::is_control),
        "{name:?}"
    );
}
