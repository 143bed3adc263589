//! The erasure worker: what was deleted leaves the log, the rows and the files, and the receipt says so.
//!
//! ```text
//! ScopeErased, DocumentErased ─► hidden at once; PendingErasureRow
//!   worker: find the events ─► the log records and overwrites them ─► rows are folded anew, files rewritten
//!           ─► the data folder is searched for what the events held ─► ErasureCompleted ─► DeletionRow.completed
//! ```
//!
//! What was moved elsewhere from what is erased goes first (`copies.rs`).
//!
//! Cut off anywhere, it begins anew at the next start: the row stays until the last event, and every step may be repeated.

mod copies;
mod search;

pub(crate) use copies::Meant;

use crate::node::Node;
use crate::operations::Operations;
use anyhow::Context as _;
use futures::TryStreamExt as _;
use search::{Searched, Traces, search};
use serde_json::Value;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use synap_log::{ErasedEvent, Erasure, EventLog, Recorded};
use synap_query::{ScopeView, deletion};
use synap_readmodel::{
    MemoryRow, PendingErasureRow, ReadStore as _, Snapshot as _, SnapshotExt as _, codec, key,
};
use synap_types::{
    Author, ConversationId, DocumentId, ErasureCompleted, EventBody, EventId, EventSubject,
    Hash128, MemorySource, Partition, Scope, Seq, Timestamp,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_secs(2);
/// How often traces are looked for while some are found, and the time between.
const SEARCHES: u32 = 4;
const SEARCH_AGAIN: Duration = Duration::from_millis(500);
/// How often it is looked whether copies are gone.
const LOOK: Duration = Duration::from_millis(200);
/// Erasures that one pass takes up.
const PASS_MAX: usize = 100;
/// The events that say what was erased: they hold nothing of it, and stay.
const KEPT: [&str; 3] = [
    "synap.scope.erased.v1",
    "synap.document.erased.v1",
    "synap.erasure.completed.v1",
];

/// Erases one partition until `stop`.
pub(crate) async fn run<L: EventLog>(
    operations: Arc<Operations<L>>,
    partition: Partition,
    data_dir: PathBuf,
    stop: CancellationToken,
) {
    let Some(node) = operations.engine.nodes.get(&partition) else {
        return;
    };
    let worker = Worker {
        operations: &operations,
        node,
        partition,
        data_dir,
    };
    while !stop.is_cancelled() {
        let mut progress = node.live().progress.clone();
        progress.borrow_and_update();
        match worker.pass().await {
            Ok(Pass::Done) => {}
            Ok(Pass::Waits) => {
                stop.run_until_cancelled(tokio::time::sleep(LOOK)).await;
            }
            Ok(Pass::Nothing) => {
                let changed = async {
                    if progress.changed().await.is_err() {
                        tokio::time::sleep(PAUSE).await;
                    }
                };
                stop.run_until_cancelled(changed).await;
            }
            Err(e) if node.is_closing() => {
                info!(%partition, error = format!("{e:#}"), "an erasure is broken off; the next start goes on");
                return;
            }
            Err(e) => {
                warn!(%partition, error = format!("{e:#}"), "an erasure waits");
                stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
            }
        }
    }
}

/// What one pass came to.
enum Pass {
    Nothing,
    /// Copies are erased before what they were made of.
    Waits,
    Done,
}

struct Worker<'a, L> {
    operations: &'a Arc<Operations<L>>,
    node: &'a Arc<Node<L>>,
    partition: Partition,
    data_dir: PathBuf,
}

/// What one deletion takes out.
struct Found {
    pending: PendingErasureRow,
    /// Memories and turns that were told before.
    counts: (u32, u32),
    events: Vec<ErasedEvent>,
    traces: Traces,
}

impl<L: EventLog> Worker<'_, L> {
    /// Does what is pending.
    async fn pass(&self) -> anyhow::Result<Pass> {
        let pending = self.pending()?;
        if pending.is_empty() {
            return Ok(Pass::Nothing);
        }
        // What was moved away before the deletions is in some partition's rows then.
        let engine = &self.operations.engine;
        for partition in engine.nodes.keys() {
            engine.catch_up(*partition).await?;
        }
        let mut all = Vec::with_capacity(pending.len());
        for (seq, row) in pending {
            if !self.has_copies(seq, &row).await? {
                all.push(self.find(seq, row).await?);
            }
        }
        if all.is_empty() {
            return Ok(Pass::Waits);
        }
        let erasures = all.iter().filter(|found| !found.events.is_empty());
        let erasures: Vec<Erasure> = erasures.map(Found::erasure).collect();
        self.node.forget(erasures).await?;
        let recorded = self.operations.ingest.log.erasures(self.partition).await?;
        for found in all {
            let searched = self.search(found.traces).await?;
            let of_this = recorded
                .iter()
                .filter(|erasure| erasure.deletion_id == found.pending.deletion_id);
            // Where a pass was cut off, there are several records.
            let (mut seqs, (mut memories, mut turns)) = (BTreeSet::new(), found.counts);
            for erasure in of_this {
                seqs.extend(erasure.seqs());
                memories = memories.max(erasure.counts.0);
                turns = turns.max(erasure.counts.1);
            }
            let data = ErasureCompleted {
                deletion_id: found.pending.deletion_id,
                scope: found.pending.scope,
                memories,
                turns,
                events: seqs.len() as u64,
                searched_bytes: searched.bytes,
                found: searched.found,
            };
            info!(partition = %self.partition, events = data.events, searched_bytes = data.searched_bytes,
                found = data.found, "erased");
            let id = ErasureCompleted::event_id(data.deletion_id);
            let body = EventBody::ErasureCompleted(Box::new(data));
            let placed = self.operations.ingest.append_event(id, body).await?;
            let engine = &self.operations.engine;
            engine.applied(placed.partition, placed.at).await;
        }
        Ok(Pass::Done)
    }

    /// Whether memories that were moved away from what is erased are there yet. They are erased, if nobody did it.
    async fn has_copies(&self, seq: Seq, pending: &PendingErasureRow) -> anyhow::Result<bool> {
        let live = self.node.live();
        let (row, event) = {
            let rows = live.store.snapshot();
            let client = pending.scope.client();
            let event = rows.row(&key::history(&pending.scope.hash(), seq))?;
            (deletion(&rows, client, pending.deletion_id)?, event)
        };
        let Some(row) = row else {
            return Ok(false);
        };
        let meant = Meant {
            scope: pending.scope.clone(),
            about: about(pending.conversation, pending.document.as_ref()),
            until: Timestamp::from_micros(row.accepted_at),
        };
        let copies = self.operations.copies(meant).await?;
        let by = event.and_then(|event| event.by);
        let author = Author {
            instance_id: "erasure".parse()?,
            key_id: by.unwrap_or_else(|| "synap".to_owned()),
        };
        let of = pending.deletion_id;
        self.operations.erase_copies(of, &copies, &author).await?;
        Ok(!copies.is_empty())
    }

    /// What is found is looked for again: a file that somebody reads goes when that is done.
    async fn search(&self, traces: Traces) -> anyhow::Result<Searched> {
        let traces = Arc::new(traces);
        let mut done = Searched::default();
        for _ in 0..SEARCHES {
            let (folder, traces) = (self.data_dir.clone(), Arc::clone(&traces));
            let searched = tokio::task::spawn_blocking(move || search(&folder, &traces));
            done = searched.await.context("the search panicked")??;
            if done.found == 0 {
                break;
            }
            self.node.pause(SEARCH_AGAIN).await;
        }
        Ok(done)
    }

    /// What was deleted and may still be in the log, oldest first.
    fn pending(&self) -> anyhow::Result<Vec<(Seq, PendingErasureRow)>> {
        let live = self.node.live();
        let mut found = Vec::new();
        let mut visit = |rest: &[u8], value: &[u8]| {
            let seq = Seq::new(rest.try_into().map_or(0, u64::from_be_bytes));
            found.push(codec::decode(value).map(|row| (seq, row)));
            if found.len() < PASS_MAX {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        let rows = live.store.snapshot();
        rows.scan(&key::pending_erasures(), &mut visit)?;
        found
            .into_iter()
            .collect::<Result<_, _>>()
            .context("a pending erasure cannot be read")
    }

    /// The events before `until` that the deletion means, and what they hold.
    async fn find(&self, until: Seq, pending: PendingErasureRow) -> anyhow::Result<Found> {
        let about = about(pending.conversation, pending.document.as_ref());
        let memories = match &about {
            Some(source) => self.memories(&pending.scope, source)?,
            None => BTreeSet::new(),
        };
        let filter = if about.is_some() {
            EventSubject::filter_of(self.partition, &pending.scope)
        } else {
            EventSubject::filter_below(self.partition, &pending.scope)
        };
        let about = about.map(|source| source.about());
        let log = &self.operations.ingest.log;
        let mut events = log.select(self.partition, vec![filter]);
        let mut found = Found {
            counts: self.counts(&pending)?,
            pending,
            events: Vec::new(),
            traces: Traces::default(),
        };
        while let Some(event) = events.try_next().await? {
            if event.seq >= until {
                break;
            }
            let body: Value = serde_json::from_slice(&event.payload).unwrap_or_default();
            if is_meant(
                &found.pending.scope,
                about.as_deref(),
                &memories,
                &event,
                &body,
            ) {
                found.events.push(ErasedEvent {
                    seq: event.seq,
                    id: id_of(&body),
                });
                found.traces.add(&body);
            }
        }
        Ok(found)
    }

    /// What the deletion hid.
    fn counts(&self, pending: &PendingErasureRow) -> anyhow::Result<(u32, u32)> {
        let live = self.node.live();
        let client = pending.scope.client();
        let row = deletion(&live.store.snapshot(), client, pending.deletion_id)?;
        Ok(row.map_or((0, 0), |row| (row.memories, row.turns)))
    }

    /// The memories that were ever derived from a source.
    fn memories(&self, scope: &Scope, source: &MemorySource) -> anyhow::Result<BTreeSet<String>> {
        let live = self.node.live();
        let rows = live.store.snapshot();
        let view = ScopeView::new(scope.clone(), &rows)?;
        let mut found = BTreeSet::new();
        rows.scan(&key::memories(view.hash()), &mut |_, value| {
            if let Ok(row) = codec::decode::<MemoryRow>(value)
                && row.source == *source
            {
                found.insert(row.id.to_string());
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }
}

impl Found {
    fn erasure(&self) -> Erasure {
        Erasure {
            deletion_id: self.pending.deletion_id,
            scope: self.pending.scope.clone(),
            below: self.pending.conversation.is_none() && self.pending.document.is_none(),
            counts: self.counts,
            events: self.events.clone(),
        }
    }
}

/// The document or conversation that a deletion is of, where it is not of a whole scope.
pub(crate) fn about(
    conversation: Option<ConversationId>,
    document: Option<&DocumentId>,
) -> Option<MemorySource> {
    conversation
        .map(MemorySource::Conversation)
        .or_else(|| document.cloned().map(MemorySource::Document))
}

/// Hash of an event's scope, and its id.
fn id_of(body: &Value) -> Option<(Hash128, EventId)> {
    let scope: Scope = serde_json::from_value(body.pointer("/data/scope")?.clone()).ok()?;
    let id = body.get("id")?.as_str()?.parse().ok()?;
    Some((scope.hash(), id))
}

/// Whether an event goes with a deletion: of `about` and what was computed of its `memories`, or of all that `scope` has.
fn is_meant(
    scope: &Scope,
    about: Option<&str>,
    memories: &BTreeSet<String>,
    event: &Recorded,
    body: &Value,
) -> bool {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    if text("type").is_some_and(|of_type| KEPT.contains(&of_type)) {
        return false;
    }
    if let Some(about) = about {
        let enriched = body.pointer("/data/memories").and_then(Value::as_array);
        let mut enriched = enriched.into_iter().flatten();
        return text("subject") == Some(about)
            || enriched.any(|memory| {
                let id = memory.get("memory_id").and_then(Value::as_str);
                id.is_some_and(|id| memories.contains(id))
            });
    }
    let own = body.pointer("/data/scope").cloned();
    match own.and_then(|own| serde_json::from_value::<Scope>(own).ok()) {
        Some(own) => own.sees(scope),
        // What cannot be read is told by its subject.
        None => event
            .subject
            .parse::<EventSubject>()
            .is_ok_and(|subject| subject.is_of(scope)),
    }
}
