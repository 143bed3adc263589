//! Which type of memory a query asks for, where it says so.

use crate::asks_when;
use synap_types::MemoryType;
use unicode_segmentation::UnicodeSegmentation as _;

/// Words by which a query asks what somebody likes, wants or avoids.
const PREFERENCES: [&str; 18] = [
    "avoid",
    "avoids",
    "dislike",
    "dislikes",
    "enjoy",
    "enjoys",
    "favorite",
    "favorites",
    "favourite",
    "favourites",
    "hate",
    "hates",
    "prefer",
    "preference",
    "preferences",
    "preferred",
    "prefers",
    "rather",
];
/// Words by which a query asks how somebody feels.
const EMOTIONS: [&str; 10] = [
    "emotion",
    "emotional",
    "emotions",
    "feel",
    "feeling",
    "feelings",
    "feels",
    "felt",
    "mood",
    "moods",
];

/// The type of memory that `query` asks for: "What does Dana prefer?", "How does she feel about it?", "When is it due?".
/// English alone; `None` where nothing says so.
pub fn type_asked(query: &str) -> Option<MemoryType> {
    let has = |words: &[&str]| {
        let mut said = query.unicode_words().map(str::to_lowercase);
        said.any(|word| words.contains(&word.as_str()))
    };
    if has(&EMOTIONS) {
        Some(MemoryType::Emotion)
    } else if has(&PREFERENCES) {
        Some(MemoryType::Preference)
    } else {
        asks_when(query).then_some(MemoryType::TemporalEvent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_what_type_it_asks_for() {
        for (query, asked) in [
            (
                "What's Dana's favourite colour?",
                Some(MemoryType::Preference),
            ),
            ("Would he rather fly?", Some(MemoryType::Preference)),
            ("How did Bo feel about the move?", Some(MemoryType::Emotion)),
            ("When does the lease end?", Some(MemoryType::TemporalEvent)),
            ("Which database do we use?", None),
            ("", None),
        ] {
            assert_eq!(type_asked(query), asked, "{query:?}");
        }
    }
}
