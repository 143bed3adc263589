//! What counts from the time of saying, or from another date: "last Tuesday", "two weeks ago", "the Friday before 22 October".

use super::calendar::{Span, step, weekday_after, weekday_before};
use super::reader::{Read, Reader, Which};
use super::words::{self, Unit};
use crate::kind::Tense;
use synap_types::Precision;
use time::{Date, Weekday};

/// Days that "the other day" reaches back.
const OTHER_DAY_DAYS: i32 = 7;

impl Reader<'_> {
    /// A date that counts from the time of saying.
    pub(super) fn relative(&self, at: usize) -> Read<Span> {
        self.day_word(at)
            .or_else(|| self.pointed(at))
            .or_else(|| self.stretch(at))
            .or_else(|| self.amount_away(at))
            .or_else(|| self.bare_weekday(at))
    }

    /// "yesterday", "last night", "this morning", "the day before yesterday", "the other day"
    fn day_word(&self, at: usize) -> Read<Span> {
        let today = self.today()?;
        let day = |days: i32| Span::day(step(today, Unit::Day, days)?);
        let known = [
            ("day before yesterday", -2),
            ("day after tomorrow", 2),
            ("yesterday", -1),
            ("last night", -1),
            ("last evening", -1),
            ("today", 0),
            ("tonight", 0),
            ("this morning", 0),
            ("this afternoon", 0),
            ("this evening", 0),
            ("tomorrow", 1),
        ];
        for (words, days) in known {
            if let Some(next) = self.words(at, words) {
                let part = usize::from(words::is_day_part(self.word(next)));
                return Some((day(days)?, next + part));
            }
        }
        let next = self.words(at, "other day")?;
        let start = step(today, Unit::Day, -OTHER_DAY_DAYS)?;
        let span = Span::days(start, today.previous_day()?)?;
        let precision = Precision::Approximate;
        Some((Span { precision, ..span }, next))
    }

    /// "last week", "next Friday", "this summer", "the week before last"
    fn pointed(&self, at: usize) -> Read<Span> {
        let today = self.today()?;
        if let Some(unit) = self.lexeme(at).unit {
            let (count, next) = self
                .words(at + 1, "before last")
                .map(|next| (-2, next))
                .or_else(|| Some((2, self.words(at + 1, "after next")?)))?;
            return Some((Span::around(step(today, unit, count)?, unit)?, next));
        }
        let (which, step_by) = match self.word(at) {
            "last" => (Which::Last, -1),
            "past"
                if self.lexeme(at + 1).weekday.is_some()
                    || self.lexeme(at + 1).unit == Some(Unit::Weekend) =>
            {
                (Which::Last, -1)
            }
            "this" if self.word(at + 1) == "past" => return self.pointed(at + 1),
            "this" | "current" | "coming" => (Which::This, 0),
            // "The next year they grew" counts from another time.
            "next" if self.tense != Tense::Past || self.before(at) != "the" => (Which::Next, 1),
            _ => return None,
        };
        let named = at + 1;
        if let Some((weekday, sure)) = self.lexeme(named).weekday
            && self.holds(named, sure)
        {
            let part = usize::from(words::is_day_part(self.word(named + 1)));
            return Some((
                Span::day(self.weekday_of(weekday, which)?)?,
                named + 1 + part,
            ));
        }
        if let Some(unit) = self.lexeme(named).unit.filter(|unit| *unit != Unit::Day) {
            return Some((Span::around(step(today, unit, step_by)?, unit)?, named + 1));
        }
        let make = |year: i32| {
            if let Some(first) = self.lexeme(named).season {
                return Self::season(year, first);
            }
            let (month, _) = self.month(named)?;
            Span::months(year, month, 1, Precision::Month)
        };
        if let Some(span) = self.pick(which, make) {
            // "last March 5" and "next summer 2027" name more than that.
            return Some((span, named + 1));
        }
        let other = Reader {
            tense: if which == Which::Last {
                Tense::Past
            } else {
                Tense::Other
            },
            ..*self
        };
        other.absolute(named)
    }

    /// The weekday that is meant: "last" is the latest before today, "this" of this week or the next to come, "next" of next
    /// week.
    fn weekday_of(&self, weekday: Weekday, which: Which) -> Option<Date> {
        let today = self.today()?;
        let of_week = |weeks: i32| {
            let monday = Span::around(step(today, Unit::Week, weeks)?, Unit::Week)?
                .start
                .date();
            let days = i32::from(weekday.number_days_from_monday());
            step(monday, Unit::Day, days)
        };
        match which {
            Which::Last => weekday_before(today, weekday),
            Which::Next => of_week(1),
            Which::This => of_week(0)
                .filter(|day| *day >= today || self.tense == Tense::Past)
                .or_else(|| of_week(1)),
            Which::Bare if self.tense == Tense::Past => weekday_before(today, weekday),
            Which::Bare => weekday_after(today, weekday),
        }
    }

    /// "the past 7 days", "the last three months", "the next two weeks", "the past week"
    fn stretch(&self, at: usize) -> Read<Span> {
        let back = match self.word(at) {
            "past" | "last" => true,
            "next" | "coming" => false,
            _ => return None,
        };
        let ((count, unit), next) = self.amount(at + 1).or_else(|| {
            let unit = self
                .lexeme(at + 1)
                .unit
                .filter(|_| self.word(at) == "past")?;
            Some((((1, 1), unit), at + 2))
        })?;
        let today = self.today()?;
        let count = i32::try_from(count.1).ok()?;
        let span = if back {
            Span::days(step(today, unit, -count)?, today)?
        } else {
            Span::days(today, step(today, unit, count)?)?
        };
        Some((span, next))
    }

    /// "two weeks ago", "in three months", "a few days from now"
    fn amount_away(&self, at: usize) -> Read<Span> {
        if self.word(at) == "in" {
            let ((count, unit), next) = self.amount(at + 1)?;
            // "in 20 minutes" says how long as often as when.
            (self.tense != Tense::Past).then_some(())?;
            return Some((self.units_ago(count, unit, 1)?, self.skip(next, &["time"])));
        }
        let ((count, unit), next) = self.amount(at)?;
        if self.word(next) == "ago"
            || self.words(next, "back").is_some() && self.is_closed(next + 1)
        {
            return Some((self.units_ago(count, unit, -1)?, next + 1));
        }
        let next = self
            .words(next, "from now")
            .or_else(|| self.words(next, "from today"))?;
        Some((self.units_ago(count, unit, 1)?, next))
    }

    /// "on Friday", "Wednesday, 3 May"
    fn bare_weekday(&self, at: usize) -> Read<Span> {
        let (weekday, sure) = self.lexeme(at).weekday?;
        (self.holds(at, sure) && !words::is_plural(self.word(at))).then_some(())?;
        let stop = usize::from(sure == words::Sure::Capital && self.word(at + 1) == ".");
        let next = self.skip(at + 1 + stop, &[","]);
        if let Some(found) = self.absolute(self.skip(next, &["the"])) {
            return (found.0.precision == Precision::Day).then_some(found);
        }
        // "the Sunday Times", "Friday is the name of": a name of something else.
        let introduced = matches!(
            self.before(at),
            "on" | "by"
                | "until"
                | "till"
                | "from"
                | "to"
                | "since"
                | "before"
                | "through"
                | ","
                | "due"
                | "after"
                | "am"
                | "-"
        );
        let named = self.is_capital(at + 1) && !self.casual || self.word(at + 1) == "is";
        (introduced || !named && sure == words::Sure::Always).then_some(())?;
        let part = usize::from(words::is_day_part(self.word(at + 1)));
        let day = self.weekday_of(weekday, Which::Bare)?;
        Some((Span::day(day)?, at + 1 + part))
    }

    /// "the Friday before 22 October 2023", "the week after next Monday", "two days before Christmas"
    pub(super) fn anchored(&self, at: usize) -> Read<Span> {
        let (count, unit, next) = match self.amount(at) {
            Some((((count, most), unit), next)) if count == most => (count, unit, next),
            _ => (1, self.lexeme(at).unit.unwrap_or(Unit::Day), at + 1),
        };
        let weekday = self
            .lexeme(at)
            .weekday
            .filter(|_| count == 1 && next == at + 1);
        if weekday.is_none() && self.lexeme(next - 1).unit.is_none() {
            return None;
        }
        let back = match self.word(next) {
            "before" => true,
            "after" | "following" => false,
            _ => return None,
        };
        let (anchor, after) = self.span(next + 1)?;
        let from = if back {
            anchor.start.date()
        } else {
            anchor.end?.date().previous_day()?
        };
        let span = if let Some((weekday, _)) = weekday {
            let day = if back {
                weekday_before(from, weekday)
            } else {
                weekday_after(from, weekday)
            };
            Span::day(day?)?
        } else {
            let count = i32::try_from(count).ok()?;
            Span::around(step(from, unit, if back { -count } else { count })?, unit)?
        };
        Some((
            Span {
                fixed: anchor.fixed,
                ..span
            },
            after,
        ))
    }
}
