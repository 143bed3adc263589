//! Changes of single memories and of documents: what the last one was, and where a memory was before it was moved.

use crate::lookup::{by_id, data_of};
use crate::{FetchError, ScopeView};
use serde_json::{Map, Value};
use std::ops::ControlFlow;
use synap_readmodel::{
    ChangeRow, DocumentRow, MemoryRow, MovedTo, ReceivedRow, Snapshot, SnapshotExt as _,
    StoreError, codec, key, last_erasure,
};
use synap_types::{ClientId, EventId, IngestionId, MemoryId, MemorySource, MoveOrigin, Scope, Seq};

/// A memory as its last change left it.
#[derive(Debug, Clone, PartialEq)]
pub struct LastChange {
    /// What it says, or said last.
    pub row: MemoryRow,
    /// The caller's own data.
    pub metadata: Map<String, Value>,
    /// The event that made the memory so, or ended it.
    pub event_id: EventId,
    /// That event's type as in subjects.
    pub event_type: String,
    /// Where the memory is told instead, if it was moved.
    pub moved_to: Option<MovedTo>,
    /// Whether its document or its turn still has it.
    pub is_owned: bool,
}

/// The memory of this id, told or not, if this partition has it and it belongs to `client`. Nothing that was erased.
pub fn last_change(
    snapshot: &impl Snapshot,
    client: &ClientId,
    id: MemoryId,
) -> Result<Option<LastChange>, FetchError> {
    let Some(index) = by_id(snapshot, client, |own| key::memory_index(own, id))? else {
        return Ok(None);
    };
    let view = ScopeView::new(index.scope, snapshot)?;
    let row = view.memory(index.ordinal)?;
    let Some(row) = row.filter(|row| row.id == id && view.holds(row.created_seq)) else {
        return Ok(None);
    };
    let last = Seq::new(row.ended_seq.unwrap_or(row.created_seq));
    let event = view.history_at(last)?.filter(|(seq, _)| *seq == last);
    let Some((_, event)) = event else {
        return Ok(None);
    };
    let tombstone = snapshot.row(&key::tombstone(view.hash(), id))?;
    let moved_to = tombstone
        .filter(|row| !row.lifted && view.holds(row.seq))
        .and_then(|row| row.moved);
    Ok(Some(LastChange {
        metadata: data_of(&view, &row)?,
        event_id: event.event_id,
        event_type: event.event_type,
        moved_to: moved_to.filter(|_| !row.is_live()),
        is_owned: is_owned(&view, &row, index.ordinal)?,
        row,
    }))
}

fn is_owned<S: Snapshot>(
    view: &ScopeView<'_, S>,
    row: &MemoryRow,
    ordinal: u32,
) -> Result<bool, FetchError> {
    let ordinals = match (&row.source, row.turn) {
        (MemorySource::Document(id), _) => {
            let row = view.snapshot.row(&key::document(view.hash(), id))?;
            row.map(|row| row.ordinals)
        }
        (MemorySource::Conversation(id), Some(turn)) => {
            let row = view.snapshot.row(&key::turn(view.hash(), *id, turn))?;
            row.map(|row| row.ordinals)
        }
        (MemorySource::Conversation(_), None) => None,
    };
    Ok(ordinals.is_some_and(|ordinals| ordinals.contains(&ordinal)))
}

/// What an event changed, if this partition knows it and it belongs to `client`. Nothing that was erased.
pub fn change(
    snapshot: &impl Snapshot,
    client: &ClientId,
    event: EventId,
) -> Result<Option<ChangeRow>, FetchError> {
    let Some(row) = by_id(snapshot, client, |own| key::change(own, event))? else {
        return Ok(None);
    };
    let erased = last_erasure(&row.scope, |key| snapshot.row(key))?;
    Ok(Some(row).filter(|row| erased.is_none_or(|erased| erased.seq < row.seq)))
}

/// The document that the event wrote a version of, as it is now, if this partition has it, it belongs to `client` and was
/// not erased since.
pub fn document_of(
    snapshot: &impl Snapshot,
    client: &ClientId,
    event: EventId,
) -> Result<Option<DocumentRow>, FetchError> {
    let ingestion = IngestionId::new(event.uuid());
    let row = by_id(snapshot, client, |own| key::ingestion(own, ingestion))?;
    let Some(row) = row else {
        return Ok(None);
    };
    let document = snapshot.row(&key::document(&row.scope.hash(), &row.document_id))?;
    let erased = last_erasure(&row.scope, |key| snapshot.row(key))?.map_or(0, |row| row.seq);
    let is_told = |document: &DocumentRow| document.version > 0 && document.seq > erased;
    match document {
        Some(document) if document.scope != row.scope => Err(FetchError::ForeignRow),
        document => Ok(document.filter(is_told)),
    }
}

/// Where the memory of this id was before, if it was moved, this partition has it and it belongs to `client`.
pub fn received(
    snapshot: &impl Snapshot,
    client: &ClientId,
    id: MemoryId,
) -> Result<Option<ReceivedRow>, FetchError> {
    by_id(snapshot, client, |own| key::received(own, id))
}

/// The memories of this partition that were moved there from what `is_meant` says.
///
/// It goes through every memory of the client that was ever moved here: moves are made by hand.
pub fn moved_from(
    snapshot: &impl Snapshot,
    client: &ClientId,
    is_meant: impl Fn(&MoveOrigin) -> bool,
) -> Result<Vec<ReceivedRow>, FetchError> {
    let all = key::all_received(&Scope::of_client(client.clone()).hash());
    let (mut found, mut failed) = (Vec::new(), None);
    snapshot.scan(&all, &mut |rest, value| {
        match codec::decode::<ReceivedRow>(value) {
            Ok(row) if row.scope.client() != client => failed = Some(FetchError::ForeignRow),
            Ok(row) if row.origins.iter().any(&is_meant) => found.push(row),
            Ok(_) => {}
            Err(source) => {
                let key = synap_readmodel::Key::stored(all.table(), &all.with(rest));
                failed = Some(StoreError::Row { key, source }.into());
            }
        }
        if failed.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    failed.map_or(Ok(found), Err)
}
