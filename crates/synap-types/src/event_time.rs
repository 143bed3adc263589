//! When what a statement tells of takes place, as its time expressions say.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What the time expressions of a statement say. All in UTC; at least one of `date`, `valid_until` and `recurrence` is there.
///
/// Serialised for rows and events, with moments in microseconds since 1970; the wire has fields of its own in
/// [`crate::ContextItem`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventTime {
    /// Its first moment: of a day, its midnight.
    #[serde(with = "micros")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<i64>"))]
    pub date: Option<Timestamp>,
    /// The first moment after it: of a day, the next midnight. `None` with a `date`: it goes on ("since 2016").
    #[serde(with = "micros")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<i64>"))]
    pub end: Option<Timestamp>,
    /// How exactly `date` is known; there if and only if `date` is.
    pub precision: Option<Precision>,
    /// The first moment at which it does not hold any more: "until Friday" gives Saturday's midnight.
    #[serde(with = "micros")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<i64>"))]
    pub valid_until: Option<Timestamp>,
    /// How it recurs, in a subset of RFC 5545's recurrence rules: `FREQ=WEEKLY;BYDAY=MO`.
    pub recurrence: Option<String>,
}

/// What a date names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Precision {
    /// A time of day: "tomorrow at 7am".
    Minute,
    /// A day.
    Day,
    /// A week; it begins on Monday.
    Week,
    /// A month.
    Month,
    /// A quarter of a year.
    Quarter,
    /// Three months from the first of March, June, September or December, as on the northern half of the earth.
    Season,
    /// A year.
    Year,
    /// Exactly from `date` to `end`: "from May 3 to May 7", "this weekend".
    Range,
    /// Somewhere between `date` and `end`: "early May", "a few years ago".
    Approximate,
}

impl Precision {
    /// All of them, the finest first.
    pub const ALL: [Self; 9] = [
        Self::Minute,
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::Season,
        Self::Year,
        Self::Range,
        Self::Approximate,
    ];

    /// As it goes over the wire: `day`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Season => "season",
            Self::Year => "year",
            Self::Range => "range",
            Self::Approximate => "approximate",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Moments as numbers: a quarter of the bytes that their text takes.
mod micros {
    use crate::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        at.map(Timestamp::micros).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<i64>::deserialize(deserializer)?.map(Timestamp::from_micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_numbers_and_come_back() {
        let time = EventTime {
            date: Some(Timestamp::from_micros(7)),
            end: None,
            precision: Some(Precision::Day),
            valid_until: None,
            recurrence: Some("FREQ=DAILY".to_owned()),
        };
        let json = serde_json::to_value(&time).unwrap();
        assert_eq!(json["date"], 7);
        assert_eq!(serde_json::from_value::<EventTime>(json).unwrap(), time);
    }
}
