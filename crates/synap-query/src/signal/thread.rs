//! Signal: the whole thread matches. A conversation's session or a handbook's page is about something, and a turn that says
//! "it went well" is about that, too.

use super::bm25::{B, K1, Postings, idf};
use super::{Query, float};
use crate::passages::Passages;
use std::collections::BTreeMap;
use std::sync::Arc;

/// BM25 of each scope's threads, per passage: the words of the query themselves, counted over the thread.
///
/// Zero where the chain has a single thread: that tells nothing apart.
pub(crate) fn threads(
    query: &Query,
    scopes: &[Arc<Passages>],
    postings: &[Postings],
) -> Vec<Vec<f32>> {
    let mut found: Vec<Vec<f32>> = scopes.iter().map(|scope| vec![0.0; scope.len()]).collect();
    let all: u64 = scopes.iter().map(|scope| scope.live_threads()).sum();
    if all < 2 {
        return found;
    }
    let terms: u64 = scopes
        .iter()
        .flat_map(|scope| (0..scope.threads()).map(|thread| u64::from(scope.thread_terms(thread))))
        .sum();
    let average = (float(terms) / float(all)).max(1.0);
    let mut sums: Vec<Vec<f32>> = scopes
        .iter()
        .map(|scope| vec![0.0; scope.threads()])
        .collect();
    for (own, _) in query.words.iter().filter_map(|word| word.forms.first()) {
        let counts: Vec<BTreeMap<usize, u64>> = scopes
            .iter()
            .zip(postings)
            .map(|(scope, postings)| {
                let mut counts = BTreeMap::new();
                for hit in postings.of(own) {
                    *counts.entry(scope.thread(hit.place)).or_default() += u64::from(hit.tf);
                }
                counts
            })
            .collect();
        let frequency = counts.iter().map(|counts| counts.len() as u64).sum();
        let idf = idf(all, frequency);
        for ((scope, counts), sums) in scopes.iter().zip(counts).zip(&mut sums) {
            for (thread, tf) in counts {
                let length = float(scope.thread_terms(thread).into()) / average;
                let tf = float(tf);
                if let Some(sum) = sums.get_mut(thread) {
                    *sum += idf * tf * (K1 + 1.0) / (tf + K1 * (1.0 - B + B * length));
                }
            }
        }
    }
    for ((scope, sums), found) in scopes.iter().zip(sums).zip(&mut found) {
        for (at, value) in found.iter_mut().enumerate() {
            *value = sums.get(scope.thread(at)).copied().unwrap_or(0.0);
        }
    }
    found
}

/// Passages of a thread that speak for it.
const BEST: usize = 3;

/// The mean of the best three of each passage's thread; a thread with fewer counts the missing ones as nothing. Zero where
/// the scope has a single thread.
pub(crate) fn best(scope: &Passages, bm25: &[f32]) -> Vec<f32> {
    if scope.live_threads() < 2 {
        return vec![0.0; scope.len()];
    }
    let mut best = vec![[0.0_f32; BEST]; scope.threads()];
    for (at, value) in bm25.iter().enumerate().filter(|(_, value)| **value > 0.0) {
        let Some(best) = best.get_mut(scope.thread(at)) else {
            continue;
        };
        let mut value = *value;
        for kept in best {
            if value > *kept {
                std::mem::swap(kept, &mut value);
            }
        }
    }
    let mean = |at: usize| {
        let of_thread = best.get(scope.thread(at));
        of_thread.map_or(0.0, |best| best.iter().sum::<f32>() / float(BEST as u64))
    };
    (0..scope.len()).map(mean).collect()
}
