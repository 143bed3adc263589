//! The last change of a memory is undone: the memory is as it was before, in a version of its own.
//!
//! Nothing is taken back in the rows: what ended stays ended, so that a view of the past finds what was told then.

use super::change::move_ordinal;
use super::memories::Memories;
use super::{ApplyError, At, Effect};
use crate::State;
use synap_readmodel::{ChangeRow, MemoryRow, Snapshot, TombstoneRow, key};
use synap_types::{ChangeUndone, MemoryId, MemorySource, TurnRole};

/// Undoes the change, if it is the last one of its memory, and does nothing else.
pub(super) fn apply<S: Snapshot>(
    at: &At<'_>,
    data: &ChangeUndone,
    state: &mut State<'_, S>,
) -> Result<Effect, ApplyError> {
    at.changed(data.memory_id, false, data.counterpart, state);
    let change: Option<ChangeRow> = state.row(&key::change(&at.client, data.undoes))?;
    let is_own = |row: &ChangeRow| row.scope == *at.scope && row.memory_id == data.memory_id;
    let index = state.row(&key::memory_index(&at.client, data.memory_id))?;
    let (Some(change), Some(index)) = (
        change.filter(is_own),
        index.filter(|index| index.scope == *at.scope),
    ) else {
        return Ok(Effect::default());
    };
    let mut memories = Memories::open(at, state)?;
    let row: Option<MemoryRow> = state.row(&key::memory(&at.hash, index.ordinal))?;
    let Some(row) = row.filter(|row| row.created_seq > memories.erased()) else {
        return Ok(Effect::default());
    };
    match before(at, &change, &row, state)? {
        Before::Told(before) => {
            if owner(at, &row, index.ordinal, state)? {
                memories.end(&[index.ordinal], state)?;
                tell(at, *before, index.ordinal, memories, state)?;
                lift(at, data.memory_id, state)?;
            }
        }
        Before::NotTold => {
            memories.end(&[index.ordinal], state)?;
            bury(at, data.memory_id, &mut memories, state)?;
            memories.close(state)?;
        }
        Before::Unknown => {}
    }
    Ok(Effect::default())
}

/// What was told before a change.
enum Before {
    /// This.
    Told(Box<MemoryRow>),
    /// Nothing.
    NotTold,
    /// The change is not the last one.
    Unknown,
}

/// What there was before `change`, if that is the last change of the memory whose last version is `row`.
fn before<S: Snapshot>(
    at: &At<'_>,
    change: &ChangeRow,
    row: &MemoryRow,
    state: &State<'_, S>,
) -> Result<Before, ApplyError> {
    if row.ended_seq == Some(change.seq) {
        return Ok(Before::Told(Box::new(row.clone())));
    }
    if row.ended_seq.is_some() || row.created_seq != change.seq {
        return Ok(Before::Unknown);
    }
    let previous = row.previous.filter(|_| !change.is_receipt);
    let previous = previous.map(|ordinal| state.row(&key::memory(&at.hash, ordinal)));
    let previous: Option<MemoryRow> = previous.transpose()?.flatten();
    // What ended earlier was told again by the change.
    let replaced = previous.filter(|previous| previous.ended_seq == Some(row.created_seq));
    Ok(replaced.map_or(Before::NotTold, |row| Before::Told(Box::new(row))))
}

/// Whether the memory's document or turn still has it: what was replaced or deleted since is not told again.
fn owner<S: Snapshot>(
    at: &At<'_>,
    row: &MemoryRow,
    ordinal: u32,
    state: &State<'_, S>,
) -> Result<bool, ApplyError> {
    let ordinals = match (&row.source, row.turn) {
        (MemorySource::Document(id), _) => {
            let row = state.row(&key::document(&at.hash, id))?;
            row.map(|row| row.ordinals)
        }
        (MemorySource::Conversation(id), Some(turn)) => {
            let row = state.row(&key::turn(&at.hash, *id, turn))?;
            row.map(|row| row.ordinals)
        }
        (MemorySource::Conversation(_), None) => None,
    };
    Ok(ordinals.is_some_and(|ordinals| ordinals.contains(&ordinal)))
}

/// Tells what `before` says, as the version after the one at `from`.
fn tell<S: Snapshot>(
    at: &At<'_>,
    before: MemoryRow,
    from: u32,
    mut memories: Memories<'_>,
    state: &mut State<'_, S>,
) -> Result<(), ApplyError> {
    let role = role_of(at, &before, state)?;
    let row = MemoryRow {
        updated_at: Some(at.accepted_at()),
        event_id: at.event.id,
        created_seq: at.seq.get(),
        ended_seq: None,
        previous: Some(from),
        ..before
    };
    let (source, turn) = (row.source.clone(), row.turn);
    memories.relearn(&row, role);
    let ordinal = memories.write(row, state)?;
    memories.close(state)?;
    move_ordinal(at, &source, turn, (from, ordinal), state)
}

/// Who spoke the turn that the memory is of, if it is of one.
fn role_of<S: Snapshot>(
    at: &At<'_>,
    row: &MemoryRow,
    state: &State<'_, S>,
) -> Result<Option<TurnRole>, ApplyError> {
    let (MemorySource::Conversation(id), Some(turn)) = (&row.source, row.turn) else {
        return Ok(None);
    };
    let turn = state.row(&key::turn(&at.hash, *id, turn))?;
    Ok(turn.map(|turn| turn.role))
}

/// The memory may come back.
pub(super) fn lift<S: Snapshot>(
    at: &At<'_>,
    memory: MemoryId,
    state: &mut State<'_, S>,
) -> Result<(), ApplyError> {
    let known: Option<TombstoneRow> = state.row(&key::tombstone(&at.hash, memory))?;
    if let Some(known) = known {
        let row = TombstoneRow {
            lifted: true,
            ..known
        };
        state.put(key::tombstone(&at.hash, memory), &row);
    }
    Ok(())
}

/// The memory may not come back, as before it was told again. One that was received, and never forgotten, may.
fn bury<S: Snapshot>(
    at: &At<'_>,
    memory: MemoryId,
    memories: &mut Memories<'_>,
    state: &mut State<'_, S>,
) -> Result<(), ApplyError> {
    let known: Option<TombstoneRow> = state.row(&key::tombstone(&at.hash, memory))?;
    if let Some(known) = known.filter(|known| known.seq > memories.erased()) {
        let row = TombstoneRow {
            seq: at.seq.get(),
            accepted_at: at.accepted_at(),
            lifted: false,
            ..known
        };
        state.put(key::tombstone(&at.hash, memory), &row);
        memories.count_forgotten();
    }
    Ok(())
}
