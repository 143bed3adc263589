//! Batches against a store, one after the other, on threads that may block: while one is committed, the next is folded
//! on top of it, and the one after that is read.

use crate::batch::{Batch, Batches};
use crate::extract::extractor_of;
use crate::turn::turn_of;
use crate::{FoldError, State, Turn};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use synap_log::{EventLog, Gaps, Incarnation, ReadError};
use synap_readmodel::{ReadStore, StoreError};
use synap_types::{Partition, Seq};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::Instant;

/// A turn that is committed.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) turn: Arc<Turn>,
    /// How many events it was made of.
    pub(crate) events: usize,
    /// Whether more may be waiting.
    pub(crate) is_full: bool,
    /// How long threads worked for it, one after the other.
    pub(crate) worked: Duration,
}

/// Where steps read, and how.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    pub(crate) partition: Partition,
    pub(crate) incarnation: Incarnation,
    pub(crate) gaps: Arc<Gaps>,
    /// What the store has applied.
    pub(crate) applied: Seq,
    /// The last event that is wanted, if not all are.
    pub(crate) until: Option<Seq>,
}

/// Turns of one partition, from the store's checkpoint on.
///
/// Dropping it is harmless: when the drop returns, every turn is committed or never will be. So whoever goes on with the
/// same store does not meet a commit that is still on its way, which would add to the postings twice.
#[derive(Debug)]
pub(crate) struct Steps<S> {
    store: Arc<S>,
    course: Course,
    batches: Batches,
    folding: Option<JoinHandle<Result<Step, StoreError>>>,
    committing: Option<Commit>,
    /// Why there are no more batches, while turns are on their way.
    end: Option<ReadError>,
}

impl<S: ReadStore> Steps<S> {
    pub(crate) fn new(
        log: &impl EventLog,
        store: &Arc<S>,
        course: Course,
    ) -> Result<Self, StoreError> {
        let extractor = extractor_of(&store.snapshot())?;
        let (partition, applied, until) = (course.partition, course.applied, course.until);
        Ok(Self {
            store: Arc::clone(store),
            batches: Batches::after(log, partition, applied, until, extractor),
            course,
            folding: None,
            committing: None,
            end: None,
        })
    }

    /// Waits for the next turn that is committed. After an error, or a turn that halted, do not ask again. Dropping the
    /// future loses nothing.
    pub(crate) async fn next(&mut self) -> Result<Step, FoldError> {
        loop {
            if let Some(commit) = &mut self.committing {
                let goes_on = self.folding.is_none() && self.end.is_none() && !commit.is_last();
                tokio::select! {
                    biased;
                    done = &mut commit.done => {
                        let took = done.map_err(|_| FoldError::Writer)??;
                        if let Some(commit) = self.committing.take() {
                            let mut step = commit.step.clone();
                            step.worked += took;
                            return Ok(step);
                        }
                    }
                    batch = self.batches.next(), if goes_on => match batch {
                        Ok(batch) => self.fold(batch),
                        Err(end) => self.end = Some(end),
                    }
                }
            } else if let Some(folding) = &mut self.folding {
                let step = folding.await.map_err(|_| FoldError::Writer)??;
                self.folding = None;
                self.committing = Some(Commit::start(&self.store, step));
            } else if let Some(end) = self.end.take() {
                return Err(end.into());
            } else {
                let batch = self.batches.next().await?;
                self.fold(batch);
            }
        }
    }

    /// Begins to fold a batch, on top of what is being committed.
    fn fold(&mut self, batch: Batch) {
        let before = self.committing.as_ref();
        let before = before.map(|commit| Arc::clone(&commit.step.turn));
        let (store, course) = (Arc::clone(&self.store), self.course.clone());
        self.folding = Some(spawn_blocking(move || {
            let started = Instant::now();
            let (events, snapshot) = (batch.events.len(), store.snapshot());
            let state = State::over(&snapshot, before.as_ref().map(|turn| &turn.writes));
            let (partition, incarnation) = (course.partition, course.incarnation);
            let turn = turn_of(partition, incarnation, state, batch.events, &course.gaps)?;
            Ok(Step {
                turn: Arc::new(turn),
                events,
                is_full: batch.is_full,
                worked: batch.worked + started.elapsed(),
            })
        }));
    }
}

/// A turn on its way into the store. If it is dropped before it began, it is not committed any more.
#[derive(Debug)]
struct Commit {
    step: Step,
    /// How long it took.
    done: JoinHandle<Result<Duration, StoreError>>,
    abandoned: Arc<Mutex<bool>>,
}

impl Commit {
    fn start<S: ReadStore>(store: &Arc<S>, step: Step) -> Self {
        let (store, turn) = (Arc::clone(store), Arc::clone(&step.turn));
        let abandoned = Arc::new(Mutex::new(false));
        let is_abandoned = Arc::clone(&abandoned);
        let work = move || {
            let is_abandoned = is_abandoned.lock().unwrap_or_else(PoisonError::into_inner);
            if *is_abandoned {
                return Ok(Duration::ZERO);
            }
            let started = Instant::now();
            store.commit(&turn.writes)?;
            Ok(started.elapsed())
        };
        Self {
            step,
            done: spawn_blocking(work),
            abandoned,
        }
    }

    /// Whether nothing can be folded on top of it.
    fn is_last(&self) -> bool {
        self.step.turn.halt.is_some()
    }
}

impl Drop for Commit {
    fn drop(&mut self) {
        *self
            .abandoned
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
    }
}
