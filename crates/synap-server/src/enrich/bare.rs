//! Which passages have no vector of a model.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use synap_models::Encoder;
use synap_query::{FetchError, ScopeView};
use synap_readmodel::{
    CHUNK_ORDINALS, FreshRow, Snapshot, SnapshotExt as _, StoreError, codec, key, passage_text,
};
use synap_types::limits::ENRICHED_MEMORIES_MAX;
use synap_types::{
    EventBody, Hash128, MemoriesEnriched, MemoryId, MemoryVector, QuantisedVector, Scope, Seq,
};

/// Passages that one pass takes up at most: their texts are held meanwhile.
const PASS_PASSAGES_MAX: usize = 4 * ENRICHED_MEMORIES_MAX;
/// Where the worker is: everything before is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) seq: u64,
    pub(crate) ordinal: u32,
}

impl Cursor {
    pub(crate) const START: Self = Self { seq: 1, ordinal: 0 };
}

/// Passages without a vector.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    pub(crate) by_scope: BTreeMap<Scope, Vec<Bare>>,
    count: usize,
}

/// A passage without a vector.
#[derive(Debug)]
pub(crate) struct Bare {
    /// A memory of it that can be told.
    pub(crate) id: MemoryId,
    /// Its first ordinal.
    pub(crate) ordinal: u32,
    pub(crate) text: String,
}

impl Bare {
    /// With its vector.
    pub(crate) fn with(&self, vector: Vec<i8>) -> MemoryVector {
        MemoryVector {
            memory_id: self.id,
            text_hash: MemoryVector::text_hash(&self.text),
            vector: QuantisedVector(vector),
        }
    }
}

/// What records the vectors of a scope's passages.
pub(crate) fn event(scope: &Scope, memories: Vec<MemoryVector>) -> EventBody {
    EventBody::MemoriesEnriched(Box::new(MemoriesEnriched {
        scope: scope.clone(),
        model: Encoder::NAME.to_owned(),
        model_hash: Encoder::HASH.to_owned(),
        memories,
    }))
}

/// Passages without a vector among those that events of one page added; and where to go on.
pub(crate) fn find<S: Snapshot>(
    rows: &S,
    model: &Hash128,
    from: Cursor,
    applied: Seq,
) -> Result<(Pending, Cursor), FetchError> {
    let page = from.seq / key::FRESH_PAGE;
    let (mut events, mut damaged) = (Vec::new(), None);
    rows.scan(&key::fresh_page(page), &mut |rest, value| {
        let seq = page * key::FRESH_PAGE + u64::from(rest.first().copied().unwrap_or_default());
        if seq >= from.seq && seq <= applied.get() {
            match codec::decode::<FreshRow>(value) {
                Ok(row) => events.push((seq, row)),
                Err(source) => damaged = Some((seq, source)),
            }
        }
        ControlFlow::Continue(())
    })?;
    if let Some((seq, source)) = damaged {
        let key = key::fresh(Seq::new(seq)).into_key();
        return Err(StoreError::Row { key, source }.into());
    }
    let mut pending = Pending::default();
    for (seq, row) in events {
        let start = if seq == from.seq { from.ordinal } else { 0 };
        let full = add(rows, model, &row, start, &mut pending)?;
        if let Some(ordinal) = full {
            return Ok((pending, Cursor { seq, ordinal }));
        }
    }
    let seq = ((page + 1) * key::FRESH_PAGE).min(applied.get() + 1);
    Ok((pending, Cursor { seq, ordinal: 0 }))
}

/// Adds what lacks a vector among the passages of one event; answers the ordinal to go on with if there is no more room.
fn add<S: Snapshot>(
    rows: &S,
    model: &Hash128,
    row: &FreshRow,
    start: u32,
    pending: &mut Pending,
) -> Result<Option<u32>, FetchError> {
    let view = ScopeView::new(row.scope.clone(), rows)?;
    let (mut known, mut known_chunk) = (None, None);
    for passage in view.passages(row.first.max(start)..row.end)? {
        if pending.count == PASS_PASSAGES_MAX {
            return Ok(Some(passage.ordinal));
        }
        let chunk = passage.ordinal / CHUNK_ORDINALS;
        if known_chunk != Some(chunk) {
            known = rows.row(&key::vectors(view.hash(), model, chunk))?;
            known_chunk = Some(chunk);
        }
        if known
            .as_ref()
            .is_some_and(|known| known.has(passage.ordinal))
        {
            continue;
        }
        let memories = view.told_of(&passage)?;
        if let Some(first) = memories.first() {
            let of_scope = pending.by_scope.entry(row.scope.clone()).or_default();
            of_scope.push(Bare {
                id: first.id,
                ordinal: passage.ordinal,
                text: passage_text(&memories),
            });
            pending.count += 1;
        }
    }
    Ok(None)
}
