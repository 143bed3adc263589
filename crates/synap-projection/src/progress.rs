//! How far a partition is, for those who wait for it.

use crate::Halt;
use std::time::Duration;
use synap_log::Incarnation;
use synap_readmodel::CheckpointRow;
use synap_types::Seq;
use tokio::sync::watch;

/// Whether a partition follows its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It has not reached what the log held when it started.
    CatchingUp,
    /// It follows.
    Following,
    /// It cannot reach the log, or write its rows, and keeps trying.
    Retrying {
        /// Why.
        reason: String,
    },
    /// It has stopped for good; see [`Halt`].
    Halted(Halt),
}

/// How far a partition is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Which life of the log the rows came from; 0 before any was reached.
    pub incarnation: Incarnation,
    /// Last event whose rows are committed.
    pub applied: Seq,
    /// Events that are parked.
    pub parked: u64,
    /// Whether it follows its log.
    pub standing: Standing,
}

impl Progress {
    /// Before the projector has started: what the rows say.
    pub(crate) fn starting(checkpoint: Option<&CheckpointRow>, parked: u64) -> Self {
        Self {
            incarnation: Incarnation(checkpoint.map_or(0, |row| row.incarnation)),
            applied: checkpoint.map_or(Seq::ZERO, |row| Seq::new(row.seq)),
            parked,
            standing: Standing::CatchingUp,
        }
    }

    /// Whether answers may lack what the log holds.
    pub const fn is_behind(&self) -> bool {
        !matches!(self.standing, Standing::Following)
    }
}

/// Why a wait ended without the position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// Not in time, or never: the partition has halted.
    #[error("the read model is at {applied}, {wanted} was asked for")]
    TimedOut {
        /// How far it is.
        applied: Seq,
        /// What was wanted.
        wanted: Seq,
    },
    /// The position is of a log that is gone.
    #[error("the position belongs to a log that is not this one")]
    OtherLog,
}

/// Waits until `wanted` is applied, at most `wait`.
///
/// Nobody waits in vain: a position of another incarnation fails as soon as this one is known, and a partition that has
/// halted, or whose projector has ended, fails at once.
pub async fn wait_for(
    progress: &mut watch::Receiver<Progress>,
    incarnation: Option<Incarnation>,
    wanted: Seq,
    wait: Duration,
) -> Result<(), WaitError> {
    let decided = progress.wait_for(|now| verdict(now, incarnation, wanted).is_some());
    drop(tokio::time::timeout(wait, decided).await);
    let now = progress.borrow();
    verdict(&now, incarnation, wanted).unwrap_or(Err(WaitError::TimedOut {
        applied: now.applied,
        wanted,
    }))
}

/// How a wait for `wanted` ends, if that can be told by `now`.
fn verdict(
    now: &Progress,
    incarnation: Option<Incarnation>,
    wanted: Seq,
) -> Option<Result<(), WaitError>> {
    let (own, applied) = (now.incarnation, now.applied);
    if own != Incarnation(0) && incarnation.is_some_and(|asked| asked != own) {
        Some(Err(WaitError::OtherLog))
    } else if applied >= wanted {
        Some(Ok(()))
    } else if matches!(now.standing, Standing::Halted(_)) {
        Some(Err(WaitError::TimedOut { applied, wanted }))
    } else {
        None
    }
}
