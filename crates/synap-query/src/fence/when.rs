//! When a memory takes place, in a few characters that a model reads without the moment at which it was said.

use synap_types::Timestamp;
use time::{Duration, OffsetDateTime, Time};

/// When something takes place, as in [`synap_types::EventTime`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    pub(super) start: Timestamp,
    /// The first moment after it; `None` if it goes on.
    pub(super) end: Option<Timestamp>,
    /// Whether it takes all of that time; else it is somewhere in it.
    pub(super) is_exact: bool,
}

/// `on 2026-03-05`, `at 2026-03-05 07:00 UTC`, `in 2026-05`, `in 2026`, `from 2026-05-03 to 2026-05-07`, `since 2019-01-01`,
/// and `about 2026-05-01 to 2026-05-10` where it is somewhere in between.
pub(super) fn event(event: Event) -> String {
    let start = event.start.to_datetime();
    let first = day(event.start);
    let Some(end) = event.end else {
        return format!("since {first}");
    };
    let last = day(last_moment(end));
    match (event.is_exact, first == last) {
        (false, true) => format!("about {first}"),
        (false, false) => format!("about {first} to {last}"),
        (true, true) if is_midnight(start) => format!("on {first}"),
        (true, true) => {
            let (hour, minute) = (start.hour(), start.minute());
            format!("at {first} {hour:02}:{minute:02} UTC")
        }
        (true, false) => {
            stretch(start, end.to_datetime()).unwrap_or_else(|| format!("from {first} to {last}"))
        }
    }
}

/// `until 2026-06-30`: the last day on which it holds.
pub(super) fn until(end: Timestamp) -> String {
    format!("until {}", day(last_moment(end)))
}

/// `2026-03-05`.
pub(super) fn day(at: Timestamp) -> String {
    at.to_datetime().date().to_string()
}

fn last_moment(end: Timestamp) -> Timestamp {
    Timestamp::from_micros(end.micros().saturating_sub(1))
}

fn is_midnight(at: OffsetDateTime) -> bool {
    at.time() == Time::MIDNIGHT
}

/// A whole year or a whole month by its name.
fn stretch(start: OffsetDateTime, end: OffsetDateTime) -> Option<String> {
    let is_whole = is_midnight(start) && is_midnight(end) && start.day() == 1 && end.day() == 1;
    let days = end - start;
    if !is_whole {
        None
    } else if start.ordinal() == 1 && end.ordinal() == 1 && days <= Duration::days(366) {
        Some(format!("in {:04}", start.year()))
    } else if days <= Duration::days(31) {
        Some(format!(
            "in {:04}-{:02}",
            start.year(),
            u8::from(start.month())
        ))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(start: &str, end: Option<&str>, is_exact: bool, expected: &str) {
        let told = event(Event {
            start: start.parse().unwrap(),
            end: end.map(|end| end.parse().unwrap()),
            is_exact,
        });
        assert_eq!(told, expected);
    }

    #[test]
    fn a_time_is_told_as_exactly_as_it_is_known() {
        let day = "2026-03-05T00:00:00Z";
        check(day, Some("2026-03-06T00:00:00Z"), true, "on 2026-03-05");
        check(day, Some("2026-03-06T00:00:00Z"), false, "about 2026-03-05");
        check(day, None, true, "since 2026-03-05");
        check(
            day,
            Some("2026-03-12T00:00:00Z"),
            true,
            "from 2026-03-05 to 2026-03-11",
        );
        check(
            day,
            Some("2026-03-12T00:00:00Z"),
            false,
            "about 2026-03-05 to 2026-03-11",
        );
        check(
            "2026-03-05T07:05:00Z",
            Some("2026-03-05T07:06:00Z"),
            true,
            "at 2026-03-05 07:05 UTC",
        );
        check(
            "2026-02-01T00:00:00Z",
            Some("2026-03-01T00:00:00Z"),
            true,
            "in 2026-02",
        );
        check(
            "2024-01-01T00:00:00Z",
            Some("2025-01-01T00:00:00Z"),
            true,
            "in 2024",
        );
        check(
            "2024-04-01T00:00:00Z",
            Some("2024-07-01T00:00:00Z"),
            true,
            "from 2024-04-01 to 2024-06-30",
        );
    }

    #[test]
    fn what_holds_until_a_day_holds_on_that_day() {
        assert_eq!(
            until("2026-07-01T00:00:00Z".parse().unwrap()),
            "until 2026-06-30"
        );
    }
}
