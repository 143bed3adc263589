//! One turn against a store, on a thread that may block.

use crate::{Turn, turn_over};
use std::sync::{Arc, Mutex, PoisonError};
use synap_log::{Gaps, Incarnation, Recorded};
use synap_readmodel::{ReadStore, StoreError};
use synap_types::Partition;
use tokio::task::{JoinError, spawn_blocking};

/// Applies `batch` to `store` and commits what comes out.
///
/// Dropping the future is harmless: when the drop returns, the turn is committed or never will be. So whoever goes on
/// with the same store does not meet a commit that is still on its way, which would add to the postings twice.
pub(crate) async fn step<S: ReadStore>(
    store: &Arc<S>,
    partition: Partition,
    incarnation: Incarnation,
    batch: Vec<Recorded>,
    gaps: &Arc<Gaps>,
) -> Result<Result<Turn, StoreError>, JoinError> {
    let waiting = Waiting::default();
    let (store, gaps) = (Arc::clone(store), Arc::clone(gaps));
    let abandoned = Arc::clone(&waiting.abandoned);
    let work = move || {
        let turn = turn_over(partition, incarnation, &store.snapshot(), &batch, &gaps)?;
        let abandoned = abandoned.lock().unwrap_or_else(PoisonError::into_inner);
        if !*abandoned {
            store.commit(&turn.writes)?;
        }
        Ok(turn)
    };
    spawn_blocking(work).await
}

/// Somebody waits for the turn; when nobody does any more, it may not be committed.
#[derive(Debug, Default)]
struct Waiting {
    abandoned: Arc<Mutex<bool>>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        *self
            .abandoned
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
    }
}
