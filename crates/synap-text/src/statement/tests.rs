//! Whole documents into statements.

use super::*;
use crate::{estimate_tokens, normal_form, query_terms, terms};
use proptest::prelude::*;
use std::fmt::Write as _;

const HANDBOOK: &str = "\
# Acme Corp Engineering Handbook

## Development Standards

- All services must be written in Python 3.11 or later
- PostgreSQL is the primary database
- Every PR requires two code review approvals
- CI must pass before merge

## Deployment Process

- Staging: any time
- Production: Tuesdays and Thursdays, 10am-2pm PT
- Hotfix deployments require VP Engineering approval
- Automatic rollback if the error rate exceeds 1%

## Team Structure

- Platform Team (8 engineers): infrastructure, CI/CD, observability
- Product Team (12 engineers): user-facing features
- Data Team (5 engineers): analytics and ML
";

fn read(text: &str, document_type: &str) -> Vec<Statement> {
    let content = Content::Text(text.to_owned());
    statements(&Source {
        content: &content,
        document_type: &document_type.parse().unwrap(),
        said_at: None,
    })
}

#[track_caller]
fn check(text: &str, document_type: &str, expected: &[(&str, MemoryType)]) {
    let found = read(text, document_type);
    let found: Vec<(&str, MemoryType)> = found
        .iter()
        .map(|statement| (statement.text.as_str(), statement.kind))
        .collect();
    assert_eq!(found, expected, "{text:?}");
}

/// Whatever the document's type, as a request without one is a chat.
#[test]
fn the_handbook_of_the_seed_scenario_gives_a_statement_per_item() {
    use MemoryType::{Fact, TemporalEvent};
    for document_type in ["document", DocumentType::CHAT, "meeting-transcript"] {
        check(
            HANDBOOK,
            document_type,
            &[
                (
                    "Acme Corp Engineering Handbook: Development Standards: All services must be written in Python 3.11 or later",
                    Fact,
                ),
                (
                    "Development Standards: PostgreSQL is the primary database",
                    Fact,
                ),
                (
                    "Development Standards: Every PR requires two code review approvals",
                    Fact,
                ),
                ("Development Standards: CI must pass before merge", Fact),
                ("Deployment Process: Staging: any time", Fact),
                (
                    "Deployment Process: Production: Tuesdays and Thursdays, 10am-2pm PT",
                    TemporalEvent,
                ),
                (
                    "Deployment Process: Hotfix deployments require VP Engineering approval",
                    Fact,
                ),
                (
                    "Deployment Process: Automatic rollback if the error rate exceeds 1%",
                    Fact,
                ),
                (
                    "Team Structure: Platform Team (8 engineers): infrastructure, CI/CD, observability",
                    Fact,
                ),
                (
                    "Team Structure: Product Team (12 engineers): user-facing features",
                    Fact,
                ),
                (
                    "Team Structure: Data Team (5 engineers): analytics and ML",
                    Fact,
                ),
            ],
        );
    }
}

#[test]
fn single_sentences_are_single_statements() {
    use MemoryType::{Episode, Fact, Preference, TemporalEvent};
    let chat = DocumentType::CHAT;
    let planning = "Sprint planning: migrating auth service to OAuth 2.1 by end of Q2.";
    check(planning, chat, &[(planning, TemporalEvent)]);
    check(
        "Alice deployed the billing service last Tuesday",
        chat,
        &[("Alice deployed the billing service last Tuesday", Episode)],
    );
    check(
        "Blue-green deployment support available",
        chat,
        &[("Blue-green deployment support available", Fact)],
    );
    check(
        "Alice prefers dark mode. She lives in Lisbon.",
        chat,
        &[
            ("Alice prefers dark mode.", Preference),
            ("Alice: She lives in Lisbon.", Fact),
        ],
    );
}

#[test]
fn the_title_is_given_with_every_statement() {
    let found = read(HANDBOOK, "document");
    assert!(
        found
            .iter()
            .all(|one| one.title.as_deref() == Some("Acme Corp Engineering Handbook"))
    );
    assert!(
        read("# One\n\nA text.\n\n# Two\n\nA text.", "document")
            .iter()
            .all(|one| one.title.is_none())
    );
}

#[test]
fn long_turns_are_cut_where_the_kind_changes() {
    let text = "User: I want to plan a trip to Japan with my sister. Last year I went to Korea with her and we took \
        trains. I'm a bit nervous about flying though. My budget is 3,000 euros. I can't eat shellfish because \
        of an allergy, which the doctors found.";
    let kinds: Vec<_> = read(text, DocumentType::CHAT)
        .iter()
        .map(|one| one.kind)
        .collect();
    assert_eq!(
        kinds,
        [
            MemoryType::Preference,
            MemoryType::Episode,
            MemoryType::Emotion,
            MemoryType::Fact
        ]
    );
}

#[test]
fn turns_carry_their_speaker() {
    let found = read(
        "User: I prefer short answers.\nAssistant: Noted, I love that.",
        DocumentType::CHAT,
    );
    let told: Vec<_> = found
        .iter()
        .map(|one| {
            (
                one.text.as_str(),
                one.speaker.as_deref(),
                one.kind,
                one.category.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                "User: I prefer short answers.",
                Some("User"),
                MemoryType::Preference,
                Some("communication")
            ),
            (
                "Assistant: Noted, I love that.",
                Some("Assistant"),
                MemoryType::Fact,
                None
            ),
        ]
    );
}

#[test]
fn a_single_line_of_a_megabyte_is_cut() {
    let found = read(&"word ".repeat(200_000), DocumentType::CHAT);
    assert!(found.len() > 500 && found.iter().all(|one| one.text.len() <= 2_000));
    let found = read(&"é".repeat(500_000), DocumentType::CHAT);
    assert!(found.len() > 500 && found.iter().all(|one| one.text.len() <= 2_000));
}

#[test]
fn json_content_is_read_like_json_text() {
    let content = Content::Json(
        serde_json::json!({ "user": { "name": "Dana", "city": "Porto" }, "list": [{ "a": 1 }] }),
    );
    let found = statements(&Source {
        content: &content,
        document_type: &"document".parse().unwrap(),
        said_at: None,
    });
    let mut told: Vec<&str> = found.iter().map(|one| one.text.as_str()).collect();
    told.sort_unstable();
    assert_eq!(told, ["list: a: 1", "user: city: Porto, name: Dana"]);
}

#[test]
fn what_is_only_marks_is_kept() {
    check("***", "document", &[("***", MemoryType::Fact)]);
    check(" \n\t", "document", &[]);
    check("🎉", "document", &[("🎉", MemoryType::Fact)]);
}

#[test]
fn a_document_of_too_many_items_is_merged_and_keeps_all() {
    let text = (0..30_000).fold(String::new(), |mut text, item| {
        writeln!(text, "- item number w{item}x").unwrap();
        text
    });
    let found = read(&text, "document");
    assert!(
        found.len() <= STATEMENTS_MAX && found.len() > STATEMENTS_MAX / 2,
        "{}",
        found.len()
    );
    let all: String = found
        .iter()
        .flat_map(|one| [one.text.as_str(), "\n"])
        .collect();
    assert!(
        (0..30_000)
            .step_by(37)
            .all(|item| all.contains(&format!("w{item}x")))
    );
}

fn check_spans(content: &Content, document_type: &str) -> Result<(), TestCaseError> {
    let text = content.to_text();
    for found in statements(&Source {
        content,
        document_type: &document_type.parse().unwrap(),
        said_at: None,
    }) {
        let range = found.span.start as usize..found.span.end as usize;
        prop_assert!(text.get(range.clone()).is_some(), "{range:?} of {text:?}");
        prop_assert!(!found.text.is_empty() && (0.0..=1.0).contains(&found.confidence));
    }
    Ok(())
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
        "[a-z .\n#-]{0,400}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            proptest::collection::vec(("[a-z]{1,8}|role|content|messages|\"\\\\", inner), 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_read_and_spans_lie_in_it(text in any::<String>()) {
        for document_type in ["document", DocumentType::CHAT, "meeting-transcript"] {
            check_spans(&Content::Text(text.clone()), document_type)?;
        }
        terms(&text);
        query_terms(&text);
        estimate_tokens(&text);
        normal_form(&text);
    }

    #[test]
    fn any_markdown_is_read_and_spans_lie_in_it(text in "([#>*_`~|\\[\\]()<>&;:.!?\"'=\\\\\n\t -]|[a-zé猫🎉0-9]|User: |Dana: |\n\n|<b>|</p>|- |1. |---|\\]: ){0,80}") {
        check_spans(&Content::Text(text.clone()), "document")?;
        check_spans(&Content::Text(text), DocumentType::CHAT)?;
    }

    #[test]
    fn any_json_is_read_and_spans_lie_in_it(value in json()) {
        check_spans(&Content::Text(serde_json::to_string_pretty(&value).unwrap()), DocumentType::CHAT)?;
        check_spans(&Content::Json(value), "document")?;
    }

    #[test]
    fn no_word_of_prose_is_lost(text in "([A-Za-z0-9]{1,10}( |\n|\n\n|, |\\. |! |: | - |\\.\n|; |\n- |\n# |\n1\\. |\\? )){0,60}") {
        for document_type in ["document", DocumentType::CHAT] {
            // Roles are shown in one spelling: "aI" as "AI".
            let found: String = read(&text, document_type).iter().flat_map(|one| [one.text.to_lowercase(), " ".to_owned()]).collect();
            for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
                prop_assert!(found.contains(&word.to_lowercase()), "{word:?} of {text:?} in {found:?}");
            }
        }
    }
}

#[test]
fn a_heading_that_is_cut_to_its_own_length_is_a_statement() {
    let heading = format!("{} the ends AB", "word ".repeat(22).trim_end());
    assert_eq!(heading.len(), 120 + 1);
    let found = read(&format!("a\n# {heading}\nbelow\n"), "document");
    assert!(found.iter().any(|one| one.text.contains("AB")), "{found:?}");
}

#[test]
fn a_text_that_is_a_json_object_stays_whole() {
    let text = r#" {"kind": "fact", "content": {"text": "I am so sad.", "number": 7}} "#;
    let document_type = "ai-chat-conversation".parse().unwrap();
    let read = |content: &Content| {
        let source = Source {
            content,
            document_type: &document_type,
            said_at: None,
        };
        statements(&source)
    };
    let found = read(&Content::Text(text.to_owned()));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].text.as_str(), found[0].kind),
        (text.trim(), MemoryType::Fact)
    );
    assert_eq!(found[0].span.start, 1);
    let object = serde_json::from_str(text).unwrap();
    assert_ne!(
        read(&Content::Json(object))[0].text,
        text.trim(),
        "a document in JSON is read"
    );
    let chat = r#"{"messages": [{"role": "user", "content": "I like tea."}]}"#;
    assert_eq!(
        read(&Content::Text(chat.to_owned()))[0].text,
        "User: I like tea."
    );
}
