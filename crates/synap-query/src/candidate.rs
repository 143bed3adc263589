//! Which memories a fetch may return, and how relevant each is.

use crate::signal::bm25::{self, ChainStats, PostingsCache};
use crate::signal::{dense, weighted_terms};
use crate::{FetchError, QueryVectors, ScopeView};
use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::ops::ControlFlow;
use synap_readmodel::{MemoryRow, Snapshot, key};
use synap_types::{FetchRequest, TypeFilter};

/// Candidates per scope for each result that is asked for: room for folding and for the types asked for.
const PER_RESULT: usize = 3;
/// Candidates per scope at least and at most.
const PER_SCOPE: (usize, usize) = (48, 1_500);
/// Rows of one scope that one pass looks at: the best matches, then the newest memories. A fetch that could return none
/// of these (superseded, or of other types than are asked for) does not search a scope of a million for one that it could.
const LOOKED_AT_MAX: usize = 4_096;

/// A memory that may be returned.
#[derive(Debug)]
pub(crate) struct Candidate {
    /// Where its scope stands in the chain, 0 for the narrowest.
    pub(crate) scope: usize,
    /// The memory.
    pub(crate) row: MemoryRow,
    /// How it matches; its ordinal is higher for newer memories.
    pub(crate) score: Score,
}

/// How well a memory matches the queries.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Score {
    /// Its place in its scope.
    pub(crate) ordinal: u32,
    /// 0 to 1: per query the share of the chain's best, then the best query. 0 for what no query found.
    pub(crate) relevance: f32,
    /// BM25 of the best query, as it came out.
    pub(crate) bm25: f32,
    /// Cosine to the best query, if a model was asked.
    pub(crate) cosine: f32,
    /// The queries that found it, a bit for each.
    pub(crate) queries: u64,
}

impl Score {
    /// Whether the query with this number found it.
    pub(crate) fn is_of(&self, query: usize) -> bool {
        self.queries & query_bit(query) != 0
    }
}

fn query_bit(query: usize) -> u64 {
    u32::try_from(query)
        .ok()
        .and_then(|shift| 1_u64.checked_shl(shift))
        .unwrap_or(0)
}

/// What one scope has to offer.
#[derive(Debug, Default)]
pub(crate) struct ScopeCandidates {
    /// Whether anything was ever stored there.
    pub(crate) known: bool,
    /// Every memory that matched at all, superseded ones too, by ordinal.
    pub(crate) matched: Vec<Score>,
    /// The best of them that can be returned, best first.
    pub(crate) ranked: VecDeque<Candidate>,
}

/// Candidates of every scope of the chain, narrowest first.
pub(crate) fn candidates<S: Snapshot>(
    request: &FetchRequest,
    views: &[ScopeView<'_, S>],
    vectors: Option<&QueryVectors>,
) -> Result<Vec<ScopeCandidates>, FetchError> {
    let mut stats = ChainStats::default();
    let mut found: Vec<ScopeCandidates> = Vec::with_capacity(views.len());
    for view in views {
        let row = view.stats()?;
        stats.memories += row.as_ref().map_or(0, |row| u64::from(row.live));
        stats.terms += row.as_ref().map_or(0, |row| row.live_terms);
        found.push(ScopeCandidates {
            known: row.is_some(),
            ..ScopeCandidates::default()
        });
    }
    matches(request, views, (stats, vectors), &mut found)?;
    let most = (request.max_results * PER_RESULT).clamp(PER_SCOPE.0, PER_SCOPE.1);
    for ((number, view), found) in views.iter().enumerate().zip(&mut found) {
        found.ranked = best(number, view, &request.types, &found.matched, most)?;
    }
    Ok(found)
}

/// Fills in the matches of all queries.
fn matches<S: Snapshot>(
    request: &FetchRequest,
    views: &[ScopeView<'_, S>],
    (stats, vectors): (ChainStats, Option<&QueryVectors>),
    found: &mut [ScopeCandidates],
) -> Result<(), FetchError> {
    let mut caches: Vec<PostingsCache> = views.iter().map(|_| PostingsCache::default()).collect();
    for (number, query) in request.queries.iter().enumerate() {
        let by_scope = bm25::score(views, &mut caches, stats, &weighted_terms(query))?;
        let best = best_score(&by_scope);
        let cosines = vectors.map(|vectors| dense::score(views, vectors, number, &by_scope));
        let cosines = cosines.transpose()?;
        for (at, (scores, found)) in by_scope.into_iter().zip(&mut *found).enumerate() {
            let scores = scores.into_iter().map(|(ordinal, bm25)| Score {
                ordinal,
                relevance: bm25 / best,
                bm25,
                queries: query_bit(number),
                ..Score::default()
            });
            let scores = match &cosines {
                Some(cosines) => {
                    let of_scope = cosines.get(at).map_or(&[][..], Vec::as_slice);
                    fused(scores, of_scope, best_score(cosines), query_bit(number))
                }
                None => scores.collect(),
            };
            found.matched = merge(std::mem::take(&mut found.matched), scores.into_iter());
        }
    }
    Ok(())
}

fn best_score(by_scope: &[Vec<(u32, f32)>]) -> f32 {
    let scores = by_scope.iter().flatten().map(|(_, score)| *score);
    scores.fold(f32::MIN_POSITIVE, f32::max)
}

/// Words and meaning in equal shares, each as its share of the chain's best; by ordinal.
fn fused(
    words: impl Iterator<Item = Score>,
    cosines: &[(u32, f32)],
    best: f32,
    query: u64,
) -> Vec<Score> {
    let mut fused: Vec<Score> = Vec::new();
    let mut words = words.peekable();
    let half = |mut score: Score| {
        score.relevance *= 0.5;
        score
    };
    for (ordinal, cosine) in cosines {
        while let Some(before) = words.next_if(|word| word.ordinal < *ordinal) {
            fused.push(half(before));
        }
        let word = words.next_if(|word| word.ordinal == *ordinal);
        let mut score = half(word.unwrap_or_else(|| Score {
            ordinal: *ordinal,
            queries: query,
            ..Score::default()
        }));
        score.relevance += 0.5 * cosine / best;
        score.cosine = *cosine;
        fused.push(score);
    }
    fused.extend(words.map(half));
    fused
}

/// Both lists in one, by ordinal. Of a memory in both, the better score counts.
fn merge(known: Vec<Score>, more: impl ExactSizeIterator<Item = Score>) -> Vec<Score> {
    if known.is_empty() {
        return more.collect();
    }
    let mut merged = Vec::with_capacity(known.len() + more.len());
    let mut known = known.into_iter().peekable();
    for mut score in more {
        while let Some(before) = known.next_if(|other| other.ordinal < score.ordinal) {
            merged.push(before);
        }
        if let Some(other) = known.next_if(|other| other.ordinal == score.ordinal) {
            let queries = other.queries | score.queries;
            if other.relevance >= score.relevance {
                score = other;
            }
            score.queries = queries;
        }
        merged.push(score);
    }
    merged.extend(known);
    merged
}

/// A match in the order of a heap: the most relevant, and of equals the newest, is the greatest. A total order, so that
/// an answer does not depend on how it was sorted.
struct ByRelevance<'a>(&'a Score);

impl Ord for ByRelevance<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_relevance = self.0.relevance.total_cmp(&other.0.relevance);
        by_relevance.then(self.0.ordinal.cmp(&other.0.ordinal))
    }
}

impl PartialOrd for ByRelevance<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByRelevance<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for ByRelevance<'_> {}

/// The best `most` memories that can be returned: alive, and of a type that is wanted.
fn best<S: Snapshot>(
    scope: usize,
    view: &ScopeView<'_, S>,
    types: &TypeFilter,
    matched: &[Score],
    most: usize,
) -> Result<VecDeque<Candidate>, FetchError> {
    // A heap is made in linear time, and only as much of it is sorted as is looked at.
    let mut heap: BinaryHeap<ByRelevance<'_>> = matched.iter().map(ByRelevance).collect();
    let mut found = VecDeque::with_capacity(most.min(heap.len()));
    for _ in 0..LOOKED_AT_MAX {
        let Some(ByRelevance(hit)) = heap.pop().filter(|_| found.len() < most) else {
            break;
        };
        let row = view.memory(hit.ordinal)?;
        if let Some(row) = row.filter(|row| view.tells(row) && types.accepts(row.kind)) {
            found.push_back(Candidate {
                scope,
                row,
                score: *hit,
            });
        }
    }
    Ok(found)
}

/// The newest `most` memories that no query found, newest first. `matched` is what they found, by ordinal.
pub(crate) fn newest<S: Snapshot>(
    scope: usize,
    view: &ScopeView<'_, S>,
    types: &TypeFilter,
    matched: &[Score],
    most: usize,
) -> Result<Vec<Candidate>, FetchError> {
    let (mut found, mut looked_at, mut failed) = (Vec::with_capacity(most), 0, None);
    let mut visit = |rest: &[u8], value: &[u8]| {
        looked_at += 1;
        let ordinal = rest
            .try_into()
            .map_or(0, |bytes| !u32::from_be_bytes(bytes));
        let is_match = matched.binary_search_by_key(&ordinal, |score| score.ordinal);
        if is_match.is_err() {
            match view.decode(ordinal, value) {
                Ok(row) if view.tells(&row) && types.accepts(row.kind) => {
                    found.push(Candidate {
                        scope,
                        row,
                        score: Score {
                            ordinal,
                            ..Score::default()
                        },
                    });
                }
                Ok(_) => {}
                Err(e) => failed = Some(e),
            }
        }
        if failed.is_some() || found.len() >= most || looked_at >= LOOKED_AT_MAX {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    view.snapshot
        .scan(&key::memories(view.hash()), &mut visit)?;
    failed.map_or(Ok(found), Err)
}
