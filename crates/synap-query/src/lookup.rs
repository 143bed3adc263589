//! Point reads: what became of an ingestion, and what an ingest would meet.

use crate::FetchError;
use synap_readmodel::{DocumentRow, IngestionRow, SeenRow, Snapshot, SnapshotExt as _, key};
use synap_types::{
    ClientId, DocumentId, EventId, IngestState as State, IngestStatus, IngestionId, Scope,
    Timestamp,
};

/// What became of `ingestion`, if this partition knows it and it belongs to `client`.
pub fn ingestion_status(
    snapshot: &impl Snapshot,
    client: &ClientId,
    ingestion: IngestionId,
) -> Result<Option<IngestStatus>, FetchError> {
    let own = Scope::of_client(client.clone()).hash();
    let Some(row) = snapshot.row(&key::ingestion(&own, ingestion))? else {
        return Ok(None);
    };
    if row.scope.client() != client {
        return Err(FetchError::ForeignRow);
    }
    Ok(Some(status(row)))
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
    /// The event with its id, if it was applied before.
    pub seen: Option<SeenRow>,
    /// The current version of its document.
    pub document: Option<DocumentRow>,
}

/// Reads what an ingest of `document` as `event` would meet.
pub fn ingest_state(
    snapshot: &impl Snapshot,
    scope: &Scope,
    event: Option<EventId>,
    document: Option<&DocumentId>,
) -> Result<IngestState, FetchError> {
    let hash = scope.hash();
    let seen = event
        .map(|event| snapshot.row(&key::seen(&hash, event)))
        .transpose()?
        .flatten();
    let document = document
        .map(|document| snapshot.row(&key::document(&hash, document)))
        .transpose()?
        .flatten();
    if document.as_ref().is_some_and(|row| row.scope != *scope) {
        return Err(FetchError::ForeignRow);
    }
    Ok(IngestState { seen, document })
}
