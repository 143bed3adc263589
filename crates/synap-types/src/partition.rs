//! Which stream a scope's events go to.

use crate::limits::PARTITIONS_MAX;
use crate::{Hash128, Scope};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// One stream of the log, its projector and its read model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    /// Customers' and users' scopes whose hash falls here.
    Numbered(u8),
    /// All clients' own scopes.
    Shared,
}

impl Partition {
    /// `00`, `01`, … or `shared`: in subjects, folder names and metrics.
    pub fn token(self) -> String {
        self.to_string()
    }

    /// `SYNAP_EVENTS_00` or `SYNAP_EVENTS_SHARED`.
    pub fn stream_name(self) -> String {
        format!("SYNAP_EVENTS_{}", self.token().to_uppercase())
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbered(number) => write!(f, "{number:02}"),
            Self::Shared => f.write_str("shared"),
        }
    }
}

impl FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "shared" {
            return Ok(Self::Shared);
        }
        let number = text.parse::<u8>().ok().filter(|n| *n < PARTITIONS_MAX);
        number
            .map(Self::Numbered)
            .ok_or_else(|| format!("must be a number below {PARTITIONS_MAX}, or \"shared\""))
    }
}

/// How many numbered partitions a log has; fixed when the log is created.
///
/// Invariant: 1 to [`PARTITIONS_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct PartitionCount(u8);

impl PartitionCount {
    /// One numbered partition: the default of an embedded server.
    pub const ONE: Self = Self(1);

    /// As a number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Every partition there is, SHARED last.
    pub fn all(self) -> impl Iterator<Item = Partition> {
        (0..self.0)
            .map(Partition::Numbered)
            .chain([Partition::Shared])
    }

    /// Where the events of `scope` go: by client and first level, so that one customer is in one partition.
    pub fn partition_of(self, scope: &Scope) -> Partition {
        let Some(first) = scope.path().first() else {
            return Partition::Shared;
        };
        let parts = [
            scope.client().as_str(),
            first.level.as_str(),
            first.id.as_str(),
        ];
        let hash = Hash128::of("synap.partition.v1", parts.map(str::as_bytes));
        let spread = hash
            .bytes()
            .iter()
            .take(8)
            .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        Partition::Numbered(u8::try_from(spread % u64::from(self.0)).unwrap_or(0))
    }

    /// The partitions that a read of `scope` touches.
    pub fn partitions_of_chain(self, scope: &Scope) -> Vec<Partition> {
        match self.partition_of(scope) {
            Partition::Shared => vec![Partition::Shared],
            numbered @ Partition::Numbered(_) => vec![numbered, Partition::Shared],
        }
    }
}

impl TryFrom<u8> for PartitionCount {
    type Error = String;

    fn try_from(count: u8) -> Result<Self, String> {
        if (1..=PARTITIONS_MAX).contains(&count) {
            Ok(Self(count))
        } else {
            Err(format!(
                "the number of partitions is 1 to {PARTITIONS_MAX}, not {count}"
            ))
        }
    }
}

impl From<PartitionCount> for u8 {
    fn from(count: PartitionCount) -> Self {
        count.0
    }
}
