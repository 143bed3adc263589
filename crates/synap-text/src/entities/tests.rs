//! What counts as a name, and what only looks like one.

use super::*;

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(entities(text), expected, "{text:?}");
}

#[test]
fn names_inside_of_sentences_are_found() {
    check("We met Ada Lovelace in Porto.", &["Ada Lovelace", "Porto"]);
    check(
        "The Bank of England called Dr. Weiss.",
        &["Bank of England", "Weiss"],
    );
    check(
        "My sister's GitHub and her iPhone broke.",
        &["GitHub", "iPhone"],
    );
}

#[test]
fn the_first_word_of_a_sentence_is_a_name_only_with_a_reason() {
    check("Alice prefers tea.", &["Alice"]);
    check("Liam's bakery is in Cork.", &["Liam", "Cork"]);
    check("Refunds go back to the card.", &[]);
    check("Maintenance is due.", &[]);
    check("The office is closed.", &[]);
    check("Nina, hello. We saw Nina.", &["Nina"]);
    check("1. Move the card. - Ask Dana: What's next?", &["Dana"]);
}

#[test]
fn addresses_and_mentions_are_in_small_letters() {
    check(
        "Ask Dana@Acme.example or @Bob.",
        &["dana@acme.example", "@bob"],
    );
}

#[test]
fn days_months_and_acronyms_are_no_names() {
    check("On Monday in May I call the API.", &[]);
}

#[test]
fn there_are_only_so_many() {
    let names: Vec<String> = ('A'..='Z').map(|c| format!("we saw {c}bcd")).collect();
    let text = names.join(", ");
    assert_eq!(entities(&text).len(), ENTITIES_MAX);
}
