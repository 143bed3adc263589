//! The task that keeps one partition's rows up with its log.

use crate::refold::settle;
use crate::step::{Course, Step, Steps};
use crate::{FoldError, Halt, Progress, Standing, Turn};
use std::sync::Arc;
use std::time::Duration;
use synap_log::{EventLog, Gaps, Incarnation, ReadError};
use synap_readmodel::{ReadStore, SnapshotExt as _, StoreError, key};
use synap_types::{Partition, Seq};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

/// First and longest pause before trying again.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// What hears of every commit: the turn and its number of events. See [`Projector::on_applied`].
pub type Applied = Box<dyn Fn(&Turn, usize) + Send + Sync>;

/// Runs the projection over one partition.
pub struct Projector<L, S> {
    log: Arc<L>,
    store: Arc<S>,
    partition: Partition,
    progress: watch::Sender<Progress>,
    on_applied: Applied,
}

impl<L, S> std::fmt::Debug for Projector<L, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Projector")
            .field("partition", &self.partition)
            .finish_non_exhaustive()
    }
}

enum Stop {
    Halt(Halt),
    Retry(String),
}

impl From<StoreError> for Stop {
    fn from(e: StoreError) -> Self {
        Self::Retry(describe(&e))
    }
}

impl From<ReadError> for Stop {
    fn from(e: ReadError) -> Self {
        Halt::of_reading(&e).map_or_else(|| Self::Retry(describe(&e)), Self::Halt)
    }
}

impl From<FoldError> for Stop {
    fn from(e: FoldError) -> Self {
        match e {
            FoldError::Halted(halt) => Self::Halt(halt),
            FoldError::Log(_) | FoldError::Store(_) | FoldError::Writer => {
                Self::Retry(describe(&e))
            }
        }
    }
}

/// An error with its causes, for logs and status.
fn describe(e: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(e.source(), |cause| cause.source());
    causes.fold(e.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl<L: EventLog, S: ReadStore> Projector<L, S> {
    /// A projector from `log` into `store`, and where to see how far it is.
    pub fn new(
        log: Arc<L>,
        store: Arc<S>,
        partition: Partition,
    ) -> Result<(Self, watch::Receiver<Progress>), StoreError> {
        let snapshot = store.snapshot();
        let checkpoint = snapshot.row(&key::checkpoint())?;
        let mut parked = 0;
        synap_readmodel::Snapshot::scan(&snapshot, &key::all_parked(), &mut |_, _| {
            parked += 1;
            std::ops::ControlFlow::Continue(())
        })?;
        drop(snapshot);
        let (progress, seen) = watch::channel(Progress::starting(checkpoint.as_ref(), parked));
        Ok((
            Self {
                log,
                store,
                partition,
                progress,
                on_applied: Box::new(|_, _| {}),
            },
            seen,
        ))
    }

    /// Calls `hook` after every commit with the turn and its number of events: metrics.
    #[must_use]
    pub fn on_applied(mut self, hook: Applied) -> Self {
        self.on_applied = hook;
        self
    }

    /// Follows the log until `cancel`. A halted partition waits for that as well.
    pub async fn run(self, cancel: CancellationToken) {
        let mut pause = RETRY.0;
        loop {
            let before = self.applied();
            let stop = tokio::select! {
                biased;
                () = cancel.cancelled() => return,
                stop = self.follow() => stop,
            };
            let partition = self.partition;
            match stop {
                Stop::Halt(halt) => {
                    error!(%partition, seq = %self.applied(), reason = %halt, "partition halted");
                    self.stand(Standing::Halted(halt));
                    cancel.cancelled().await;
                    return;
                }
                Stop::Retry(reason) => {
                    warn!(%partition, seq = %self.applied(), reason, "partition retries");
                    self.stand(Standing::Retrying { reason });
                }
            }
            pause = if self.applied() > before {
                RETRY.0
            } else {
                (pause * 2).min(RETRY.1)
            };
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn applied(&self) -> Seq {
        self.progress.borrow().applied
    }

    fn stand(&self, standing: Standing) {
        self.progress
            .send_modify(|progress| progress.standing = standing);
    }

    /// Reads on from the checkpoint until something is wrong.
    async fn follow(&self) -> Stop {
        match self.follow_on().await {
            Ok(never) => match never {},
            Err(stop) => stop,
        }
    }

    async fn follow_on(&self) -> Result<std::convert::Infallible, Stop> {
        let gaps = settle(&*self.log, &self.store, self.partition).await?;
        let (incarnation, tail) = self.check_log(&gaps).await?;
        let course = Course {
            partition: self.partition,
            incarnation,
            gaps: Arc::new(gaps),
            applied: self.applied(),
            until: None,
        };
        let mut steps = Steps::new(&*self.log, &self.store, course)?;
        let mut is_full = false;
        info!(partition = %self.partition, seq = %self.applied(), tail = %tail, "projector starts");
        self.progress
            .send_modify(|progress| progress.incarnation = incarnation);
        loop {
            // A full batch says that more is waiting, however far the log has grown since.
            let behind = self.applied() < tail || is_full;
            self.progress.send_if_modified(|progress| {
                let standing = if behind {
                    Standing::CatchingUp
                } else {
                    Standing::Following
                };
                let changed = progress.standing != standing;
                progress.standing = standing;
                changed
            });
            let step = steps.next().await?;
            self.tell(&step).await?;
            is_full = step.is_full;
        }
    }

    /// The log must be the one that the rows were made from, and hold at least as much.
    async fn check_log(&self, gaps: &Gaps) -> Result<(Incarnation, Seq), Stop> {
        let state = self.log.state(self.partition).await?;
        let checkpoint = self.store.snapshot().row(&key::checkpoint())?;
        if let Some(halt) = Halt::before_reading(&state, checkpoint.as_ref(), gaps) {
            return Err(Stop::Halt(halt));
        }
        Ok((state.incarnation, state.last))
    }

    /// Tells how far the rows are. Fails if they cannot go on.
    async fn tell(&self, step: &Step) -> Result<(), Stop> {
        let (turn, events) = (&*step.turn, step.events);
        debug!(partition = %self.partition, seq_last = %turn.applied, events, parked = turn.parked, "applied");
        if turn.parked > 0 {
            warn!(partition = %self.partition, seq_last = %turn.applied, parked = turn.parked, "events parked");
        }
        self.progress.send_modify(|progress| {
            progress.applied = turn.applied;
            progress.parked += turn.parked;
        });
        (self.on_applied)(turn, events);
        let Some(halt) = &turn.halt else {
            return Ok(());
        };
        let now = Gaps::of(&self.log.erasures(self.partition).await?);
        if halt.is_explained_by(&now) {
            return Err(Stop::Retry("events were erased meanwhile".to_owned()));
        }
        Err(Stop::Halt(halt.clone()))
    }
}
