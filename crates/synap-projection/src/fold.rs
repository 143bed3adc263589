//! Folds a log into a store from the beginning: what rebuild and verification do.

use crate::Halt;
use crate::refold::settle;
use crate::step::{Course, Steps};
use std::sync::Arc;
use std::time::Duration;
use synap_log::{EventLog, Gaps, ReadError};
use synap_readmodel::{ReadStore, SnapshotExt as _, StoreError, key};
use synap_types::{Partition, Seq};

/// Why a fold ended early.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// The log does not answer.
    #[error("the log cannot be read")]
    Log(#[source] ReadError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log cannot be applied any further.
    #[error(transparent)]
    Halted(#[from] Halt),
    /// The thread that writes is gone.
    #[error("the writing thread is gone")]
    Writer,
}

impl From<ReadError> for FoldError {
    fn from(e: ReadError) -> Self {
        Halt::of_reading(&e).map_or(Self::Log(e), Self::Halted)
    }
}

/// What a fold did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folded {
    /// Last event applied.
    pub applied: Seq,
    /// Events that were parked.
    pub parked: u64,
}

/// Applies everything up to and including `until` that the store lacks. `report` hears how far it is, batch by batch, and
/// how long threads worked for that: on several at once, so it may be longer than it took.
///
/// Dropping the future is harmless: the store is then where some turn ended, and another fold goes on from there.
pub async fn fold<L: EventLog, S: ReadStore>(
    log: &L,
    store: &Arc<S>,
    partition: Partition,
    until: Seq,
    mut report: impl FnMut(Seq, Duration),
) -> Result<Folded, FoldError> {
    let state = log.state(partition).await?;
    let gaps = settle(log, store, partition).await?;
    let checkpoint = store.snapshot().row(&key::checkpoint())?;
    if let Some(halt) = Halt::before_reading(&state, checkpoint.as_ref(), &gaps) {
        return Err(halt.into());
    }
    if state.last < until {
        // It would wait for events that nobody has appended.
        let (last, checkpoint) = (state.last, until);
        return Err(Halt::Regression { last, checkpoint }.into());
    }
    let mut folded = Folded {
        applied: checkpoint.map_or(Seq::ZERO, |row| Seq::new(row.seq)),
        parked: 0,
    };
    let steps = |applied: Seq, gaps: Gaps| {
        let course = Course {
            partition,
            incarnation: state.incarnation,
            gaps: Arc::new(gaps),
            applied,
            until: Some(until),
        };
        Steps::new(log, store, course)
    };
    let mut turns = steps(folded.applied, gaps)?;
    while folded.applied < until {
        let step = turns.next().await?;
        folded.applied = step.turn.applied;
        folded.parked += step.turn.parked;
        report(folded.applied, step.worked);
        if let Some(halt) = &step.turn.halt {
            // It may have been erased since.
            let gaps = Gaps::of(&log.erasures(partition).await?);
            if !halt.is_explained_by(&gaps) {
                return Err(halt.clone().into());
            }
            turns = steps(folded.applied, gaps)?;
        }
    }
    // What was erased meanwhile was applied as well.
    settle(log, store, partition).await?;
    Ok(folded)
}
