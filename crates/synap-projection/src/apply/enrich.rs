//! What a model computed of passages, into the rows. No model is asked here.

use super::memories::Memories;
use super::{ApplyError, At, Effect};
use crate::State;
use synap_readmodel::{
    BLOCK_ORDINALS, CHUNK_ORDINALS, Snapshot, Vector, VectorsRow, key, passage_text,
};
use synap_types::{MemoriesEnriched, MemoryVector};

/// Adds the vectors of passages that still say what they said, each once: what is gone, changed or known changes nothing.
pub(super) fn apply<S: Snapshot>(
    at: &At<'_>,
    data: &MemoriesEnriched,
    state: &mut State<'_, S>,
) -> Result<Effect, ApplyError> {
    let memories = Memories::open(at, state)?;
    let model = MemoriesEnriched::model_key(&data.model, &data.model_hash);
    for memory in &data.memories {
        let Some(vector) = placed(at, &memories, memory, state)? else {
            continue;
        };
        let chunk = vector.ordinal / CHUNK_ORDINALS;
        let known = || key::vectors(&at.hash, &model, chunk);
        let mut row = state
            .row(&known())?
            .unwrap_or(VectorsRow { bits: Vec::new() });
        if row.has(vector.ordinal) {
            continue;
        }
        row.set(vector.ordinal);
        state.put(known(), &row);
        let sketches = key::sketch_chunk(&at.hash, &model, chunk);
        state.append(sketches, &vector.sketch().bytes());
        let block = vector.ordinal / BLOCK_ORDINALS;
        state.append(key::vector_block(&at.hash, &model, block), &vector.bytes());
    }
    Ok(Effect::default())
}

/// The vector at the place of its passage, if that can be told and says what it said.
fn placed<S: Snapshot>(
    at: &At<'_>,
    memories: &Memories<'_>,
    memory: &MemoryVector,
    state: &State<'_, S>,
) -> Result<Option<Vector>, ApplyError> {
    let Ok(numbers) = memory.vector.0.as_slice().try_into() else {
        return Ok(None);
    };
    let index = state.row(&key::memory_index(&at.client, memory.memory_id))?;
    let Some(index) = index.filter(|index| index.scope == *at.scope) else {
        return Ok(None);
    };
    let Some(row) = memories.live(index.ordinal, state)? else {
        return Ok(None);
    };
    let passage = row.passage..row.passage.saturating_add(row.passage_memories.into());
    let told = passage.map(|ordinal| memories.live(ordinal, state));
    let told: Vec<_> = told.collect::<Result<_, _>>()?;
    let text = passage_text(told.iter().flatten());
    let same = MemoryVector::text_hash(&text) == memory.text_hash;
    Ok(same.then_some(Vector {
        ordinal: row.passage,
        numbers,
    }))
}
