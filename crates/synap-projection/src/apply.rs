//! The projection: what one event does to the rows.

mod change;
mod conversation;
mod document;
mod enrich;
mod erase;
mod memories;
mod moved;
mod passages;
mod transcript;
mod undo;

use crate::State;
use crate::extract::Texts;
use synap_readmodel::{
    ChangeRow, HistoryRow, IngestionRow, SeenRow, Snapshot, StatsRow, StoreError, key,
};
use synap_text::{Extractor, TEXT_VERSION};
use synap_types::{
    DocumentId, Event, EventBody, EventId, Hash128, IngestionId, MemoryId, Scope, Seq,
};

/// Raised when the same events give other rows: stores of another version are rebuilt. The low half is the text's.
pub const PROJECTION_VERSION: u32 = (11 << 16) | TEXT_VERSION;

/// Why an event cannot be applied. Reads well after "could not apply: ".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The rows cannot be read: not the event's fault, nothing may be parked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The scope has as many memories as ordinals can count.
    #[error("the scope is full")]
    ScopeFull,
    /// The conversation has as many turns as it may have.
    #[error("the conversation is full")]
    ConversationFull,
}

/// Adds to `state` what `event` does, its texts cut as usual. Applied twice, it does nothing the second time.
pub fn apply<S: Snapshot>(
    event: &Event,
    seq: Seq,
    state: &mut State<'_, S>,
) -> Result<(), ApplyError> {
    apply_extracted(event, Texts::of(event, Extractor::default()), seq, state)
}

/// [`apply`], of an event whose texts were read already.
pub(crate) fn apply_extracted<S: Snapshot>(
    event: &Event,
    texts: Texts,
    seq: Seq,
    state: &mut State<'_, S>,
) -> Result<(), ApplyError> {
    let at = At::new(event, seq);
    let seen = || key::seen(&at.hash, event.id);
    if state.row(&seen())?.is_some() {
        return Ok(());
    }
    let effect = match &event.body {
        EventBody::MemoryIngested(data) => document::apply(&at, data, texts, state)?,
        EventBody::MessageRecorded(data) => conversation::record(&at, data, texts, state)?,
        EventBody::TranscriptIngested(data) => transcript::apply(&at, data, texts, state)?,
        EventBody::ConversationCompacted(data) => conversation::compact(&at, data, state)?,
        EventBody::MemoryUpdated(data) => change::update(&at, data, state)?,
        EventBody::MemoryForgotten(data) => change::forget(&at, data, state)?,
        EventBody::MemoryReceived(data) => moved::receive(&at, data, state)?,
        EventBody::MemoryMoved(data) => moved::take_out(&at, data, state)?,
        EventBody::ChangeUndone(data) => undo::apply(&at, data, state)?,
        EventBody::ScopeErased(data) => erase::apply(&at, data, state)?,
        EventBody::DocumentErased(data) => erase::document(&at, data, state)?,
        EventBody::ErasureCompleted(data) => erase::completed(&at, data, state)?,
        EventBody::MemoriesEnriched(data) => enrich::apply(&at, data, state)?,
        _ => Effect::default(),
    };
    let row = SeenRow {
        seq: seq.get(),
        document_id: effect.document_id,
        turn: effect.turn,
        erased: false,
    };
    state.put(seen(), &row);
    remember(&at, state)
}

/// Adds the event to the history of its scope.
fn remember<S: Snapshot>(at: &At<'_>, state: &mut State<'_, S>) -> Result<(), ApplyError> {
    let known = state.row(&key::stats(&at.hash))?;
    let mut known = known.unwrap_or_else(|| StatsRow::new(at.scope.clone()));
    known.latest = known.latest.max(at.accepted_at());
    state.put(key::stats(&at.hash), &known);
    let row = HistoryRow {
        scope: at.scope.clone(),
        event_id: at.event.id,
        event_type: at.event.type_token().to_owned(),
        about: at.event.about(),
        undoes: at.event.undoes(),
        by: at.event.author().map(|author| author.key_id.clone()),
        time: at.accepted_at(),
        latest: known.latest,
        totals: known.totals,
    };
    state.put(key::history(&at.hash, at.seq), &row);
    Ok(())
}

/// What an applied event is asked about later.
#[derive(Debug, Default)]
struct Effect {
    /// The document that it was about.
    document_id: Option<DocumentId>,
    /// The turn that it recorded, or repeated.
    turn: Option<u32>,
}

/// Where an event stands, and whose it is: what every row that it writes needs to know.
#[derive(Debug)]
struct At<'a> {
    event: &'a Event,
    scope: &'a Scope,
    seq: Seq,
    /// The scope's name in keys.
    hash: Hash128,
    /// The name of the client's own scope.
    client: Hash128,
}

impl<'a> At<'a> {
    fn new(event: &'a Event, seq: Seq) -> Self {
        let scope = event.scope();
        Self {
            event,
            scope,
            seq,
            hash: scope.hash(),
            client: Scope::of_client(scope.client().clone()).hash(),
        }
    }

    /// When the event was accepted, in microseconds since 1970.
    fn accepted_at(&self) -> i64 {
        self.event.time.micros()
    }

    /// Notes that the event changed `memory`, so that it can be undone.
    fn changed<S: Snapshot>(
        &self,
        memory_id: MemoryId,
        is_receipt: bool,
        counterpart: Option<EventId>,
        state: &mut State<'_, S>,
    ) {
        let row = ChangeRow {
            scope: self.scope.clone(),
            memory_id,
            seq: self.seq.get(),
            is_receipt,
            counterpart,
        };
        state.put(key::change(&self.client, self.event.id), &row);
    }

    /// Writes what became of an ingestion.
    fn ingested<S: Snapshot>(
        &self,
        ingestion_id: IngestionId,
        document_id: DocumentId,
        memory_ids: Vec<MemoryId>,
        state: &mut State<'_, S>,
    ) {
        let row = IngestionRow {
            ingestion_id,
            scope: self.scope.clone(),
            document_id,
            accepted_at: self.accepted_at(),
            seq: self.seq.get(),
            memory_ids,
            parked: None,
        };
        state.put(key::ingestion(&self.client, ingestion_id), &row);
    }
}
