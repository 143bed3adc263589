//! A moment in UTC, to the microsecond.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// A moment in UTC, in microseconds since 1970.
///
/// Reads RFC 3339, and dates and times without an offset, which count as UTC (the vendor's SDK sends such).
/// Writes RFC 3339 with `Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String", extend("format" = "date-time")))]
pub struct Timestamp(i64);

/// The text is no date and time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not an RFC 3339 date and time between the years 0001 and 9999")]
pub struct TimestampError;

impl Timestamp {
    /// The moment this many microseconds after 1970, or before it; held within the years 0001 to 9999.
    pub const fn from_micros(micros: i64) -> Self {
        const FIRST: i64 = -62_135_596_800_000_000;
        const LAST: i64 = 253_402_300_799_999_999;
        Self(if micros < FIRST {
            FIRST
        } else if micros > LAST {
            LAST
        } else {
            micros
        })
    }

    /// Microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// As a date and time in UTC.
    pub fn to_datetime(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    fn from_datetime(at: OffsetDateTime) -> Result<Self, TimestampError> {
        let micros = i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000))
            .map_err(|_| TimestampError)?;
        if Self::from_micros(micros).0 == micros {
            Ok(Self(micros))
        } else {
            Err(TimestampError)
        }
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let text = text.trim();
        if let Ok(at) = OffsetDateTime::parse(text, &Rfc3339) {
            // `to_offset` panics where the year in UTC is after 9999.
            let at = at.checked_to_offset(UtcOffset::UTC).ok_or(TimestampError)?;
            return Self::from_datetime(at);
        }
        let date_time = format_description!(
            "[year]-[month]-[day][first [T] [ ]][hour]:[minute]:[second][optional [.[subsecond]]]"
        );
        let date = format_description!("[year]-[month]-[day]");
        let naive = PrimitiveDateTime::parse(text, &date_time)
            .or_else(|_| time::Date::parse(text, &date).map(time::Date::midnight))
            .map_err(|_| TimestampError)?;
        Self::from_datetime(naive.assume_utc())
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimestampError;

    fn try_from(text: String) -> Result<Self, TimestampError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(at: Timestamp) -> Self {
        at.to_string()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self
            .to_datetime()
            .format(&Rfc3339)
            .map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let found = text.parse::<Timestamp>().ok().map(|at| at.to_string());
        assert_eq!(found.as_deref(), expected, "{text:?}");
    }

    #[test]
    fn reads_what_clients_send() {
        check(
            "2026-11-22T13:46:12.187179+00:00",
            Some("2026-11-22T13:46:12.187179Z"),
        );
        check("2026-11-22T13:46:12Z", Some("2026-11-22T13:46:12Z"));
        check("2026-11-22T13:46:12+02:00", Some("2026-11-22T11:46:12Z"));
        check("2026-11-22T13:46:12", Some("2026-11-22T13:46:12Z"));
        check("2026-11-22 13:46:12.5", Some("2026-11-22T13:46:12.5Z"));
        check("2026-11-22", Some("2026-11-22T00:00:00Z"));
    }

    #[test]
    fn refuses_what_is_no_moment() {
        for text in [
            "",
            "yesterday",
            "2026-13-01",
            "2026-02-30T00:00:00Z",
            "99999-01-01",
            "9999-12-31T23:59:59-23:59",
            "0001-01-01T00:00:00+23:59",
        ] {
            check(text, None);
        }
    }
}
