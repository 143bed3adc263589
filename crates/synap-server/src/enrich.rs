//! The enrichment worker: finds passages that have no vector of the loaded model, encodes them one at a time, and records
//! the vectors as an event, through the same append as everything else. Never before an ack, and never twice on purpose:
//! events that say the same have the same id.
//!
//! A passage is encoded as a whole: a sentence alone often does not say what it is about.
//!
//! It goes through the events that added memories, oldest first. Where it is, it keeps in memory: the rows say which
//! passages have a vector, so after a restart it passes over what is done, and back-fills what a new model lacks.

use crate::metrics;
use crate::node::Node;
use crate::operations::Operations;
use anyhow::Context as _;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Weak};
use std::time::Duration;
use synap_log::EventLog;
use synap_models::{Encoder, quantised};
use synap_query::{FetchError, ScopeView};
use synap_readmodel::{
    CHUNK_ORDINALS, FreshRow, ReadStore as _, Snapshot as _, SnapshotExt as _, StoreError, codec,
    key, passage_text,
};
use synap_types::limits::ENRICHED_MEMORIES_MAX;
use synap_types::{
    EventBody, EventId, Hash128, MemoriesEnriched, MemoryId, MemoryVector, Partition,
    QuantisedVector, Scope, Seq,
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Passages that one pass takes up at most: their texts are held meanwhile.
const PASS_PASSAGES_MAX: usize = 4 * ENRICHED_MEMORIES_MAX;
/// How long to wait after a failure, and while the projector stands.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a text waits for fetches, in milliseconds.
const GIVE_WAY_MS_MAX: u32 = 1_000;

/// Where the worker is: everything before is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    seq: u64,
    ordinal: u32,
}

/// Passages without a vector.
#[derive(Debug, Default)]
struct Pending {
    by_scope: BTreeMap<Scope, Vec<Bare>>,
    count: usize,
}

/// A passage without a vector.
#[derive(Debug)]
struct Bare {
    /// A memory of it that can be told.
    id: MemoryId,
    /// Its first ordinal.
    ordinal: u32,
    text: String,
}

/// Enriches one partition until `stop`. Ends at once where no model is loaded.
pub(crate) async fn run<L: EventLog>(
    operations: Arc<Operations<L>>,
    partition: Partition,
    stop: CancellationToken,
) {
    let engine = &operations.engine;
    let (Some(encoder), Some(node)) = (engine.models.encoder(), engine.nodes.get(&partition))
    else {
        return;
    };
    let worker = Worker {
        operations: &operations,
        node,
        encoder,
    };
    // A generation that a rebuild made, or that an erasure folded anew, says itself what it has.
    let (mut cursor, mut generation) = (Cursor { seq: 1, ordinal: 0 }, Weak::new());
    while !stop.is_cancelled() {
        let live = node.live();
        if !Weak::ptr_eq(&generation, &Arc::downgrade(&live)) {
            (cursor, generation) = (Cursor { seq: 1, ordinal: 0 }, Arc::downgrade(&live));
        }
        let mut progress = live.progress.clone();
        let applied = progress.borrow_and_update().applied;
        drop(live);
        if cursor.seq > applied.get() {
            let changed = async {
                if progress.changed().await.is_err() {
                    tokio::time::sleep(PAUSE).await;
                }
            };
            stop.run_until_cancelled(changed).await;
            continue;
        }
        match stop.run_until_cancelled(worker.pass(cursor, applied)).await {
            None => return,
            Some(Ok(next)) => {
                cursor = next;
                let through = Seq::new(cursor.seq.saturating_sub(1));
                engine.models.note_through(partition, through);
            }
            Some(Err(e)) => {
                warn!(%partition, error = format!("{e:#}"), "the enrichment waits");
                stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
            }
        }
    }
}

struct Worker<'a, L> {
    operations: &'a Operations<L>,
    node: &'a Arc<Node<L>>,
    encoder: &'a Arc<Encoder>,
}

impl<L: EventLog> Worker<'_, L> {
    /// Looks at a page of events, up to `applied`, and records the vectors of what lacks them. Answers where to go on.
    async fn pass(&self, from: Cursor, applied: Seq) -> anyhow::Result<Cursor> {
        let live = self.node.live();
        let model = MemoriesEnriched::model_key(Encoder::NAME, Encoder::HASH);
        let found = tokio::task::spawn_blocking(move || {
            find(&live.store.snapshot(), &model, from, applied)
        });
        let (pending, next) = found.await.context("the search panicked")??;
        for (scope, memories) in pending.by_scope {
            for memories in memories.chunks(ENRICHED_MEMORIES_MAX) {
                self.record(&scope, &model, memories).await?;
            }
        }
        Ok(next)
    }

    async fn record(
        &self,
        scope: &Scope,
        model: &Hash128,
        memories: &[Bare],
    ) -> anyhow::Result<()> {
        let mut vectors = Vec::with_capacity(memories.len());
        for memory in memories {
            let vector = self.encode(memory.text.clone()).await?;
            vectors.push(MemoryVector {
                memory_id: memory.id,
                text_hash: MemoryVector::text_hash(&memory.text),
                vector: QuantisedVector(vector),
            });
        }
        let id = event_id(scope, model, memories);
        let data = MemoriesEnriched {
            scope: scope.clone(),
            model: Encoder::NAME.to_owned(),
            model_hash: Encoder::HASH.to_owned(),
            memories: vectors,
        };
        let body = EventBody::MemoriesEnriched(Box::new(data));
        self.operations.ingest.append_event(id, body).await?;
        self.operations.engine.models.note_done(memories.len());
        metrics::enriched(self.node.partition, memories.len());
        Ok(())
    }

    /// One text at a time, and none while a fetch waits for the model; but where fetches never cease, one a second.
    async fn encode(&self, text: String) -> anyhow::Result<Vec<i8>> {
        for _ in 0..GIVE_WAY_MS_MAX {
            if !self.operations.engine.models.is_asked() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let encoder = Arc::clone(self.encoder);
        let work = tokio::task::spawn_blocking(move || {
            encoder.encode(&[&text]).pop().map(|v| quantised(&v))
        });
        work.await.ok().flatten().context("the encoder panicked")
    }
}

/// The same passages saying the same, by the same model: the same event, whoever makes it. Its place tells a passage from
/// the same one before it was erased and stored anew.
fn event_id(scope: &Scope, model: &Hash128, memories: &[Bare]) -> EventId {
    let hash = scope.hash();
    let of_memory = |memory: &Bare| {
        let text = MemoryVector::text_hash(&memory.text);
        format!("{} {} {text}", memory.ordinal, memory.id)
    };
    let memories: Vec<String> = memories.iter().map(of_memory).collect();
    let parts = [&hash.bytes()[..], &model.bytes()[..]];
    let parts = parts
        .into_iter()
        .chain(memories.iter().map(String::as_bytes));
    EventId::new(Hash128::of("synap.memories.enriched.v1", parts).to_uuid())
}

/// Passages without a vector among those that events of one page added; and where to go on.
fn find(
    rows: &crate::engine::Rows<'_>,
    model: &Hash128,
    from: Cursor,
    applied: Seq,
) -> Result<(Pending, Cursor), FetchError> {
    let page = from.seq / key::FRESH_PAGE;
    let (mut events, mut damaged) = (Vec::new(), None);
    rows.scan(&key::fresh_page(page), &mut |rest, value| {
        let seq = page * key::FRESH_PAGE + u64::from(rest.first().copied().unwrap_or_default());
        if seq >= from.seq && seq <= applied.get() {
            match codec::decode::<FreshRow>(value) {
                Ok(row) => events.push((seq, row)),
                Err(source) => damaged = Some((seq, source)),
            }
        }
        ControlFlow::Continue(())
    })?;
    if let Some((seq, source)) = damaged {
        let key = key::fresh(Seq::new(seq)).into_key();
        return Err(StoreError::Row { key, source }.into());
    }
    let mut pending = Pending::default();
    for (seq, row) in events {
        let start = if seq == from.seq { from.ordinal } else { 0 };
        let full = add(rows, model, &row, start, &mut pending)?;
        if let Some(ordinal) = full {
            return Ok((pending, Cursor { seq, ordinal }));
        }
    }
    let seq = ((page + 1) * key::FRESH_PAGE).min(applied.get() + 1);
    Ok((pending, Cursor { seq, ordinal: 0 }))
}

/// Adds what lacks a vector among the passages of one event; answers the ordinal to go on with if there is no more room.
fn add(
    rows: &crate::engine::Rows<'_>,
    model: &Hash128,
    row: &FreshRow,
    start: u32,
    pending: &mut Pending,
) -> Result<Option<u32>, FetchError> {
    let view = ScopeView::new(row.scope.clone(), rows)?;
    let (mut known, mut known_chunk) = (None, None);
    for passage in view.passages(row.first.max(start)..row.end)? {
        if pending.count == PASS_PASSAGES_MAX {
            return Ok(Some(passage.ordinal));
        }
        let chunk = passage.ordinal / CHUNK_ORDINALS;
        if known_chunk != Some(chunk) {
            known = rows.row(&key::vectors(view.hash(), model, chunk))?;
            known_chunk = Some(chunk);
        }
        if known
            .as_ref()
            .is_some_and(|known| known.has(passage.ordinal))
        {
            continue;
        }
        let memories = view.told_of(&passage)?;
        if let Some(first) = memories.first() {
            let of_scope = pending.by_scope.entry(row.scope.clone()).or_default();
            of_scope.push(Bare {
                id: first.id,
                ordinal: passage.ordinal,
                text: passage_text(&memories),
            });
            pending.count += 1;
        }
    }
    Ok(None)
}
