//! Signal: BM25 of passages, over the postings of a chain's scopes.
//!
//! Document frequencies and lengths are those of the whole chain, so that scores of its scopes can be compared. The formula
//! is Robertson and Zaragoza's (2009), with the idf that stays positive. Of a word and those related to it, a passage
//! counts the one that gives most: synonyms are one match, not several.

use super::{Query, float};
use crate::cache::Kept;
use crate::passages::Passages;
use crate::{FetchError, ScopeView};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::AddAssign;
use std::sync::Arc;
use synap_readmodel::{CHUNK_ORDINALS, Posting, Snapshot, TF_MAX, Totals, key};
use synap_text::term_hash;

/// Saturation of repetition, and how much length counts: the values of the literature for passages.
pub(crate) const K1: f32 = 1.2;
pub(crate) const B: f32 = 0.75;

/// What the chain's scopes hold together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ChainStats {
    /// Memories that can be told, and their terms.
    pub(crate) memories: u64,
    pub(crate) terms: u64,
    /// Passages that have any of them, and theirs.
    pub(crate) passages: u64,
    pub(crate) passage_terms: u64,
}

impl AddAssign for ChainStats {
    fn add_assign(&mut self, other: Self) {
        self.memories += other.memories;
        self.terms += other.terms;
        self.passages += other.passages;
        self.passage_terms += other.passage_terms;
    }
}

impl ChainStats {
    /// Of one scope.
    pub(crate) fn of(row: &Totals) -> Self {
        Self {
            memories: row.live.into(),
            terms: row.live_terms,
            passages: row.live_passages.into(),
            passage_terms: row.live_passage_terms,
        }
    }

    /// Average terms of a passage.
    pub(crate) fn average(self) -> f32 {
        (float(self.passage_terms) / float(self.passages.max(1))).max(1.0)
    }

    /// Average terms of a memory.
    pub(crate) fn average_of_memories(self) -> f32 {
        (float(self.terms) / float(self.memories.max(1))).max(1.0)
    }
}

/// One passage in a term's postings: where it stands among the scope's passages, and how often it has the term.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    pub(crate) place: usize,
    pub(crate) tf: u16,
    pub(crate) terms: u16,
}

/// Where the terms of a fetch occur in one scope.
#[derive(Debug, Default)]
pub(crate) struct Postings {
    /// By term: the passages that take part and have it, in order.
    hits: BTreeMap<String, Arc<[Hit]>>,
    /// By term, how many passages of the scope have it, where `hits` has only some of them.
    frequencies: BTreeMap<String, u64>,
}

impl Postings {
    /// Of a scope of which every passage takes part.
    pub(crate) fn of_all<'q, S: Snapshot>(
        view: &ScopeView<'_, S>,
        passages: &Passages,
        totals: &Totals,
        terms: impl Iterator<Item = &'q str>,
        kept: Option<&Kept>,
    ) -> Result<Self, FetchError> {
        let mut terms: BTreeSet<&str> = terms.collect();
        let mut hits = BTreeMap::new();
        if let Some(kept) = kept {
            terms.retain(|term| {
                let known = kept.term(term);
                let is_unknown = known.is_none();
                hits.extend(known.map(|known| ((*term).to_owned(), known)));
                is_unknown
            });
        }
        let chunks =
            totals.first_ordinal / CHUNK_ORDINALS..totals.next_ordinal.div_ceil(CHUNK_ORDINALS);
        let of_term = |term: &&str| {
            let term = (*term).to_owned();
            chunks
                .clone()
                .map(move |chunk| key::posting_chunk(view.hash(), &term, chunk))
        };
        let keys: Vec<_> = terms.iter().flat_map(of_term).collect();
        let mut values = view.snapshot.get_many(&keys)?.into_iter();
        for term in terms {
            let (mut found, mut from) = (Vec::new(), 0);
            for (chunk, value) in chunks.clone().zip(&mut values) {
                for posting in Posting::read(chunk, &value.unwrap_or_default()) {
                    let Some(place) = passages.place_from(from, posting.ordinal) else {
                        continue;
                    };
                    from = place;
                    if passages.is_alive(place) {
                        found.push(Hit {
                            place,
                            tf: posting.tf,
                            terms: posting.terms,
                        });
                    }
                }
            }
            let found: Arc<[Hit]> = found.into();
            if let Some(kept) = kept {
                kept.keep(term, Arc::clone(&found));
            }
            hits.insert(term.to_owned(), found);
        }
        Ok(Self {
            hits,
            frequencies: BTreeMap::new(),
        })
    }

    /// Of a scope of which some passages take part: `found` has the hashes of each one's terms, in order of places.
    /// `frequency` is of the whole scope.
    pub(crate) fn of_some<'q>(
        found: &[(usize, Vec<u16>)],
        terms: impl Iterator<Item = &'q str>,
        frequency: impl Fn(&str) -> u64,
    ) -> Self {
        let mut all: BTreeMap<String, Vec<Hit>> = BTreeMap::new();
        let names: HashMap<u16, &str> = terms.map(|term| (term_hash(term), term)).collect();
        for (place, hashes) in found {
            let length = u16::try_from(hashes.len()).unwrap_or(u16::MAX);
            let mut counts: BTreeMap<&str, u16> = BTreeMap::new();
            for term in hashes.iter().filter_map(|hash| names.get(hash)) {
                let count = counts.entry(term).or_default();
                *count = count.saturating_add(1);
            }
            for (term, tf) in counts {
                let hits = all.entry(term.to_owned()).or_default();
                hits.push(Hit {
                    place: *place,
                    tf: tf.min(TF_MAX),
                    terms: length,
                });
            }
        }
        let hits = all.into_iter();
        let frequencies = names.into_values();
        Self {
            hits: hits.map(|(term, hits)| (term, hits.into())).collect(),
            frequencies: frequencies
                .map(|term| (term.to_owned(), frequency(term)))
                .collect(),
        }
    }

    /// The passages that take part and have the term, in order.
    pub(crate) fn of(&self, term: &str) -> &[Hit] {
        self.hits.get(term).map_or(&[], |hits| hits)
    }

    /// Passages of the scope that have the term.
    fn frequency(&self, term: &str) -> u64 {
        let known = self.frequencies.get(term).copied();
        known.unwrap_or_else(|| self.of(term).len() as u64)
    }
}

/// BM25 of every passage of one scope, and how much of the query it covers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lexical {
    /// Per passage.
    pub(crate) bm25: Vec<f32>,
    /// Per passage: the share that it has of the query's words, each by its rarity, of the [`TELLING_WORDS`] rarest; may
    /// exceed 1.
    pub(crate) cover: Vec<f32>,
}

/// Words of a query that one passage can be expected to answer.
///
/// Judgement: without a bound, a long question would ask of every passage that it has all of its words.
const TELLING_WORDS: usize = 6;
/// What a word counts for in [`Lexical::cover`] however common it is, as a share of what the rarest counts for.
///
/// Judgement: where everything is about one thing, its name is everywhere, and asking for it is no noise.
const COMMON_SHARE: f32 = 0.1;

/// One per scope of the chain.
pub(crate) fn passages(
    query: &Query,
    stats: ChainStats,
    scopes: &[Arc<Passages>],
    postings: &[Postings],
) -> Vec<Lexical> {
    let average = stats.average();
    let idf_of = |term: &str| idf(stats.passages, frequency(postings, term));
    let worth = |term: &str| COMMON_SHARE * idf(stats.passages, 1) + idf_of(term);
    let own = query.words.iter().filter_map(|word| word.forms.first());
    let mut asked: Vec<f32> = own.map(|(own, _)| worth(own)).collect();
    asked.sort_unstable_by(|a, b| b.total_cmp(a));
    let asked: f32 = asked.iter().take(TELLING_WORDS).sum();
    let mut found: Vec<Lexical> = scopes
        .iter()
        .map(|scope| Lexical {
            bm25: vec![0.0; scope.len()],
            cover: vec![0.0; scope.len()],
        })
        .collect();
    // By place, for one word: the best form's score, and its weight.
    let mut best: Vec<Vec<(f32, f32)>> = scopes
        .iter()
        .map(|scope| vec![(0.0, 0.0); scope.len()])
        .collect();
    for word in &query.words {
        let Some((own, _)) = word.forms.first() else {
            continue;
        };
        let share = worth(own) / asked.max(f32::MIN_POSITIVE);
        let forms: Vec<(&str, f32, f32)> = word
            .forms
            .iter()
            .map(|(term, weight)| (term.as_str(), *weight, idf_of(term)))
            .collect();
        for ((postings, found), best) in postings.iter().zip(&mut found).zip(&mut best) {
            for (term, weight, idf) in &forms {
                for hit in postings.of(term) {
                    let score = weight * idf * saturation(hit.tf, hit.terms, average);
                    if let Some(entry) = best.get_mut(hit.place).filter(|best| score > best.0) {
                        *entry = (score, *weight);
                    }
                }
            }
            for (term, ..) in &forms {
                for hit in postings.of(term) {
                    let (score, weight) = best
                        .get_mut(hit.place)
                        .map(std::mem::take)
                        .unwrap_or_default();
                    if let Some(sum) = found.bm25.get_mut(hit.place) {
                        *sum += score;
                    }
                    if let Some(sum) = found.cover.get_mut(hit.place) {
                        *sum += share * weight;
                    }
                }
            }
        }
    }
    found
}

/// Passages of the chain that have the term.
pub(crate) fn frequency(postings: &[Postings], term: &str) -> u64 {
    postings.iter().map(|scope| scope.frequency(term)).sum()
}

/// How telling a word is that `frequency` of `all` have.
pub(crate) fn idf(all: u64, frequency: u64) -> f32 {
    let (all, frequency) = (float(all.max(frequency)), float(frequency));
    ((all - frequency + 0.5) / (frequency + 0.5)).ln_1p()
}

/// What repetition is worth in a text of `terms` terms where `average` is usual.
pub(crate) fn saturation(tf: u16, terms: u16, average: f32) -> f32 {
    let tf = f32::from(tf);
    tf * (K1 + 1.0) / (tf + K1 * (1.0 - B + B * f32::from(terms) / average))
}

#[cfg(test)]
mod tests;
