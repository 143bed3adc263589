//! Signal: cosine between a query's vector and those of a scope's memories.
//!
//! A scan over the signs of all vectors finds what is worth a look, by Hamming distance; only that is scored, exactly, in
//! one byte per number. A scope of up to [`SCORED_MAX`] vectors is therefore scored whole. Vectors come from an encoder
//! that stands outside: this crate runs no model.

use crate::{FetchError, ScopeView};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::ops::ControlFlow;
use synap_readmodel::{BLOCK_ORDINALS, SKETCH_BYTES, Sketch, Snapshot, Vector, key};
use synap_types::{Hash128, MemoriesEnriched};

/// Vectors of a scope that are scored for one query, nearest signs first.
///
/// 1-bit sketches lose nothing on the measured sets from 200 on; a thousand cost less than a millisecond.
const SCORED_MAX: usize = 1_000;

/// The vectors of a fetch's queries, by the encoder whose vectors the rows hold.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryVectors {
    /// Which encoder: vectors of another cannot be compared.
    model: Hash128,
    /// One for each query, in order; none where there is none.
    vectors: Vec<Option<Vec<f32>>>,
}

impl QueryVectors {
    /// Vectors by the model of this name and hash, one for each query of the request, in order.
    pub fn new(model: &str, hash: &str, vectors: Vec<Option<Vec<f32>>>) -> Self {
        Self {
            model: MemoriesEnriched::model_key(model, hash),
            vectors,
        }
    }

    /// The vector of the query with this number.
    fn of(&self, query: usize) -> Option<&[f32]> {
        self.vectors.get(query)?.as_deref()
    }
}

/// Cosines of the query with this number: per scope, ordinal and cosine, by ordinal. Only what points the query's way.
///
/// `found` is what other signals found, by scope and ordinal: it is scored too, if it has a vector.
pub(crate) fn score<S: Snapshot>(
    views: &[ScopeView<'_, S>],
    queries: &QueryVectors,
    query: usize,
    found: &[Vec<(u32, f32)>],
) -> Result<Vec<Vec<(u32, f32)>>, FetchError> {
    let Some(vector) = queries.of(query) else {
        return Ok(vec![Vec::new(); views.len()]);
    };
    let none = Vec::new();
    let found = found.iter().chain(std::iter::repeat(&none));
    let in_scope = |(view, found): (&ScopeView<'_, S>, &Vec<(u32, f32)>)| {
        let mut wanted = nearest(view, &queries.model, vector)?;
        wanted.extend(best_of(found));
        cosines(view, &queries.model, vector, &wanted)
    };
    views.iter().zip(found).map(in_scope).collect()
}

/// The ordinals of the best that another signal found.
fn best_of(found: &[(u32, f32)]) -> impl Iterator<Item = u32> {
    let mut best: Vec<&(u32, f32)> = found.iter().collect();
    best.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
    best.into_iter()
        .take(SCORED_MAX)
        .map(|(ordinal, _)| *ordinal)
}

/// The ordinals of the vectors whose signs are nearest to the query's; of equals the newest.
fn nearest<S: Snapshot>(
    view: &ScopeView<'_, S>,
    model: &Hash128,
    query: &[f32],
) -> Result<BTreeSet<u32>, FetchError> {
    let signs: [u8; SKETCH_BYTES] = Sketch::signs_of(query.iter().map(|x| *x < 0.0));
    // The farthest is on top. It never holds more than is scored, however many a scope has.
    let mut near: BinaryHeap<(u32, u32)> = BinaryHeap::with_capacity(SCORED_MAX + 1);
    view.snapshot
        .scan(&key::sketches(view.hash(), model), &mut |_, chunk| {
            for sketch in Sketch::read(chunk) {
                near.push((sketch.distance(&signs), !sketch.ordinal));
                if near.len() > SCORED_MAX {
                    near.pop();
                }
            }
            ControlFlow::Continue(())
        })?;
    Ok(near.into_iter().map(|(_, ordinal)| !ordinal).collect())
}

/// The cosines of the memories at `ordinals` that have a vector; each block is read once.
fn cosines<S: Snapshot>(
    view: &ScopeView<'_, S>,
    model: &Hash128,
    query: &[f32],
    ordinals: &BTreeSet<u32>,
) -> Result<Vec<(u32, f32)>, FetchError> {
    let blocks: BTreeSet<u32> = ordinals.iter().map(|at| at / BLOCK_ORDINALS).collect();
    let mut found = BTreeMap::new();
    for block in blocks {
        let stored = view
            .snapshot
            .get(&key::vector_block(view.hash(), model, block))?;
        for vector in Vector::read(stored.as_deref().unwrap_or_default()) {
            if ordinals.contains(&vector.ordinal) {
                let cosine = cosine(query, &vector);
                if cosine > 0.0 {
                    found.insert(vector.ordinal, cosine);
                }
            }
        }
    }
    Ok(found.into_iter().collect())
}

fn cosine(query: &[f32], vector: &Vector) -> f32 {
    let (mut product, mut length, mut own) = (0.0, 0.0, 0.0);
    for (x, number) in query.iter().zip(vector.numbers) {
        let number = f32::from(number);
        product += x * number;
        length += x * x;
        own += number * number;
    }
    product / (length * own).sqrt().max(f32::MIN_POSITIVE)
}
