//! What comes again: "every Monday", "on Tuesdays and Thursdays", "daily", as a subset of RFC 5545's recurrence rules.

use super::reader::{Read, Reader};
use super::token::Kind;
use super::words::{self, Unit};
use crate::kind::Tense;
use time::Weekday;

/// Monday to Friday.
const WORKDAYS: &str = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR";
const WEEKENDS: &str = "FREQ=WEEKLY;BYDAY=SA,SU";
/// Before these, "daily" and its like say when; before other nouns they say how much.
const HELD: &[&str] = &[
    "standup",
    "stand",
    "meeting",
    "meetings",
    "sync",
    "report",
    "review",
    "reviews",
    "backup",
    "backups",
    "call",
    "calls",
    "newsletter",
    "check",
    "session",
    "sessions",
    "class",
    "classes",
    "lesson",
    "lessons",
    "basis",
    "scrum",
    "team",
    "run",
    "runs",
    "walk",
];

impl Reader<'_> {
    /// A recurrence rule for the words from `at`.
    pub(super) fn recurring(&self, at: usize) -> Read<String> {
        self.every(at)
            .or_else(|| self.of_every(at))
            .or_else(|| self.adverb(at))
            .or_else(|| self.times_per(at))
            .or_else(|| self.weekday_run(at))
            .or_else(|| self.plural_days(at))
    }

    /// "every Monday", "each other week", "every three months", "every weekday"
    fn every(&self, at: usize) -> Read<String> {
        matches!(self.word(at), "every" | "each").then_some(())?;
        let (interval, next) = self.interval(at + 1);
        let word = self.word(next);
        if word == "weekday" || word == "workday" {
            return Some((WORKDAYS.to_owned(), next + 1));
        }
        if words::is_day_part(word) {
            return Some((rule(Unit::Day, interval), next + 1));
        }
        if let Some((days, after)) = self.weekdays(next) {
            // "every first Monday of the month" is read as the first one.
            let nth = self.lexeme(at + 1).ordinal.filter(|_| next == at + 2);
            if let Some((nth, after)) = nth.and_then(|nth| Some((nth, self.of_month(after)?))) {
                return Some((format!("FREQ=MONTHLY;BYDAY={nth}{days}"), after));
            }
            let interval = if interval > 1 {
                format!(";INTERVAL={interval}")
            } else {
                String::new()
            };
            return Some((format!("FREQ=WEEKLY{interval};BYDAY={days}"), after));
        }
        if let Some((month, after)) = self.month(next) {
            return Some((format!("FREQ=YEARLY;BYMONTH={month}"), after));
        }
        if self.lexeme(next).season.is_some() {
            return Some(("FREQ=YEARLY".to_owned(), next + 1));
        }
        let unit = self.lexeme(next).unit?;
        Some((rule(unit, interval), next + 1))
    }

    fn interval(&self, at: usize) -> (u32, usize) {
        let single = matches!(self.word(at), "single" | "business" | "working");
        if single {
            return (1, at + 1);
        }
        if self.word(at) == "other" {
            return (2, at + 1);
        }
        if let Kind::Number(number @ 1..=366) | Kind::Ordinal(number @ 1..=366) = self.kind(at) {
            return (number, at + 1);
        }
        self.lexeme(at)
            .ordinal
            .or_else(|| self.lexeme(at).count.map(|(least, _)| least))
            .map_or((1, at), |number| (number, at + 1))
    }

    /// "of the month", "of every month", "each month"
    fn of_month(&self, at: usize) -> Option<usize> {
        let at = self.skip(at, &["of", "in"]);
        let next = self.skip(at, &["the", "every", "each", "a"]);
        (next > at && self.word(next) == "month").then_some(next + 1)
    }

    /// "the first Monday of every month", "the 15th of each month"
    fn of_every(&self, at: usize) -> Read<String> {
        let at = self.skip(at, &["the"]);
        let nth = if let Kind::Ordinal(number) = self.kind(at) {
            i64::from(number)
        } else if self.word(at) == "last" {
            -1
        } else {
            i64::from(self.lexeme(at).ordinal?)
        };
        let next = at + 1;
        if let Some((weekday, _)) = self.lexeme(next).weekday {
            let after = self.of_month(next + 1)?;
            return Some((format!("FREQ=MONTHLY;BYDAY={nth}{}", code(weekday)), after));
        }
        let next = self.skip(next, &["day"]);
        // "the 15th of the month" is of one month, unless it is said to come again.
        let next = self.of_month(next)?;
        Some((format!("FREQ=MONTHLY;BYMONTHDAY={nth}"), next))
    }

    /// "daily", "biweekly", "annually"
    fn adverb(&self, at: usize) -> Read<String> {
        let rule = match self.word(at) {
            "hourly" => "FREQ=HOURLY",
            "daily" | "nightly" => "FREQ=DAILY",
            "weekly" => "FREQ=WEEKLY",
            "biweekly" | "fortnightly" => "FREQ=WEEKLY;INTERVAL=2",
            "monthly" => "FREQ=MONTHLY",
            "quarterly" => "FREQ=MONTHLY;INTERVAL=3",
            "yearly" | "annually" => "FREQ=YEARLY",
            _ => return None,
        };
        let next = at + 1;
        let adjective = !self.is_closed(next) && !HELD.contains(&self.word(next));
        let dated = matches!(self.kind(next), Kind::Clock(..));
        (!adjective || dated).then(|| (rule.to_owned(), next))
    }

    /// "once a month", "three times per week"
    fn times_per(&self, at: usize) -> Read<String> {
        let next = match self.word(at) {
            "once" | "twice" => at + 1,
            _ => {
                let (_, next) = self.count(at)?;
                (self.word(next) == "times").then_some(next + 1)?
            }
        };
        matches!(self.word(next), "a" | "an" | "per" | "each" | "every").then_some(())?;
        let unit = self.lexeme(next + 1).unit?;
        Some((rule(unit, 1), next + 2))
    }

    /// "Monday to Friday": what comes again, unless the sentence tells of one time.
    fn weekday_run(&self, at: usize) -> Read<String> {
        let (first, sure) = self.lexeme(at).weekday?;
        let joins = matches!(
            self.word(at + 1),
            "to" | "through" | "thru" | "-" | "–" | "until" | "till"
        );
        let (last, _) = self.lexeme(at + 2).weekday.filter(|_| joins)?;
        let once =
            self.tense != Tense::Other || matches!(self.before(at), "next" | "last" | "this");
        let dated = self.absolute(at + 3).is_some();
        (self.holds(at, sure) && !once && !dated).then_some(())?;
        let days: Vec<&str> =
            std::iter::successors(Some(first), |day| (*day != last).then(|| day.next()))
                .take(7)
                .map(code)
                .collect();
        Some((format!("FREQ=WEEKLY;BYDAY={}", days.join(",")), at + 3))
    }

    /// "on Tuesdays and Thursdays", "Monday evenings", "on weekends"
    fn plural_days(&self, at: usize) -> Read<String> {
        match self.word(at) {
            "weekdays" | "workdays" => return Some((WORKDAYS.to_owned(), at + 1)),
            "weekends" if matches!(self.before(at), "on" | "at" | "the" | "over") => {
                return Some((WEEKENDS.to_owned(), at + 1));
            }
            _ => {}
        }
        let parts = matches!(
            self.word(at + 1),
            "mornings" | "afternoons" | "evenings" | "nights"
        );
        let (_, sure) = self.lexeme(at).weekday?;
        let plural = words::is_plural(self.word(at)) || parts;
        (plural && self.holds(at, sure)).then_some(())?;
        let (days, next) = self.weekdays(at)?;
        Some((
            format!("FREQ=WEEKLY;BYDAY={days}"),
            next + usize::from(parts),
        ))
    }

    /// Weekdays with "and" and commas between: `MO,WE`.
    fn weekdays(&self, at: usize) -> Read<String> {
        let mut days: Vec<Weekday> = Vec::new();
        let (mut at, mut end) = (at, at);
        while let Some((weekday, sure)) = self.lexeme(at).weekday {
            if !self.holds(at, sure) {
                break;
            }
            if !days.contains(&weekday) {
                days.push(weekday);
            }
            end = at + 1;
            at = self.skip(self.skip(end, &[","]), &["and", "&", "or", "on"]);
            at = self.skip(at, &["every", "on"]);
        }
        days.sort_by_key(|day| day.number_days_from_monday());
        let days: Vec<&str> = days.into_iter().map(code).collect();
        (!days.is_empty()).then(|| (days.join(","), end))
    }
}

fn rule(unit: Unit, interval: u32) -> String {
    let (name, each) = match unit {
        Unit::Minute => ("MINUTELY", 1),
        Unit::Hour => ("HOURLY", 1),
        Unit::Day => ("DAILY", 1),
        Unit::Weekend => return WEEKENDS.to_owned(),
        Unit::Week => ("WEEKLY", 1),
        Unit::Fortnight => ("WEEKLY", 2),
        Unit::Month => ("MONTHLY", 1),
        Unit::Quarter => ("MONTHLY", 3),
        Unit::Year => ("YEARLY", 1),
        Unit::Decade => ("YEARLY", 10),
    };
    match interval.saturating_mul(each) {
        1 => format!("FREQ={name}"),
        interval => format!("FREQ={name};INTERVAL={interval}"),
    }
}

const fn code(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "MO",
        Weekday::Tuesday => "TU",
        Weekday::Wednesday => "WE",
        Weekday::Thursday => "TH",
        Weekday::Friday => "FR",
        Weekday::Saturday => "SA",
        Weekday::Sunday => "SU",
    }
}
