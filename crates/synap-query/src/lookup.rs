//! Point reads: single memories, profiles, what became of an ingestion, and what an ingest would meet.

use crate::{FetchError, ScopeView};
use serde_json::{Map, Value};
use synap_readmodel::{
    ChangeRow, DeletionRow, DocumentRow, ErasedRow, ForgettingRow, IngestionRow, MemoryIndexRow,
    MemoryRow, ProfileRow, ReceivedRow, Row, RowKey, SeenRow, Snapshot, SnapshotExt as _, key,
    last_erasure,
};
use synap_types::{
    ClientId, DocumentId, EventId, Hash128, IngestState as State, IngestStatus, IngestionId,
    MemoryId, Scope, Timestamp,
};

/// What became of `ingestion`, if this partition knows it and it belongs to `client`.
pub fn ingestion_status(
    snapshot: &impl Snapshot,
    client: &ClientId,
    ingestion: IngestionId,
) -> Result<Option<IngestStatus>, FetchError> {
    let row = by_id(snapshot, client, |own| key::ingestion(own, ingestion))?;
    let Some(row) = row else {
        return Ok(None);
    };
    // Once it is erased, nobody is told that it was there.
    let erased = last_erasure(&row.scope, |key| snapshot.row(key))?;
    let is_there = erased.is_none_or(|erased| erased.seq < row.seq);
    Ok(is_there.then(|| status(row)))
}

/// A memory and the caller's own data.
pub type MemoryWithData = (MemoryRow, Map<String, Value>);

/// A row that callers name by id alone. It stands below the client's own scope, whoever it is about, and says who that is.
pub(crate) trait ById: Row {
    fn scope(&self) -> &Scope;
}

macro_rules! by_id {
    ($($row:ident),*) => {
        $(impl ById for $row {
            fn scope(&self) -> &Scope {
                &self.scope
            }
        })*
    };
}

by_id!(
    ChangeRow,
    DeletionRow,
    ForgettingRow,
    IngestionRow,
    MemoryIndexRow,
    ReceivedRow
);

/// The row that `at` names below the scope of `client`, if this partition has it. One of another client is refused.
pub(crate) fn by_id<R: ById>(
    snapshot: &impl Snapshot,
    client: &ClientId,
    at: impl FnOnce(&Hash128) -> RowKey<R>,
) -> Result<Option<R>, FetchError> {
    let own = Scope::of_client(client.clone()).hash();
    match snapshot.row(&at(&own))? {
        Some(row) if row.scope().client() != client => Err(FetchError::ForeignRow),
        row => Ok(row),
    }
}

/// The memory of this id with the caller's data, if this partition has it, it can be told, and it belongs to `client`.
pub fn memory(
    snapshot: &impl Snapshot,
    client: &ClientId,
    id: MemoryId,
) -> Result<Option<MemoryWithData>, FetchError> {
    let Some(index) = by_id(snapshot, client, |own| key::memory_index(own, id))? else {
        return Ok(None);
    };
    let view = ScopeView::new(index.scope, snapshot)?;
    let row = view.memory(index.ordinal)?;
    let Some(row) = row.filter(|row| row.id == id && view.tells(row)) else {
        return Ok(None);
    };
    let given = data_of(&view, &row)?;
    Ok(Some((row, given)))
}

/// The caller's own data of a memory.
pub(crate) fn data_of<S: Snapshot>(
    view: &ScopeView<'_, S>,
    row: &MemoryRow,
) -> Result<Map<String, Value>, FetchError> {
    let given = row
        .metadata
        .map(|under| view.snapshot.row(&key::metadata(view.hash(), under)));
    let given = given.transpose()?.flatten();
    let given = given.and_then(|given| serde_json::from_str(&given.json).ok());
    Ok(given.unwrap_or_default())
}

/// When the memory of this id was forgotten, if this partition knows it and it belongs to `client`.
pub fn forgotten_at(
    snapshot: &impl Snapshot,
    client: &ClientId,
    id: MemoryId,
) -> Result<Option<Timestamp>, FetchError> {
    let Some(index) = by_id(snapshot, client, |own| key::memory_index(own, id))? else {
        return Ok(None);
    };
    let tombstone = snapshot.row(&key::tombstone(&index.scope.hash(), id))?;
    // What was moved is told elsewhere, and what was told again is not forgotten.
    let forgotten = tombstone.filter(|row| !row.lifted && row.moved.is_none());
    Ok(forgotten.map(|row| Timestamp::from_micros(row.accepted_at)))
}

/// What the call with this id forgot, if this partition knows it and it belongs to `client`.
pub fn forgetting(
    snapshot: &impl Snapshot,
    client: &ClientId,
    request: EventId,
) -> Result<Option<ForgettingRow>, FetchError> {
    by_id(snapshot, client, |own| key::forgetting(own, request))
}

/// What is known of the user whose scope `view` shows: nothing that was erased, and `None` rather than an empty profile.
pub fn profile<S: Snapshot>(view: &ScopeView<'_, S>) -> Result<Option<ProfileRow>, FetchError> {
    let Some(mut row) = view.snapshot.row(&key::profile(view.hash()))? else {
        return Ok(None);
    };
    if row.scope != view.scope {
        return Err(FetchError::ForeignRow);
    }
    row.attributes.retain(|_, known| view.holds(known.seq));
    Ok(Some(row).filter(|row| !row.attributes.is_empty()))
}

/// How many memories a document has that can be told; `None` where there is no such document.
pub fn document_memories<S: Snapshot>(
    view: &ScopeView<'_, S>,
    id: &DocumentId,
) -> Result<Option<u32>, FetchError> {
    let row = view.snapshot.row(&key::document(view.hash(), id))?;
    let Some(row) = row.filter(|row| row.version > 0 && view.holds(row.seq)) else {
        return Ok(None);
    };
    if row.scope != view.scope {
        return Err(FetchError::ForeignRow);
    }
    let all = view.memories(row.ordinals.iter().copied())?;
    let told = all.iter().flatten().filter(|row| view.tells(row)).count();
    Ok(Some(u32::try_from(told).unwrap_or(u32::MAX)))
}

/// What became of a deletion, if this partition knows it and it belongs to `client`.
pub fn deletion(
    snapshot: &impl Snapshot,
    client: &ClientId,
    deletion: EventId,
) -> Result<Option<DeletionRow>, FetchError> {
    by_id(snapshot, client, |own| key::deletion(own, deletion))
}

/// Under which id what a key made is there, or can be stored: `first`, unless what it made was erased since. A key that
/// comes after the erasure makes something new, once.
pub fn event_of_key(
    snapshot: &impl Snapshot,
    scope: &Scope,
    first: EventId,
    is_there: impl Fn(&SeenRow) -> bool,
) -> Result<(EventId, Option<SeenRow>), FetchError> {
    let (hash, mut event) = (scope.hash(), first);
    // As many steps as there were erasures between uses of the key.
    loop {
        match snapshot.row(&key::seen(&hash, event))? {
            Some(seen) if seen.erased || !is_there(&seen) => event = event.again(),
            seen => return Ok((event, seen)),
        }
    }
}

fn status(row: IngestionRow) -> IngestStatus {
    let accepted_at = Timestamp::from_micros(row.accepted_at);
    IngestStatus {
        ingestion_id: row.ingestion_id,
        document_id: row.document_id,
        status: if row.parked.is_some() {
            State::Failed
        } else {
            State::Completed
        },
        queued_at: accepted_at,
        completed_at: row.parked.is_none().then_some(accepted_at),
        memories_created: row.memory_ids.len(),
        memory_ids: row.memory_ids,
        error_message: row.parked,
        scope: row.scope.kind().to_owned(),
        scope_path: row.scope.path_json(),
    }
}

/// What an ingest would meet in a scope.
#[derive(Debug, Clone, PartialEq)]
pub struct IngestState {
    /// Under which id it can be stored, if it is not there: see [`event_of_key`].
    pub event: Option<EventId>,
    /// The event with this id, if it was applied before and not erased since.
    pub seen: Option<SeenRow>,
    /// The current version of its document.
    pub document: Option<DocumentRow>,
    /// The last erasure that covers the scope: what is older is gone.
    pub erased: Option<ErasedRow>,
}

/// Reads what an ingest of `document` as `event` would meet.
pub fn ingest_state(
    snapshot: &impl Snapshot,
    scope: &Scope,
    event: Option<EventId>,
    document: Option<&DocumentId>,
) -> Result<IngestState, FetchError> {
    let hash = scope.hash();
    let document = document
        .map(|document| snapshot.row(&key::document(&hash, document)))
        .transpose()?
        .flatten();
    if document.as_ref().is_some_and(|row| row.scope != *scope) {
        return Err(FetchError::ForeignRow);
    }
    let erased = last_erasure(scope, |key| snapshot.row(key))?;
    let holds = |seq| erased.as_ref().is_none_or(|erased| erased.seq < seq);
    let key = event.map(|event| event_of_key(snapshot, scope, event, |seen| holds(seen.seq)));
    let (event, seen) = key.transpose()?.unzip();
    Ok(IngestState {
        event,
        seen: seen.flatten(),
        document: document.filter(|row| holds(row.seq)),
        erased,
    })
}
