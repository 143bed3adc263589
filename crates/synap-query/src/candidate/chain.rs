//! The two stages over a chain of scopes, query by query.

use super::part::ScopePart;
use super::{LOOKED_AT_MAX, Matched, ScopeCandidates, Score, query_bit};
use crate::passages::Passages;
use crate::signal::bm25::{self, ChainStats, Lexical, Postings};
use crate::signal::dense::{self, Meant};
use crate::signal::neighbours::neighbours;
use crate::signal::proximity::Pairs;
use crate::signal::statement::Words;
use crate::signal::traits::traits;
use crate::signal::{Query, float, shares, thread};
use crate::view::Glance;
use crate::{FetchError, QueryVectors, Ranking, ScopeView};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;
use synap_readmodel::{Passage, PassageFlags, Snapshot};
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
    /// What the signals of meaning count: a vector that was looked up is less exact, and counts for less.
    looked_up: f32,
    scopes: Vec<Arc<Passages>>,
    postings: Vec<Postings>,
    /// Per scope and query, see [`ScopePart`].
    near: Vec<Vec<BTreeSet<u32>>>,
    /// Memories that were looked at, by ordinal; `None` for those that may not be returned.
    pub(super) rows: Vec<BTreeMap<u32, Option<Glance>>>,
}

/// How a scope's passages match one query, by place.
#[derive(Debug, Clone, Copy)]
struct Likeness<'a> {
    bm25: &'a [f32],
    threads: &'a [f32],
    cover: &'a [f32],
    meant: &'a Meant,
}

/// A passage after the first stage, in the order of a heap: the best, and of equals the newest, is the greatest. A total
/// order, so that an answer does not depend on how it was sorted.
#[derive(Debug, Clone)]
struct Hit {
    place: usize,
    likeness: f32,
    trait_sum: f32,
    absolute: f32,
    parts: Vec<(&'static str, f32)>,
}

impl Hit {
    /// With what the second stage adds to the likeness.
    fn score(&self, more: f32) -> f32 {
        (self.likeness + more) * (1.0 + self.trait_sum).max(0.0)
    }
}

impl Ord for Hit {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_score = self.score(0.0).total_cmp(&other.score(0.0));
        by_score.then(self.place.cmp(&other.place))
    }
}

impl PartialOrd for Hit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Hit {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Hit {}

/// A passage in the second stage.
struct Looked {
    hit: Hit,
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
        let looked_up = match vectors {
            Some(vectors) if vectors.is_looked_up() => ranking.looked_up,
            _ => 1.0,
        };
        let mut chain = Self {
            looked_up,
            request,
            views,
            ranking,
            stats,
            vectors,
            scopes: Vec::new(),
            postings: Vec::new(),
            near: Vec::new(),
            rows: Vec::new(),
        };
        for (view, part) in views.iter().zip(parts) {
            let rows = part.rows.into_iter();
            let rows = rows.map(|(at, glance)| (at, wanted(glance, view, &request.types)));
            chain.rows.push(rows.collect());
            chain.scopes.push(part.passages);
            chain.postings.push(part.postings);
            chain.near.push(part.near);
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
            let (Some(((bm25, threads), Lexical { cover, .. })), Some(meant)) =
                (lexical, meant.get(at))
            else {
                continue;
            };
            let likeness = Likeness {
                bm25,
                threads,
                cover,
                meant,
            };
            let hits = self.hits(at, query, likeness, &mut found.matched);
            looked.push(self.look(at, hits, &words, &pairs)?);
        }
        self.merge(number, looked, merged);
        Ok(())
    }

    /// The weight of a passage's own meaning.
    fn dense(&self, passage: &Passage) -> f32 {
        let ranking = self.ranking;
        let is_turn = passage.flags.has(PassageFlags::TURN);
        self.looked_up
            * if is_turn {
                ranking.dense_turn
            } else {
                ranking.dense
            }
    }

    /// What a cosine counts for, see [`QueryVectors::meaning`].
    fn meaning(&self, cosine: f32) -> f32 {
        let vectors = self.vectors;
        vectors.map_or(0.0, |vectors| vectors.meaning(cosine))
    }

    /// How every scope's passages mean what one query asks.
    fn meant(&self, number: usize, bm25: &[Vec<f32>]) -> Result<Vec<Meant>, FetchError> {
        let Some(vectors) = self.vectors else {
            return Ok(self.scopes.iter().map(|_| Meant::default()).collect());
        };
        let near = self.near.iter().map(|near| near.get(number));
        dense::score(self.views, vectors, number, &self.scopes, near, bm25)
    }

    /// The first stage: every passage of a scope that the query, or what stands around it, matches.
    fn hits(
        &self,
        scope: usize,
        query: &Query,
        likeness: Likeness<'_>,
        matched: &mut BTreeMap<u32, Matched>,
    ) -> BinaryHeap<Hit> {
        let Some(passages) = self.scopes.get(scope) else {
            return BinaryHeap::new();
        };
        let ranking = self.ranking;
        let Likeness {
            bm25,
            threads,
            cover,
            meant,
        } = likeness;
        let best = thread::best(passages, bm25);
        let best_meant = thread::best(passages, &meant.shares);
        let dense_thread = self.looked_up * ranking.dense_thread;
        let dense_answer = self.looked_up * ranking.dense_answer;
        let newest = passages.newest();
        let mut hits = Vec::new();
        for (place, own) in bm25.iter().enumerate() {
            let near = neighbours(passages, bm25, place, ranking);
            let share = |values: &[f32]| values.get(place).copied().unwrap_or(0.0);
            let asked = near.asked.and_then(|at| meant.shares.get(at));
            let asked = asked.copied().unwrap_or(0.0);
            let cosine = share(&meant.cosines);
            let found = *own > 0.0 || near.before + near.after > 0.0 || cosine > 0.0;
            if !found || !passages.is_alive(place) {
                continue;
            }
            let Some(passage) = passages.get(place) else {
                continue;
            };
            let likenesses = [
                ("bm25", ranking.bm25 * own),
                ("before", ranking.before * near.before),
                ("after", ranking.after * near.after),
                ("answer", ranking.answer * near.answer),
                ("thread", ranking.thread * share(threads)),
                ("thread_best", ranking.thread_best * share(&best)),
                ("dense", self.dense(passage) * share(&meant.shares)),
                ("dense_answer", dense_answer * asked),
                ("dense_thread", dense_thread * share(&best_meant)),
            ];
            let mut parts = Vec::new();
            let trait_sum = traits(query, passage, newest, ranking)
                .inspect(|part| {
                    if self.request.explain {
                        parts.push(*part);
                    }
                })
                .map(|(_, weight)| weight)
                .sum();
            if self.request.explain {
                parts.extend(likenesses.iter().filter(|(_, weight)| *weight != 0.0));
            }
            let absolute = covered(passages, cover, place).max(self.meaning(cosine));
            let known = matched.entry(passage.ordinal).or_insert(Matched {
                memories: passage.memories,
                absolute,
            });
            known.absolute = known.absolute.max(absolute);
            hits.push(Hit {
                place,
                likeness: likenesses.iter().map(|(_, weight)| weight).sum(),
                trait_sum,
                absolute,
                parts,
            });
        }
        hits.into()
    }

    /// The second stage: the memories of the best passages.
    fn look(
        &mut self,
        scope: usize,
        mut hits: BinaryHeap<Hit>,
        words: &Words,
        pairs: &Pairs,
    ) -> Result<Vec<Looked>, FetchError> {
        let (Some(view), Some(passages), Some(rows)) = (
            self.views.get(scope),
            self.scopes.get(scope),
            self.rows.get_mut(scope),
        ) else {
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
                let Some(passage) = passages.get(hit.place) else {
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
                    let sequence = &glance.as_ref()?.head.sequence;
                    Some(LookedAt {
                        ordinal: *at,
                        statement: words.score(sequence),
                        proximity: pairs.share(sequence),
                    })
                });
                let memories: Vec<LookedAt> = known.collect();
                if !memories.is_empty() {
                    looked.push(Looked { hit, memories });
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
            ranking.statement * memory.statement / statement + ranking.proximity * memory.proximity
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
                    let mut parts = passage.hit.parts.clone();
                    if self.request.explain {
                        parts.push((
                            "statement",
                            ranking.statement * memory.statement / statement,
                        ));
                        parts.push(("proximity", ranking.proximity * memory.proximity));
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

/// How much of a neighbour's match counts as the passage's own, in [`Score::absolute`].
const NEAR_SHARE: f32 = 0.6;

/// How much of the query a passage covers, or what stands around it.
fn covered(passages: &Passages, cover: &[f32], place: usize) -> f32 {
    let of = |at: Option<usize>| at.and_then(|at| cover.get(at)).copied().unwrap_or(0.0);
    let near = of(passages.before(place)).max(of(passages.after(place)));
    of(Some(place)).max(NEAR_SHARE * near).clamp(0.0, 1.0)
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
