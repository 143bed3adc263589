//! What has a name in the calendar: days, months, quarters, seasons, years, holidays.

use super::calendar::Span;
use super::reader::{Read, Reader, Which};
use super::token::{Kind, day};
use super::words;
use synap_types::Precision;

/// Before these a month or a season stands without a day and a year: "in May", not "May I".
const INTRODUCING: &[&str] = &[
    "in", "this", "last", "next", "since", "until", "till", "by", "during", "of", "from", "to",
    "early", "mid", "late", "before", "after", "around", "through", "between", "every", "over",
    "expected", "im", "en", "for",
];
/// Before these a number of four digits is a year.
const BEFORE_YEARS: &[&str] = &[
    "in",
    "since",
    "until",
    "till",
    "by",
    "during",
    "of",
    "from",
    "to",
    "early",
    "mid",
    "late",
    "before",
    "after",
    "around",
    "about",
    "circa",
    "through",
    "between",
    "for",
    "throughout",
    "seit",
    "depuis",
    "desde",
    "en",
    "late",
    "over",
    "year",
    "ca",
];

impl Reader<'_> {
    /// A date by its name.
    pub(super) fn absolute(&self, at: usize) -> Read<Span> {
        let kind = self.kind(at);
        if let Kind::Date(date, time) = kind {
            let day = Span::day(date)?.fixed();
            let day = time.and_then(|time| day.at(time, None)).unwrap_or(day);
            return Some((day, at + 1));
        }
        if let Kind::YearMonth(year, month) = kind {
            let year = i32::try_from(year).ok()?;
            let span = Span::months(year, month, 1, Precision::Month)?;
            return Some((span.fixed(), at + 1));
        }
        if let Kind::Decade(year) = kind
            && matches!(self.before(at), "the" | "in" | "'" | "early" | "late")
        {
            let first = i32::try_from(year).ok()?;
            let months = if first % 100 == 0 { 1_200 } else { 120 };
            let span = Span::months(first, 1, months, Precision::Range)?;
            return Some((span.fixed(), at + 1));
        }
        self.month_first(at)
            .or_else(|| self.day_first(at))
            .or_else(|| self.quarter(at))
            .or_else(|| self.season_named(at))
            .or_else(|| self.holiday(at))
            .or_else(|| self.year_first(at))
            .or_else(|| self.day_only(at))
    }

    /// A year of four digits.
    pub(super) fn year_at(&self, at: usize) -> Read<i32> {
        let Kind::Number(year @ 1900..=2099) = self.kind(at) else {
            return None;
        };
        Some((i32::try_from(year).ok()?, at + 1))
    }

    /// The year after a date: ", 2026", "of 2026", "de 2026".
    fn year_after(&self, at: usize) -> Read<i32> {
        self.year_at(self.skip(at, &[",", "of", "de", "-"]))
    }

    /// The number of a day, with an ordinal's ending or without.
    fn day_number(&self, at: usize) -> Read<(u32, u32)> {
        let kind = self.kind(at);
        if let Kind::Pair(first @ 1.., last @ ..=31) = kind {
            return Some(((first, last), at + 1));
        }
        let (Kind::Number(day @ 1..=31) | Kind::Ordinal(day @ 1..=31)) = kind else {
            return None;
        };
        Some(((day, day), at + 1))
    }

    /// `days` of a month, in the year after it or the one that is meant.
    fn days(&self, days: (u32, u32), month: u32, next: usize) -> Read<Span> {
        let make = |year: i32| {
            let year = u32::try_from(year).ok()?;
            let first = day(year, month, days.0)?;
            if days.0 == days.1 {
                Span::day(first)
            } else {
                Span::days(first, day(year, month, days.1)?)
            }
        };
        match self.year_after(next) {
            Some((year, after)) => Some((make(year)?.fixed(), after)),
            None => Some((self.pick(Which::Bare, make)?, next)),
        }
    }

    /// "March 5th, 2023", "May 3-7", "March 2023", "in March"
    fn month_first(&self, at: usize) -> Read<Span> {
        let (month, next) = self.month(at)?;
        let the = self.skip(next, &["the"]);
        if let Some((days, after)) = self.day_number(the)
            && let Some(found) = self.days(days, month, after)
        {
            return Some(found);
        }
        let make = |year| Span::months(year, month, 1, Precision::Month);
        if let Some((year, after)) = self.year_after(next) {
            return Some((make(year)?.fixed(), after));
        }
        let introduced = INTRODUCING.contains(&self.before(at)) || self.continues(at);
        introduced.then_some(())?;
        Some((self.pick(Which::Bare, make)?, next))
    }

    /// "5 March 2026", "the 5th of March", "3. Juni", "el 3 de junio", "first of May"
    fn day_first(&self, at: usize) -> Read<Span> {
        let (days, next) = self.day_number(at).or_else(|| {
            let day = self
                .lexeme(at)
                .ordinal
                .filter(|_| self.word(at + 1) == "of")?;
            Some(((day, day), at + 1))
        })?;
        let next = self.skip(next, &[".", "of", "de"]);
        let (month, after) = self.month(next)?;
        self.days(days, month, after)
    }

    /// "Q2", "Q3 2024", "2026 Q1", "the first quarter of 2026", "H1 2027"
    fn quarter(&self, at: usize) -> Read<Span> {
        let (first, count, next) = if let Some(number) = self.lexeme(at).ordinal {
            let quarter = self.word(at + 1) == "quarter" && (1..=4).contains(&number);
            quarter.then_some((number * 3 - 2, 3, at + 2))?
        } else {
            match self.word(at) {
                "q1" => (1, 3, at + 1),
                "q2" => (4, 3, at + 1),
                "q3" => (7, 3, at + 1),
                "q4" => (10, 3, at + 1),
                "h1" => (1, 6, at + 1),
                "h2" => (7, 6, at + 1),
                _ => return None,
            }
        };
        let precision = if count == 3 {
            Precision::Quarter
        } else {
            Precision::Range
        };
        let make = |year| Span::months(year, first, count, precision);
        if let Some((year, after)) = self.year_after(self.skip(next, &["/"])) {
            return Some((make(year)?.fixed(), after));
        }
        // "the first quarter of the game"
        let of_other = self.word(next) == "of" && self.words(next, "of the year").is_none();
        let code = count == 6 && !INTRODUCING.contains(&self.before(at));
        (!of_other && !code).then_some(())?;
        Some((self.pick(Which::Bare, make)?, next))
    }

    /// "summer 2024", "the fall of 2023", "in spring"
    fn season_named(&self, at: usize) -> Read<Span> {
        let first = self.lexeme(at).season?;
        let make = |year| Self::season(year, first);
        if let Some((year, after)) = self.year_after(at + 1) {
            return Some((make(year)?.fixed(), after));
        }
        let before = if self.before(at) == "the" {
            at.checked_sub(1).map_or("", |at| self.before(at))
        } else {
            self.before(at)
        };
        let introduced = INTRODUCING.contains(&before) && before != "of";
        // "in summer camps" is of camps.
        (introduced && self.is_closed(at + 1)).then_some(())?;
        Some((self.pick(Which::Bare, make)?, at + 1))
    }

    fn holiday(&self, at: usize) -> Read<Span> {
        self.lexeme(at).holiday.then_some(())?;
        let (month, number, next) = words::holidays().find_map(|(words, month, day)| {
            let mut next = at;
            for word in words {
                // Possessives are cut from words, but not from "years".
                let found = self.word(next).trim_end_matches("'s");
                (found == word || found.trim_end_matches('s') == word).then_some(())?;
                next += 1;
            }
            Some((month, day, next))
        })?;
        let make = |year: i32| Span::day(day(u32::try_from(year).ok()?, month, number)?);
        match self.year_after(next) {
            Some((year, after)) => Some((make(year)?.fixed(), after)),
            None => Some((self.pick(Which::Bare, make)?, next)),
        }
    }

    /// "in 2016", "2021-2023", "2026 Q1"
    fn year_first(&self, at: usize) -> Read<Span> {
        let introduced = BEFORE_YEARS.contains(&self.before(at))
            || self.continues(at)
            || self.word(at + 1) == ":"
            || at == 0 && self.is_closed(at + 1);
        if let Kind::Pair(first @ 1900..=2099, last @ 1900..=2099) = self.kind(at) {
            let (first, last) = (i32::try_from(first).ok()?, i32::try_from(last).ok()?);
            return Some((
                Span::year(first)?.fixed().to(Span::year(last)?.fixed())?,
                at + 1,
            ));
        }
        let (year, next) = self.year_at(at)?;
        let (first, after) = match self.word(next) {
            "q1" => (1, next + 1),
            "q2" => (4, next + 1),
            "q3" => (7, next + 1),
            "q4" => (10, next + 1),
            _ => (0, next),
        };
        if first > 0 {
            return Some((
                Span::months(year, first, 3, Precision::Quarter)?.fixed(),
                after,
            ));
        }
        let closed = self.is_closed(next) || self.kind(next) == Kind::Word && !self.counts(next);
        (introduced && closed).then_some(())?;
        Some((Span::year(year)?.fixed(), next))
    }

    /// "on the 15th": a day of the month that is meant.
    fn day_only(&self, at: usize) -> Read<Span> {
        let Kind::Ordinal(number @ 1..=31) = self.kind(at) else {
            return None;
        };
        let before = at.checked_sub(2).map_or("", |at| self.word(at));
        let introduced = self.before(at) == "the"
            && matches!(before, "on" | "by" | "until" | "till" | "since" | "before");
        (introduced && self.is_closed(at + 1)).then_some(())?;
        let months: Vec<Span> = (-2..=2)
            .filter_map(|months| {
                let other = self.today_in_months(months)?;
                let month = u32::from(u8::from(other.month()));
                Span::day(day(u32::try_from(other.year()).ok()?, month, number)?)
            })
            .collect();
        let today = self.today()?.midnight();
        let past = self.tense == crate::kind::Tense::Past;
        let found = if past {
            months.iter().rev().find(|day| day.start <= today)
        } else {
            months.iter().find(|day| day.start >= today)
        };
        Some((*found?, at + 1))
    }

    /// Whether a word or mark before `at` goes on with what another date began: "April - June", "2021 and 2023".
    fn continues(&self, at: usize) -> bool {
        let joins = matches!(self.before(at), "-" | "–" | "—" | "and" | "to" | "&");
        let first = at.checked_sub(2).unwrap_or(usize::MAX);
        let lexeme = self.lexeme(first);
        let part = matches!(self.word(first), "early" | "mid" | "late");
        let dated =
            self.year_at(first).is_some() || lexeme.month.is_some() || lexeme.season.is_some();
        joins && (part || dated)
    }

    /// Whether nothing that belongs to a noun follows: the sentence ends, a mark or a small connecting word follows.
    pub(super) fn is_closed(&self, at: usize) -> bool {
        self.is_end(at)
            || matches!(self.kind(at), Kind::Mark(mark) if mark != '%')
            || matches!(
                self.word(at),
                "at" | "and"
                    | "in"
                    | "on"
                    | "of"
                    | "to"
                    | "for"
                    | "with"
                    | "by"
                    | "from"
                    | "until"
                    | "we"
                    | "i"
                    | "he"
                    | "she"
                    | "they"
                    | "it"
                    | "the"
                    | "when"
                    | "but"
                    | "or"
                    | "because"
                    | "after"
                    | "before"
                    | "is"
                    | "was"
                    | "as"
                    | "so"
                    | "through"
                    | "my"
                    | "our"
                    | "his"
                    | "her"
                    | "their"
                    | "a"
                    | "an"
            )
    }

    /// Whether the word says what a number counts: "2000 people".
    fn counts(&self, at: usize) -> bool {
        let word = self.word(at);
        word.len() > 3 && word.ends_with('s') && !matches!(word, "this" | "was")
            || matches!(
                word,
                "people" | "percent" | "km" | "kg" | "mg" | "ml" | "mb" | "gb" | "ms" | "kcal"
            )
    }
}
