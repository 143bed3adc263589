//! The first stage over one scope: every passage that a query, or what stands around it, matches.

use crate::passages::Passages;
use crate::signal::dense::Meant;
use crate::signal::neighbours::neighbours;
use crate::signal::traits::traits;
use crate::signal::{Query, thread};
use crate::{QueryVectors, Ranking};
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use synap_readmodel::{Passage, PassageFlags};

/// How a scope's passages match one query, by place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Likeness<'a> {
    pub(super) bm25: &'a [f32],
    pub(super) threads: &'a [f32],
    pub(super) cover: &'a [f32],
    pub(super) meant: &'a Meant,
}

/// A passage after the first stage, in the order of a heap: the best, and of equals the newest, is the greatest. A total
/// order, so that an answer does not depend on how it was sorted. There is one for every passage that matches: it is small.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    place: u32,
    likeness: f32,
    trait_sum: f32,
    /// See [`super::Score::absolute`].
    pub(super) absolute: f32,
}

impl Hit {
    /// With what the second stage adds to the likeness.
    pub(super) fn score(&self, more: f32) -> f32 {
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

/// One query over the passages of one scope.
#[derive(Debug)]
pub(super) struct FirstStage<'a> {
    passages: &'a Passages,
    query: &'a Query,
    likeness: Likeness<'a>,
    ranking: &'a Ranking,
    vectors: Option<&'a QueryVectors>,
    /// What the signals of meaning count: a vector that was looked up is less exact, and counts for less.
    looked_up: f32,
    /// By place, of the thread, see [`thread::best`].
    best: Vec<f32>,
    best_meant: Vec<f32>,
}

/// The weighted likenesses of a passage, by name.
type Likenesses = [(&'static str, f32); 9];

impl<'a> FirstStage<'a> {
    pub(super) fn new(
        passages: &'a Passages,
        query: &'a Query,
        likeness: Likeness<'a>,
        ranking: &'a Ranking,
        vectors: Option<&'a QueryVectors>,
    ) -> Self {
        let looked_up = match vectors {
            Some(vectors) if vectors.is_looked_up() => ranking.looked_up,
            _ => 1.0,
        };
        Self {
            best: thread::best(passages, likeness.bm25),
            best_meant: thread::best(passages, &likeness.meant.shares),
            passages,
            query,
            likeness,
            ranking,
            vectors,
            looked_up,
        }
    }

    /// All that match. `matched` has, by place, the best absolute relevance to any query.
    pub(super) fn hits(&self, matched: &mut [Option<f32>]) -> BinaryHeap<Hit> {
        let mut hits = Vec::new();
        for (place, known) in (0..).zip(matched) {
            let Some((passage, likenesses)) = self.weighed(place) else {
                continue;
            };
            let traits = traits(self.query, passage, self.passages.newest(), self.ranking);
            let absolute = self.absolute(place);
            *known = Some(known.map_or(absolute, |known| known.max(absolute)));
            hits.push(Hit {
                place,
                likeness: likenesses.iter().map(|(_, weight)| weight).sum(),
                trait_sum: traits.map(|(_, weight)| weight).sum(),
                absolute,
            });
        }
        hits.into()
    }

    /// The passage of a hit.
    pub(super) fn passage(&self, hit: Hit) -> Option<&Passage> {
        self.passages.get(hit.place as usize)
    }

    pub(super) const fn query(&self) -> &Query {
        self.query
    }

    /// What made a hit relevant: likenesses and traits as they were weighed, by the names of [`Ranking`].
    pub(super) fn parts(&self, hit: Hit) -> Vec<(&'static str, f32)> {
        let Some((passage, likenesses)) = self.weighed(hit.place) else {
            return Vec::new();
        };
        let traits = traits(self.query, passage, self.passages.newest(), self.ranking);
        let likenesses = likenesses.into_iter();
        traits
            .chain(likenesses.filter(|(_, weight)| *weight != 0.0))
            .collect()
    }

    /// How the passage matches, if it can be told and it or what stands around it does.
    fn weighed(&self, place: u32) -> Option<(&Passage, Likenesses)> {
        let (passages, ranking, place) = (self.passages, self.ranking, place as usize);
        let Likeness {
            bm25,
            threads,
            meant,
            ..
        } = self.likeness;
        let share = |values: &[f32]| values.get(place).copied().unwrap_or(0.0);
        let own = share(bm25);
        let near = neighbours(passages, bm25, place, ranking);
        let found = own > 0.0 || near.before + near.after > 0.0 || share(&meant.cosines) > 0.0;
        if !found || !passages.is_alive(place) {
            return None;
        }
        let passage = passages.get(place)?;
        let asked = near.asked.and_then(|at| meant.shares.get(at));
        let asked = asked.copied().unwrap_or(0.0);
        let is_turn = passage.flags.has(PassageFlags::TURN);
        let dense = if is_turn {
            ranking.dense_turn
        } else {
            ranking.dense
        };
        let meaning = |weight: f32| self.looked_up * weight;
        let likenesses = [
            ("bm25", ranking.bm25 * own),
            ("before", ranking.before * near.before),
            ("after", ranking.after * near.after),
            ("answer", ranking.answer * near.answer),
            ("thread", ranking.thread * share(threads)),
            ("thread_best", ranking.thread_best * share(&self.best)),
            ("dense", meaning(dense) * share(&meant.shares)),
            ("dense_answer", meaning(ranking.dense_answer) * asked),
            (
                "dense_thread",
                meaning(ranking.dense_thread) * share(&self.best_meant),
            ),
        ];
        Some((passage, likenesses))
    }

    /// How much of the query a passage covers, or what stands around it, or by what it means.
    fn absolute(&self, place: u32) -> f32 {
        /// How much of a neighbour's match counts as the passage's own.
        const NEAR_SHARE: f32 = 0.6;
        let place = place as usize;
        let Likeness { cover, meant, .. } = self.likeness;
        let of = |at: Option<usize>| at.and_then(|at| cover.get(at)).copied().unwrap_or(0.0);
        let near = of(self.passages.before(place)).max(of(self.passages.after(place)));
        let covered = of(Some(place)).max(NEAR_SHARE * near).clamp(0.0, 1.0);
        let cosine = meant.cosines.get(place).copied().unwrap_or(0.0);
        let meaning = self.vectors.map_or(0.0, |vectors| vectors.meaning(cosine));
        covered.max(meaning)
    }
}
