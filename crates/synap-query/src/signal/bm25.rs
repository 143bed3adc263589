//! Signal: BM25 of passages, over the postings of a chain's scopes.
//!
//! Document frequencies and lengths are those of the whole chain, so that scores of its scopes can be compared. The formula
//! is Robertson and Zaragoza's (2009), with the idf that stays positive. Of a word and those related to it, a passage
//! counts the one that gives most: synonyms are one match, not several.

use super::{Query, float};
use crate::passages::Passages;
use crate::{FetchError, ScopeView};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use synap_readmodel::{Posting, Snapshot, key};

/// Saturation of repetition, and how much length counts: the values of the literature for passages.
pub(crate) const K1: f32 = 1.2;
pub(crate) const B: f32 = 0.75;

/// What the chain's scopes hold together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ChainStats {
    /// Memories that can be told, and their terms.
    pub(crate) memories: u64,
    pub(crate) terms: u64,
    /// Passages that have any of them.
    pub(crate) passages: u64,
}

impl ChainStats {
    /// Average terms of a passage.
    fn average(self) -> f32 {
        (float(self.terms) / float(self.passages.max(1))).max(1.0)
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

/// Postings of one scope, read once per term however many queries use it.
#[derive(Debug, Default)]
pub(crate) struct PostingsCache(BTreeMap<String, Vec<Hit>>);

impl PostingsCache {
    pub(crate) fn load<S: Snapshot>(
        &mut self,
        view: &ScopeView<'_, S>,
        passages: &Passages,
        term: &str,
    ) -> Result<(), FetchError> {
        if self.0.contains_key(term) {
            return Ok(());
        }
        let (mut found, mut from) = (Vec::new(), 0);
        let prefix = key::postings(view.hash(), term);
        view.snapshot.scan(&prefix, &mut |_, chunk| {
            for posting in Posting::read(chunk) {
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
            ControlFlow::Continue(())
        })?;
        self.0.insert(term.to_owned(), found);
        Ok(())
    }

    pub(crate) fn of(&self, term: &str) -> &[Hit] {
        self.0.get(term).map_or(&[], Vec::as_slice)
    }
}

/// BM25 of every passage of one scope, and how much of the query it covers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lexical {
    /// Per passage.
    pub(crate) bm25: Vec<f32>,
    /// Per passage: the share of the query's words that it has, each by its rarity, 0 to 1.
    pub(crate) cover: Vec<f32>,
}

/// One per scope of the chain.
pub(crate) fn passages(
    query: &Query,
    stats: ChainStats,
    scopes: &[Passages],
    caches: &[PostingsCache],
) -> Vec<Lexical> {
    let average = stats.average();
    let idf_of = |term: &str| idf(stats.passages, frequency(caches, term));
    let all: f32 = query
        .words
        .iter()
        .filter_map(|word| word.forms.first())
        .map(|(own, _)| idf_of(own))
        .sum();
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
        let share = idf_of(own) / all.max(f32::MIN_POSITIVE);
        let forms: Vec<(&str, f32, f32)> = word
            .forms
            .iter()
            .map(|(term, weight)| (term.as_str(), *weight, idf_of(term)))
            .collect();
        for ((cache, found), best) in caches.iter().zip(&mut found).zip(&mut best) {
            for (term, weight, idf) in &forms {
                for hit in cache.of(term) {
                    let score = weight * idf * saturation(hit.tf, hit.terms, average);
                    if let Some(entry) = best.get_mut(hit.place).filter(|best| score > best.0) {
                        *entry = (score, *weight);
                    }
                }
            }
            for (term, ..) in &forms {
                for hit in cache.of(term) {
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
pub(crate) fn frequency(caches: &[PostingsCache], term: &str) -> u64 {
    caches.iter().map(|cache| cache.of(term).len() as u64).sum()
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
