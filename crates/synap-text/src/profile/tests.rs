//! Labelled statements: what they say of the user, and that others say nothing.

use super::*;
use crate::{TurnSource, turn_statements};
use proptest::prelude::*;

/// The user's.
const NAMES: [&str; 4] = ["Alice", "Moore", "Dana", "Scully"];

/// As a note in the user's own scope, without a speaker.
fn note(text: &str) -> Option<Attribute> {
    said("", text)
}

fn said(speaker: &str, text: &str) -> Option<Attribute> {
    let statements = turn_statements(&TurnSource {
        content: text,
        speaker,
        said_at: None,
        accepted_at: None,
    });
    let mut found = statements
        .iter()
        .flat_map(|statement| attributes(statement, &NAMES));
    found.next()
}

#[test]
fn every_sentence_and_clause_counts() {
    let statements = turn_statements(&TurnSource {
        content: "My name is Al and I live in Lisbon. I prefer short answers.",
        speaker: "User",
        said_at: None,
        accepted_at: None,
    });
    let found = statements
        .iter()
        .flat_map(|statement| attributes(statement, &NAMES));
    let found: Vec<_> = found.map(|one| (one.name, one.value)).collect();
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[..2], ["name", "location"], "{found:?}");
    assert!(names[2].starts_with("preference."), "{found:?}");
    assert_eq!((found[0].1.as_str(), found[1].1.as_str()), ("Al", "Lisbon"));
}

/// What users say of themselves.
const SAID: &[(&str, &str, &str)] = &[
    ("My name is Dana Scully.", "name", "Dana Scully"),
    ("Hi, I'm called Dana, nice to meet you.", "name", "Dana"),
    ("Please call me Dee.", "name", "Dee"),
    ("my name is dana", "name", "dana"),
    ("I live in Lisbon.", "location", "Lisbon"),
    (
        "I live in Lisbon, Portugal.",
        "location",
        "Lisbon, Portugal",
    ),
    ("i live in lisbon with my cat", "location", "lisbon"),
    (
        "I currently live in the Netherlands.",
        "location",
        "the Netherlands",
    ),
    (
        "I'm based in New York and work remotely.",
        "location",
        "New York",
    ),
    ("I moved to Porto in March.", "location", "Porto"),
    ("I've moved to São Paulo.", "location", "São Paulo"),
    ("I work at Acme Corp as a nurse.", "employer", "Acme Corp"),
    ("I work for Globex.", "employer", "Globex"),
    ("I work as a nurse at a hospital.", "occupation", "nurse"),
    (
        "I'm a senior software engineer.",
        "occupation",
        "senior software engineer",
    ),
    (
        "I am a teacher and I live in Porto.",
        "occupation",
        "teacher",
    ),
    (
        "My email is dana@acme.example.",
        "email",
        "dana@acme.example",
    ),
    (
        "You can reach me, my e-mail address is d@a.example",
        "email",
        "d@a.example",
    ),
    (
        "My phone number is +351 912 345 678.",
        "phone",
        "+351 912 345 678",
    ),
    ("Call me at 555-123-4567.", "phone", "555-123-4567"),
    ("My timezone is Europe/Lisbon.", "timezone", "Europe/Lisbon"),
    ("I'm in the PST timezone.", "timezone", "PST"),
    (
        "My native language is Portuguese.",
        "language",
        "Portuguese",
    ),
    (
        "I speak English and German.",
        "language",
        "English and German",
    ),
    ("My birthday is on 3 May.", "birthday", "3 May"),
    ("I was born on May 3, 1990.", "birthday", "May 3 1990"),
    ("I'm allergic to peanuts.", "allergy.peanut", "peanuts"),
    (
        "I have a shellfish allergy.",
        "allergy.shellfish",
        "shellfish",
    ),
    ("I'm vegetarian.", "diet", "vegetarian"),
    ("I am a vegan now.", "diet", "vegan"),
    ("I don't eat pork.", "diet", "no pork"),
    ("My wife is called Maria.", "family.wife", "Maria"),
    ("My daughter's name is Ana.", "family.daughter", "Ana"),
    ("My husband Tom works at Acme.", "family.husband", "Tom"),
    ("My son is Leo.", "family.son", "Leo"),
    ("My dog is named Rex.", "pet.dog", "Rex"),
    ("I have a cat called Miso.", "pet.cat", "Miso"),
    (
        "I prefer dark mode.",
        "preference.interface",
        "I prefer dark mode.",
    ),
    (
        "I'd rather get an email than a call.",
        "preference.communication",
        "I'd rather get an email than a call.",
    ),
    (
        "I really love hiking in the mountains.",
        "preference.travel.hiking",
        "I really love hiking in the mountains.",
    ),
    (
        "I don't like sushi.",
        "preference.food.sushi",
        "I don't like sushi.",
    ),
    (
        "I love my garden.",
        "preference.garden",
        "I love my garden.",
    ),
    (
        "My favourite colour is green.",
        "preference.interface",
        "My favourite colour is green.",
    ),
    (
        "Please avoid jargon in your answers.",
        "preference.communication",
        "Please avoid jargon in your answers.",
    ),
    (
        "Always use bullet points in summaries.",
        "preference.communication",
        "Always use bullet points in summaries.",
    ),
    (
        "Got it. Thanks! I prefer window seats.",
        "preference.travel",
        "I prefer window seats.",
    ),
];

/// More of them, that were close to being missed.
const SAID_TOO: &[(&str, &str, &str)] = &[
    (
        "When I travel, I prefer window seats.",
        "preference.travel",
        "When I travel, I prefer window seats.",
    ),
    ("I like to cook.", "preference.cook", "I like to cook."),
    (
        "I work as software developer at Globex.",
        "occupation",
        "software developer",
    ),
    ("My job is web designer.", "occupation", "web designer"),
    (
        "Please reply in short sentences.",
        "preference.communication",
        "Please reply in short sentences.",
    ),
    (
        "I'm Dana's sister, and I live in Braga.",
        "location",
        "Braga",
    ),
    (
        "I don’t like loud music.",
        "preference.entertainment.music",
        "I don’t like loud music.",
    ),
];

/// What notes in the user's own scope say.
const NOTED: &[(&str, &str, &str)] = &[
    (
        "Alice prefers dark mode",
        "preference.interface",
        "Alice prefers dark mode",
    ),
    ("Alice lives in Lisbon.", "location", "Lisbon"),
    ("Alice Moore works at Acme.", "employer", "Acme"),
    ("The user's name is Alice.", "name", "Alice"),
    ("Alice's birthday is 3 May.", "birthday", "3 May"),
    ("Alice is allergic to nuts.", "allergy.nut", "nuts"),
    (
        "Alice's email is alice@acme.example",
        "email",
        "alice@acme.example",
    ),
    ("Alice is a nurse.", "occupation", "nurse"),
    ("I live in Porto.", "location", "Porto"),
];

/// What users say that stays for no profile.
const NOTHING: &[&str] = &[
    "Where do I live?",
    "My job is stressful.",
    "I work as hard as I can.",
    "I work with Bob.",
    "Call me Monday.",
    "Call me ASAP",
    "My sister is CEO.",
    "I'm allergic to my boss.",
    "Bob hates when I call.",
    "Please send it by email.",
    "Please call me tomorrow.",
    "I loved the film.",
    "I hate to bother you.",
    "i work for free",
    "Backups live in Frankfurt.",
    "Do I prefer dark mode?",
    "If I live in Paris, what taxes do I pay?",
    "I used to live in Lisbon.",
    "I don't live in Lisbon.",
    "I no longer work at Acme.",
    "I live in a small house.",
    "I live in fear of the audit.",
    "My sister lives in Paris.",
    "Bob lives in Paris.",
    "She works at Acme.",
    "My wife hates fish.",
    "Bob hates long meetings.",
    "The team prefers tabs.",
    "I work at night.",
    "I work from home.",
    "I'm a bit tired.",
    "I'm a big fan.",
    "Call me later.",
    "call me back",
    "My dog is sick.",
    "My wife is Portuguese.",
    "I was born in Lisbon.",
    "I want a refund.",
    "I would like to book a flight.",
    "I bought a new bike yesterday.",
    "Bob's email is bob@acme.example.",
    "I know a vegetarian restaurant.",
    "I am so happy about the promotion!",
    "The office is in Berlin.",
    "The service listens on port 8080.",
    "Hello!",
    "",
    "🎉",
];

#[track_caller]
fn check_all(labelled: &[(&str, &str, &str)], speaker: &str) {
    let wrong: Vec<_> = labelled
        .iter()
        .map(|(text, name, value)| (*text, (*name, *value), said(speaker, text)))
        .filter(|(_, expected, found)| {
            let found = found.as_ref();
            found.map(|found| (found.name.as_str(), found.value.as_str())) != Some(*expected)
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[track_caller]
fn check(found: Option<Attribute>, text: &str, name: &str, value: &str) {
    let found = found.map(|found| (found.name, found.value));
    assert_eq!(found, Some((name.to_owned(), value.to_owned())), "{text}");
}

#[test]
fn what_users_say_of_themselves_is_known() {
    check_all(SAID, "User");
    check_all(SAID_TOO, "User");
}

#[test]
fn what_notes_say_of_the_user_is_known() {
    check_all(NOTED, "");
}

#[test]
fn other_statements_say_nothing_of_the_user() {
    let wrong: Vec<_> = NOTHING
        .iter()
        .filter_map(|text| said("User", text).map(|found| (*text, found)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn notes_of_others_say_nothing_of_the_user() {
    for text in [
        "Backups live in Frankfurt.",
        "The office is based in Berlin.",
        "Alice's brother lives in Rome.",
        "Alice met Bob in Vienna.",
        "Acme is based in Berlin.",
        "Bob prefers dark mode.",
        "She lives in Lisbon.",
    ] {
        assert_eq!(note(text), None, "{text}");
    }
}

#[test]
fn an_assistants_words_say_nothing() {
    for speaker in ["Assistant", "AI", "Agent"] {
        for (text, ..) in SAID {
            assert_eq!(said(speaker, text), None, "{speaker}: {text}");
        }
    }
    assert_eq!(note("Assistant: I live in Lisbon."), None);
}

#[test]
fn speakers_may_name_themselves() {
    check(
        said("Dana", "Dana prefers dark mode."),
        "Dana",
        "preference.interface",
        "Dana prefers dark mode.",
    );
    assert_eq!(said("Dana", "Bob prefers dark mode."), None);
}

#[test]
fn a_new_value_has_the_name_of_the_old_one() {
    for (old, new) in [
        ("I prefer dark mode.", "I prefer light mode now."),
        ("I like sushi.", "I don't like sushi anymore."),
        ("I'm vegan.", "I'm vegetarian."),
    ] {
        let name = |text| said("User", text).map(|found| found.name);
        assert_eq!(name(old), name(new));
        assert!(name(old).is_some(), "{old}");
    }
}

#[test]
fn reports_are_less_sure() {
    let sure = |text| note(text).map_or(0.0, |found| found.confidence);
    assert!(sure("I live in Porto.") > sure("Alice lives in Porto."));
    assert!(sure("Alice lives in Porto.") > 0.5);
}

#[test]
fn hostile_statements_are_read() {
    for text in [
        "word".repeat(256 * 1024),
        "i live in ".repeat(20_000),
        "I prefer ".repeat(20_000),
        format!("My name is {}.", "A".repeat(100_000)),
        format!("I like {}.", "é".repeat(100_000)),
        "\u{202e}שלום ".repeat(2_000),
        "My phone is 1\u{0}2".repeat(1_000),
    ] {
        let found = said("User", &text);
        assert_eq!(found, said("User", &text));
        assert!(found.is_none_or(|found| found.name.len() < 100 && found.value.len() < 400));
    }
}

proptest! {
    #[test]
    fn any_words_are_read(words in proptest::collection::vec("(i|my|I'm|name|is|live|in|like|don't|email|Dana|a@b|[,.'’+-]|é|\\PC)", 0..12)) {
        said("User", &words.join(" "));
        note(&words.join(" "));
    }
}
