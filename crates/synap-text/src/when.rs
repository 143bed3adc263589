//! Moments as headers, exports and front matter write them: "Tue, 3 Mar 2026 10:00:00 +0100", "Mar 3, 2026 at 10:00 AM",
//! "03.04.2026 10:02", "3/4/26, 10:02 PM". Whole dates only; what is said in sentences is not read here.

use synap_types::Timestamp;

/// Longer texts are no moments.
const BYTES_MAX: usize = 80;
/// Months by their first three letters.
const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
/// Zones of mails (RFC 5322, 4.3), in minutes east of UTC.
const ZONES: &[(&str, i64)] = &[
    ("z", 0),
    ("ut", 0),
    ("utc", 0),
    ("gmt", 0),
    ("cet", 60),
    ("cest", 120),
    ("est", -300),
    ("edt", -240),
    ("cst", -360),
    ("cdt", -300),
    ("mst", -420),
    ("mdt", -360),
    ("pst", -480),
    ("pdt", -420),
];

/// The order of day and month in "3/4/2026".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The month comes first.
    MonthFirst,
    /// The day comes first.
    DayFirst,
}

/// The moment at which a query is asked, as callers write it: "2026-03-05", "2023/03/11 (Sat) 21:26". `None` for others.
pub fn moment_asked(text: &str) -> Option<Timestamp> {
    moment(text, Order::MonthFirst)
}

/// The moment that a text is. Without a time it is midnight, without a zone UTC.
pub(crate) fn moment(text: &str, order: Order) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > BYTES_MAX {
        return None;
    }
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let lower = text.to_lowercase();
    let tokens: Vec<&str> = lower
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | '[' | ']'))
        .filter(|token| !token.is_empty())
        .collect();
    let (year, month, day) = date(&tokens, order)?;
    let seconds = tokens
        .iter()
        .enumerate()
        .find_map(|(at, token)| clock(token, tokens.get(at + 1).copied()));
    let minutes_east = if seconds.is_some() {
        tokens.iter().rev().find_map(|token| zone(token))
    } else {
        None
    };
    let midnight: Timestamp = format!("{year:04}-{month:02}-{day:02}").parse().ok()?;
    let shift = seconds.unwrap_or(0) - minutes_east.unwrap_or(0) * 60;
    Some(later(midnight, shift))
}

/// A moment this many seconds later.
pub(crate) fn later(at: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_micros(at.micros() + seconds * 1_000_000)
}

/// Seconds since midnight, or since the start: "10:02", "10:02:03", "10:02 PM", "00:01:02.500".
pub(crate) fn seconds(text: &str) -> Option<i64> {
    let lower = text.trim().to_lowercase();
    let mut tokens = lower.split_whitespace();
    let first = tokens.next()?;
    let half = tokens.next();
    if tokens.next().is_some() || half.is_some_and(|half| hours_of_half(half).is_none()) {
        return None;
    }
    clock(first, half)
}

fn clock(token: &str, next: Option<&str>) -> Option<i64> {
    let token = token.rsplit_once('t').map_or(token, |(_, time)| time);
    let digits_end = token
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.'))
        .unwrap_or(token.len());
    let (digits, rest) = token.split_at_checked(digits_end)?;
    let mut parts = digits.split(':');
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next());
    if parts.next().is_some() || first.len() > 3 || second.len() != 2 {
        return None;
    }
    let third = third.map_or(Some(0), |third| {
        third.split('.').next().and_then(|whole| whole.parse().ok())
    })?;
    let (first, second): (i64, i64) = (first.parse().ok()?, second.parse().ok()?);
    let half = hours_of_half(rest).or_else(|| hours_of_half(next?).filter(|_| rest.is_empty()));
    let hours = match half {
        Some(_) if first > 12 => return None,
        Some(hours) => first % 12 + hours,
        None => first,
    };
    (second < 60 && third < 60).then_some(hours * 3_600 + second * 60 + third)
}

fn hours_of_half(text: &str) -> Option<i64> {
    match text.trim_end_matches('.') {
        "am" | "a.m" => Some(0),
        "pm" | "p.m" => Some(12),
        _ => None,
    }
}

fn zone(token: &str) -> Option<i64> {
    if let Some((_, minutes)) = ZONES.iter().find(|(name, _)| *name == token) {
        return Some(*minutes);
    }
    let at = token.rfind(['+', '-'])?;
    let (before, offset) = token.split_at_checked(at)?;
    // A date has signs, too: the offset stands alone, behind a time or behind a zone's name.
    if !(before.is_empty() || before.contains(':') || matches!(before, "utc" | "gmt")) {
        return None;
    }
    let digits: String = offset.chars().filter(char::is_ascii_digit).collect();
    let value: i64 = digits.parse().ok().filter(|_| digits.len() == 4)?;
    let minutes = value / 100 * 60 + value % 100;
    Some(if offset.starts_with('-') {
        -minutes
    } else {
        minutes
    })
}

fn date(tokens: &[&str], order: Order) -> Option<(i64, i64, i64)> {
    if let Some(found) = tokens.iter().find_map(|token| numeric(token, order)) {
        return Some(found);
    }
    let (at, month) = tokens
        .iter()
        .enumerate()
        .find_map(|(at, token)| Some((at, month(token)?)))?;
    let number = |at: Option<usize>| {
        let token = tokens.get(at?)?;
        let digits = token.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '.');
        digits.parse::<i64>().ok()
    };
    let (before, after) = (number(at.checked_sub(1)), number(Some(at + 1)));
    let (day, year) = match (before, after, number(Some(at + 2))) {
        (Some(day), Some(year), _) if year > 31 => (day, year),
        (_, Some(day), Some(year)) if year > 31 => (day, year),
        _ => return None,
    };
    valid(year, month, day)
}

fn month(token: &str) -> Option<i64> {
    let head = token.get(..3)?;
    let letters = token
        .trim_end_matches('.')
        .chars()
        .all(|c| c.is_ascii_alphabetic());
    let at = MONTHS.iter().position(|month| *month == head)?;
    letters.then(|| i64::try_from(at + 1).unwrap_or(1))
}

/// "2026-03-04", "2026/3/4", "4.3.2026", "3/4/26"; the time may follow a `T`.
fn numeric(token: &str, order: Order) -> Option<(i64, i64, i64)> {
    let token = token.split('t').next()?.trim_end_matches(['.', ':', ';']);
    let mark = token.chars().find(|c| !c.is_ascii_digit())?;
    if !matches!(mark, '-' | '/' | '.') {
        return None;
    }
    let mut parts = token.split(mark);
    let (a, b, c) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some()
        || a.len() > 4
        || b.len() > 2
        || !matches!(c.len(), 2 | 4) && a.len() < 4
    {
        return None;
    }
    let year_first = a.len() == 4;
    let (a, b, c): (i64, i64, i64) = (a.parse().ok()?, b.parse().ok()?, c.parse().ok()?);
    if year_first {
        return valid(a, b, c);
    }
    let month_first = mark == '/' && order == Order::MonthFirst;
    if month_first {
        valid(c, a, b)
    } else {
        valid(c, b, a)
    }
    .or_else(|| valid(c, a, b))
    .or_else(|| valid(c, b, a))
}

fn valid(year: i64, month: i64, day: i64) -> Option<(i64, i64, i64)> {
    let year = if year < 100 { year + 2_000 } else { year };
    ((1_900..2_200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day))
        .then_some((year, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let found = moment(text, Order::MonthFirst).map(|at| at.to_string());
        assert_eq!(found.as_deref(), expected, "{text:?}");
    }

    #[test]
    fn moments_of_headers_and_exports_are_read() {
        check(
            "Tue, 3 Mar 2026 10:00:00 +0100",
            Some("2026-03-03T09:00:00Z"),
        );
        check("Tue, Mar 3, 2026 at 10:05 PM", Some("2026-03-03T22:05:00Z"));
        check(
            "Tuesday, March 3rd, 2026 12:00 AM PST",
            Some("2026-03-03T08:00:00Z"),
        );
        check("2026-03-03 10:00", Some("2026-03-03T10:00:00Z"));
        check("2026-03-03T10:00:00-05:00", Some("2026-03-03T15:00:00Z"));
        check("2026/3/4", Some("2026-03-04T00:00:00Z"));
        check("3/4/26, 10:02:11 PM", Some("2026-03-04T22:02:11Z"));
        check("23/4/2026 10:02", Some("2026-04-23T10:02:00Z"));
        check("03.04.2026, 10:02", Some("2026-04-03T10:02:00Z"));
        check("4 October 2026", Some("2026-10-04T00:00:00Z"));
        let day_first = moment("3/4/26, 10:02", Order::DayFirst).unwrap();
        assert_eq!(day_first.to_string(), "2026-04-03T10:02:00Z");
    }

    #[test]
    fn what_is_no_whole_date_is_none() {
        for text in [
            "",
            "10:02",
            "March 3",
            "yesterday",
            "2026-02-30",
            "1.2.3",
            "31/31/2026",
            "v 1-2-3",
        ] {
            check(text, None);
        }
        check(&"3 Mar 2026 ".repeat(20), None);
    }

    #[test]
    fn dates_of_queries_are_read_as_callers_write_them() {
        for text in [
            "2023/03/11 (Sat) 21:26",
            "2023-03-11T21:26:00Z",
            "2023-03-11 21:26",
        ] {
            let found = moment_asked(text).map(|at| at.to_string());
            assert_eq!(found.as_deref(), Some("2023-03-11T21:26:00Z"), "{text}");
        }
        assert!(moment_asked("2026-11-01").is_some());
        assert_eq!(moment_asked("soon"), None);
    }

    #[test]
    fn clocks_are_seconds() {
        for (text, expected) in [
            ("10:02", Some(36_120)),
            ("00:01:02.500", Some(62)),
            ("12:02 AM", Some(120)),
            ("1:02pm", Some(46_920)),
            ("13:02 PM", None),
            ("10:2", None),
            ("10:02 Uhr", None),
            ("10:99", None),
        ] {
            assert_eq!(seconds(text), expected, "{text:?}");
        }
    }
}
