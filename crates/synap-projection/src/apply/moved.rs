//! A memory goes from one scope to another: one receives it, then the other tells it no more.

use super::change::{Taken, take};
use super::memories::Memories;
use super::{ApplyError, At, Effect};
use crate::State;
use synap_readmodel::{DocumentRow, MemoryRow, MovedTo, ReceivedRow, Snapshot, key};
use synap_types::{
    DocumentId, IdempotencyKey, MemoryMoved, MemoryReceived, MemorySource, Timestamp,
};

/// The scope tells the memory from now on: as a document of its own, which holds nothing else.
pub(super) fn receive<S: Snapshot>(
    at: &At<'_>,
    data: &MemoryReceived,
    state: &mut State<'_, S>,
) -> Result<Effect, ApplyError> {
    at.changed(data.memory_id, true, Some(data.counterpart), state);
    let Some(document_id) = MemoryReceived::document_of(data.memory_id) else {
        return Ok(Effect::default());
    };
    let mut memories = Memories::open(at, state)?;
    let before: Option<DocumentRow> = state
        .row(&key::document(&at.hash, &document_id))?
        .filter(|row| row.seq > memories.erased());
    let mut previous = None;
    match &before {
        Some(before) if before.version > 0 => {
            memories.end(&before.ordinals, state)?;
            let index = state.row(&key::memory_index(&at.client, data.memory_id))?;
            previous = index
                .filter(|index| index.scope == *at.scope)
                .map(|index| index.ordinal);
        }
        Some(_) | None => memories.count_document(),
    }
    let row = MemoryRow {
        metadata: memories.metadata(at.event.id, &data.metadata, state),
        previous,
        ..told(at, data, &document_id)
    };
    memories.relearn(&row, None);
    let ordinal = memories.write(row, state)?;
    memories.close(state)?;
    let document = DocumentRow {
        scope: at.scope.clone(),
        event_id: at.event.id,
        seq: at.seq.get(),
        content: *IdempotencyKey::content_hash(&data.content).bytes(),
        version: before.map_or(1, |before| before.version + 1),
        previous: None,
        ordinals: vec![ordinal],
        document_id: document_id.clone(),
    };
    state.put(key::document(&at.hash, &document_id), &document);
    let received = ReceivedRow {
        scope: at.scope.clone(),
        memory_id: data.memory_id,
        event_id: at.event.id,
        seq: at.seq.get(),
        accepted_at: at.accepted_at(),
        origins: data.origins.clone(),
    };
    state.put(key::received(&at.client, data.memory_id), &received);
    super::undo::lift(at, data.memory_id, state)?;
    Ok(Effect {
        document_id: Some(document_id),
        turn: None,
    })
}

/// The memory as it was told where it comes from.
fn told(at: &At<'_>, data: &MemoryReceived, document_id: &DocumentId) -> MemoryRow {
    let text = data.content.to_text().into_owned();
    MemoryRow {
        id: data.memory_id,
        scope: at.scope.clone(),
        kind: data.memory_type,
        category: data.category.clone(),
        confidence: data.confidence,
        speaker: data.speaker.clone(),
        said_at: data.said_at.map(Timestamp::micros),
        time: data.event_time.clone(),
        entities: data.entities.clone(),
        accepted_at: at.accepted_at(),
        updated_at: None,
        source: MemorySource::Document(document_id.clone()),
        turn: None,
        event_id: at.event.id,
        span: [0, u32::try_from(text.len()).unwrap_or(u32::MAX)],
        text,
        passage: 0,
        passage_memories: 0,
        passage_terms: 0,
        tokens: 0,
        sequence: Vec::new(),
        metadata: None,
        created_seq: at.seq.get(),
        ended_seq: None,
        previous: None,
    }
}

/// The scope tells the memory no more, and a later version of its document does not bring it back. What was changed since
/// it was received elsewhere stays: nobody would tell it.
pub(super) fn take_out<S: Snapshot>(
    at: &At<'_>,
    data: &MemoryMoved,
    state: &mut State<'_, S>,
) -> Result<Effect, ApplyError> {
    at.changed(data.memory_id, false, Some(data.counterpart), state);
    let taken = Taken {
        memory_id: data.memory_id,
        source: &data.source,
        event_id: data.event_id,
        span: data.span,
        request: None,
        moved: Some(MovedTo {
            scope: data.to.clone(),
            memory_id: data.moved_to,
        }),
    };
    let index = state.row(&key::memory_index(&at.client, data.memory_id))?;
    let index = index.filter(|index| index.scope == *at.scope);
    let row = index.map(|index| state.row(&key::memory(&at.hash, index.ordinal)));
    let row: Option<MemoryRow> = row.transpose()?.flatten();
    if row.is_none_or(|row| row.event_id == data.event_id) {
        take(at, &taken, state)?;
    }
    Ok(Effect::default())
}
