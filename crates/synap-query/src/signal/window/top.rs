//! The best of one scope, by the upper bounds of its chunks: `MaxScore` with block maxima.
//!
//! Chunks are gone through by what their best could score, highest first. Once there are enough memories, a chunk that
//! cannot beat the last of them ends the search, and within a chunk the postings of a term are not read where none of the
//! memories found so far could still make it with its help. What is skipped could not have been among the best, so the
//! answer is the one of reading all.

use super::{Saturation, Whole, ended};
use crate::{FetchError, ScopeView};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use synap_readmodel::{CHUNK_ORDINALS, Posting, Snapshot, Summary, key};

/// Bounds are raised by this, so that rounding in another order of additions never makes one too low: each of up to 64
/// additions is off by less than 10⁻⁷.
pub(super) const SLACK: f32 = 1.000_01;

/// Bytes of postings that are gone through in the time in which one memory is found among them, about: a binary search
/// looks at eight entries or so.
const FOUND_PER_READ: usize = 32;

/// A term of the query, as it occurs in the scope.
#[derive(Debug)]
pub(super) struct List<'a> {
    pub(super) term: &'a str,
    pub(super) weight: f32,
    /// By chunk.
    pub(super) summaries: &'a [(u32, Summary)],
    /// Its postings, if they were read already.
    pub(super) whole: Option<&'a Whole>,
}

/// A chunk of ordinals in which some of the terms occur.
#[derive(Debug, Default)]
struct Chunk {
    number: u32,
    /// The terms: their places in the query's order.
    lists: Vec<usize>,
    /// For each of them, what a memory could score by it and those after it.
    bounds: Vec<f32>,
    /// Whether some of those passages have ended.
    has_ended: bool,
}

impl Chunk {
    /// What a memory could score here.
    fn bound(&self) -> f32 {
        self.bounds.first().copied().unwrap_or_default()
    }

    /// Its last ordinal.
    const fn newest(&self) -> u32 {
        self.number * CHUNK_ORDINALS + (CHUNK_ORDINALS - 1)
    }
}

/// Ordinals and scores of the best `most` passages that have one of the terms, by ordinal; of equals the newest. Those that
/// have ended are none, nor are `ordinals` outside of the range (from, to).
pub(super) fn best<S: Snapshot>(
    view: &ScopeView<'_, S>,
    lists: &[List<'_>],
    ordinals: (u32, u32),
    saturation: Saturation,
    most: usize,
) -> Result<Vec<(u32, f32)>, FetchError> {
    let mut search = Search {
        view,
        lists,
        ordinals,
        saturation,
        sums: vec![0.0; CHUNK_ORDINALS as usize],
        top: Top::new(most),
    };
    for chunk in plan(lists, saturation) {
        if !search.top.admits(chunk.newest(), chunk.bound()) {
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
            chunk.has_ended |= summary.ended > 0;
            chunk.lists.push(place);
            chunk.bounds.push(list.weight * saturation.bound(*summary));
        }
    }
    let mut chunks: Vec<Chunk> = chunks.into_values().collect();
    for chunk in &mut chunks {
        // One term is not added to anything: its bound is exact, so that equals of an older chunk need not be read.
        let slack = if chunk.lists.len() > 1 { SLACK } else { 1.0 };
        let mut rest = 0.0;
        for bound in chunk.bounds.iter_mut().rev() {
            rest += *bound * slack;
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
    ordinals: (u32, u32),
    saturation: Saturation,
    /// Of the chunk at hand, by offset. An array beats a map, and one for a chunk is small. Zeros between chunks.
    sums: Vec<f32>,
    top: Top,
}

impl<'a, S: Snapshot> Search<'a, S> {
    fn chunk(&mut self, chunk: &Chunk) -> Result<(), FetchError> {
        let lists: &'a [List<'a>] = self.lists;
        let terms: Vec<(&List<'a>, f32)> = chunk
            .lists
            .iter()
            .filter_map(|place| lists.get(*place))
            .zip(chunk.bounds.iter().copied())
            .collect();
        // A memory that has none of the first terms cannot make it by the others.
        let needed = terms.partition_point(|(_, bound)| *bound >= self.top.threshold());
        let (needed, others) = terms.split_at(needed);
        for (list, _) in needed {
            let value = self.value(list, chunk.number)?;
            self.add(list.weight, &value);
        }
        self.take_out(chunk)?;
        if !others.is_empty() {
            self.add_others(others, chunk.number)?;
        }
        self.offer_sums(chunk.number);
        Ok(())
    }

    /// Forgets what is not there: older or younger than what is asked for, or ended.
    fn take_out(&mut self, chunk: &Chunk) -> Result<(), FetchError> {
        let (from, to) = self.ordinals;
        let start = chunk.number * CHUNK_ORDINALS;
        let older = from.saturating_sub(start) as usize;
        let there = to.saturating_sub(start) as usize;
        let sums = self.sums.iter_mut().enumerate();
        sums.filter(|(offset, _)| *offset < older || *offset >= there)
            .for_each(|(_, sum)| *sum = 0.0);
        if chunk.has_ended {
            for ordinal in ended(self.view, chunk.number)? {
                if let Some(sum) = self.sums.get_mut((ordinal - start) as usize) {
                    *sum = 0.0;
                }
            }
        }
        Ok(())
    }

    /// The postings of a term in one chunk.
    fn value(&self, list: &List<'a>, chunk: u32) -> Result<Cow<'a, [u8]>, FetchError> {
        if let Some(whole) = list.whole {
            return Ok(whole.chunk(chunk).into());
        }
        let key = key::posting_chunk(self.view.hash(), list.term, chunk);
        Ok(self.view.snapshot.get(&key)?.unwrap_or_default().into())
    }

    /// Adds the shares of terms that help only memories that are there already, and of those only where they may make it.
    /// The sums of others stay as they are: below the threshold.
    fn add_others(&mut self, others: &[(&List<'a>, f32)], chunk: u32) -> Result<(), FetchError> {
        let mut alive: Option<Vec<u32>> = None;
        for (list, bound) in others {
            let can_make_it = |sum: f32| sum * SLACK + bound >= self.top.threshold();
            let still = if let Some(mut alive) = alive {
                alive.retain(|at| self.sums.get(*at as usize).is_some_and(|s| can_make_it(*s)));
                alive
            } else {
                let sums = (0..CHUNK_ORDINALS).zip(&self.sums);
                let sums = sums.filter(|(_, sum)| can_make_it(**sum) && **sum > 0.0);
                sums.map(|(offset, _)| offset).collect()
            };
            if still.is_empty() {
                break;
            }
            let value = self.value(list, chunk)?;
            self.raise(list.weight, chunk, &value, &still);
            alive = Some(still);
        }
        Ok(())
    }

    /// Adds a term's share to the sums.
    fn add(&mut self, weight: f32, value: &[u8]) {
        let saturation = self.saturation;
        for posting in Posting::read(0, value) {
            if let Some(sum) = self.sums.get_mut(posting.ordinal as usize) {
                *sum += weight * saturation.of(posting.tf, posting.terms);
            }
        }
    }

    /// Takes the sums of a chunk to the best, and leaves zeros.
    fn offer_sums(&mut self, chunk: u32) {
        let first = chunk * CHUNK_ORDINALS;
        let mut threshold = self.top.threshold();
        for (sum, ordinal) in self.sums.iter().zip(first..) {
            // In this order, since most sums are not good enough and that can be foreseen.
            if *sum >= threshold && *sum > 0.0 {
                self.top.offer((ordinal, *sum));
                threshold = self.top.threshold();
            }
        }
        self.sums.fill(0.0);
    }

    /// Adds a term's share to the sums of the memories that are `alive`.
    fn raise(&mut self, weight: f32, chunk: u32, value: &[u8], alive: &[u32]) {
        let share = |posting: Posting| weight * self.saturation.of(posting.tf, posting.terms);
        if value.len() / FOUND_PER_READ < alive.len() {
            for posting in Posting::read(chunk, value) {
                let at = (posting.ordinal % CHUNK_ORDINALS) as usize;
                if let Some(sum) = self.sums.get_mut(at) {
                    *sum += if *sum > 0.0 { share(posting) } else { 0.0 };
                }
            }
            return;
        }
        for offset in alive {
            if let Some(posting) = Posting::find(chunk * CHUNK_ORDINALS + offset, value)
                && let Some(sum) = self.sums.get_mut(*offset as usize)
            {
                *sum += share(posting);
            }
        }
    }
}

/// The best so far.
#[derive(Debug)]
struct Top {
    most: usize,
    /// The last of the best `most`, once there are as many.
    last: (u32, f32),
    /// At least the best `most` of those that were offered, in no order.
    found: Vec<(u32, f32)>,
}

impl Top {
    const fn new(most: usize) -> Self {
        Self {
            most,
            last: (0, 0.0),
            found: Vec::new(),
        }
    }

    /// What does not score as much is not among the best.
    const fn threshold(&self) -> f32 {
        self.last.1
    }

    /// Whether a memory with this score would be among the best: equals are, if they are newer.
    fn admits(&self, ordinal: u32, score: f32) -> bool {
        best_first((ordinal, score), self.last) != Ordering::Greater
    }

    fn offer(&mut self, found: (u32, f32)) {
        if self.admits(found.0, found.1) {
            self.found.push(found);
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
            let in_order = |a: &_, b: &_| best_first(*a, *b);
            let (_, last, _) = self.found.select_nth_unstable_by(last, in_order);
            self.last = *last;
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
fn best_first(a: (u32, f32), b: (u32, f32)) -> Ordering {
    b.1.total_cmp(&a.1).then(b.0.cmp(&a.0))
}
