//! One partition as this process carries it: its live generation and the projector that feeds it.

mod build;
mod forget;
mod named;
mod throttle;
mod verify;

use crate::metrics;
use anyhow::Context as _;
use futures::StreamExt as _;
pub(crate) use named::{Difference, LIVE, Named, Refusal, Weights};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;
use synap_log::{EventLog, Incarnation, ReadError};
use synap_projection::{
    Halt, PROJECTION_VERSION, Progress, Projector, Standing, Turn, WaitError, wait_for,
};
use synap_query::ScopeCache;
use synap_readmodel::{
    ParkedRow, ReadStore as _, Snapshot as _, SnapshotExt as _, StoreError, codec, key,
};
use synap_rocksdb::{Generations, OpenError, RocksStore, SharedMemory, StoreOptions};
use synap_types::{Event, Partition, Seq};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How long a switch waits for the new generation to be where the old one is.
const SWITCH_WAIT: Duration = Duration::from_secs(60);
/// How often a generation that somebody still reads is opened again, and the pause before that.
const OPEN_AGAIN: (u32, Duration) = (100, Duration::from_millis(50));
/// Parked events that are listed.
const PARKED_MAX: usize = 100;

/// A generation that is being served: held by every fetch that reads it, so that a switch never pulls it away.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) number: u32,
    pub(crate) store: Arc<RocksStore>,
    pub(crate) progress: watch::Receiver<Progress>,
    /// Where there is no projector: another version made the rows, and they are read only until a rebuild is done.
    idle: Option<watch::Sender<Progress>>,
    cancel: CancellationToken,
    projector: Mutex<Option<JoinHandle<()>>>,
    /// What fetches have read of the store.
    pub(crate) cache: ScopeCache,
}

/// One partition.
#[derive(Debug)]
pub(crate) struct Node<L> {
    pub(crate) partition: Partition,
    log: Arc<L>,
    generations: Generations,
    memory: SharedMemory,
    scratch: PathBuf,
    live: watch::Sender<Arc<Live>>,
    /// Whether the live one is about to be another: its projector has ended.
    switching: AtomicBool,
    /// Those that answer by their name.
    named: RwLock<BTreeMap<String, Arc<Named>>>,
    /// Held by whatever builds or compares a generation: one at a time.
    work: Mutex<()>,
    /// The server ends: long work is broken off.
    closing: CancellationToken,
}

/// What a store is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenFor {
    /// The live generation, or the next one.
    Serving(u32),
    /// A generation that answers by its name.
    Name,
}

impl<L: EventLog> Node<L> {
    /// Opens the live generation, or makes one, and starts its projector.
    pub(crate) fn open(
        log: Arc<L>,
        data_dir: &Path,
        partition: Partition,
        memory: &SharedMemory,
    ) -> anyhow::Result<Self> {
        let generations = Generations::open(data_dir, partition)?;
        let options = StoreOptions::sharing(memory.clone());
        let scratch = data_dir.join(format!("scratch-{partition}"));
        let live = match found(&generations, &options, partition)? {
            Found::Usable(number, store) => {
                start(&log, Arc::new(store), partition, OpenFor::Serving(number))?
            }
            Found::Outdated(number, store) => Live::read_only(number, store)?,
            Found::Nothing => {
                let (number, path) = generations.create_next()?;
                let store = RocksStore::open(&path, &options)?;
                generations.switch_to(number)?;
                start(&log, Arc::new(store), partition, OpenFor::Serving(number))?
            }
        };
        let node = Self {
            partition,
            log,
            generations,
            memory: memory.clone(),
            scratch,
            live: watch::Sender::new(live),
            switching: AtomicBool::new(false),
            named: RwLock::default(),
            work: Mutex::new(()),
            closing: CancellationToken::new(),
        };
        node.open_named()?;
        Ok(node)
    }

    /// The generation that is served now.
    pub(crate) fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.borrow())
    }

    /// The event at a place of the log, if it is there and can be read. Past the end it waits.
    pub(crate) async fn event_at(&self, seq: Seq) -> Option<Event> {
        let found = self.log.read(self.partition, seq).next().await;
        let found = found.and_then(Result::ok).filter(|event| event.seq == seq);
        Event::from_json(&found?.payload).ok()
    }

    /// Last event of the log.
    pub(crate) async fn tail(&self) -> Result<synap_log::LogState, ReadError> {
        self.log.state(self.partition).await
    }

    /// Waits at most `wait` until `wanted` is applied, and answers the generation that has it. A switch meanwhile does not
    /// end the wait.
    pub(crate) async fn reach(
        &self,
        incarnation: Option<Incarnation>,
        wanted: Seq,
        wait: Duration,
    ) -> Result<Arc<Live>, WaitError> {
        let (mut lives, give_up) = (self.live.subscribe(), Instant::now() + wait);
        loop {
            let live = Arc::clone(&lives.borrow_and_update());
            let mut progress = live.progress.clone();
            let left = give_up.saturating_duration_since(Instant::now());
            let refusal = tokio::select! {
                biased;
                done = wait_for(&mut progress, incarnation, wanted, left) => match done {
                    Ok(()) => return Ok(live),
                    Err(refusal) => refusal,
                },
                _ = lives.changed() => continue,
            };
            // In this order: the flag falls after the switch.
            let is_ending = self.switching.load(Ordering::SeqCst);
            if !is_ending && !lives.has_changed().unwrap_or(false) {
                return Err(refusal);
            }
            if !matches!(
                tokio::time::timeout_at(give_up, lives.changed()).await,
                Ok(Ok(()))
            ) {
                return Err(refusal);
            }
            // What was seen by `changed` is still to be looked at.
            lives.mark_changed();
        }
    }

    /// Whether a rebuild was begun and not ended, or the live rows need one.
    pub(crate) fn wants_rebuild(&self) -> anyhow::Result<bool> {
        Ok(self.live().is_outdated() || !self.generations.filling()?.is_empty())
    }

    /// Parked events, oldest first.
    pub(crate) fn parked(&self) -> anyhow::Result<Vec<(Seq, ParkedRow)>> {
        let live = self.live();
        let mut found = Vec::new();
        live.store
            .snapshot()
            .scan(&key::all_parked(), &mut |rest, value| {
                let seq = rest.try_into().map_or(0, u64::from_be_bytes);
                if let Ok(row) = codec::decode(value) {
                    found.push((Seq::new(seq), row));
                }
                if found.len() < PARKED_MAX {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })?;
        Ok(found)
    }

    /// Breaks off long work, which the next start goes on with.
    pub(crate) fn close(&self) {
        self.closing.cancel();
    }

    /// Whether [`Self::close`] was called.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.is_cancelled()
    }

    /// Waits for `pause`, or until [`Self::close`].
    pub(crate) async fn pause(&self, pause: Duration) {
        self.closing
            .run_until_cancelled(tokio::time::sleep(pause))
            .await;
    }

    /// Ends long work and the projector, and waits for the latter.
    pub(crate) async fn stop(&self) {
        self.close();
        self.stop_named().await;
        self.live().stop().await;
    }

    fn options(&self) -> StoreOptions {
        StoreOptions::sharing(self.memory.clone())
    }

    /// Runs work that blocks.
    async fn on_a_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(Handle) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let runtime = Handle::current();
        let done = tokio::task::spawn_blocking(move || work(runtime)).await;
        done.context("the work panicked")?
    }

    async fn unless_closing<T>(&self, work: impl Future<Output = T>) -> anyhow::Result<T> {
        let done = self.closing.run_until_cancelled(work).await;
        done.ok_or_else(|| build::Closing.into())
    }
}

impl Live {
    /// Rows that no projector of this build may go on with.
    fn read_only(number: u32, store: RocksStore) -> anyhow::Result<Arc<Self>> {
        let checkpoint = store.snapshot().row(&key::checkpoint())?;
        let (idle, progress) = watch::channel(Progress {
            incarnation: Incarnation(checkpoint.as_ref().map_or(0, |row| row.incarnation)),
            applied: checkpoint.map_or(Seq::ZERO, |row| Seq::new(row.seq)),
            parked: 0,
            standing: Standing::CatchingUp,
        });
        Ok(Arc::new(Self {
            number,
            store: Arc::new(store),
            progress,
            idle: Some(idle),
            cancel: CancellationToken::new(),
            projector: Mutex::new(None),
            cache: ScopeCache::default(),
        }))
    }

    /// Whether another version of the projection made its rows: they are read, and not gone on with.
    pub(crate) const fn is_outdated(&self) -> bool {
        self.idle.is_some()
    }

    /// Why its rows are not those of the log, if that is why it has halted.
    fn other_log(&self) -> Option<Halt> {
        match &self.progress.borrow().standing {
            Standing::Halted(halt) if halt.is_of_another_log() => Some(halt.clone()),
            Standing::Halted(_)
            | Standing::CatchingUp
            | Standing::Following
            | Standing::Retrying { .. } => None,
        }
    }

    async fn stop(&self) {
        self.cancel.cancel();
        if let Some(projector) = self.projector.lock().await.take() {
            drop(projector.await);
        }
    }
}

/// What is there to be served at the start.
enum Found {
    /// This build goes on with it.
    Usable(u32, RocksStore),
    /// Only texts are read otherwise by now: it answers until a rebuild is done.
    Outdated(u32, RocksStore),
    /// Nothing, or nothing that can be read. The log fills a new one.
    Nothing,
}

/// The live generation. Rows are disposable: one that is damaged, or whose layout is not this build's, is left aside.
fn found(
    generations: &Generations,
    options: &StoreOptions,
    partition: Partition,
) -> anyhow::Result<Found> {
    let Some(number) = generations.current()? else {
        return Ok(Found::Nothing);
    };
    let reason = match RocksStore::open(&generations.path(number), options) {
        Ok(store) => match projected_by(&store) {
            Ok(version) if version.is_none_or(|version| version == PROJECTION_VERSION) => {
                return Ok(Found::Usable(number, store));
            }
            Ok(Some(version)) if layout(version) == layout(PROJECTION_VERSION) => {
                info!(%partition, generation = number,
                    "another version read the texts: the generation is read only until a rebuild is done");
                return Ok(Found::Outdated(number, store));
            }
            Ok(_) => "made by another version of the projection".to_owned(),
            Err(e) => e.to_string(),
        },
        Err(e @ (OpenError::Damaged { .. } | OpenError::Foreign { .. })) => e.to_string(),
        Err(e) => return Err(e.into()),
    };
    warn!(%partition, generation = number, reason, "the generation cannot be used: the log fills a new one");
    Ok(Found::Nothing)
}

/// The half of a projection's version that says how rows are laid out; the other half is of the texts in them.
const fn layout(version: u32) -> u32 {
    version >> 16
}

/// Version of the projection that made the rows; none of an empty store.
fn projected_by(store: &RocksStore) -> Result<Option<u32>, StoreError> {
    let checkpoint = store.snapshot().row(&key::checkpoint())?;
    Ok(checkpoint.map(|row| row.projection))
}

/// Opens a store that was served a moment ago: somebody may still read it.
async fn open_again(dir: &Path, options: &StoreOptions) -> Result<RocksStore, OpenError> {
    let (times, pause) = OPEN_AGAIN;
    for _ in 1..times {
        match RocksStore::open(dir, options) {
            Err(OpenError::InUse { .. }) => tokio::time::sleep(pause).await,
            done => return done,
        }
    }
    RocksStore::open(dir, options)
}

/// Starts a projector into `store`.
fn start<L: EventLog>(
    log: &Arc<L>,
    store: Arc<RocksStore>,
    partition: Partition,
    open_for: OpenFor,
) -> anyhow::Result<Arc<Live>> {
    let (projector, progress) = Projector::new(Arc::clone(log), Arc::clone(&store), partition)?;
    let (number, projector) = match open_for {
        OpenFor::Serving(number) => {
            let count = move |turn: &Turn, events| metrics::applied(partition, turn, events);
            (number, projector.on_applied(Box::new(count)))
        }
        OpenFor::Name => (0, projector),
    };
    let cancel = CancellationToken::new();
    let task = tokio::spawn(projector.run(cancel.clone()));
    Ok(Arc::new(Live {
        number,
        store,
        progress,
        idle: None,
        cancel,
        projector: Mutex::new(Some(task)),
        cache: ScopeCache::default(),
    }))
}

#[cfg(test)]
mod tests;
