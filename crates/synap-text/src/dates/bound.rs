//! What bounds a time on one side: "until Friday", "by end of Q2", "since 2016", "expires on 3 May".

use super::calendar::{Span, step};
use super::reader::{Read, Reader};
use super::words;
use crate::kind::Tense;
use time::PrimitiveDateTime;

/// What a bounded expression says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub(super) event: Option<Span>,
    /// The first moment after.
    pub(super) until: Option<PrimitiveDateTime>,
}

impl Reader<'_> {
    /// A bounded time at `at`.
    pub(super) fn bound(&self, at: usize) -> Read<Bound> {
        match self.word(at) {
            "until" | "till" | "til" | "through" | "thru" | "bis" => self.until(at + 1),
            "by" => self.deadline(at + 1),
            "later" if self.word(at + 1) == "than" => self.deadline(at + 2),
            "expire" | "expires" | "expired" | "expiring" => {
                let next = self.skip(at + 1, &["at", "on", "in", ":"]);
                let next = if self.word(at + 1) == "in" {
                    at + 1
                } else {
                    next
                };
                self.deadline(next)
            }
            "within" => {
                let ((count, unit), next) = self.amount(at + 1)?;
                // "within 60 days of the start" counts from another time, and hours say how long.
                let of = matches!(self.word(next), "of" | "after" | "before" | "from");
                (!of && !matches!(unit, words::Unit::Minute | words::Unit::Hour)).then_some(())?;
                let last = step(self.today()?, unit, i32::try_from(count.1).ok()?)?;
                let until = Span::day(last)?.end;
                (self.tense != Tense::Past).then_some((Bound { event: None, until }, next))
            }
            "before" if self.tense != Tense::Past => {
                let (span, next) = self.ranged(at + 1)?;
                Some((
                    Bound {
                        event: None,
                        until: Some(span.start),
                    },
                    next,
                ))
            }
            "since" | "seit" | "depuis" | "desde" | "effective" | "starting" | "beginning" => {
                self.open(self.skip(at + 1, &["from", "on", "in", "from"]))
            }
            "as" if self.word(at + 1) == "of" => self.open(at + 2),
            "from" => {
                let (span, next) = self.span(at + 1)?;
                matches!(self.word(next), "on" | "onwards" | "onward").then_some(())?;
                Some((
                    Bound {
                        event: Some(span.open()),
                        until: None,
                    },
                    next + 1,
                ))
            }
            "after" => {
                let (span, next) = self.span(at + 1)?;
                let after = Span {
                    start: span.end?,
                    end: None,
                    ..span
                };
                Some((
                    Bound {
                        event: Some(after),
                        until: None,
                    },
                    next,
                ))
            }
            "for" => self.lasting(at + 1),
            _ => None,
        }
    }

    fn open(&self, at: usize) -> Read<Bound> {
        let past = Reader {
            tense: self.past_if_perfect(),
            ..*self
        };
        let (span, next) = past.span(at)?;
        Some((
            Bound {
                event: Some(span.open()),
                until: None,
            },
            next,
        ))
    }

    /// "has been vegan since March" tells of the last March.
    fn past_if_perfect(&self) -> Tense {
        let perfect = self.tokens.iter().any(|token| {
            matches!(token.lower.as_str(), "has" | "have" | "been") || token.lower.ends_with("'ve")
        });
        if perfect { Tense::Past } else { self.tense }
    }

    fn until(&self, at: usize) -> Read<Bound> {
        if let Some((last, next)) = self.end_of(at) {
            return Some((
                Bound {
                    event: None,
                    until: last.end,
                },
                next,
            ));
        }
        let ahead = Reader {
            tense: self.ahead(),
            ..*self
        };
        let (span, next) = ahead.ranged(at)?;
        Some((
            Bound {
                event: None,
                until: span.end,
            },
            next,
        ))
    }

    /// What ends lies ahead, unless the sentence is in the past.
    fn ahead(&self) -> Tense {
        if self.tense == Tense::Past {
            Tense::Past
        } else {
            Tense::Future
        }
    }

    fn deadline(&self, at: usize) -> Read<Bound> {
        let at = self.skip(at, &["at"]);
        let found = self.end_of(at).or_else(|| {
            let ahead = Reader {
                tense: self.ahead(),
                ..*self
            };
            ahead.ranged(at)
        });
        let (span, next) = found?;
        // "I had finished by Friday" is over.
        let until = if self.tense == Tense::Past {
            None
        } else {
            span.end
        };
        Some((
            Bound {
                event: Some(span),
                until,
            },
            next,
        ))
    }

    /// "the end of the month", "end of year", "EOD": its last day.
    fn end_of(&self, at: usize) -> Read<Span> {
        let at = self.skip(at, &["the"]);
        let unit = match self.word(at) {
            "eod" => Some(words::Unit::Day),
            "eow" => Some(words::Unit::Week),
            "eom" => Some(words::Unit::Month),
            "eoq" => Some(words::Unit::Quarter),
            "eoy" => Some(words::Unit::Year),
            _ => None,
        };
        if let Some(unit) = unit {
            return Some((Span::around(self.today()?, unit)?.last_day()?, at + 1));
        }
        (self.word(at) == "end").then_some(())?;
        let ahead = Reader {
            tense: self.ahead(),
            ..*self
        };
        let (span, next) = ahead.whole(self.skip(at + 1, &["of"]))?;
        Some((span.last_day()?, next))
    }

    /// "have worked here for three years"
    fn lasting(&self, at: usize) -> Read<Bound> {
        let perfect = self.past_if_perfect() == Tense::Past
            && self.tokens.iter().take(at).any(|token| {
                let word = token.lower.as_str();
                matches!(word, "has" | "have") || word.ends_with("'ve")
            });
        let (((count, most), unit), next) = self.amount(at).filter(|_| perfect)?;
        let span = self.units_ago((count, most), unit, -1)?;
        Some((
            Bound {
                event: Some(span.open()),
                until: None,
            },
            next,
        ))
    }
}
