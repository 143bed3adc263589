//! What was remembered of somebody, or of one conversation, may not be told any more.

use super::memories::Memories;
use super::{ApplyError, At, Effect};
use crate::State;
use synap_readmodel::{ConversationRow, DeletionRow, ErasedRow, Snapshot, key};
use synap_types::{ConversationId, LevelName, ScopeErased};

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
        scope: at.scope.clone(),
        conversation: data.conversation_id,
        accepted_at: at.accepted_at(),
        memories,
        turns,
    };
    state.put(key::deletion(&at.client, data.deletion_id), &row);
    Ok(Effect::default())
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
    let index = || key::conversation_index(&at.client, id);
    if let Some(mut row) = state.row(&index())? {
        row.scopes.retain(|scope| scope != at.scope);
        state.put(index(), &row);
    }
    memories.close(state)?;
    Ok((hidden, known.turns))
}
