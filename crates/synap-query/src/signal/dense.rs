//! Signal: cosine between a query's vector and those of a scope's passages.
//!
//! A scan over the signs of all vectors finds what is worth a look, by Hamming distance; only that, and what other signals
//! found, is scored, exactly, in one byte per number. Vectors come from outside: this crate runs no model. What has no
//! vector yet counts as if it meant what its words say, so that what was stored last stands behind nothing for it. Of a scope
//! of which a model has seen less than half, no vector counts: what happens to have one would stand before better matches.

use crate::cache::Kept;
use crate::passages::Passages;
use crate::{FetchError, ScopeView};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::ops::ControlFlow;
use std::sync::Arc;
use synap_readmodel::{BLOCK_ORDINALS, SKETCH_BYTES, Sketch, Snapshot, VECTOR_BYTES, Vector, key};
use synap_types::{Hash128, MemoriesEnriched};

/// Vectors of a scope that are scored for one query, nearest signs first, and as many of what other signals found.
///
/// 1-bit sketches lose nothing on the measured sets from 200 on.
const SCORED_MAX: usize = 1_000;
/// The same where the query's vector was looked up: it is less exact, and the fetch has less time.
const SCORED_MAX_LOOKED_UP: usize = 200;

/// A cosine that says for sure that two texts are about the same. Where the best of a chain has less, meaning tells less.
///
/// On the measured sets half of the questions have an answer of 0.50 to 0.58 by the model, of 0.41 to 0.45 looked up.
const SURE: f32 = 0.5;

/// The vectors of a fetch's queries, in the space of the encoder whose vectors the rows hold.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryVectors {
    /// Which encoder: vectors of another cannot be compared.
    model: Hash128,
    /// One for each query, in order; none where there is none.
    vectors: Vec<Option<Vec<f32>>>,
    is_looked_up: bool,
}

impl QueryVectors {
    /// Vectors by the model of this name and hash, one for each query of the request, in order.
    pub fn new(model: &str, hash: &str, vectors: Vec<Option<Vec<f32>>>) -> Self {
        Self {
            model: MemoriesEnriched::model_key(model, hash),
            vectors,
            is_looked_up: false,
        }
    }

    /// As [`Self::new`], but where no model was asked: they are made of what is known of the queries' words, and as long as
    /// the share of the words that are known. What half of a query says counts half.
    pub fn looked_up(model: &str, hash: &str, vectors: Vec<Option<Vec<f32>>>) -> Self {
        Self {
            is_looked_up: true,
            ..Self::new(model, hash, vectors)
        }
    }

    /// Whether no model was asked.
    pub const fn is_looked_up(&self) -> bool {
        self.is_looked_up
    }

    /// The vector of the query with this number.
    fn of(&self, query: usize) -> Option<&[f32]> {
        self.vectors.get(query)?.as_deref()
    }

    /// How much of a query its vector speaks for, 0 to 1.
    fn known(&self, vector: &[f32]) -> f32 {
        if self.is_looked_up {
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            length.min(1.0)
        } else {
            1.0
        }
    }

    const fn scored_max(&self) -> usize {
        if self.is_looked_up {
            SCORED_MAX_LOOKED_UP
        } else {
            SCORED_MAX
        }
    }

    /// What a cosine counts for beside words, 0 to 1: texts that have nothing to do with each other reach about 0.2, and
    /// 0.3 is asked for where the query's vector is less exact.
    pub(crate) fn meaning(&self, cosine: f32) -> f32 {
        let nothing = if self.is_looked_up { 0.3 } else { 0.2 };
        ((cosine - nothing) / 0.6).clamp(0.0, 1.0)
    }

    /// The passages of a scope, by their first ordinals, whose signs are nearest to those of the query with this number; of
    /// equals the newest.
    pub(crate) fn nearest<S: Snapshot>(
        &self,
        view: &ScopeView<'_, S>,
        kept: Option<&Kept>,
        query: usize,
    ) -> Result<BTreeSet<u32>, FetchError> {
        let Some(vector) = self.of(query) else {
            return Ok(BTreeSet::new());
        };
        let mut nearest = Nearest {
            signs: Sketch::signs_of(vector.iter().map(|x| *x < 0.0)),
            most: self.scored_max(),
            found: BinaryHeap::with_capacity(self.scored_max() + 1),
        };
        if let Some(known) = kept.and_then(|kept| kept.sketches(&self.model)) {
            known.iter().for_each(|sketch| nearest.offer(sketch));
            return Ok(nearest.ordinals());
        }
        let mut all = Vec::new();
        let sketches = key::sketches(view.hash(), &self.model);
        view.snapshot.scan(&sketches, &mut |_, chunk| {
            for sketch in Sketch::read(chunk) {
                nearest.offer(&sketch);
                if kept.is_some() {
                    all.push(sketch);
                }
            }
            ControlFlow::Continue(())
        })?;
        if let Some(kept) = kept {
            kept.keep_sketches(&self.model, all.into());
        }
        Ok(nearest.ordinals())
    }
}

/// The sketches that are nearest to some signs. It never holds more than is scored, however many a scope has.
struct Nearest {
    signs: [u8; SKETCH_BYTES],
    most: usize,
    /// Distance and complement of the ordinal. The farthest is on top, and of equals the oldest.
    found: BinaryHeap<(u32, u32)>,
}

impl Nearest {
    fn offer(&mut self, sketch: &Sketch) {
        let own = (sketch.distance(&self.signs), !sketch.ordinal);
        if self.found.len() == self.most && self.found.peek().is_some_and(|top| own >= *top) {
            return;
        }
        self.found.push(own);
        if self.found.len() > self.most {
            self.found.pop();
        }
    }

    fn ordinals(self) -> BTreeSet<u32> {
        self.found
            .into_iter()
            .map(|(_, ordinal)| !ordinal)
            .collect()
    }
}

/// How one scope's passages mean what a query asks, by place. Empty where nothing of the chain has a vector.
#[derive(Debug, Default)]
pub(crate) struct Meant {
    /// Cosines, as far as they are positive.
    pub(crate) cosines: Vec<f32>,
    /// The same as shares of the chain's best, or of [`SURE`], if that is more; less where the vector speaks for a part of the
    /// query.
    pub(crate) shares: Vec<f32>,
}

/// Of the query with this number, per scope. `near` is what [`QueryVectors::nearest`] found of each, and `bm25` the shares
/// of each one's passages.
pub(crate) fn score<'n, 's, S: Snapshot + 's>(
    views: impl Iterator<Item = (&'s ScopeView<'s, S>, Option<&'n Kept>)>,
    queries: &QueryVectors,
    query: usize,
    scopes: &[Arc<Passages>],
    near: impl Iterator<Item = Option<&'n BTreeSet<u32>>>,
    bm25: &[Vec<f32>],
) -> Result<Vec<Meant>, FetchError> {
    let none = || scopes.iter().map(|_| Meant::default()).collect();
    let Some(vector) = queries.of(query) else {
        return Ok(none());
    };
    let direction = Direction::of(vector);
    let mut found = Vec::with_capacity(scopes.len());
    for ((((view, kept), scope), near), bm25) in views.zip(scopes).zip(near).zip(bm25) {
        let matching = best_places(bm25, queries.scored_max());
        let first = |at: &usize| scope.get(*at).map(|passage| passage.ordinal);
        let mut wanted: BTreeSet<u32> = matching.iter().filter_map(first).collect();
        wanted.extend(near.into_iter().flatten());
        let mut cosines = BTreeMap::new();
        for (ordinal, cosine) in direction.cosines(view, kept, &queries.model, &wanted)? {
            let place = scope.place_from(0, ordinal);
            cosines.extend(place.map(|at| (at, cosine.max(0.0))));
        }
        let seen = matching.iter().filter(|at| cosines.contains_key(at));
        if 2 * seen.count() < matching.len() {
            cosines.clear();
        }
        found.push((matching, cosines));
    }
    let cosines = found.iter().flat_map(|(_, cosines)| cosines.values());
    let best = cosines.copied().fold(0.0, f32::max);
    if best <= 0.0 {
        return Ok(none());
    }
    let (best, known) = (best.max(SURE), queries.known(vector));
    let mut meant = Vec::with_capacity(scopes.len());
    for (((matching, cosines), scope), bm25) in found.into_iter().zip(scopes).zip(bm25) {
        let mut of_scope = Meant {
            cosines: vec![0.0; scope.len()],
            shares: vec![0.0; scope.len()],
        };
        for at in matching {
            if let Some((share, bm25)) = of_scope.shares.get_mut(at).zip(bm25.get(at)) {
                *share = known * *bm25;
            }
        }
        for (at, cosine) in cosines {
            let own = of_scope.cosines.get_mut(at);
            if let Some((own, share)) = own.zip(of_scope.shares.get_mut(at)) {
                (*own, *share) = (cosine, known * cosine / best);
            }
        }
        meant.push(of_scope);
    }
    Ok(meant)
}

/// The places of the best that another signal found, at most so many; of equals the newest.
fn best_places(found: &[f32], most: usize) -> Vec<usize> {
    let hits = found.iter().enumerate().filter(|(_, score)| **score > 0.0);
    let mut best: Vec<(usize, f32)> = hits.map(|(at, score)| (at, *score)).collect();
    if best.len() > most {
        best.select_nth_unstable_by(most, |a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
        best.truncate(most);
    }
    best.into_iter().map(|(at, _)| at).collect()
}

/// A query's vector in whole numbers, which add up faster.
struct Direction {
    numbers: [i16; VECTOR_BYTES],
    length: f32,
}

impl Direction {
    fn of(vector: &[f32]) -> Self {
        /// So that the sum of products with bytes stays within 32 bits.
        const MOST: f32 = 4_095.0;
        let most = vector.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        let scale = MOST / most.max(f32::MIN_POSITIVE);
        let mut numbers = [0; VECTOR_BYTES];
        for (number, x) in numbers.iter_mut().zip(vector) {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "within MOST after scaling; the cast saturates"
            )]
            let rounded = (x * scale).round() as i16;
            *number = rounded;
        }
        let squares = numbers.iter().map(|x| f32::from(*x) * f32::from(*x));
        Self {
            numbers,
            length: squares.sum::<f32>().sqrt(),
        }
    }

    /// The cosines of the passages at `ordinals` that have a vector, by ordinal; each block is read once.
    fn cosines<S: Snapshot>(
        &self,
        view: &ScopeView<'_, S>,
        kept: Option<&Kept>,
        model: &Hash128,
        ordinals: &BTreeSet<u32>,
    ) -> Result<Vec<(u32, f32)>, FetchError> {
        let blocks: BTreeSet<u32> = ordinals.iter().map(|at| at / BLOCK_ORDINALS).collect();
        let mut found = Vec::with_capacity(ordinals.len());
        let mut add = |block: u32, vectors: &[Vector]| {
            let first = block * BLOCK_ORDINALS;
            for ordinal in ordinals.range(first..=first + (BLOCK_ORDINALS - 1)) {
                let at = vectors.binary_search_by_key(ordinal, |vector| vector.ordinal);
                let vector = at.ok().and_then(|at| vectors.get(at));
                found.extend(vector.map(|vector| (*ordinal, self.cosine(vector))));
            }
        };
        let mut unknown = Vec::new();
        for block in blocks {
            match kept.and_then(|kept| kept.block(model, block)) {
                Some(known) => add(block, &known),
                None => unknown.push(block),
            }
        }
        let key = |block: &u32| key::vector_block(view.hash(), model, *block);
        let keys: Vec<_> = unknown.iter().map(key).collect();
        for (block, value) in unknown.into_iter().zip(view.snapshot.get_many(&keys)?) {
            // They were appended in the order of events.
            let mut vectors: Vec<Vector> = Vector::read(&value.unwrap_or_default()).collect();
            vectors.sort_unstable_by_key(|vector| vector.ordinal);
            add(block, &vectors);
            if let Some(kept) = kept {
                kept.keep_block(model, block, vectors.into());
            }
        }
        Ok(found)
    }

    fn cosine(&self, vector: &Vector) -> f32 {
        let (mut product, mut square) = (0_i32, 0_i32);
        for (x, number) in self.numbers.iter().zip(vector.numbers) {
            product += i32::from(*x) * i32::from(number);
            square += i32::from(number) * i32::from(number);
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a cosine needs no more than seven digits"
        )]
        let (product, square) = (product as f32, square as f32);
        product / (self.length * square.sqrt()).max(f32::MIN_POSITIVE)
    }
}
