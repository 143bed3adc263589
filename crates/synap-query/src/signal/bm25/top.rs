//! The best of one scope, by the upper bounds of its chunks: block-max MaxScore.
//!
//! Chunks are gone through by what their best could score, highest first. Once there are enough memories, a chunk that
//! cannot beat the last of them ends the search, and within a chunk the postings of a term are not read where none of the
//! memories found so far could still make it with its help. What is skipped could not have been among the best, so the
//! answer is the one of reading all.

use super::Saturation;
use crate::{FetchError, ScopeView};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use synap_readmodel::{CHUNK_ORDINALS, Posting, Snapshot, Summary, key};

/// Bounds are raised by this, so that rounding in another order of additions never makes one too low: each of up to 64
/// additions is off by less than 10⁻⁷.
const SLACK: f32 = 1.000_01;

/// A term of the query, as it occurs in the scope.
#[derive(Debug)]
pub(super) struct List<'a> {
    pub(super) term: &'a str,
    pub(super) weight: f32,
    /// By chunk.
    pub(super) summaries: &'a [(u32, Summary)],
}

/// A chunk of ordinals in which some of the terms occur.
#[derive(Debug, Default)]
struct Chunk {
    number: u32,
    /// The terms: their places in the query's order.
    lists: Vec<usize>,
    /// For each of them, what a memory could score by it and those after it.
    bounds: Vec<f32>,
}

impl Chunk {
    /// What a memory could score here.
    fn bound(&self) -> f32 {
        self.bounds.first().copied().unwrap_or_default()
    }
}

/// Ordinals and scores of the best `most` memories that have one of the terms, by ordinal; of equals the newest. Ordinals
/// below `from` are gone.
pub(super) fn best<S: Snapshot>(
    view: &ScopeView<'_, S>,
    lists: &[List<'_>],
    from: u32,
    saturation: Saturation,
    most: usize,
) -> Result<Vec<(u32, f32)>, FetchError> {
    let mut search = Search {
        view,
        lists,
        from,
        saturation,
        sums: vec![0.0; CHUNK_ORDINALS as usize],
        top: Top::new(most),
    };
    for chunk in plan(lists, saturation) {
        if chunk.bound() < search.top.threshold {
            break;
        }
        search.chunk(&chunk)?;
    }
    Ok(search.top.by_ordinal())
}

/// The chunks, best bound first; of equals the newest, since the newest wins.
fn plan(lists: &[List<'_>], saturation: Saturation) -> Vec<Chunk> {
    let mut chunks: BTreeMap<u32, Chunk> = BTreeMap::new();
    for (place, list) in lists.iter().enumerate() {
        for (number, summary) in list.summaries {
            let chunk = chunks.entry(*number).or_default();
            chunk.number = *number;
            chunk.lists.push(place);
            chunk
                .bounds
                .push(list.weight * saturation.bound(*summary) * SLACK);
        }
    }
    let mut chunks: Vec<Chunk> = chunks.into_values().collect();
    for chunk in &mut chunks {
        let mut rest = 0.0;
        for bound in chunk.bounds.iter_mut().rev() {
            rest += *bound;
            *bound = rest;
        }
    }
    chunks.sort_by(|a, b| {
        let by_bound = b.bound().total_cmp(&a.bound());
        by_bound.then(b.number.cmp(&a.number))
    });
    chunks
}

struct Search<'a, S> {
    view: &'a ScopeView<'a, S>,
    lists: &'a [List<'a>],
    from: u32,
    saturation: Saturation,
    /// Of the chunk at hand, by offset. An array beats a map, and one for a chunk is small. Zeros between chunks.
    sums: Vec<f32>,
    top: Top,
}

impl<S: Snapshot> Search<'_, S> {
    fn chunk(&mut self, chunk: &Chunk) -> Result<(), FetchError> {
        let terms: Vec<(&List<'_>, f32)> = chunk
            .lists
            .iter()
            .filter_map(|place| self.lists.get(*place))
            .zip(chunk.bounds.iter().copied())
            .collect();
        // A memory that has none of the first terms cannot make it by the others.
        let needed = terms.partition_point(|(_, bound)| *bound >= self.top.threshold);
        let (needed, others) = terms.split_at(needed);
        let keys: Vec<_> = needed
            .iter()
            .map(|(list, _)| key::posting_chunk(self.view.hash(), list.term, chunk.number))
            .collect();
        let values = self.view.snapshot.get_many(&keys)?;
        for ((list, _), value) in needed.iter().zip(values) {
            self.add(list.weight, chunk.number, &value.unwrap_or_default());
        }
        for (list, bound) in others {
            let highest = self.sums.iter().copied().fold(0.0, f32::max);
            if highest * SLACK + bound < self.top.threshold {
                self.sums.fill(0.0);
                return Ok(());
            }
            let key = key::posting_chunk(self.view.hash(), list.term, chunk.number);
            let value = self.view.snapshot.get(&key)?.unwrap_or_default();
            self.raise(list.weight, chunk.number, &value, *bound);
        }
        for (sum, offset) in self.sums.iter_mut().zip(0..) {
            if *sum > 0.0 {
                let score = std::mem::take(sum);
                self.top
                    .offer(chunk.number * CHUNK_ORDINALS + offset, score);
            }
        }
        Ok(())
    }

    /// Adds a term's share to the sums.
    fn add(&mut self, weight: f32, chunk: u32, value: &[u8]) {
        for posting in Posting::read(chunk, value) {
            let at = (posting.ordinal % CHUNK_ORDINALS) as usize;
            if let Some(sum) = self.sums.get_mut(at)
                && posting.ordinal >= self.from
            {
                *sum += weight * self.saturation.of(posting.tf, posting.terms);
            }
        }
    }

    /// Adds a term's share to those sums that can still make it: they get at most `bound` by this term and later ones.
    fn raise(&mut self, weight: f32, chunk: u32, value: &[u8], bound: f32) {
        for (sum, offset) in self.sums.iter_mut().zip(0..) {
            if *sum == 0.0 {
                continue;
            }
            if *sum * SLACK + bound < self.top.threshold {
                *sum = 0.0;
            } else if let Some(posting) = Posting::find(chunk * CHUNK_ORDINALS + offset, value) {
                *sum += weight * self.saturation.of(posting.tf, posting.terms);
            }
        }
    }
}

/// The best so far.
#[derive(Debug)]
struct Top {
    most: usize,
    /// The score of the last of the best `most`; 0 until there are as many.
    threshold: f32,
    /// At least the best `most` of those that were offered, in no order.
    found: Vec<(u32, f32)>,
}

impl Top {
    const fn new(most: usize) -> Self {
        Self {
            most,
            threshold: 0.0,
            found: Vec::new(),
        }
    }

    fn offer(&mut self, ordinal: u32, score: f32) {
        if score >= self.threshold {
            self.found.push((ordinal, score));
            if self.found.len() >= self.most.saturating_mul(2) {
                self.cut();
            }
        }
    }

    /// Keeps the best `most`.
    fn cut(&mut self) {
        let Some(last) = self.most.checked_sub(1) else {
            return self.found.clear();
        };
        if self.found.len() > last {
            let (_, (_, score), _) = self.found.select_nth_unstable_by(last, best_first);
            self.threshold = *score;
            self.found.truncate(self.most);
        }
    }

    fn by_ordinal(mut self) -> Vec<(u32, f32)> {
        self.cut();
        self.found.sort_unstable_by_key(|(ordinal, _)| *ordinal);
        self.found
    }
}

/// A total order, so that an answer does not depend on how it was found.
fn best_first(a: &(u32, f32), b: &(u32, f32)) -> Ordering {
    b.1.total_cmp(&a.1).then(b.0.cmp(&a.0))
}
