//! Which memories a fetch may return, and how relevant each is.
//!
//! In two stages. The first one scores every passage of the chain by what stands in postings and passages alone; the second
//! one reads the memories of the best passages, and looks at each of them.

mod chain;
mod first;
mod part;

use crate::passages::Passages;
use crate::signal::Query;
use crate::signal::bm25::ChainStats;
use crate::view::Glance;
use crate::{FetchError, QueryVectors, Ranking, ScopeView};
use chain::Chain;
use part::ScopePart;
use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;
use synap_readmodel::{MemoryRow, Snapshot, key};
use synap_types::{FetchRequest, TypeFilter};

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
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Score {
    /// Its place in its scope.
    pub(crate) ordinal: u32,
    /// 0 to 1: per query the share of the chain's best, then the best query. 0 for what no query found.
    pub(crate) relevance: f32,
    /// 0 to 1: how much of a query it, or what stands around it, covers. Comparable between answers.
    pub(crate) absolute: f32,
    /// The queries that found it, a bit for each.
    pub(crate) queries: u64,
    /// Those of them to which it is worth the most: related words let a query find what another asks for.
    pub(crate) best_for: u64,
    /// What made it relevant, by the names of [`Ranking`]: likenesses and traits as they were weighed. Only if asked for.
    pub(crate) parts: Vec<(&'static str, f32)>,
}

impl Score {
    /// Whether the query with this number found it.
    pub(crate) fn is_of(&self, query: usize) -> bool {
        self.queries & query_bit(query) != 0
    }

    /// Whether there is no query to which it is worth more than to this one.
    pub(crate) fn is_best_for(&self, query: usize) -> bool {
        self.best_for & query_bit(query) != 0
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
    /// Those of its passages that took part, and by place the [`Score::absolute`] of those that matched at all, to its best
    /// query.
    passages: Arc<Passages>,
    matched: Vec<Option<f32>>,
    /// The best of them that can be returned, best first.
    pub(crate) ranked: VecDeque<Ranked>,
}

/// A memory that matches, of which no more was read than that takes.
#[derive(Debug)]
pub(crate) struct Ranked {
    /// As in [`Candidate`].
    pub(crate) scope: usize,
    pub(crate) score: Score,
    glance: Glance,
}

impl Ranked {
    /// Reads the rest of it.
    pub(crate) fn read<S: Snapshot>(
        self,
        views: &[ScopeView<'_, S>],
    ) -> Result<Candidate, FetchError> {
        let Self {
            scope,
            score,
            glance,
        } = self;
        let view = views.get(scope).ok_or(FetchError::ForeignRow)?;
        let row = view.decode(score.ordinal, &glance.value)?;
        Ok(Candidate { scope, row, score })
    }
}

impl ScopeCandidates {
    /// Memories of the passages that matched at all.
    pub(crate) fn matched(&self) -> usize {
        let matched = self.matched.iter().enumerate();
        let matched = matched.filter_map(|(place, found)| found.and(self.passages.get(place)));
        matched.map(|passage| usize::from(passage.memories)).sum()
    }

    /// Whether a query found the memory, or one that stands in its passage, with at least this absolute relevance.
    pub(crate) fn has_matched(&self, ordinal: u32, floor: f32) -> bool {
        let place = self.passages.place_of(ordinal);
        let found = place.and_then(|place| *self.matched.get(place)?);
        found.is_some_and(|absolute| absolute >= floor)
    }
}

/// Candidates of every scope of the chain, narrowest first.
pub(crate) fn candidates<S: Snapshot>(
    request: &FetchRequest,
    views: &[ScopeView<'_, S>],
    ranking: &Ranking,
    vectors: Option<&QueryVectors>,
) -> Result<Vec<ScopeCandidates>, FetchError> {
    let mut stats = ChainStats::default();
    let mut found: Vec<ScopeCandidates> = Vec::with_capacity(views.len());
    for view in views {
        let row = view.totals()?;
        stats += row
            .as_ref()
            .map_or_else(ChainStats::default, ChainStats::of);
        found.push(ScopeCandidates {
            known: row.is_some(),
            ..ScopeCandidates::default()
        });
    }
    if request.queries.is_empty() {
        return Ok(found);
    }
    let queries: Vec<Query> = request
        .queries
        .iter()
        .map(|query| Query::of(query, ranking, request))
        .collect();
    let parts = views
        .iter()
        .map(|view| ScopePart::read(view, &queries, vectors))
        .collect::<Result<Vec<_>, _>>()?;
    for (found, part) in found.iter_mut().zip(&parts) {
        found.passages = Arc::clone(&part.passages);
        found.matched = vec![None; part.passages.len()];
    }
    let mut chain = Chain::new(request, views, ranking, stats, vectors, parts);
    let mut merged: Vec<BTreeMap<u32, Score>> = views.iter().map(|_| BTreeMap::new()).collect();
    for (number, query) in queries.iter().enumerate() {
        chain.ask(number, query, &mut found, &mut merged)?;
    }
    for (((scope, found), scores), mut rows) in
        found.iter_mut().enumerate().zip(merged).zip(chain.rows)
    {
        let mut ranked: Vec<Ranked> = scores
            .into_values()
            .filter_map(|score| {
                let glance = rows.remove(&score.ordinal)??;
                Some(Ranked {
                    scope,
                    score,
                    glance,
                })
            })
            .collect();
        ranked.sort_by(|a, b| {
            let by_relevance = b.score.relevance.total_cmp(&a.score.relevance);
            by_relevance.then(b.score.ordinal.cmp(&a.score.ordinal))
        });
        found.ranked = ranked.into();
    }
    Ok(found)
}

/// The newest `most` memories of a scope that are not told already, newest first.
pub(crate) fn newest<S: Snapshot>(
    scope: usize,
    view: &ScopeView<'_, S>,
    types: &TypeFilter,
    is_told: &dyn Fn(u32) -> bool,
    most: usize,
) -> Result<Vec<Candidate>, FetchError> {
    let (mut found, mut looked_at, mut failed) = (Vec::with_capacity(most), 0, None);
    let mut visit = |rest: &[u8], value: &[u8]| {
        looked_at += 1;
        let ordinal = rest
            .try_into()
            .map_or(0, |bytes| !u32::from_be_bytes(bytes));
        if !is_told(ordinal) {
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
    // Newer ones than are asked for would be looked at in vain.
    let end = view.totals()?.map_or(0, |totals| totals.next_ordinal);
    let newest = (!end.saturating_sub(1)).to_be_bytes();
    view.snapshot
        .scan_from(&key::memories(view.hash()), &newest, &mut visit)?;
    failed.map_or(Ok(found), Err)
}
