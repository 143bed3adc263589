//! Why a partition stops.

use synap_log::{Gaps, LogState, ReadError};
use synap_readmodel::CheckpointRow;
use synap_types::Seq;

/// Why a partition stops. It keeps serving what it has, marked stale; a person must look.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Halt {
    /// Events are missing, and no recorded deletion explains it.
    #[error("the log has a gap: event {expected} was expected, {found} was found")]
    Gap {
        /// Checkpoint + 1.
        expected: Seq,
        /// What came.
        found: Seq,
    },
    /// The log ends before the checkpoint: it lost events, and may give their places to others.
    #[error("the log ends at {last}, but {checkpoint} was applied: it has lost events")]
    Regression {
        /// Last event of the log.
        last: Seq,
        /// Last event applied.
        checkpoint: Seq,
    },
    /// The log was deleted and made again.
    #[error("the log is not the one that the rows were made from")]
    OtherLog,
    /// The log lost its end and grew again: another event stands where the last one that was applied stood.
    #[error(
        "event {seq} is not the one that was applied: the log has lost events and used their places again"
    )]
    Rewritten {
        /// Last event applied.
        seq: Seq,
    },
    /// An event's bytes are not what was appended.
    #[error("event {seq} is damaged")]
    Damaged {
        /// Which.
        seq: Seq,
    },
    /// A newer synap wrote the log.
    #[error("event {seq} is of type {event_type:?}, which this version of synap does not know")]
    UnknownType {
        /// Which event.
        seq: Seq,
        /// Its type.
        event_type: String,
    },
}

impl Halt {
    /// Whether the log and the rows tell different stories: what is appended now may never be applied.
    pub const fn is_of_another_log(&self) -> bool {
        matches!(
            self,
            Self::Gap { .. } | Self::Regression { .. } | Self::Rewritten { .. } | Self::OtherLog
        )
    }

    /// Whether it is a gap, and one of `gaps`.
    pub(crate) fn is_explained_by(&self, gaps: &Gaps) -> bool {
        matches!(self, Self::Gap { expected, found } if gaps.explain(*expected, *found))
    }

    /// Why the log cannot be read any further, unless trying again may help.
    pub(crate) const fn of_reading(error: &ReadError) -> Option<Self> {
        if let ReadError::Damaged { seq } = error {
            Some(Self::Damaged { seq: *seq })
        } else {
            None
        }
    }

    /// Why a log in this state cannot be the one that `checkpoint` came from, or cannot be followed from there.
    pub(crate) fn before_reading(
        log: &LogState,
        checkpoint: Option<&CheckpointRow>,
        gaps: &Gaps,
    ) -> Option<Self> {
        let applied = checkpoint.map_or(Seq::ZERO, |row| Seq::new(row.seq));
        if checkpoint.is_some_and(|row| row.incarnation != log.incarnation.0) {
            Some(Self::OtherLog)
        } else if log.last < applied {
            Some(Self::Regression {
                last: log.last,
                checkpoint: applied,
            })
        } else if applied < log.last
            && applied.next() < log.first
            && !gaps.explain(applied.next(), log.first)
        {
            // Nothing may ever come that shows this gap.
            Some(Self::Gap {
                expected: applied.next(),
                found: log.first,
            })
        } else {
            None
        }
    }
}
