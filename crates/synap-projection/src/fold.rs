//! Folds a log into a store from the beginning: what rebuild and verification do.

use crate::Halt;
use crate::batch::Batches;
use crate::refold::settle;
use crate::step::step;
use std::sync::Arc;
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

/// Applies everything up to and including `until` that the store lacks. `report` hears how far it is, batch by batch.
///
/// Dropping the future is harmless: the store is then where some turn ended, and another fold goes on from there.
pub async fn fold<L: EventLog, S: ReadStore>(
    log: &L,
    store: &Arc<S>,
    partition: Partition,
    until: Seq,
    mut report: impl FnMut(Seq),
) -> Result<Folded, FoldError> {
    let state = log.state(partition).await?;
    let mut gaps = Arc::new(settle(log, store, partition).await?);
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
    let mut batches = Batches::after(log, partition, folded.applied);
    while folded.applied < until {
        let mut batch = batches.next().await?;
        // A batch that passes over `until` has a gap; it stays whole, so that the turn sees it.
        if let Some(at) = batch.iter().position(|event| event.seq == until) {
            batch.truncate(at + 1);
        }
        let done = step(store, partition, state.incarnation, batch, &gaps).await;
        let turn = done.map_err(|_| FoldError::Writer)??;
        folded.applied = turn.applied;
        folded.parked += turn.parked;
        report(folded.applied);
        match turn.halt {
            None => {}
            Some(halt) => {
                // It may have been erased since.
                gaps = Arc::new(Gaps::of(&log.erasures(partition).await?));
                if !halt.is_explained_by(&gaps) {
                    return Err(halt.into());
                }
                batches = Batches::after(log, partition, folded.applied);
            }
        }
    }
    // What was erased meanwhile was applied as well.
    settle(log, store, partition).await?;
    Ok(folded)
}
