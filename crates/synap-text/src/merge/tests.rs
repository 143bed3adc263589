//! What is dropped, what is replaced and what is appended.

use super::smart_merge;
use proptest::prelude::*;

#[track_caller]
fn check(old: &str, new: &str, expected: &str) {
    assert_eq!(smart_merge(old, new), expected, "{old:?} + {new:?}");
}

#[test]
fn what_says_the_same_is_dropped() {
    check(
        "Alice prefers dark mode. She lives in Lisbon.",
        "she lives in Lisbon!",
        "Alice prefers dark mode. She lives in Lisbon.",
    );
    check(
        "Alice works in the Lisbon office with her team.",
        "Alice works in the Lisbon office.",
        "Alice works in the Lisbon office with her team.",
    );
    check(
        "The gate opens at nine.",
        "Then the gate opens at nine. It rains. It rains.",
        "The gate opens at nine. It rains.",
    );
}

#[test]
fn another_value_takes_the_old_ones_place() {
    check(
        "Dana is a nurse. She lives in Lisbon. She has a dog.",
        "She lives in Porto.",
        "Dana is a nurse. She lives in Porto. She has a dog.",
    );
    check(
        "The deadline is 3 May. We ship in June.",
        "The deadline is 10 May.",
        "The deadline is 10 May. We ship in June.",
    );
    check(
        "Alice prefers dark mode.",
        "Alice prefers light mode now.",
        "Alice prefers light mode now.",
    );
    check(
        "Alice lives in Lisbon.",
        "Alice now lives in Porto.",
        "Alice now lives in Porto.",
    );
    check(
        "She lives in Lisbon.",
        "She lives in Porto. She lives in Braga.",
        "She lives in Braga.",
    );
    check(
        "Her favourite colour is green.",
        "Her favourite colour is blue.",
        "Her favourite colour is blue.",
    );
}

#[test]
fn more_detail_and_the_opposite_take_the_old_ones_place() {
    check(
        "Alice prefers dark mode. It rains.",
        "Alice prefers dark mode everywhere.",
        "Alice prefers dark mode everywhere. It rains.",
    );
    check(
        "The light is on. It rains.",
        "The light is off.",
        "The light is off. It rains.",
    );
    check(
        "Alice eats meat. It rains.",
        "Alice doesn't eat meat.",
        "Alice doesn't eat meat. It rains.",
    );
}

#[test]
fn what_can_be_true_at_once_is_appended() {
    check(
        "Dana likes tea.",
        "Dana likes coffee.",
        "Dana likes tea. Dana likes coffee.",
    );
    check(
        "Ana is tall.",
        "Ana is vegetarian.",
        "Ana is tall. Ana is vegetarian.",
    );
    check(
        "She has a dog.",
        "She has a cat.",
        "She has a dog. She has a cat.",
    );
    check(
        "Alice manages Bob.",
        "Bob manages Alice.",
        "Alice manages Bob. Bob manages Alice.",
    );
    check(
        "Alice lives in Lisbon.",
        "Bob lives in Lisbon.",
        "Alice lives in Lisbon. Bob lives in Lisbon.",
    );
    check(
        "He lives in Lisbon.",
        "She lives in Lisbon.",
        "He lives in Lisbon. She lives in Lisbon.",
    );
    check(
        "The invoice is late.",
        "Refunds take 30 days.",
        "The invoice is late. Refunds take 30 days.",
    );
}

#[test]
fn lists_stay_lists() {
    check(
        "# Plan\n\n- Staging deploys any time\n- The gate opens at nine\n",
        "- The gate opens at ten\n- Production deploys on Tuesdays",
        "# Plan\n\n- Staging deploys any time\n- The gate opens at ten\n- Production deploys on Tuesdays\n",
    );
}

#[test]
fn a_speaker_stays() {
    check(
        "Dana: I live in Lisbon. I work at Acme.",
        "I live in Porto.",
        "Dana: I live in Porto. I work at Acme.",
    );
    check(
        "Alice: I live in Lisbon.",
        "Bob: I live in Porto.",
        "Alice: I live in Lisbon. Bob: I live in Porto.",
    );
}

#[test]
fn blank_texts_change_nothing() {
    check("It rains.\n", " \n", "It rains.\n");
    check("", "It rains.\n", "It rains.\n");
    check("", "", "");
    check("🎉", "🎉", "🎉");
    check("🎉", "猫", "🎉 猫");
}

#[test]
fn hostile_texts_are_merged() {
    for text in [
        "word".repeat(256 * 1024),
        "a. ".repeat(100_000),
        "She lives in Lisbon. She lives in Porto.\n".repeat(5_000),
        "\u{202e}שלום. ".repeat(5_000),
        "a\u{0}b. ".repeat(5_000),
        "- # > ".repeat(10_000),
    ] {
        let merged = smart_merge("She lives in Lisbon.", &text);
        assert_eq!(merged, smart_merge("She lives in Lisbon.", &text));
        smart_merge(&text, &text);
    }
    let many = |word: &str| {
        let sentences = (0..5_000).map(|at| format!("The same {word}{at} starts of {at} here."));
        sentences.collect::<Vec<_>>().join(" ")
    };
    let merged = smart_merge(&many("a"), &many("b"));
    assert!(merged.len() >= many("a").len());
}

proptest! {
    #[test]
    fn merging_a_text_into_itself_changes_nothing(text in "([A-Da-d]{1,3}[ .!\n-]{1,2}){0,20}") {
        prop_assert_eq!(smart_merge(&text, &text), text);
    }
}
