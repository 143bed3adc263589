//! One partition as this process carries it: its live generation, the projector that feeds it, rebuild and verification.

use crate::metrics;
use anyhow::{Context as _, bail};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use synap_log::{EventLog, ReadError};
use synap_projection::{Halt, PROJECTION_VERSION, Progress, Projector, Standing, fold, wait_for};
use synap_readmodel::{
    ParkedRow, ReadStore as _, Snapshot as _, SnapshotExt as _, codec, compare, digest, key,
};
use synap_rocksdb::{Generations, OpenError, RocksStore, SharedMemory, StoreOptions};
use synap_types::{Partition, Seq};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How long a switch waits for the new generation to be where the old one is.
const SWITCH_WAIT: Duration = Duration::from_secs(60);
/// Differences that a verification lists.
const DIFFERENCES_MAX: usize = 20;
/// Parked events that are listed.
const PARKED_MAX: usize = 100;

/// A generation that is being served: held by every fetch that reads it, so that a switch never pulls it away.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) number: u32,
    pub(crate) store: Arc<RocksStore>,
    pub(crate) progress: watch::Receiver<Progress>,
    cancel: CancellationToken,
    projector: Mutex<Option<JoinHandle<()>>>,
}

/// One partition.
#[derive(Debug)]
pub(crate) struct Node<L> {
    pub(crate) partition: Partition,
    log: Arc<L>,
    generations: Generations,
    memory: SharedMemory,
    scratch: PathBuf,
    live: RwLock<Arc<Live>>,
    /// Held by whatever builds or compares a generation: one at a time.
    work: Mutex<()>,
}

/// What a verification found.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Verified {
    pub(crate) partition: String,
    pub(crate) applied_seq: u64,
    pub(crate) rows: u64,
    pub(crate) live_digest: String,
    pub(crate) log_digest: String,
    pub(crate) equal: bool,
    pub(crate) differences: Vec<String>,
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
        let (number, store) = if let Some(found) = usable(&generations, &options, partition)? {
            found
        } else {
            let (number, path) = generations.create_next()?;
            let store = RocksStore::open(&path, &options)?;
            generations.switch_to(number)?;
            (number, store)
        };
        let live = start(&log, Arc::new(store), partition, number)?;
        let memory = memory.clone();
        Ok(Self {
            partition,
            log,
            generations,
            memory,
            scratch,
            live: RwLock::new(live),
            work: Mutex::new(()),
        })
    }

    /// The generation that is served now.
    pub(crate) fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Last event of the log.
    pub(crate) async fn tail(&self) -> Result<synap_log::LogState, ReadError> {
        self.log.state(self.partition).await
    }

    /// Fills a new generation from the log while the live one serves, then switches to it.
    ///
    /// `report` hears the last event applied and the last one there is. A generation whose log is gone, or has lost
    /// events, is given up with `accept_loss` only.
    pub(crate) async fn rebuild(
        &self,
        accept_loss: bool,
        mut report: impl FnMut(Seq, Seq),
    ) -> anyhow::Result<u32> {
        let _one_at_a_time = self.work.lock().await;
        if !accept_loss && let Some(halt) = self.live().other_log() {
            bail!("{halt}; the live rows hold what the log has lost: --accept-loss gives it up");
        }
        let (number, path) = self.generations.create_next()?;
        let options = StoreOptions::sharing(self.memory.clone());
        let store = Arc::new(RocksStore::open(&path, &options)?);
        let tail = self.tail().await?.last;
        report(Seq::ZERO, tail);
        let folded = fold(&*self.log, &store, self.partition, tail, |applied| {
            report(applied, tail);
        })
        .await;
        let new = match folded {
            Ok(_) => start(&self.log, store, self.partition, number)?,
            Err(e) => {
                drop(store);
                self.generations
                    .remove(number)
                    .context("after a failed rebuild")?;
                return Err(e.into());
            }
        };
        self.switch(new).await?;
        info!(partition = %self.partition, generation = number, "rebuilt and switched");
        Ok(number)
    }

    /// Serves `new` from now on: once it is where the old one is, so that nobody reads backwards, and once it knows of
    /// itself that it follows the log, so that nobody is told that the answer may be stale.
    async fn switch(&self, new: Arc<Live>) -> anyhow::Result<()> {
        let old = self.live();
        // Rows of a log that is gone, or that has lost events: there is no going on from them.
        let reached = match old.other_log() {
            Some(_) => Seq::ZERO,
            None => old.progress.borrow().applied,
        };
        let number = new.number;
        let mut progress = new.progress.clone();
        let there = async {
            wait_for(&mut progress, None, reached, SWITCH_WAIT).await?;
            let follows = progress.wait_for(|now| !now.is_behind());
            drop(tokio::time::timeout(SWITCH_WAIT, follows).await??);
            anyhow::Ok(())
        };
        if let Err(e) = there.await {
            new.stop().await;
            return Err(e);
        }
        new.store.flush()?;
        self.generations.switch_to(number)?;
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = new;
        old.stop().await;
        // The one before stays for a look back; what is older goes.
        for stale in self.generations.list()? {
            if stale != number && stale != old.number {
                self.generations.remove(stale)?;
            }
        }
        Ok(())
    }

    /// Folds the log into a scratch store and compares it with the live rows, byte for byte.
    pub(crate) async fn verify(
        self: Arc<Self>,
        report: impl FnMut(Seq, Seq) + Send + 'static,
    ) -> anyhow::Result<Verified>
    where
        L: EventLog,
    {
        let _one_at_a_time = self.work.lock().await;
        let (this, runtime) = (Arc::clone(&self), tokio::runtime::Handle::current());
        // One snapshot of the live rows is held all the while, and it borrows its store: so this has a thread of its own.
        let done =
            tokio::task::spawn_blocking(move || this.verify_blocking(&runtime, report)).await;
        if self.scratch.exists() {
            std::fs::remove_dir_all(&self.scratch).context("cannot remove the scratch store")?;
        }
        done.context("verification panicked")?
    }

    fn verify_blocking(
        &self,
        runtime: &tokio::runtime::Handle,
        mut report: impl FnMut(Seq, Seq),
    ) -> anyhow::Result<Verified> {
        if self.scratch.exists() {
            std::fs::remove_dir_all(&self.scratch).context("cannot remove an old scratch store")?;
        }
        let live = self.live();
        let rows = live.store.snapshot();
        let applied = rows
            .row(&key::checkpoint())?
            .map_or(Seq::ZERO, |row| Seq::new(row.seq));
        report(Seq::ZERO, applied);
        let scratch = Arc::new(RocksStore::open(
            &self.scratch,
            &StoreOptions::sharing(self.memory.clone()),
        )?);
        let folding = fold(&*self.log, &scratch, self.partition, applied, |at| {
            report(at, applied);
        });
        runtime.block_on(folding)?;
        let folded = scratch.snapshot();
        let (live_digest, log_digest) = (digest(&rows)?, digest(&folded)?);
        let equal = live_digest == log_digest;
        let differences = if equal {
            Vec::new()
        } else {
            compare(&rows, &folded, DIFFERENCES_MAX)?
        };
        Ok(Verified {
            partition: self.partition.token(),
            applied_seq: applied.get(),
            rows: live_digest.rows,
            live_digest: live_digest.to_string(),
            log_digest: log_digest.to_string(),
            equal,
            differences: differences.iter().map(ToString::to_string).collect(),
        })
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

    /// Ends the projector and waits for it.
    pub(crate) async fn stop(&self) {
        self.live().stop().await;
    }
}

impl Live {
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

/// The live generation, if this build can go on with it. Rows are disposable: one that is damaged, or that another version
/// of the projection made, is left aside, and the log fills a new one.
fn usable(
    generations: &Generations,
    options: &StoreOptions,
    partition: Partition,
) -> anyhow::Result<Option<(u32, RocksStore)>> {
    let Some(number) = generations.current()? else {
        return Ok(None);
    };
    let reason = match RocksStore::open(&generations.path(number), options) {
        Ok(store) => {
            let checkpoint = store.snapshot().row(&key::checkpoint());
            match checkpoint {
                Ok(row)
                    if row
                        .as_ref()
                        .is_none_or(|row| row.projection == PROJECTION_VERSION) =>
                {
                    return Ok(Some((number, store)));
                }
                Ok(_) => "made by another version of the projection".to_owned(),
                Err(e) => e.to_string(),
            }
        }
        Err(e @ (OpenError::Damaged { .. } | OpenError::Foreign { .. })) => e.to_string(),
        Err(e) => return Err(e.into()),
    };
    warn!(%partition, generation = number, reason, "the generation cannot be used: the log fills a new one");
    Ok(None)
}

/// Starts a projector into `store`.
fn start<L: EventLog>(
    log: &Arc<L>,
    store: Arc<RocksStore>,
    partition: Partition,
    number: u32,
) -> anyhow::Result<Arc<Live>> {
    let (projector, progress) = Projector::new(Arc::clone(log), Arc::clone(&store), partition)?;
    let projector = projector.on_applied(Box::new(move |turn, events| {
        metrics::applied(partition, turn, events);
    }));
    let cancel = CancellationToken::new();
    let task = tokio::spawn(projector.run(cancel.clone()));
    Ok(Arc::new(Live {
        number,
        store,
        progress,
        cancel,
        projector: Mutex::new(Some(task)),
    }))
}
