//! Likes and habits of the user, which are named by what they are about.

use super::Attribute;
use super::words::Clause;
use crate::kind;
use crate::piece::{clip, lowered};
use synap_types::MemoryType;

/// The sentence of a preference is shown up to here.
const VALUE_BYTES_MAX: usize = 300;
/// A preference's name is at most this long.
const SLUG_BYTES_MAX: usize = 40;
/// Preferences by rules less sure than this are passing wishes.
const SURE_MIN: f32 = 0.7;
/// Passing wishes: "I want a refund" is none of the user's ways, nor is "I loved the concert".
const PASSING: &[&str] = &[
    "enjoyed", "hate to", "hated", "liked", "loved", "want", "wanted", "wants",
];
/// Verbs whose object is liked or not, beside others that are.
const LIKES: &[&str] = &[
    "adore", "adores", "detest", "detests", "dislike", "dislikes", "enjoy", "enjoys", "hate",
    "hates", "like", "likes", "love", "loves",
];
/// Words that start a rule for whoever reads it.
const REQUESTS: &[&str] = &["always", "avoid", "don't", "keep", "never", "only", "stop"];
/// Words that start one after "please", beside the others. "Please send it" is a request for once.
const PLEASE: &[&str] = &["address", "answer", "be", "do", "reply", "respond", "use"];
/// Words at which what a verb is about ends.
const OBJECT_ENDS: &[&str] = &[
    "and", "as", "at", "because", "but", "by", "during", "for", "from", "if", "in", "instead",
    "more", "most", "of", "on", "or", "over", "rather", "since", "so", "than", "that", "to",
    "very", "when", "where", "which", "while", "with", "without", "a", "the", "my", "lot", "much",
    "anymore", "now", "too",
];

/// The preference that a sentence of these clauses states of the user.
pub(super) fn of(
    sentence: &str,
    speaker: Option<&str>,
    clauses: &[Clause<'_>],
) -> Option<Attribute> {
    let first = clauses
        .first()
        .filter(|clause| !clause.is_condition() || clause.is_occasion())?;
    let lower = lowered(sentence);
    let words: Vec<&str> = lower
        .split(|c: char| c.is_whitespace())
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .collect();
    let has = |list: &[&str]| words.iter().any(|word| list.contains(word));
    let own = is_rule(&words) || is_own(&words);
    if !own && !first.is_reported() {
        return None;
    }
    let typed = kind::of(sentence, None, speaker);
    if typed.kind != MemoryType::Preference || typed.confidence < SURE_MIN {
        return None;
    }
    let passing = PASSING.iter().any(|phrase| {
        lower
            .split(phrase)
            .skip(1)
            .any(|rest| rest.starts_with(' '))
    });
    if passing && !has(&["prefer", "prefers", "rather"]) {
        return None;
    }
    let about = about(&words, typed.category)?;
    Some(Attribute {
        name: format!("preference.{about}"),
        value: clip(sentence.trim(), VALUE_BYTES_MAX),
        confidence: if own {
            typed.confidence
        } else {
            typed.confidence - super::REPORTED
        },
    })
}

/// Whether the words ask for something to be so from now on.
fn is_rule(words: &[&str]) -> bool {
    match words {
        ["please", first, ..] => REQUESTS.contains(first) || PLEASE.contains(first),
        [first, ..] => REQUESTS.contains(first),
        [] => false,
    }
}

/// Whether "I" stands before what is liked, or "my" before "favourite".
fn is_own(words: &[&str]) -> bool {
    let favourite = |word: &&str| {
        matches!(
            *word,
            "favorite" | "favourite" | "preferred" | "preference" | "preferences"
        )
    };
    if words.first() == Some(&"my") {
        return words.iter().any(favourite);
    }
    let verb = |word: &&str| LIKES.contains(word) || *word == "prefers";
    let end = words.iter().position(verb).unwrap_or(words.len());
    let mut before = words.iter().take(end);
    before.any(|word| matches!(*word, "i" | "i'd" | "i'm"))
}

/// What a preference is about: of likes the thing, of which there are many; of others the topic, else the thing.
fn about(words: &[&str], category: Option<&'static str>) -> Option<String> {
    let topic = category.filter(|topic| *topic != "general");
    let verb = words.iter().position(|word| LIKES.contains(word));
    let other = words.iter().position(|word| {
        matches!(
            *word,
            "prefer"
                | "prefers"
                | "preferred"
                | "rather"
                | "avoid"
                | "avoids"
                | "favorite"
                | "favourite"
                | "use"
                | "uses"
                | "of"
        )
    });
    let after = verb.or(other).map_or(0, |verb| verb + 1);
    let head = words
        .get(after..)
        .unwrap_or_default()
        .iter()
        .skip_while(|word| OBJECT_ENDS.contains(word))
        .take_while(|word| !OBJECT_ENDS.contains(word))
        .take(4)
        .last()
        .map(|word| slug(word))
        .filter(|slug| !slug.is_empty());
    match (verb, topic) {
        (None, Some(topic)) => Some(topic.to_owned()),
        (Some(_), Some(topic)) => {
            Some(head.map_or_else(|| topic.to_owned(), |head| format!("{topic}.{head}")))
        }
        (_, None) => head,
    }
}

/// A word as part of a name: small letters and digits, without a plural's "s".
pub(super) fn slug(word: &str) -> String {
    let lower: String = word
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect();
    let cut = crate::piece::part(&lower, 0..crate::piece::floor(&lower, SLUG_BYTES_MAX));
    match cut.strip_suffix('s') {
        Some(one) if one.len() > 2 && !one.ends_with(['s', 'u', 'i']) => one.to_owned(),
        Some(_) | None => cut.to_owned(),
    }
}
