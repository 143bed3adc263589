//! When what a statement tells of takes place: finds its time expressions and resolves them against the time of saying.
//!
//! ```text
//! sentence ─► token (words, numbers) ─► reader ─┬─ absolute   "5 March 2026", "Q2", "in May"
//!                                               ├─ relative   "last Tuesday", "two weeks ago"
//!                                               ├─ recurring  "every Monday"
//!                                               └─ bound      "until Friday", "since 2016"
//! ```
//!
//! Everything is in UTC; weeks begin on Monday; ends are the first moment after. What may be past or to come ("in March",
//! "on Friday") is read by the sentence's tense. "Last Tuesday" is the latest before the day of saying, "next Tuesday" that of
//! the next week, "two weeks ago" the week around that day. In `3/5/2026` the month stands first; `05.03.2026` is not read.
//! English, and days with the names of months in German, French and Spanish.

mod absolute;
mod bound;
mod calendar;
mod query;
mod reader;
mod recurring;
mod relative;
mod token;
mod words;

pub use query::{Period, asks_when, query_time};

use crate::kind;
use crate::piece::part;
use crate::sentence;
use calendar::{Span, timestamp};
use reader::Reader;
use synap_types::{EventTime, Timestamp};
use time::PrimitiveDateTime;
use token::Token;

/// Sentences of one statement that are looked at.
const SENTENCES_MAX: usize = 12;

/// What the time expressions of `text` say, if there is one that can be resolved: the first that names a date, the first that
/// names an end, the first that recurs. `said_at`: without it, only what names its year has a date. "Today" gives way to any
/// other date.
pub fn event_time(text: &str, said_at: Option<Timestamp>) -> Option<EventTime> {
    let mut all = Reading::default();
    for range in sentence::cut(text).into_iter().take(SENTENCES_MAX) {
        all.add(reading(part(text, range), said_at));
    }
    let found = all.event.is_some() || all.until.is_some() || all.recurrence.is_some();
    found.then(|| EventTime {
        date: all.event.map(|span| timestamp(span.start)),
        end: all.event.and_then(|span| span.end).map(timestamp),
        precision: all.event.map(|span| span.precision),
        valid_until: all.until.map(timestamp),
        recurrence: all.recurrence,
    })
}

/// Whether `text` has a time expression, whether or not it could be resolved.
pub fn has_time(text: &str) -> bool {
    event_time(text, Some(Timestamp::from_micros(0))).is_some()
}

/// What one sentence says.
#[derive(Debug, Default)]
struct Reading {
    event: Option<Span>,
    /// `event` is only "today".
    weak: bool,
    until: Option<PrimitiveDateTime>,
    recurrence: Option<String>,
}

impl Reading {
    fn add(&mut self, other: Self) {
        self.add_event(other.event, other.weak);
        self.until = self.until.or(other.until);
        self.recurrence = self.recurrence.take().or(other.recurrence);
    }

    fn add_event(&mut self, event: Option<Span>, weak: bool) {
        // Before the year 1 there are no timestamps.
        let event = event.filter(|span| span.start.year() > 0);
        if event.is_some() && (self.event.is_none() || self.weak && !weak) {
            self.event = event;
            self.weak = weak;
        }
    }
}

fn reading(sentence: &str, said_at: Option<Timestamp>) -> Reading {
    let tokens = token::tokens(sentence);
    let mut found = Reading::default();
    if !tokens.iter().any(Token::names) {
        return found;
    }
    let reader = Reader {
        tokens: &tokens,
        casual: !sentence.contains(char::is_uppercase),
        said: said_at.map(|at| {
            let at = at.to_datetime();
            PrimitiveDateTime::new(at.date(), at.time())
        }),
        tense: kind::tense(sentence),
    };
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if !token.starts() {
            at += 1;
        } else if let Some((rule, next)) = reader.recurring(at) {
            found.recurrence = found.recurrence.take().or(Some(rule));
            at = next.max(at + 1);
        } else if let Some((bound, next)) = reader.bound(at) {
            found.add_event(bound.event, false);
            found.until = found
                .until
                .or_else(|| bound.until.filter(|until| until.year() > 0));
            at = next.max(at + 1);
        } else if let Some((span, next)) = reader.ranged(at) {
            found.add_event(Some(span), reader.word(at) == "today");
            at = next.max(at + 1);
        } else {
            at += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests;
