//! What was remembered of somebody, or of one conversation, may not be told any more.

use super::memories::Memories;
use super::{ApplyError, At, Effect};
use crate::State;
use synap_readmodel::{
    CompletedErasure, ConversationRow, DeletionRow, DocumentRow, ErasedRow, PendingErasureRow,
    Snapshot, key,
};
use synap_types::{
    ConversationId, DocumentErased, ErasureCompleted, EventId, LevelName, ScopeErased, Seq,
};

pub(super) fn apply<S: Snapshot>(
    at: &At<'_>,
    data: &ScopeErased,
    state: &mut State<'_, S>,
) -> Result<Effect, ApplyError> {
    let (memories, turns) = match data.conversation_id {
        Some(id) => conversation(at, id, state)?,
        None => (scope(at, state)?, 0),
    };
    let row = DeletionRow {
        conversation: data.conversation_id,
        memories,
        turns,
        ..asked(at)
    };
    promise(at, data.deletion_id, &row, state);
    Ok(Effect::default())
}

/// Takes out every version of a document; one that comes later replaces nothing.
pub(super) fn document<S: Snapshot>(
    at: &At<'_>,
    data: &DocumentErased,
    state: &mut State<'_, S>,
) -> Result<Effect, ApplyError> {
    let mut memories = Memories::open(at, state)?;
    state.delete(key::parked_subject(&at.hash, &at.event.about()));
    let at_document = || key::document(&at.hash, &data.document_id);
    let known: Option<DocumentRow> = state
        .row(&at_document())?
        .filter(|row| row.seq > memories.erased() && row.version > 0);
    let mut hidden = 0;
    if let Some(known) = known {
        hidden = memories.end(&known.ordinals, state)?.len();
        memories.uncount_document();
    }
    // What is ingested next takes the place of this: its event is another than that of the same content before.
    let row = DocumentRow {
        document_id: data.document_id.clone(),
        scope: at.scope.clone(),
        event_id: at.event.id,
        seq: at.seq.get(),
        content: [0; 16],
        version: 0,
        previous: None,
        ordinals: Vec::new(),
    };
    state.put(at_document(), &row);
    memories.close(state)?;
    let row = DeletionRow {
        document: Some(data.document_id.clone()),
        memories: u32::try_from(hidden).unwrap_or(u32::MAX),
        ..asked(at)
    };
    promise(at, data.deletion_id, &row, state);
    Ok(Effect::default())
}

/// What was erased is not in the log any more.
pub(super) fn completed<S: Snapshot>(
    at: &At<'_>,
    data: &ErasureCompleted,
    state: &mut State<'_, S>,
) -> Result<Effect, ApplyError> {
    let at_deletion = || key::deletion(&at.client, data.deletion_id);
    let known = state.row(&at_deletion())?;
    if let Some(mut row) = known.filter(|row| row.scope == *at.scope) {
        (row.memories, row.turns) = (data.memories, data.turns);
        row.completed = Some(CompletedErasure {
            at: at.accepted_at(),
            events: data.events,
            searched_bytes: data.searched_bytes,
            found: data.found,
        });
        state.put(at_deletion(), &row);
        state.delete(key::pending_erasure(Seq::new(row.seq)));
    }
    Ok(Effect::default())
}

/// A deletion that hid nothing yet.
fn asked(at: &At<'_>) -> DeletionRow {
    DeletionRow {
        scope: at.scope.clone(),
        conversation: None,
        document: None,
        seq: at.seq.get(),
        accepted_at: at.accepted_at(),
        memories: 0,
        turns: 0,
        completed: None,
    }
}

/// Notes what was hidden, and that its events are to be taken out of the log.
fn promise<S: Snapshot>(
    at: &At<'_>,
    deletion_id: EventId,
    row: &DeletionRow,
    state: &mut State<'_, S>,
) {
    state.put(key::deletion(&at.client, deletion_id), row);
    let pending = PendingErasureRow {
        scope: at.scope.clone(),
        deletion_id,
        conversation: row.conversation,
        document: row.document.clone(),
    };
    state.put(key::pending_erasure(at.seq), &pending);
}

/// One row hides everything up to here, however much it is; counts begin anew. Answers how many memories it hides in the
/// scope itself.
fn scope<S: Snapshot>(at: &At<'_>, state: &mut State<'_, S>) -> Result<u32, ApplyError> {
    let hidden = Memories::open(at, state)?.count();
    let row = ErasedRow {
        scope: at.scope.clone(),
        seq: at.seq.get(),
        event_id: at.event.id,
    };
    state.put(key::erased(&at.hash), &row);
    if at.scope.kind() == LevelName::USER {
        state.delete(key::profile(&at.hash));
    }
    // Counts begin after the erasure.
    Memories::open(at, state)?.close(state)?;
    Ok(hidden)
}

/// Takes out the turns, their memories and the summaries; what comes later waits behind nothing. Answers how many memories and turns there were.
fn conversation<S: Snapshot>(
    at: &At<'_>,
    id: ConversationId,
    state: &mut State<'_, S>,
) -> Result<(u32, u32), ApplyError> {
    let mut memories = Memories::open(at, state)?;
    state.delete(key::parked_subject(&at.hash, &at.event.about()));
    let known: Option<ConversationRow> = state
        .row(&key::conversation(&at.hash, id))?
        .filter(|row| row.created_seq > memories.erased());
    let Some(known) = known else {
        return Ok((0, 0));
    };
    let mut hidden = 0_u32;
    for number in 1..=known.turns {
        let at_turn = || key::turn(&at.hash, id, number);
        if let Some(turn) = state.row(&at_turn())? {
            let ended = memories.end(&turn.ordinals, state)?.len();
            hidden = hidden.saturating_add(u32::try_from(ended).unwrap_or(u32::MAX));
            state.delete(at_turn());
        }
    }
    for version in 1..=known.compactions {
        state.delete(key::compaction(&at.hash, id, version));
    }
    state.delete(key::conversation(&at.hash, id));
    state.delete(key::conversation_index(&at.client, id, &at.hash));
    memories.close(state)?;
    Ok((hidden, known.turns))
}
