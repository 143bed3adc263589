//! Summaries of a conversation of 58 turns, of small ones and of hostile ones.

use super::SummarySection::{Decision, Event, Fact, Other, Preference};
use super::*;
use crate::{TranscriptTurn, transcript_turns};
use proptest::prelude::*;
use std::fmt::Write as _;

/// People planning a migration.
const CONVERSATION: &str = include_str!("conversation.txt");

fn shown(role: TurnRole) -> &'static str {
    match role {
        TurnRole::User => "User",
        TurnRole::Assistant => "Assistant",
    }
}

fn of(turns: &[TranscriptTurn]) -> Vec<SummaryTurn<'_>> {
    (1..)
        .zip(turns)
        .map(|(number, turn)| SummaryTurn {
            number,
            role: turn.role,
            speaker: turn.speaker.as_deref().unwrap_or_else(|| shown(turn.role)),
            content: &turn.content,
            said_at: None,
        })
        .collect()
}

/// The summary of a transcript, which keeps what every summary keeps.
#[track_caller]
fn read(text: &str, target: usize) -> Summary {
    let turns = transcript_turns(text);
    let summary = summarise(&of(&turns), target);
    assert_eq!(
        summary,
        summarise(&of(&turns), target),
        "the same result twice"
    );
    let lines = summary
        .sentences
        .iter()
        .map(|one| sentences::tokens(&one.speaker, &one.text));
    assert_eq!(summary.tokens, lines.sum::<usize>());
    assert!(
        summary.tokens <= target || summary.sentences.len() == 1,
        "{} of {target}",
        summary.tokens
    );
    assert!(summary.sentences.is_sorted_by_key(|one| one.turn),);
    assert!(
        !summary.sentences.is_empty() || turns.is_empty(),
        "{text:.40}"
    );
    summary
}

fn texts(summary: &Summary) -> Vec<&str> {
    summary
        .sentences
        .iter()
        .map(|one| one.text.as_str())
        .collect()
}

fn full() -> usize {
    read(CONVERSATION, usize::MAX).source_tokens
}

#[test]
fn summaries_come_close_to_their_target() {
    assert_eq!(transcript_turns(CONVERSATION).len(), 58);
    let source = full();
    for (percent, least) in [(15, 13), (40, 36), (70, 62)] {
        let found = read(CONVERSATION, source * percent / 100).tokens;
        println!("{percent} %: {found} of {source}");
        assert!(
            found * 100 >= source * least,
            "{percent} %: {found} of {source}"
        );
    }
}

#[test]
fn decisions_preferences_and_numbers_are_in_the_shortest_summary() {
    let found = read(CONVERSATION, full() * 15 / 100);
    println!("{:#?}", found.sentences);
    let all = texts(&found).join("\n");
    for told in ["Let's go with MySQL 8.", "Sunday, 14 June", "archive first"] {
        assert!(all.contains(told), "{told}: {all}");
    }
    for left_out in ["Hello", "thanks", "Noted", "welcome", "Great"] {
        assert!(!all.contains(left_out), "{left_out}: {all}");
    }
}

#[test]
fn sentences_are_whole() {
    let found = read(CONVERSATION, full() * 2 / 5);
    for sentence in &found.sentences {
        assert!(CONVERSATION.contains(&sentence.text), "{sentence:?}");
        assert!(sentence.text.ends_with(['.', '?', '!']), "{sentence:?}");
    }
}

#[test]
fn sentences_are_sorted_into_sections() {
    let text = "User: I prefer tea over coffee.\nAssistant: We will use the blue theme.\n\
                User: The office has 40 desks.\nUser: Bob met Carol in Vienna in 2019.\n\
                User: Which door is open?\nUser: I am so happy about the promotion!";
    let found: Vec<_> = read(text, 1_000)
        .sentences
        .iter()
        .map(|one| (one.turn, one.section))
        .collect();
    assert_eq!(
        found,
        [
            (1, Preference),
            (2, Decision),
            (3, Fact),
            (4, Event),
            (5, Other),
            (6, Other),
        ]
    );
    let names: Vec<&str> = SummarySection::ALL.map(SummarySection::name).to_vec();
    assert_eq!(names, ["decision", "preference", "fact", "event", "other"]);
}

#[test]
fn repetitions_are_left_out_and_other_values_are_not() {
    let text = "User: The deadline of the audit is Friday.\nAssistant: the deadline of the audit is Friday!\n\
                User: So the deadline of the audit is on Friday.\nUser: The deadline of the tender is Monday.";
    let found = read(text, 1_000);
    assert_eq!(
        texts(&found),
        [
            "The deadline of the audit is Friday.",
            "The deadline of the tender is Monday."
        ]
    );
}

#[test]
fn a_decision_that_is_taken_back_is_no_repetition() {
    let text = "User: We will use the blue theme.\nUser: We will not use the blue theme.";
    assert_eq!(read(text, 100).sentences.len(), 2);
}

#[test]
fn a_small_target_gives_a_short_telling_sentence() {
    let found = read(CONVERSATION, 0);
    assert_eq!(found.sentences.len(), 1);
    assert!(found.tokens < 20, "{found:?}");
    assert!(!matches!(found.sentences[0].section, Other), "{found:?}");
}

#[test]
fn greetings_alone_give_one_sentence_and_nothing_gives_none() {
    let found = read("User: Hi!\nAssistant: Hello! Good morning.", 100);
    assert_eq!(texts(&found), ["Hi!"]);
    assert_eq!(read("User: 🎉🎉", 100).sentences.len(), 1);
    assert_eq!(read("User: ---", 100).sentences.len(), 1);
    assert_eq!(read("", 100).sentences, []);
    assert_eq!(summarise(&[], 0).source_tokens, 0);
}

#[test]
fn lists_and_code_are_read_as_markdown() {
    let text = "Assistant: ## Plan\n\n- Archive the audit table\n- Move the invoice job\n\n```sql\nSELECT 1;\n```";
    assert_eq!(
        texts(&read(text, 100)),
        [
            "Plan: Archive the audit table",
            "Plan: Move the invoice job",
            "Plan: sql SELECT 1;"
        ]
    );
}

#[test]
fn hostile_conversations_are_summed_up() {
    for text in [
        "word".repeat(256 * 1024),
        "word ".repeat(200 * 1024),
        "🎉".repeat(10_000),
        "\u{202e}שלום עולם. ".repeat(2_000),
        "User: a\u{0}b\nAI: c\n".repeat(2_000),
        "User: The same terms in the same order again.\n".repeat(5_000),
    ] {
        read(&text, 50);
    }
}

/// Every sentence shares terms with many others, which are weighed again each time one is kept.
#[test]
fn long_conversations_take_bounded_time() {
    let words = [
        "queue", "billing", "server", "invoice", "replica", "region", "budget", "tenant",
    ];
    let mut text = String::new();
    for turn in 0..5_000_usize {
        let word = |by: usize| words[(turn / by) % words.len()];
        writeln!(
            text,
            "User: The {} of the {} needs the {} and ticket {turn} of the {} waits. It moves the {} to the {} with room {}.",
            word(1), word(3), word(7), word(11), word(13), word(17), turn % 97
        )
        .unwrap();
    }
    let found = read(&text, full() * 100);
    assert!(found.sentences.len() > 1_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_target_holds_for_any_conversation(turns in proptest::collection::vec("[a-dA-D .?!0-3]{0,60}", 0..12), target in 0_usize..80) {
        read(&format!("User: {}", turns.join("\nUser: ")), target);
    }
}
