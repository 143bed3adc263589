//! Whether a query asks when, and whether a statement says when.

use unicode_segmentation::UnicodeSegmentation as _;

const TIMES: &[&str] = &[
    "yesterday",
    "today",
    "tonight",
    "tomorrow",
    "last",
    "next",
    "ago",
    "week",
    "weekend",
    "month",
    "year",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "recently",
    "soon",
    "day",
    "days",
    "summer",
    "winter",
    "spring",
];

/// Whether a statement says when.
pub fn has_time(text: &str) -> bool {
    text.unicode_words().any(|word| {
        let lower = word.to_lowercase();
        TIMES.contains(&lower.as_str())
            || (lower.len() == 4
                && (lower.starts_with("19") || lower.starts_with("20"))
                && lower.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// Whether a query asks when.
pub fn asks_when(query: &str) -> bool {
    let lower = query.trim_start().to_lowercase();
    [
        "when",
        "what date",
        "what day",
        "what month",
        "what year",
        "what time",
        "which month",
        "which year",
        "which day",
        "how long",
    ]
    .iter()
    .any(|start| lower.starts_with(start))
}
