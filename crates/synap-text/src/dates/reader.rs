//! Reads one sentence's tokens. What it reads is in `absolute.rs`, `relative.rs` and `recurring.rs`; here is what they share,
//! and what narrows or widens what they find: "early May", "around November 20", "from May 3 to May 7", "at 9:30".

use super::calendar::{Span, months_after};
use super::token::{Kind, Token, time_of};
use super::words::{Lexeme, Sure, Unit};
use crate::kind::Tense;
use time::{Date, PrimitiveDateTime, Time};

/// What was found, and the token after it.
pub(super) type Read<T> = Option<(T, usize)>;

/// Which of those that a name without a year may mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// As the sentence's tense says.
    Bare,
    Last,
    This,
    Next,
}

/// A sentence, and when it was said.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) tokens: &'a [Token],
    /// The sentence's text has no capital letters at all: then small letters say nothing.
    pub(super) casual: bool,
    /// When it was said, if known: without it only what names its year is found.
    pub(super) said: Option<PrimitiveDateTime>,
    pub(super) tense: Tense,
}

impl Reader<'_> {
    /// The word or mark at `at`; "" where there is none.
    pub(super) fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.lower.as_str())
    }

    /// The word before `at`; "" at the start.
    pub(super) fn before(&self, at: usize) -> &str {
        at.checked_sub(1).map_or("", |at| self.word(at))
    }

    pub(super) fn kind(&self, at: usize) -> Kind {
        self.tokens.get(at).map_or(Kind::Other, |token| token.kind)
    }

    pub(super) fn lexeme(&self, at: usize) -> Lexeme {
        self.tokens
            .get(at)
            .map_or_else(Lexeme::default, |token| token.lexeme)
    }

    pub(super) fn is_capital(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.capital)
    }

    pub(super) fn is_end(&self, at: usize) -> bool {
        at >= self.tokens.len()
    }

    pub(super) fn today(&self) -> Option<Date> {
        self.said.map(PrimitiveDateTime::date)
    }

    /// `at`, or the token after it if it is one of `words`.
    pub(super) fn skip(&self, at: usize, words: &[&str]) -> usize {
        at + usize::from(words.contains(&self.word(at)))
    }

    /// Whether the words from `at` are these; if so, the token after them.
    pub(super) fn words(&self, at: usize, words: &str) -> Option<usize> {
        let mut next = at;
        for word in words.split(' ') {
            (self.word(next) == word).then_some(())?;
            next += 1;
        }
        Some(next)
    }

    /// Whether a word that `sure` says more or less of a date is one here.
    pub(super) fn holds(&self, at: usize, sure: Sure) -> bool {
        sure == Sure::Always || self.is_capital(at) || self.casual
    }

    /// The month at `at`, and the token after it and its full stop.
    pub(super) fn month(&self, at: usize) -> Read<u32> {
        let (month, sure) = self.lexeme(at).month?;
        let next = at + 1;
        let stop = sure == Sure::Capital && self.word(next) == ".";
        self.holds(at, sure)
            .then_some((month, next + usize::from(stop)))
    }

    /// A number, or a word for one: at least and at most. "a couple of".
    pub(super) fn count(&self, at: usize) -> Read<(u32, u32)> {
        if let Kind::Number(number) = self.kind(at) {
            return (number <= 1_000).then_some(((number, number), at + 1));
        }
        let vague = at + usize::from(self.word(at) == "a");
        if let Some(count) = self.lexeme(vague).count
            && matches!(self.word(vague), "couple" | "few" | "several")
        {
            return Some((count, self.skip(vague + 1, &["of"])));
        }
        let count = self.lexeme(at).count?;
        Some((count, at + 1))
    }

    /// "three weeks", "5 business days"
    pub(super) fn amount(&self, at: usize) -> Read<((u32, u32), Unit)> {
        let (count, next) = self.count(at)?;
        let next = self.skip(next, &["business", "working", "more"]);
        let unit = self.lexeme(next).unit?;
        Some(((count, unit), next + 1))
    }

    /// Of the stretches that `make` gives for each year, the one that is meant.
    pub(super) fn pick(&self, which: Which, make: impl Fn(i32) -> Option<Span>) -> Option<Span> {
        let today = self.today()?;
        let year = today.year();
        let spans: Vec<Span> = (year - 2..=year + 2).filter_map(make).collect();
        let (midnight, past) = (today.midnight(), self.tense == Tense::Past);
        let found = match which {
            Which::Bare if past => spans.iter().rev().find(|span| span.start <= midnight),
            Which::Bare => spans.iter().find(|span| span.end > Some(midnight)),
            Which::Last => spans.iter().rev().find(|span| span.end <= Some(midnight)),
            Which::Next => spans.iter().find(|span| span.start > midnight),
            Which::This => spans
                .iter()
                .find(|span| span.contains(today))
                .or_else(|| spans.iter().find(|span| span.start.year() == year)),
        };
        found.copied()
    }

    /// A time expression at `at`, with the time of day and the end of a range that belong to it.
    pub(super) fn ranged(&self, at: usize) -> Read<Span> {
        if let Some(found) = self.clock_first(at) {
            return Some(found);
        }
        let from = self.skip(at, &["from", "between"]);
        let (first, next) = self.span(from)?;
        let (first, next) = self.with_clock(first, next);
        if let Some((last, after)) = self.range_end(at, &first, next) {
            // "from May 3 to May 7, 2023": the year is the first one's, too.
            let first = if last.fixed && !first.fixed {
                let then = Reader {
                    said: last.end,
                    tense: Tense::Past,
                    ..*self
                };
                then.span(from).map_or(first, |(first, _)| first)
            } else {
                first
            };
            if let Some(range) = first.to(last) {
                return Some((range, after));
            }
        }
        Some((first, next))
    }

    fn range_end(&self, at: usize, first: &Span, next: usize) -> Read<Span> {
        let joins = matches!(
            self.word(next),
            "to" | "through" | "thru" | "until" | "till" | "-" | "–" | "—" | "bis"
        ) || self.word(at) == "between" && self.word(next) == "and";
        joins.then_some(())?;
        let then = Reader {
            said: Some(first.start),
            tense: Tense::Other,
            ..*self
        };
        then.span(next + 1)
    }

    /// "at 9:30", "at 6 pm" after a day.
    fn with_clock(&self, span: Span, next: usize) -> (Span, usize) {
        let at = self.skip(next, &[","]);
        let at = self.skip(at, &["at", "@", "from", "around", "between"]);
        self.clock(at)
            .and_then(|((from, to), after)| Some((span.at(from, to)?, after)))
            .unwrap_or((span, next))
    }

    /// "at 9:30 on Monday", "3pm tomorrow"
    fn clock_first(&self, at: usize) -> Read<Span> {
        let start = self.skip(at, &["at", "from"]);
        let ((from, to), next) = self.clock(start)?;
        let (span, after) = self.span(self.skip(next, &["on", ","]))?;
        Some((span.at(from, to)?, after))
    }

    fn clock(&self, at: usize) -> Read<(Time, Option<Time>)> {
        match (self.kind(at), self.word(at)) {
            (Kind::Clock(from, to), _) => {
                // "6:40 pm"
                let late = to.is_none() && self.word(at + 1) == "pm" && from.hour() < 12;
                let from = if late {
                    from.replace_hour(from.hour() + 12).unwrap_or(from)
                } else {
                    from
                };
                let marked = matches!(self.word(at + 1), "am" | "pm" | "uhr");
                Some(((from, to), at + 1 + usize::from(marked)))
            }
            (Kind::Number(hour), _) => {
                let half = match self.word(at + 1) {
                    "am" => Some(0),
                    "pm" => Some(12),
                    "uhr" => None,
                    _ => return None,
                };
                Some(((time_of(hour, 0, half)?, None), at + 2))
            }
            (_, "noon" | "midday") => Some(((Time::from_hms(12, 0, 0).ok()?, None), at + 1)),
            _ => None,
        }
    }

    /// A time expression without time of day.
    pub(super) fn span(&self, at: usize) -> Read<Span> {
        let at = self.skip(at, &["the"]);
        match self.word(at) {
            "early" => self.third(at + 1, 0),
            "mid" | "middle" => self.third(at + 1, 1),
            "late" => self.third(at + 1, 2),
            "start" | "beginning" if self.word(at + 1) == "of" => self.third(at + 2, 0),
            "end" if self.word(at + 1) == "of" => self.third(at + 2, 2),
            "about" if !self.counts_next(at + 1) => None,
            "around" | "about" | "circa" | "ca" | "approximately" | "roughly" => {
                let (span, next) = self.plain(self.skip(at + 1, &[".", "the"]))?;
                Some((span.approximate()?, next))
            }
            _ => self.plain(at),
        }
    }

    /// "about five years ago", "about 2016": elsewhere, "about" says what something is of.
    fn counts_next(&self, at: usize) -> bool {
        let at = self.skip(at, &["the"]);
        self.count(at).is_some() || matches!(self.kind(at), Kind::Ordinal(_) | Kind::Date(..))
    }

    fn third(&self, at: usize, which: u8) -> Read<Span> {
        let (span, next) = self.whole(self.skip(at, &["-", "in", "of"]))?;
        (span.precision != synap_types::Precision::Day).then_some(())?;
        Some((span.third(which)?, next))
    }

    /// What "end of" may stand before: "the year", "Q2", "next month".
    pub(super) fn whole(&self, at: usize) -> Read<Span> {
        let at = self.skip(at, &["the"]);
        let bare = self.before(at) != "the" && !self.is_closed(at + 1);
        if let Some(unit) = self.lexeme(at).unit
            && unit != Unit::Day
            && !bare
            && !matches!(self.word(at + 1), "before" | "after")
            && let Some(today) = self.today()
        {
            return Some((Span::around(today, unit)?, at + 1));
        }
        self.plain(at)
    }

    /// A time expression that no word narrows.
    fn plain(&self, at: usize) -> Read<Span> {
        let at = self.skip(at, &["the"]);
        self.anchored(at)
            .or_else(|| self.relative(at))
            .or_else(|| self.absolute(at))
    }

    /// A season of a year.
    pub(super) fn season(year: i32, first: u32) -> Option<Span> {
        Span::months(year, first, 3, synap_types::Precision::Season)
    }

    /// The stretches of some units before today, from the most to the least of `count`.
    pub(super) fn units_ago(&self, count: (u32, u32), unit: Unit, sign: i32) -> Option<Span> {
        let number = |count: u32| i32::try_from(count).ok()?.checked_mul(sign);
        let (least, most) = (number(count.0)?, number(count.1)?);
        if let Unit::Minute | Unit::Hour = unit {
            return self.hours(least, unit);
        }
        let span =
            |count: i32| Span::around(super::calendar::step(self.today()?, unit, count)?, unit);
        if least == most {
            return span(least);
        }
        let range = span(least.min(most))?.to(span(least.max(most))?)?;
        Some(Span {
            precision: synap_types::Precision::Approximate,
            ..range
        })
    }

    fn hours(&self, count: i32, unit: Unit) -> Option<Span> {
        let each = if unit == Unit::Hour { 60 } else { 1 };
        let minutes = time::Duration::minutes(i64::from(count) * each);
        let at = self.said?.checked_add(minutes)?;
        let at = at.replace_second(0).ok()?.replace_nanosecond(0).ok()?;
        Some(Span {
            start: at,
            end: Some(at.checked_add(time::Duration::MINUTE)?),
            precision: synap_types::Precision::Minute,
            fixed: false,
        })
    }

    /// The day so many months from today.
    pub(super) fn today_in_months(&self, months: i32) -> Option<Date> {
        months_after(self.today()?, months)
    }
}
