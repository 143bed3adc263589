//! Rebuild and rollback: a generation is filled beside the live one, compared with it, and takes its place.
//!
//! What is being filled outlives a kill: the next start goes on with it. One that this build cannot go on with is removed.

use super::{Live, Node, OpenFor, SWITCH_WAIT, open_again, projected_by, start};
use crate::jobs::{JobKind, JobPart, Rebuild};
use crate::node::throttle::Throttle;
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use synap_log::{EventLog, LogState};
use synap_projection::{FoldError, Halt, PROJECTION_VERSION, Standing, WaitError, fold, wait_for};
use synap_readmodel::{ReadStore as _, SnapshotExt as _, compare, digest, key};
use synap_rocksdb::{GenerationError, RocksStore};
use synap_types::Seq;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Differences that a failed rebuild names.
const DIFFERENCES_MAX: usize = 20;
/// How long the live rows may stand still behind the new ones before they are not compared.
const STANDSTILL: Duration = Duration::from_secs(10);
/// How long a switch waits for the last events of the one before, whose projector has ended by then.
const LAST_EVENTS_WAIT: Duration = Duration::from_secs(5);

/// The server ends.
#[derive(Debug)]
pub(super) struct Closing;

impl fmt::Display for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server ends; the next start goes on")
    }
}

impl std::error::Error for Closing {}

/// A generation that is being filled.
pub(super) struct New {
    pub(super) number: u32,
    pub(super) store: Arc<RocksStore>,
    pub(super) applied: Seq,
}

impl<L: EventLog> Node<L> {
    /// Fills a generation from the log while the live one serves, compares the two, then switches. Goes on with one that
    /// was begun before.
    pub(crate) async fn rebuild(self: &Arc<Self>, part: &JobPart) -> anyhow::Result<Value> {
        let _one_at_a_time = self.work.lock().await;
        let (this, part) = (Arc::clone(self), part.clone());
        // It sleeps, and it holds a snapshot that borrows its store: so this has a thread of its own.
        let work = move |runtime: Handle| this.rebuild_blocking(&runtime, &part);
        self.on_a_thread(work).await
    }

    fn rebuild_blocking(&self, runtime: &Handle, part: &JobPart) -> anyhow::Result<Value> {
        let tail = runtime.block_on(self.tail())?;
        self.refuse_loss(&tail, &options(part))?;
        let new = self.begun(&tail)?;
        let (number, from) = (new.number, new.applied);
        let done = self.fill_and_switch(runtime, part, new, tail.last);
        if let Err(e) = &done {
            if is_worth_going_on(e) {
                warn!(partition = %self.partition, generation = number, "the rebuild is interrupted, its rows are kept");
            } else {
                self.generations
                    .remove(number)
                    .context("after a failed rebuild")?;
            }
        }
        let mut result = done?;
        if let Value::Object(fields) = &mut result {
            fields.insert("generation".to_owned(), number.into());
            fields.insert("resumed_from".to_owned(), from.get().into());
        }
        info!(partition = %self.partition, generation = number, "rebuilt and switched");
        Ok(result)
    }

    /// A generation whose log is gone, or has lost events, is given up with `accept_loss` only.
    fn refuse_loss(&self, tail: &LogState, options: &Rebuild) -> anyhow::Result<()> {
        let live = self.live();
        if live.is_outdated() {
            live.look_at_log(tail)?;
        }
        if !options.accept_loss
            && let Some(halt) = live.other_log()
        {
            bail!("{halt}; the live rows hold what the log has lost: --accept-loss gives it up");
        }
        Ok(())
    }

    /// The generation that an earlier rebuild has begun, if this one can go on with it; else a new one.
    fn begun(&self, log: &LogState) -> anyhow::Result<New> {
        let mut found = None;
        for filling in self.generations.filling()?.into_iter().rev() {
            let number = filling.number;
            let fits = found.is_none() && filling.projection == Some(PROJECTION_VERSION);
            let opened = if fits { self.opened(number, log) } else { None };
            match opened {
                Some((store, applied)) => {
                    info!(partition = %self.partition, generation = number, %applied, "the rebuild goes on");
                    found = Some(New {
                        number,
                        store,
                        applied,
                    });
                }
                None => self.generations.remove(number)?,
            }
        }
        if let Some(found) = found {
            return Ok(found);
        }
        let (number, path) = self.generations.create_filling(PROJECTION_VERSION)?;
        let opened = RocksStore::open(&path, &self.options());
        if opened.is_err() {
            self.generations.remove(number)?;
        }
        Ok(New {
            number,
            store: Arc::new(opened?),
            applied: Seq::ZERO,
        })
    }

    /// Rows that were begun, and how far they are, if they are whole and of this log.
    fn opened(&self, number: u32, log: &LogState) -> Option<(Arc<RocksStore>, Seq)> {
        let store = RocksStore::open(&self.generations.path(number), &self.options()).ok()?;
        projected_here(store, log)
    }

    fn fill_and_switch(
        &self,
        runtime: &Handle,
        part: &JobPart,
        mut new: New,
        tail: Seq,
    ) -> anyhow::Result<Value> {
        let until = tail.max(new.applied);
        let mut throttle = throttled(self.closing.clone(), part);
        part.report(new.applied, until);
        self.fill(runtime, part, &mut throttle, &mut new, until)?;
        let mut result = self.compare(runtime, part, &mut throttle, &mut new)?;
        let live = start(
            &self.log,
            Arc::clone(&new.store),
            self.partition,
            OpenFor::Serving(new.number),
        )?;
        drop(new);
        let took = runtime.block_on(self.unless_closing(self.switch(live)))??;
        if let Value::Object(fields) = &mut result {
            let ms = took.as_secs_f64() * 1_000.0;
            fields.insert(
                "switch_ms".to_owned(),
                ((ms * 1_000.0).round() / 1_000.0).into(),
            );
        }
        Ok(result)
    }

    pub(super) fn fill(
        &self,
        runtime: &Handle,
        part: &JobPart,
        throttle: &mut Throttle,
        new: &mut New,
        until: Seq,
    ) -> anyhow::Result<()> {
        let folding = fold(
            &*self.log,
            &new.store,
            self.partition,
            until,
            |applied, worked| {
                part.report(applied, until);
                throttle.after(worked);
            },
        );
        let folded = runtime.block_on(self.unless_closing(folding))??;
        new.applied = folded.applied;
        Ok(())
    }

    /// Compares the new rows with the live ones of the same version, both at the same event. The live ones go on meanwhile.
    fn compare(
        &self,
        runtime: &Handle,
        part: &JobPart,
        throttle: &mut Throttle,
        new: &mut New,
    ) -> anyhow::Result<Value> {
        let live = self.live();
        if let Some(reason) =
            runtime.block_on(self.unless_closing(incomparable(&live, new.applied)))?
        {
            return Ok(json!({"equal": null, "not_compared": reason}));
        }
        let rows = live.store.snapshot();
        let Some(checkpoint) = rows.row(&key::checkpoint())? else {
            return Ok(json!({"equal": null, "not_compared": "nothing is live"}));
        };
        let at = Seq::new(checkpoint.seq);
        self.fill(runtime, part, throttle, new, at)?;
        let filled = new.store.snapshot();
        let new_digest = digest(&filled)?;
        let live_digest = match digest(&rows) {
            Ok(digest) => digest,
            Err(e) => {
                let reason = format!("the live rows cannot be read: {e}");
                return Ok(
                    json!({"equal": null, "not_compared": reason, "digest": new_digest.to_string()}),
                );
            }
        };
        let equal = live_digest == new_digest;
        let mut differences = Vec::new();
        if !equal {
            let found = compare(&rows, &filled, DIFFERENCES_MAX)?;
            differences.extend(found.iter().map(ToString::to_string));
            if !options(part).accept_difference {
                bail!(
                    "the new rows differ from the live ones at seq {at} (digests {new_digest} and {live_digest}); \
                     --accept-difference takes the new ones:\n  {}",
                    differences.join("\n  ")
                );
            }
        }
        Ok(
            json!({"equal": equal, "compared_seq": at, "rows": new_digest.rows, "digest": new_digest.to_string(),
            "live_digest": live_digest.to_string(), "differences": differences}),
        )
    }

    /// Goes back to the generation before; that one is then the one to go back to.
    pub(crate) async fn rollback(&self) -> anyhow::Result<Value> {
        let _one_at_a_time = self.work.lock().await;
        let Some(number) = self.generations.previous()? else {
            bail!("there is no generation before this one: a rebuild makes one");
        };
        let from = self.live().number;
        let store = open_again(&self.generations.path(number), &self.options())
            .await
            .with_context(|| format!("generation {number} cannot be gone back to"))?;
        if projected_by(&store)?.is_some_and(|version| version != PROJECTION_VERSION) {
            bail!(
                "generation {number} was made by another version of the projection: only that version can go back to it"
            );
        }
        let new = start(
            &self.log,
            Arc::new(store),
            self.partition,
            OpenFor::Serving(number),
        )?;
        let took = self.unless_closing(self.switch(new)).await??;
        info!(partition = %self.partition, generation = number, from, "rolled back");
        let ms = took.as_secs_f64() * 1_000.0;
        Ok(
            json!({"generation": number, "from_generation": from, "switch_ms": (ms * 1_000.0).round() / 1_000.0}),
        )
    }

    /// Serves `new` from now on: once it is where the old one is, so that nobody reads backwards, and once it knows of
    /// itself that it follows the log, so that nobody is told that the answer may be stale. Answers how long whoever
    /// waited for an event had to wait for the switch.
    async fn switch(&self, new: Arc<Live>) -> anyhow::Result<Duration> {
        let old = self.live();
        if let Err(e) = caught_up(&old, &new, SWITCH_WAIT).await {
            new.stop().await;
            return Err(e);
        }
        new.store.flush()?;
        let since = Instant::now();
        self.switching.store(true, Ordering::SeqCst);
        let done = self.take_over(&old, &new).await;
        self.switching.store(false, Ordering::SeqCst);
        if let Err(e) = done {
            new.stop().await;
            return Err(e);
        }
        let took = since.elapsed();
        if let Err(e) = self.remove_older(new.number, old.number) {
            warn!(partition = %self.partition, error = %e, "older generations stay");
        }
        Ok(took)
    }

    /// The one before stays for a look back; what is older goes.
    fn remove_older(&self, live: u32, before: u32) -> Result<(), GenerationError> {
        let filling = self.generations.filling()?;
        for number in self.generations.list()? {
            let is_filling = filling.iter().any(|filling| filling.number == number);
            if number != live && number != before && !is_filling {
                self.generations.remove(number)?;
            }
        }
        Ok(())
    }

    /// The old one takes nothing up any more, the new one gets where it is, and takes its place. Who waits for an event
    /// meanwhile waits for the switch.
    async fn take_over(&self, old: &Arc<Live>, new: &Arc<Live>) -> anyhow::Result<()> {
        old.stop().await;
        let there = async {
            caught_up(old, new, LAST_EVENTS_WAIT).await?;
            self.generations.switch_to(new.number)?;
            anyhow::Ok(())
        };
        if let Err(e) = there.await {
            if !old.is_outdated() {
                let again = start(
                    &self.log,
                    Arc::clone(&old.store),
                    self.partition,
                    OpenFor::Serving(old.number),
                )?;
                self.live.send_replace(again);
            }
            return Err(e);
        }
        self.live.send_replace(Arc::clone(new));
        Ok(())
    }
}

/// The store and how far it is, if this version of the projection filled it from this log.
pub(super) fn projected_here(store: RocksStore, log: &LogState) -> Option<(Arc<RocksStore>, Seq)> {
    let checkpoint = store.snapshot().row(&key::checkpoint()).ok()?;
    let fits = checkpoint.as_ref().is_none_or(|row| {
        row.incarnation == log.incarnation.0
            && row.projection == PROJECTION_VERSION
            && row.seq <= log.last.get()
    });
    let applied = checkpoint.map_or(Seq::ZERO, |row| Seq::new(row.seq));
    fits.then(|| (Arc::new(store), applied))
}

/// Rests as the job is told to, and as those who join it tell it.
pub(super) fn throttled(closing: CancellationToken, part: &JobPart) -> Throttle {
    let part = part.clone();
    Throttle::new(closing, move || options(&part).cpu_share)
}

fn options(part: &JobPart) -> Rebuild {
    match part.kind() {
        JobKind::Rebuild(options) => options,
        JobKind::Verify(_) | JobKind::Rollback => Rebuild::at(1.0),
    }
}

/// Whether the rows that are there are worth keeping, because the next attempt may get further.
fn is_worth_going_on(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(FoldError::Log(_)))
        || error.is::<WaitError>()
        || error.is::<Closing>()
}

/// Waits until `new` has all that `old` has, and follows the log.
async fn caught_up(old: &Live, new: &Live, wait: Duration) -> anyhow::Result<()> {
    // Rows of a log that is gone, or that has lost events: there is no going on from them.
    let reached = match old.other_log() {
        Some(_) => Seq::ZERO,
        None => old.progress.borrow().applied,
    };
    let mut progress = new.progress.clone();
    wait_for(&mut progress, None, reached, wait).await?;
    let settled =
        progress.wait_for(|now| matches!(now.standing, Standing::Following | Standing::Halted(_)));
    drop(tokio::time::timeout(wait, settled).await);
    let standing = progress.borrow().standing.clone();
    match standing {
        Standing::Following => Ok(()),
        Standing::Halted(halt) => Err(halt.into()),
        Standing::CatchingUp | Standing::Retrying { .. } => {
            let applied = progress.borrow().applied;
            Err(WaitError::TimedOut {
                applied,
                wanted: applied.next(),
            }
            .into())
        }
    }
}

/// Why the live rows cannot be compared with rows at `applied`; waits until they are there.
async fn incomparable(live: &Live, applied: Seq) -> Option<&'static str> {
    if live.is_outdated() {
        return Some("the live rows are of another version of the projection");
    }
    if live.other_log().is_some() {
        return Some("the live rows are of another log");
    }
    let mut progress = live.progress.clone();
    loop {
        let before = progress.borrow().applied;
        match wait_for(&mut progress, None, applied, STANDSTILL).await {
            Ok(()) => return None,
            Err(_) if progress.borrow().applied > before => {}
            Err(_) => return Some("the live rows are behind and stand still"),
        }
    }
}

impl Live {
    /// Notes that rows without a projector are not of this log, as a projector would.
    fn look_at_log(&self, log: &LogState) -> anyhow::Result<()> {
        let Some(checkpoint) = self.store.snapshot().row(&key::checkpoint())? else {
            return Ok(());
        };
        let seq = Seq::new(checkpoint.seq);
        let halt = if checkpoint.incarnation != log.incarnation.0 {
            Some(Halt::OtherLog)
        } else if log.last < seq {
            Some(Halt::Regression {
                last: log.last,
                checkpoint: seq,
            })
        } else {
            None
        };
        if let (Some(halt), Some(idle)) = (halt, &self.idle) {
            idle.send_modify(|progress| progress.standing = Standing::Halted(halt));
        }
        Ok(())
    }
}
