//! Memories that say something else now, or may not be told any more.

use super::memories::Memories;
use super::{ApplyError, At, Effect};
use crate::State;
use synap_readmodel::{ForgettingRow, MemoryRow, MovedTo, Snapshot, TombstoneRow, key};
use synap_text::{Source, smart_merge, statements};
use synap_types::{
    Content, DocumentType, EventId, MemoryForgotten, MemoryId, MemorySource, MemoryUpdated,
    MergeStrategy, Timestamp,
};

/// A memory says something else now. One that is gone stays gone.
pub(super) fn update<S: Snapshot>(
    at: &At<'_>,
    data: &MemoryUpdated,
    state: &mut State<'_, S>,
) -> Result<Effect, ApplyError> {
    at.changed(data.memory_id, false, None, state);
    let mut memories = Memories::open(at, state)?;
    let index = state.row(&key::memory_index(&at.client, data.memory_id))?;
    let Some(index) = index.filter(|index| index.scope == *at.scope) else {
        return Ok(Effect::default());
    };
    let Some(old) = memories.live(index.ordinal, state)? else {
        return Ok(Effect::default());
    };
    memories.end(&[index.ordinal], state)?;
    let metadata = match &data.metadata {
        Some(given) => memories.metadata(at.event.id, given, state),
        None => old.metadata,
    };
    let row = MemoryRow {
        updated_at: Some(at.accepted_at()),
        event_id: at.event.id,
        metadata,
        created_seq: at.seq.get(),
        previous: Some(index.ordinal),
        ..changed(old, data)
    };
    let (source, turn) = (row.source.clone(), row.turn);
    let ordinal = memories.write(row, state)?;
    memories.close(state)?;
    move_ordinal(at, &source, turn, (index.ordinal, ordinal), state)?;
    Ok(Effect::default())
}

/// `old` with its new text, typed anew.
fn changed(old: MemoryRow, data: &MemoryUpdated) -> MemoryRow {
    let given = data.content.to_text();
    let text = match data.merge {
        MergeStrategy::Replace => given.trim().to_owned(),
        MergeStrategy::Append => format!("{}\n{}", old.text, given.trim()),
        MergeStrategy::SmartMerge => smart_merge(&old.text, &given),
    };
    let span = [0, u32::try_from(given.len()).unwrap_or(u32::MAX)];
    let document_type = data.document_type.clone();
    let document_type = document_type.or_else(|| DocumentType::DOCUMENT.parse().ok());
    let content = Content::Text(text.clone());
    let first = document_type.and_then(|document_type| {
        let source = Source {
            content: &content,
            document_type: &document_type,
            // A turn was said when it was accepted, if nobody knows better.
            said_at: old
                .said_at()
                .or_else(|| old.turn.map(|_| Timestamp::from_micros(old.accepted_at))),
        };
        statements(&source).into_iter().next()
    });
    let row = MemoryRow { text, span, ..old };
    match first {
        Some(first) => MemoryRow {
            kind: first.kind,
            category: first.category,
            confidence: first.confidence,
            time: first.time,
            entities: first.entities,
            ..row
        },
        None => row,
    }
}

/// The document's or the turn's memory has another ordinal now: what ends all of them must find it.
pub(super) fn move_ordinal<S: Snapshot>(
    at: &At<'_>,
    source: &MemorySource,
    turn: Option<u32>,
    (from, to): (u32, u32),
    state: &mut State<'_, S>,
) -> Result<(), ApplyError> {
    let moved = |ordinals: &mut Vec<u32>| {
        for ordinal in ordinals.iter_mut().filter(|ordinal| **ordinal == from) {
            *ordinal = to;
        }
    };
    match (source, turn) {
        (MemorySource::Document(id), _) => {
            if let Some(mut row) = state.row(&key::document(&at.hash, id))? {
                moved(&mut row.ordinals);
                state.put(key::document(&at.hash, id), &row);
            }
        }
        (MemorySource::Conversation(id), Some(turn)) => {
            if let Some(mut row) = state.row(&key::turn(&at.hash, *id, turn))? {
                moved(&mut row.ordinals);
                state.put(key::turn(&at.hash, *id, turn), &row);
            }
        }
        (MemorySource::Conversation(_), None) => {}
    }
    Ok(())
}

/// A memory may not be told any more, nor come back with a later version of its document.
pub(super) fn forget<S: Snapshot>(
    at: &At<'_>,
    data: &MemoryForgotten,
    state: &mut State<'_, S>,
) -> Result<Effect, ApplyError> {
    at.changed(data.memory_id, false, None, state);
    let taken = Taken {
        memory_id: data.memory_id,
        source: &data.source,
        event_id: data.event_id,
        span: data.span,
        request: data.request_id,
        moved: None,
    };
    take(at, &taken, state)?;
    if let Some(request) = data.request_id {
        let at_request = || key::forgetting(&at.client, request);
        let mut row = state.row(&at_request())?.unwrap_or_else(|| ForgettingRow {
            scope: at.scope.clone(),
            memories: Vec::new(),
        });
        row.memories.push(data.memory_id);
        state.put(at_request(), &row);
    }
    Ok(Effect::default())
}

/// A memory that its scope may not tell any more.
pub(super) struct Taken<'a> {
    pub(super) memory_id: MemoryId,
    pub(super) source: &'a MemorySource,
    /// The event that it came from, and
    pub(super) event_id: EventId,
    /// where in its text it stood.
    pub(super) span: [u32; 2],
    /// The call that forgot it, if that may forget several.
    pub(super) request: Option<EventId>,
    /// Where it is told instead, if anywhere.
    pub(super) moved: Option<MovedTo>,
}

/// Ends a memory, so that no later version of its document brings it back.
pub(super) fn take<S: Snapshot>(
    at: &At<'_>,
    taken: &Taken<'_>,
    state: &mut State<'_, S>,
) -> Result<(), ApplyError> {
    let mut memories = Memories::open(at, state)?;
    let index = state.row(&key::memory_index(&at.client, taken.memory_id))?;
    let own = index.filter(|index| index.scope == *at.scope);
    let ordinals = match own {
        Some(index) => vec![index.ordinal],
        // Another extractor cut the source otherwise: what stands where the memory stood goes with it.
        None => ordinals_within(at, taken, state)?,
    };
    let mut gone = memories.end(&ordinals, state)?;
    if !gone.contains(&taken.memory_id) {
        gone.push(taken.memory_id);
    }
    for id in gone {
        let row = TombstoneRow {
            seq: at.seq.get(),
            moved: taken.moved.clone(),
            lifted: false,
            request: taken.request,
            accepted_at: at.accepted_at(),
        };
        state.put(key::tombstone(&at.hash, id), &row);
        memories.count_forgotten();
    }
    memories.close(state)
}

/// Memories of the same event whose bytes overlap those of the forgotten one.
fn ordinals_within<S: Snapshot>(
    at: &At<'_>,
    data: &Taken<'_>,
    state: &State<'_, S>,
) -> Result<Vec<u32>, ApplyError> {
    let candidates = match data.source {
        MemorySource::Document(id) => state
            .row(&key::document(&at.hash, id))?
            .map_or_else(Vec::new, |row| row.ordinals),
        MemorySource::Conversation(id) => {
            let seen = state.row(&key::seen(&at.hash, data.event_id))?;
            let turn = seen.and_then(|seen| seen.turn);
            let turn = turn.map(|turn| state.row(&key::turn(&at.hash, *id, turn)));
            let turn = turn.transpose()?.flatten();
            turn.map_or_else(Vec::new, |row| row.ordinals)
        }
    };
    let mut found = Vec::new();
    for ordinal in candidates {
        let row = state.row(&key::memory(&at.hash, ordinal))?;
        let overlaps = |row: MemoryRow| {
            let ([start, end], [from, to]) = (row.span, data.span);
            row.event_id == data.event_id && start < to && from < end
        };
        if row.is_some_and(overlaps) {
            found.push(ordinal);
        }
    }
    Ok(found)
}
