//! The two stages over a chain of scopes, query by query.

use super::first::{FirstStage, Hit, Likeness};
use super::part::ScopePart;
use super::{LOOKED_AT_MAX, ScopeCandidates, Score, query_bit};
use crate::cache::Kept;
use crate::passages::Passages;
use crate::signal::bm25::{self, ChainStats, Lexical, Postings};
use crate::signal::dense::{self, Meant};
use crate::signal::memory::MemorySignals;
use crate::signal::proximity::Pairs;
use crate::signal::statement::Words;
use crate::signal::{Query, float, shares, thread};
use crate::view::Glance;
use crate::{FetchError, QueryVectors, Ranking, ScopeView};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;
use synap_readmodel::Snapshot;
use synap_types::{FetchRequest, TypeFilter};

/// Passages per scope that the second stage looks at, beyond one for each result: room for folding and for surprises.
const PASSAGES_MORE: usize = 16;

/// What is read of a chain's scopes, for all queries.
pub(super) struct Chain<'a, S> {
    request: &'a FetchRequest,
    views: &'a [ScopeView<'a, S>],
    ranking: &'a Ranking,
    stats: ChainStats,
    vectors: Option<&'a QueryVectors>,
    scopes: Vec<Arc<Passages>>,
    postings: Vec<Postings>,
    /// Per scope and query, see [`ScopePart`].
    near: Vec<Vec<BTreeSet<u32>>>,
    kept: Vec<Option<Arc<Kept>>>,
    /// Memories that were looked at, by ordinal; `None` for those that may not be returned.
    pub(super) rows: Vec<BTreeMap<u32, Option<Glance>>>,
}

/// A passage in the second stage.
struct Looked {
    hit: Hit,
    /// What the first stage gave, if that is to be explained.
    parts: Vec<(&'static str, f32)>,
    /// Each memory that may be returned.
    memories: Vec<LookedAt>,
}

/// A memory in the second stage.
#[derive(Debug, Clone, Copy)]
struct LookedAt {
    ordinal: u32,
    /// BM25 of it alone.
    statement: f32,
    proximity: f32,
    signals: MemorySignals,
}

impl<'a, S: Snapshot> Chain<'a, S> {
    pub(super) fn new(
        request: &'a FetchRequest,
        views: &'a [ScopeView<'a, S>],
        ranking: &'a Ranking,
        stats: ChainStats,
        vectors: Option<&'a QueryVectors>,
        parts: Vec<ScopePart>,
    ) -> Self {
        let mut chain = Self {
            request,
            views,
            ranking,
            stats,
            vectors,
            scopes: Vec::new(),
            postings: Vec::new(),
            near: Vec::new(),
            kept: Vec::new(),
            rows: Vec::new(),
        };
        for (view, part) in views.iter().zip(parts) {
            let rows = part.rows.into_iter();
            let rows = rows.map(|(at, glance)| (at, wanted(glance, view, &request.types)));
            chain.rows.push(rows.collect());
            chain.scopes.push(part.passages);
            chain.postings.push(part.postings);
            chain.near.push(part.near);
            chain.kept.push(part.kept);
        }
        chain
    }

    /// Scores of one query, merged into those of the queries before it.
    pub(super) fn ask(
        &mut self,
        number: usize,
        query: &Query,
        found: &mut [ScopeCandidates],
        merged: &mut [BTreeMap<u32, Score>],
    ) -> Result<(), FetchError> {
        let mut lexical = bm25::passages(query, self.stats, &self.scopes, &self.postings);
        let mut scores: Vec<Vec<f32>> = lexical
            .iter_mut()
            .map(|lexical| std::mem::take(&mut lexical.bm25))
            .collect();
        shares(&mut scores);
        let mut threads = thread::threads(query, &self.scopes, &self.postings);
        shares(&mut threads);
        let meant = self.meant(number, &scores)?;
        let words = Words::of(query, self.stats, &self.postings);
        let pairs = Pairs::of(&query.sequence);
        let mut looked = Vec::with_capacity(self.scopes.len());
        for (at, found) in found.iter_mut().enumerate() {
            let lexical = scores.get(at).zip(threads.get(at)).zip(lexical.get(at));
            let (Some(((bm25, threads), Lexical { cover, .. })), Some(meant), Some(passages)) =
                (lexical, meant.get(at), self.scopes.get(at))
            else {
                continue;
            };
            let passages = Arc::clone(passages);
            let likeness = Likeness {
                bm25,
                threads,
                cover,
                meant,
            };
            let first = FirstStage::new(&passages, query, likeness, self.ranking, self.vectors);
            let hits = first.hits(&mut found.matched);
            looked.push(self.look(at, &first, hits, &words, &pairs)?);
        }
        self.merge(number, looked, merged);
        Ok(())
    }

    /// How every scope's passages mean what one query asks.
    fn meant(&self, number: usize, bm25: &[Vec<f32>]) -> Result<Vec<Meant>, FetchError> {
        let Some(vectors) = self.vectors else {
            return Ok(self.scopes.iter().map(|_| Meant::default()).collect());
        };
        let near = self.near.iter().map(|near| near.get(number));
        let kept = self.kept.iter().map(Option::as_deref);
        let views = self.views.iter().zip(kept);
        dense::score(views, vectors, number, &self.scopes, near, bm25)
    }

    /// The second stage: the memories of the best passages.
    fn look(
        &mut self,
        scope: usize,
        first: &FirstStage<'_>,
        mut hits: BinaryHeap<Hit>,
        words: &Words,
        pairs: &Pairs,
    ) -> Result<Vec<Looked>, FetchError> {
        let (Some(view), Some(rows)) = (self.views.get(scope), self.rows.get_mut(scope)) else {
            return Ok(Vec::new());
        };
        let most = self.request.max_results + PASSAGES_MORE;
        let (mut looked, mut looked_at) = (Vec::with_capacity(most), 0);
        loop {
            // As many as are wanted yet are read at once.
            let (mut round, mut unknown) = (Vec::new(), Vec::new());
            while looked.len() + round.len() < most && looked_at < LOOKED_AT_MAX {
                let Some(hit) = hits.pop() else {
                    break;
                };
                let Some(passage) = first.passage(hit) else {
                    continue;
                };
                let end = passage.ordinal.saturating_add(passage.memories.into());
                let ordinals = passage.ordinal..end;
                unknown.extend(ordinals.clone().filter(|at| !rows.contains_key(at)));
                looked_at += ordinals.len();
                round.push((hit, ordinals));
            }
            if round.is_empty() {
                return Ok(looked);
            }
            let glances = view.glances(&unknown)?;
            for (ordinal, glance) in unknown.into_iter().zip(glances) {
                rows.insert(ordinal, wanted(glance, view, &self.request.types));
            }
            for (hit, ordinals) in round {
                let known = rows.range(ordinals).filter_map(|(at, glance)| {
                    let head = &glance.as_ref()?.head;
                    Some(LookedAt {
                        ordinal: *at,
                        statement: words.score(&head.sequence),
                        proximity: pairs.share(&head.sequence),
                        signals: MemorySignals::of(head, first.query()),
                    })
                });
                let memories: Vec<LookedAt> = known.collect();
                if !memories.is_empty() {
                    let parts = if self.request.explain {
                        first.parts(hit)
                    } else {
                        Vec::new()
                    };
                    looked.push(Looked {
                        hit,
                        parts,
                        memories,
                    });
                }
            }
        }
    }

    /// Weighs both stages, as shares of the chain's best, and keeps of each memory its best query.
    fn merge(&self, number: usize, looked: Vec<Vec<Looked>>, merged: &mut [BTreeMap<u32, Score>]) {
        let ranking = self.ranking;
        let all = || looked.iter().flatten().flat_map(|looked| &looked.memories);
        let best_of = |of: fn(&LookedAt) -> f32| all().map(of).fold(f32::MIN_POSITIVE, f32::max);
        let statement = best_of(|memory| memory.statement);
        let worth = |memory: &LookedAt| {
            ranking.statement * memory.statement / statement
                + ranking.proximity * memory.proximity
                + memory
                    .signals
                    .weighed(ranking)
                    .map(|(_, weight)| weight)
                    .sum::<f32>()
        };
        let most = |looked: &Looked| looked.memories.iter().map(worth).fold(0.0, f32::max);
        let whole = |looked: &Looked| looked.hit.score(most(looked));
        let scores = looked.iter().flatten().map(whole);
        let best = scores.fold(f32::MIN_POSITIVE, f32::max);
        for (looked, merged) in looked.into_iter().zip(merged) {
            for passage in looked {
                let (score, most) = (whole(&passage), most(&passage));
                let mut memories: Vec<&LookedAt> = passage.memories.iter().collect();
                memories.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
                for (better, memory) in (0..).zip(memories) {
                    // What matches less than the passage's best stands behind other passages' best.
                    let share = if most > 0.0 {
                        worth(memory) / most
                    } else {
                        1.0
                    };
                    let again = 1.0 + ranking.again * float(better);
                    let relevance = score / best * (1.0 - ranking.beside * (1.0 - share)) / again;
                    let mut parts = passage.parts.clone();
                    if self.request.explain {
                        parts.push((
                            "statement",
                            ranking.statement * memory.statement / statement,
                        ));
                        parts.push(("proximity", ranking.proximity * memory.proximity));
                        parts.extend(memory.signals.weighed(ranking));
                    }
                    let score = Score {
                        ordinal: memory.ordinal,
                        relevance: relevance.clamp(0.0, 1.0),
                        absolute: passage.hit.absolute,
                        queries: query_bit(number),
                        best_for: query_bit(number),
                        parts,
                    };
                    keep(merged, score);
                }
            }
        }
    }
}

/// The memory, if a fetch may return it and asks for its type.
fn wanted<S: Snapshot>(
    glance: Option<Glance>,
    view: &ScopeView<'_, S>,
    types: &TypeFilter,
) -> Option<Glance> {
    glance.filter(|Glance { head, .. }| {
        view.tells_of(&head.source, head.created_seq, head.ended_seq) && types.accepts(head.kind)
    })
}

/// Of a memory that several queries found, the better score counts.
fn keep(merged: &mut BTreeMap<u32, Score>, mut score: Score) {
    if let Some(known) = merged.remove(&score.ordinal) {
        let (queries, absolute) = (
            known.queries | score.queries,
            known.absolute.max(score.absolute),
        );
        match known.relevance.total_cmp(&score.relevance) {
            Ordering::Less => {}
            Ordering::Equal => {
                score = Score {
                    best_for: known.best_for | score.best_for,
                    ..known
                };
            }
            Ordering::Greater => score = known,
        }
        (score.queries, score.absolute) = (queries, absolute);
    }
    merged.insert(score.ordinal, score);
}
