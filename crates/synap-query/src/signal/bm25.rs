//! Signal: BM25 over the postings of a chain's scopes.
//!
//! Document frequencies and lengths are those of the whole chain, so that scores of its scopes can be compared. `K1` and
//! `B` are the values that measured best for short memories; the formula is Robertson and Zaragoza's (2009), with the
//! idf that stays positive.

use crate::signal::WeightedTerm;
use crate::{FetchError, ScopeView};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use synap_readmodel::{CHUNK_ORDINALS, Posting, Snapshot, key};

const K1: f32 = 0.9;
const B: f32 = 0.4;

/// What the chain's scopes hold together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ChainStats {
    /// Memories.
    pub(crate) memories: u64,
    /// Terms of all memories.
    pub(crate) terms: u64,
}

/// Postings of one scope, read once per term however many queries use it.
#[derive(Debug, Default)]
pub(crate) struct PostingsCache(BTreeMap<String, Vec<Posting>>);

impl PostingsCache {
    fn load<S: Snapshot>(&mut self, view: &ScopeView<'_, S>, term: &str) -> Result<(), FetchError> {
        if self.0.contains_key(term) {
            return Ok(());
        }
        let mut found = Vec::new();
        view.snapshot
            .scan(&key::postings(view.hash(), term), &mut |_, chunk| {
                found.extend(Posting::read(chunk));
                ControlFlow::Continue(())
            })?;
        self.0.insert(term.to_owned(), found);
        Ok(())
    }

    fn of(&self, term: &str) -> &[Posting] {
        self.0.get(term).map_or(&[], Vec::as_slice)
    }
}

/// Scores of one query in every scope of the chain.
#[derive(Debug)]
pub(crate) struct Scores {
    /// Per scope, ordinal and score of each memory that matches.
    pub(crate) by_scope: Vec<Vec<(u32, f32)>>,
    /// The same memories in the same order: which share of the query each has, 0 to 1, rare words counting more.
    pub(crate) shares: Vec<Vec<(u32, f32)>>,
}

/// Words of a query that one memory can be expected to answer.
///
/// Judgement: without a bound, a long question would ask of every memory that it has all of its words.
const TELLING_TERMS: usize = 6;
/// What a word counts for however common it is, as a share of what the rarest counts for.
///
/// Judgement: where everything is about one thing, its name is in every memory, and asking for it is no noise.
const COMMON_SHARE: f32 = 0.1;

/// What having each term is worth: its share of all that one memory can be expected to have. A word that no memory has
/// counts as one that a single memory has; related words add to the sum of what is had, not to that of what is asked.
fn worths(stats: ChainStats, caches: &[PostingsCache], terms: &[WeightedTerm]) -> Vec<f32> {
    let least = COMMON_SHARE * idf(stats, 1);
    let worth = |term: &WeightedTerm| least + idf(stats, document_frequency(caches, term).max(1));
    let mut asked: Vec<f32> = terms
        .iter()
        .filter(|term| term.weight >= 1.0)
        .map(worth)
        .collect();
    asked.sort_unstable_by(|a, b| b.total_cmp(a));
    let asked: f32 = asked.iter().take(TELLING_TERMS).sum();
    let share = |term: &WeightedTerm| term.weight * worth(term) / asked.max(f32::MIN_POSITIVE);
    terms.iter().map(share).collect()
}

/// Scores one query in every scope of the chain.
pub(crate) fn score<S: Snapshot>(
    views: &[ScopeView<'_, S>],
    caches: &mut [PostingsCache],
    stats: ChainStats,
    terms: &[WeightedTerm],
) -> Result<Scores, FetchError> {
    for (view, cache) in views.iter().zip(caches.iter_mut()) {
        for term in terms {
            cache.load(view, &term.term)?;
        }
    }
    let average = (float(stats.terms) / float(stats.memories.max(1))).max(1.0);
    let weights: Vec<f32> = terms
        .iter()
        .map(|term| term.weight * idf(stats, document_frequency(caches, term)))
        .collect();
    let worths = worths(stats, caches, terms);
    let score = |cache| {
        sums(weighted(cache, terms, &weights), |posting| {
            saturation(posting, average)
        })
    };
    let share = |cache| sums(weighted(cache, terms, &worths), |_| 1.0);
    Ok(Scores {
        by_scope: caches.iter().map(score).collect(),
        shares: caches.iter().map(share).collect(),
    })
}

/// The postings of each term with its weight.
fn weighted<'a>(
    cache: &'a PostingsCache,
    terms: &[WeightedTerm],
    weights: &[f32],
) -> Vec<(&'a [Posting], f32)> {
    let lists = terms.iter().map(|term| cache.of(&term.term));
    lists.zip(weights.iter().copied()).collect()
}

/// Weighted sums per memory over postings in order of ordinals; in that order.
///
/// It goes chunk by chunk: an array beats a map, and one for a chunk is small however many ordinals a scope has used up.
fn sums(mut lists: Vec<(&[Posting], f32)>, of: impl Fn(Posting) -> f32) -> Vec<(u32, f32)> {
    let mut chunk_sums = vec![0.0; CHUNK_ORDINALS as usize];
    let mut found = Vec::new();
    loop {
        let firsts = lists.iter().filter_map(|(list, _)| list.first());
        let Some(chunk) = firsts.map(|posting| posting.chunk()).min() else {
            return found;
        };
        for (list, weight) in &mut lists {
            let (of_chunk, later) =
                list.split_at(list.partition_point(|posting| posting.chunk() <= chunk));
            *list = later;
            for posting in of_chunk {
                let at = (posting.ordinal % CHUNK_ORDINALS) as usize;
                if let Some(sum) = chunk_sums.get_mut(at) {
                    *sum += *weight * of(*posting);
                }
            }
        }
        for (sum, offset) in chunk_sums.iter_mut().zip(0..) {
            if *sum > 0.0 {
                found.push((chunk * CHUNK_ORDINALS + offset, std::mem::take(sum)));
            }
        }
    }
}

fn document_frequency(caches: &[PostingsCache], term: &WeightedTerm) -> u64 {
    caches
        .iter()
        .map(|cache| cache.of(&term.term).len() as u64)
        .sum()
}

/// Superseded memories stay in the postings, so a frequency may exceed the number of live ones.
fn idf(stats: ChainStats, frequency: u64) -> f32 {
    let (all, frequency) = (float(stats.memories.max(frequency)), float(frequency));
    ((all - frequency + 0.5) / (frequency + 0.5)).ln_1p()
}

fn saturation(posting: Posting, average: f32) -> f32 {
    let tf = f32::from(posting.tf);
    tf * (K1 + 1.0) / (tf + K1 * (1.0 - B + B * f32::from(posting.terms) / average))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts beyond 2^24 are exact to seven digits, and a score needs no more"
)]
const fn float(count: u64) -> f32 {
    count as f32
}

#[cfg(test)]
mod tests;
