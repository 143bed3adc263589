//! Stretches of the calendar and how to step between them. All in UTC; weeks begin on Monday, ends are exclusive.

use super::token::day;
use super::words::Unit;
use synap_types::{Precision, Timestamp};
use time::{Date, Duration, PrimitiveDateTime, Time, Weekday};

/// Days that "around November 20" reaches before and after it.
const AROUND_DAYS: i64 = 3;

/// What a time expression names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: PrimitiveDateTime,
    /// The first moment after it; `None`: it goes on.
    pub(super) end: Option<PrimitiveDateTime>,
    pub(super) precision: Precision,
    /// It names its year, so it is the same at any reference time.
    pub(super) fixed: bool,
}

impl Span {
    fn new(start: Date, end: Date, precision: Precision) -> Self {
        Self {
            start: start.midnight(),
            end: Some(end.midnight()),
            precision,
            fixed: false,
        }
    }

    pub(super) fn day(day: Date) -> Option<Self> {
        Some(Self::new(day, day.next_day()?, Precision::Day))
    }

    /// From `start` up to and with `last`.
    pub(super) fn days(start: Date, last: Date) -> Option<Self> {
        (start <= last).then_some(())?;
        Some(Self::new(start, last.next_day()?, Precision::Range))
    }

    /// `count` months from the first of a month.
    pub(super) fn months(year: i32, month: u32, count: i32, precision: Precision) -> Option<Self> {
        let start = day(u32::try_from(year).ok()?, month, 1)?;
        Some(Self::new(start, months_after(start, count)?, precision))
    }

    pub(super) fn year(year: i32) -> Option<Self> {
        Self::months(year, 1, 12, Precision::Year)
    }

    /// The stretch of `unit` around a day.
    pub(super) fn around(day: Date, unit: Unit) -> Option<Self> {
        let monday = day.checked_sub(Duration::days(i64::from(
            day.weekday().number_days_from_monday(),
        )))?;
        let month = u32::from(u8::from(day.month()));
        match unit {
            Unit::Minute | Unit::Hour | Unit::Day => Self::day(day),
            Unit::Weekend => {
                let saturday = monday.checked_add(Duration::days(5))?;
                Self::days(saturday, saturday.next_day()?)
            }
            Unit::Week | Unit::Fortnight => {
                let end = monday.checked_add(Duration::weeks(1))?;
                Some(Self::new(monday, end, Precision::Week))
            }
            Unit::Month => Self::months(day.year(), month, 1, Precision::Month),
            Unit::Quarter => {
                let first = (month - 1) / 3 * 3 + 1;
                Self::months(day.year(), first, 3, Precision::Quarter)
            }
            Unit::Year => Self::year(day.year()),
            Unit::Decade => Self::months(day.year().div_euclid(10) * 10, 1, 120, Precision::Range),
        }
    }

    pub(super) const fn fixed(self) -> Self {
        Self {
            fixed: true,
            ..self
        }
    }

    /// Without an end.
    pub(super) const fn open(self) -> Self {
        Self { end: None, ..self }
    }

    /// The last day of it.
    pub(super) fn last_day(&self) -> Option<Self> {
        let last = Self::day(self.end?.date().previous_day()?)?;
        Some(Self {
            fixed: self.fixed,
            ..last
        })
    }

    /// Its first, second or last third, as "early", "mid" and "late" say.
    pub(super) fn third(&self, which: u8) -> Option<Self> {
        let (start, end) = (self.start.date(), self.end?.date());
        ((end - start).whole_days() >= 3).then_some(())?;
        let months = (end.year() - start.year()) * 12 + i32::from(u8::from(end.month()))
            - i32::from(u8::from(start.month()));
        let bound = |number: i32| {
            if number == 3 {
                return Some(end);
            }
            // Months are cut at the 11th and the 21st; years, quarters and seasons between months.
            if months >= 3 && start.day() == 1 {
                months_after(start, months * number / 3)
            } else if months == 1 && start.day() == 1 {
                start.checked_add(Duration::days(i64::from(number) * 10))
            } else {
                let days = (end - start).whole_days();
                start.checked_add(Duration::days(days * i64::from(number) / 3))
            }
        };
        let which = i32::from(which);
        Some(Self {
            fixed: self.fixed,
            ..Self::new(bound(which)?, bound(which + 1)?, Precision::Approximate)
        })
    }

    /// "Around" it: some days before and after a day; of a longer stretch, somewhere in it.
    pub(super) fn approximate(self) -> Option<Self> {
        let margin = if matches!(self.precision, Precision::Day | Precision::Minute) {
            Duration::days(AROUND_DAYS)
        } else {
            Duration::ZERO
        };
        let start = self.start.date().checked_sub(margin)?.midnight();
        let end = if self.precision == Precision::Minute {
            self.start.date().next_day()?.midnight()
        } else {
            self.end?
        };
        Some(Self {
            start,
            end: Some(end.checked_add(margin)?),
            precision: Precision::Approximate,
            fixed: self.fixed,
        })
    }

    /// From the start of `self` to the end of `last`.
    pub(super) fn to(self, last: Self) -> Option<Self> {
        let end = last.end.filter(|end| *end > self.start)?;
        Some(Self {
            start: self.start,
            end: Some(end),
            precision: if self.precision == Precision::Minute {
                Precision::Minute
            } else {
                Precision::Range
            },
            fixed: self.fixed && last.fixed,
        })
    }

    /// A day at a time of day.
    pub(super) fn at(self, from: Time, to: Option<Time>) -> Option<Self> {
        (self.precision == Precision::Day).then_some(())?;
        let start = self.start.date().with_time(from);
        let end = match to.filter(|to| *to > from) {
            Some(to) => self.start.date().with_time(to),
            None => start.checked_add(Duration::MINUTE)?,
        };
        Some(Self {
            start,
            end: Some(end),
            precision: Precision::Minute,
            fixed: self.fixed,
        })
    }

    pub(super) fn contains(&self, day: Date) -> bool {
        let at = day.midnight();
        self.start <= at && self.end.is_none_or(|end| at < end)
    }
}

/// The moment as the wire and the rows have it.
pub(super) fn timestamp(at: PrimitiveDateTime) -> Timestamp {
    let nanos = at.assume_utc().unix_timestamp_nanos();
    Timestamp::from_micros(i64::try_from(nanos.div_euclid(1_000)).unwrap_or_default())
}

/// The same day of the month so many months later; the month's last where it has no such day.
pub(super) fn months_after(from: Date, months: i32) -> Option<Date> {
    let total = from.year() * 12 + i32::from(u8::from(from.month())) - 1 + months;
    let month = u32::try_from(total.rem_euclid(12) + 1).ok()?;
    let year = u32::try_from(total.div_euclid(12)).ok()?;
    (28..=u32::from(from.day()))
        .rev()
        .chain([u32::from(from.day())])
        .find_map(|wanted| day(year, month, wanted))
}

/// The day so many units after another, or before it.
pub(super) fn step(from: Date, unit: Unit, count: i32) -> Option<Date> {
    let days = |each: i64| from.checked_add(Duration::days(each * i64::from(count)));
    match unit {
        Unit::Minute | Unit::Hour => Some(from),
        Unit::Day => days(1),
        Unit::Week | Unit::Weekend => days(7),
        Unit::Fortnight => days(14),
        Unit::Month => months_after(from, count),
        Unit::Quarter => months_after(from, count.checked_mul(3)?),
        Unit::Year => months_after(from, count.checked_mul(12)?),
        Unit::Decade => months_after(from, count.checked_mul(120)?),
    }
}

/// The last such weekday before a day.
pub(super) fn weekday_before(from: Date, weekday: Weekday) -> Option<Date> {
    std::iter::successors(from.previous_day(), |day| day.previous_day())
        .take(7)
        .find(|day| day.weekday() == weekday)
}

/// The first such weekday after a day.
pub(super) fn weekday_after(from: Date, weekday: Weekday) -> Option<Date> {
    std::iter::successors(from.next_day(), |day| day.next_day())
        .take(7)
        .find(|day| day.weekday() == weekday)
}
