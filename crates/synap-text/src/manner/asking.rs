//! Questions without a question mark, as people write them in chats: "hey how was your trip".

/// What may stand before a question.
const BEFORE: [&str; 32] = [
    "ah", "also", "and", "aww", "btw", "but", "cool", "great", "haha", "hello", "hey", "hi", "hmm",
    "lol", "nice", "no", "oh", "ok", "okay", "really", "so", "sorry", "sure", "then", "well",
    "what", "wow", "wait", "yay", "yeah", "yep", "yes",
];
/// Of these at most so many.
const BEFORE_MAX: usize = 3;

/// Words that ask, where one of [`VERBS`] or [`MEASURES`] follows.
const ASKING: [&str; 8] = [
    "how", "what", "when", "where", "which", "who", "whose", "why",
];
const VERBS: [&str; 28] = [
    "am", "are", "can", "come", "could", "did", "do", "does", "else", "had", "has", "have", "is",
    "kind", "made", "may", "might", "must", "one", "shall", "should", "sort", "time", "was",
    "were", "will", "would", "happened",
];
const MEASURES: [&str; 10] = [
    "about", "big", "far", "fast", "long", "many", "much", "often", "old", "soon",
];
/// The same with the verb in it.
const CONTRACTED: [&str; 14] = [
    "hows", "how's", "howd", "how'd", "whats", "what's", "whens", "when's", "wheres", "where's",
    "whos", "who's", "whys", "why's",
];

/// Verbs that ask where one of [`PERSONS`] follows, or one of [`THINGS`] and more.
const INVERTED: [&str; 26] = [
    "am", "are", "aren't", "can", "can't", "could", "couldn't", "did", "didn't", "do", "does",
    "doesn't", "don't", "had", "has", "have", "haven't", "is", "isn't", "may", "should", "was",
    "wasn't", "were", "will", "would",
];
const PERSONS: [&str; 11] = [
    "anybody", "anyone", "he", "i", "she", "somebody", "someone", "they", "u", "we", "you",
];
const THINGS: [&str; 8] = [
    "any", "anything", "it", "that", "the", "there", "these", "this",
];
/// With a thing these tell somebody to do something: "do the dishes".
const TELLING: [&str; 3] = ["do", "don't", "have"];

/// Whether the last sentence of `text` asks by the order of its words. A sentence that ends with a mark is what the mark
/// says; English alone.
pub(super) fn is_unmarked_question(text: &str) -> bool {
    if text.ends_with(['.', '!', '?', '…', ':', ';', ',', '"']) {
        return false;
    }
    let last = text
        .rsplit(['.', '!', '?', ':', '\n'])
        .next()
        .unwrap_or_default();
    let words = last.split(|c: char| c.is_whitespace() || c == ',');
    let words = words.filter(|word| !word.is_empty());
    let words: Vec<String> = words
        .take(BEFORE_MAX + 3)
        .map(|word| word.to_lowercase().replace('’', "'"))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let begins = |at: usize| words.get(at..).is_some_and(asks);
    // "what" may be said before a question, and be its first word.
    let before = words.iter().take(BEFORE_MAX);
    let before = before.take_while(|word| BEFORE.contains(word)).count();
    (0..=before).any(begins)
}

/// Whether a sentence that begins with these words is a question.
fn asks(words: &[&str]) -> bool {
    match words {
        [one, ..] if CONTRACTED.contains(one) => words.len() > 1,
        [one, other, ..] if ASKING.contains(one) => {
            VERBS.contains(other) || *one != "what" && MEASURES.contains(other)
        }
        [one, other, more @ ..] if INVERTED.contains(one) => {
            let is_thing = THINGS.contains(other) && !TELLING.contains(one) && !more.is_empty();
            PERSONS.contains(other) || is_thing
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chats_ask_without_a_mark() {
        for asks in [
            "how was your trip",
            "Hey so what's new",
            "oh wow, did you see the castle",
            "how many are there",
            "I went home. are you coming too",
            "yeah\nwhere do you live now",
            "isn't that the one we saw",
            "Dana Maria: so how are you",
        ] {
            assert!(is_unmarked_question(asks), "{asks:?}");
        }
    }

    #[test]
    fn what_says_something_does_not_ask() {
        for says in [
            "what a day",
            "when I got home it rained",
            "who knows",
            "How was your trip.",
            "did it",
            "how it works",
            "do the dishes first",
            "so yeah",
            "what",
            "",
            "ok ok ok ok how are you",
            "I know what it is",
        ] {
            assert!(!is_unmarked_question(says), "{says:?}");
        }
    }
}
