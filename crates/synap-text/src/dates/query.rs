//! What a question says of time: the period that it names, and whether it asks for one.

use super::calendar::timestamp;
use super::token::{Token, tokens};
use super::{Reading, reading};
use crate::sentence;
use synap_types::Timestamp;

/// A stretch of time in UTC, from `start` up to but without `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Its first moment.
    pub start: Timestamp,
    /// The first moment after it.
    pub end: Timestamp,
}

/// After "which", these ask for a time.
const ASKED: &[&str] = &[
    "date", "dates", "day", "days", "month", "year", "week", "weekday", "quarter", "season",
    "decade", "time", "century",
];
/// What a question asks for when it asks what they are.
const DATED: &[&str] = &["deadline", "birthday", "date", "anniversary"];
/// Before these, "when" asks.
const BEFORE_WHEN: &[&str] = &[
    "since", "until", "till", "by", "from", "me", "know", "knows", "remember", "exactly", "us",
    "say", "said", "about", "and", "so", "ask", "asks", "or", "of", "out",
];

/// The period that `query` names, against the moment `now` of asking: "in May 2023", "last week". What began and goes on
/// ("since 2019") ends with the day of `now`. `None` where it names none.
pub fn query_time(query: &str, now: Timestamp) -> Option<Period> {
    let event = sentence::cut(query)
        .into_iter()
        .take(super::SENTENCES_MAX)
        .find_map(|range| {
            let Reading { event, .. } = reading(crate::piece::part(query, range), Some(now));
            event
        })?;
    let tomorrow = now.to_datetime().date().next_day()?.midnight();
    let end = event.end.unwrap_or(tomorrow);
    (event.start < end).then(|| Period {
        start: timestamp(event.start),
        end: timestamp(end),
    })
}

/// Whether `query` asks for a date or a duration: "When did…", "what date", "how long ago", "since when".
pub fn asks_when(query: &str) -> bool {
    let tokens = tokens(query);
    let word = |at: usize| {
        tokens
            .get(at)
            .map_or("", |token: &Token| token.lower.as_str())
    };
    (0..tokens.len()).any(|at| match word(at) {
        "when" => {
            let before = at.checked_sub(1).map_or("", word);
            at == 0
                && !matches!(
                    word(1),
                    "i" | "you" | "we" | "they" | "he" | "she" | "it" | "the" | "a"
                )
                || BEFORE_WHEN.contains(&before)
        }
        "what" | "which" => {
            let next = word(at + 1);
            let named = matches!(next, "is" | "was" | "are")
                && (at + 2..at + 6).any(|at| DATED.contains(&word(at)));
            ASKED.contains(&next) || named
        }
        "how" => match word(at + 1) {
            "often" | "soon" | "recently" => true,
            "long" => matches!(
                word(at + 2),
                "ago"
                    | "has"
                    | "have"
                    | "had"
                    | "did"
                    | "does"
                    | "do"
                    | "will"
                    | "until"
                    | "till"
                    | "since"
                    | "before"
                    | "after"
            ),
            _ => false,
        },
        _ => false,
    })
}
