//! The enrichment worker: finds passages that have no vector of the loaded model, encodes them, one at a time while there are
//! fetches and on all cores while there are none, and records the vectors as an event, through the same append as everything
//! else. Never before an ack, and never twice on purpose: events that say the same have the same id.
//!
//! A passage is encoded as a whole: a sentence alone often does not say what it is about.
//!
//! It goes through the events that added memories, oldest first. Where it is, it keeps in memory: the rows say which
//! passages have a vector, so after a restart it passes over what is done, and back-fills what a new model lacks.

pub(crate) mod bare;

use crate::metrics;
use crate::node::Node;
use crate::operations::Operations;
use anyhow::Context as _;
use bare::{Bare, Cursor, find};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::sync::{Arc, Weak};
use std::time::Duration;
use synap_log::EventLog;
use synap_models::{Encoder, quantised};
use synap_readmodel::ReadStore as _;
use synap_types::limits::ENRICHED_MEMORIES_MAX;
use synap_types::{EventId, Hash128, MemoriesEnriched, MemoryVector, Partition, Scope, Seq};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// How long to wait after a failure, and while the projector stands.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a text waits for fetches, in milliseconds.
const GIVE_WAY_MS_MAX: u32 = 1_000;

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
    let (mut cursor, mut generation) = (Cursor::START, Weak::new());
    while !stop.is_cancelled() {
        let live = node.live();
        if !Weak::ptr_eq(&generation, &Arc::downgrade(&live)) {
            (cursor, generation) = (Cursor::START, Arc::downgrade(&live));
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
        let at_once = self.operations.engine.models.encodings_at_once();
        let encoded: Vec<_> = memories.iter().map(|memory| self.encode(memory)).collect();
        let encoded = stream::iter(encoded).buffered(at_once);
        let vectors = encoded.try_collect().await?;
        let id = event_id(scope, model, memories);
        let body = bare::event(scope, vectors);
        self.operations.ingest.append_event(id, body).await?;
        self.operations.engine.models.note_done(memories.len());
        metrics::enriched(self.node.partition, memories.len());
        Ok(())
    }

    /// Not while a fetch waits for the model; but where fetches never cease, one a second.
    async fn encode(&self, memory: &Bare) -> anyhow::Result<MemoryVector> {
        for _ in 0..GIVE_WAY_MS_MAX {
            if !self.operations.engine.models.is_asked() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let (encoder, text) = (Arc::clone(self.encoder), memory.text.clone());
        let work = tokio::task::spawn_blocking(move || {
            encoder.encode(&[&text]).pop().map(|v| quantised(&v))
        });
        let vector = work.await.ok().flatten();
        Ok(memory.with(vector.context("the encoder panicked")?))
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
