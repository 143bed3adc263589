//! A document was ingested: its memories take the place of those of the version before.

use super::memories::{Memories, Origin};
use super::{ApplyError, At, Effect};
use crate::State;
use crate::extract::Texts;
use synap_readmodel::{DocumentRow, MemoryRow, Snapshot, key};
use synap_types::{Hash128, IdempotencyKey, MemoryId, MemoryIngested, MemorySource};

pub(super) fn apply<S: Snapshot>(
    at: &At<'_>,
    data: &MemoryIngested,
    texts: Texts,
    state: &mut State<'_, S>,
) -> Result<Effect, ApplyError> {
    let mut memories = Memories::open(at, state)?;
    let content = IdempotencyKey::content_hash(&data.content);
    let before = state
        .row(&key::document(&at.hash, &data.document_id))?
        .filter(|row| row.seq > memories.erased());
    let memory_ids = match before {
        Some(same) if same.content == *content.bytes() => ids_of(at, &same, state)?,
        before => {
            let version = Version {
                data,
                before,
                content,
            };
            let ids = replace(at, version, texts, &mut memories, state)?;
            memories.close(state)?;
            ids
        }
    };
    at.ingested(
        data.ingestion_id,
        data.document_id.clone(),
        memory_ids,
        state,
    );
    Ok(Effect {
        document_id: Some(data.document_id.clone()),
        turn: None,
    })
}

fn ids_of<S: Snapshot>(
    at: &At<'_>,
    document: &DocumentRow,
    state: &State<'_, S>,
) -> Result<Vec<MemoryId>, ApplyError> {
    let rows = document
        .ordinals
        .iter()
        .map(|ordinal| state.row(&key::memory(&at.hash, *ordinal)));
    Ok(rows
        .filter_map(Result::transpose)
        .map(|row| row.map(|row| row.id))
        .collect::<Result<_, _>>()?)
}

/// A version of a document, and the one before.
struct Version<'a> {
    data: &'a MemoryIngested,
    before: Option<DocumentRow>,
    /// Hash of what it says.
    content: Hash128,
}

/// Ends the memories of the version before, and writes those of this one.
fn replace<S: Snapshot>(
    at: &At<'_>,
    version: Version<'_>,
    texts: Texts,
    memories: &mut Memories<'_>,
    state: &mut State<'_, S>,
) -> Result<Vec<MemoryId>, ApplyError> {
    let Version {
        data,
        before,
        content,
    } = version;
    match &before {
        Some(before) if before.version > 0 => {
            memories.end(&before.ordinals, state)?;
            memories.replace();
        }
        Some(_) | None => memories.count_document(),
    }
    let origin = Origin {
        source: MemorySource::Document(data.document_id.clone()),
        turn: None,
        said_at: data.document_created_at,
        metadata: memories.metadata(at.event.id, &data.metadata, state),
    };
    let (mut ids, mut ordinals) = (Vec::new(), Vec::new());
    for statement in texts.into_document() {
        let id = MemoryRow::id_of(at.scope, &data.document_id, &statement.normal);
        if let Some(ordinal) = memories.add(id, statement, &origin, state)? {
            ids.push(id);
            ordinals.push(ordinal);
        }
    }
    let row = DocumentRow {
        document_id: data.document_id.clone(),
        scope: at.scope.clone(),
        event_id: at.event.id,
        seq: at.seq.get(),
        content: *content.bytes(),
        version: before.as_ref().map_or(1, |before| before.version + 1),
        previous: before
            .filter(|before| before.version > 0)
            .map(|before| before.seq),
        ordinals,
    };
    state.put(key::document(&at.hash, &data.document_id), &row);
    Ok(ids)
}
