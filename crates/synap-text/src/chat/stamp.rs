//! Times beside the names of a transcript: what they look like, and which moments they are.

use super::Line;
use crate::piece::{floor, part};
use crate::when::{Order, later, moment, seconds};
use synap_types::Timestamp;

/// A time before a label is at most this long.
const TIME_BYTES_MAX: usize = 40;
/// The date of a transcript is looked for in this much before its first line.
const HEAD_BYTES_MAX: usize = 1_500;
/// A first time before this, in seconds, counts from the start of the recording.
const ELAPSED_MAX: i64 = 10 * 60;
/// Half a day: a clock that goes back further has passed midnight.
const HALF_DAY: i64 = 12 * 3_600;

/// A time in brackets, or digits, before a label.
pub(super) fn split_time(line: &str) -> (Option<&str>, &str) {
    if let Some((time, rest)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']'))
        && time.len() <= TIME_BYTES_MAX
        && (time.starts_with(|c: char| c.is_ascii_digit())
            || moment(time, Order::MonthFirst).is_some())
    {
        return (Some(time), rest.trim_start_matches([' ', '-']));
    }
    if !line.starts_with(|c: char| c.is_ascii_digit()) {
        return (None, line);
    }
    let rest = line.trim_start_matches(|c: char| {
        c.is_ascii_digit() || matches!(c, ':' | '.' | '/' | '-' | ',' | ' ' | 'T' | 'Z')
    });
    let rest = ["AM", "PM", "am", "pm"]
        .iter()
        .find_map(|half| rest.strip_prefix(half))
        .unwrap_or(rest);
    let rest = rest.trim_start_matches([' ', '-', ']']);
    let time = part(line, 0..line.len() - rest.len()).trim_end_matches([' ', '-']);
    if time.len() > TIME_BYTES_MAX || !time.contains(':') {
        (None, line)
    } else {
        (Some(time), rest)
    }
}

/// Name and time of a line that ends with a time: "Dana Kim (10:32 AM)", "Dana — Today at 10:32".
pub(super) fn clock_of(line: &str) -> Option<(&str, &str)> {
    let bare = line.trim_end_matches([')', ']', '*', ' ']);
    if !bare.ends_with(|c: char| c.is_ascii_digit() || matches!(c, 'm' | 'M')) {
        return None;
    }
    let at = bare.find(|c: char| c.is_ascii_digit())?;
    let (label, time) = bare.split_at_checked(at)?;
    if seconds(time).is_none() && moment(time, Order::MonthFirst).is_none() {
        return None;
    }
    let label = label.trim_end_matches(['(', '[', '|', '—', '–', '-', ',', ' ', '\t']);
    let label = label
        .strip_suffix("Today at")
        .or_else(|| label.strip_suffix("Yesterday at"))
        .unwrap_or(label);
    let label = label.trim_end_matches(['—', '–', '-', ',', ' ', '\t']);
    (!label.is_empty()).then_some((label, time))
}

/// Finds the moments of the lines' times. A time without a date is of the day of the line before, or of the date that the
/// transcript starts with.
pub(super) fn said_at(text: &str, lines: &mut [Line]) {
    let order = order(lines);
    let first = lines.first().map_or(0, |line| line.start);
    let mut base = date_of(part(text, 0..first.min(floor(text, HEAD_BYTES_MAX))));
    let mut elapsed = None;
    let mut last = None;
    for line in lines {
        let Some(stamp) = line.stamp.as_deref() else {
            continue;
        };
        if let Some(at) = moment(stamp, order) {
            (base, last, elapsed) = (Some(midnight(at)), Some(at), Some(false));
            line.said_at = Some(at);
            continue;
        }
        let (Some(start), Some(clock)) = (base, seconds(stamp)) else {
            continue;
        };
        let counts = *elapsed.get_or_insert(clock < ELAPSED_MAX);
        let from = if counts { start } else { midnight(start) };
        let mut at = later(from, clock);
        if let Some(last) = last.filter(|last: &Timestamp| !counts && at < later(*last, -HALF_DAY))
        {
            base = Some(later(midnight(last), 2 * HALF_DAY));
            at = later(at, 2 * HALF_DAY);
        }
        last = Some(at);
        line.said_at = Some(at);
    }
}

fn midnight(at: Timestamp) -> Timestamp {
    const DAY: i64 = 2 * HALF_DAY * 1_000_000;
    Timestamp::from_micros(at.micros().div_euclid(DAY) * DAY)
}

/// The date that stands before the first line: "Date: March 3, 2026 10:00", or a line that is a date.
fn date_of(head: &str) -> Option<Timestamp> {
    head.lines().find_map(|line| {
        let bare = line.trim_matches(['#', '*', '-', '=', ' ', '\t']);
        let value = bare
            .split_once(": ")
            .filter(|(label, _)| label.to_lowercase().contains("date"))
            .map_or(bare, |(_, value)| value.trim_matches(['*', ' ']));
        moment(value, Order::MonthFirst)
    })
}

/// Which of day and month comes first in "3/4/26", by the numbers that only one of them can have.
fn order(lines: &[Line]) -> Order {
    let mut halves = false;
    for stamp in lines.iter().filter_map(|line| line.stamp.as_deref()) {
        let mut numbers = stamp
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|number| number.parse::<u32>().ok());
        let (first, second) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        if (13..=31).contains(&first) {
            return Order::DayFirst;
        }
        if stamp.contains('/') && (13..=31).contains(&second) {
            return Order::MonthFirst;
        }
        halves |= stamp.ends_with(['m', 'M']);
    }
    if halves {
        Order::MonthFirst
    } else {
        Order::DayFirst
    }
}
