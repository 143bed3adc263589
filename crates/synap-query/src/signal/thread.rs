//! Signal: the whole thread matches. A conversation's session or a handbook's page is about something, and a turn that says
//! "it went well" is about that, too.

use super::bm25::{B, K1, Postings, idf};
use super::{Query, float};
use crate::passages::Passages;
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
    let mut counts: Vec<Counts> = scopes
        .iter()
        .map(|scope| Counts::of(scope.threads()))
        .collect();
    for (own, _) in query.words.iter().filter_map(|word| word.forms.first()) {
        for ((scope, postings), counts) in scopes.iter().zip(postings).zip(&mut counts) {
            for hit in postings.of(own) {
                counts.add(scope.thread(hit.place), hit.tf.into());
            }
        }
        let frequency = counts
            .iter()
            .map(|counts| counts.threads.len() as u64)
            .sum();
        let idf = idf(all, frequency);
        for ((scope, counts), sums) in scopes.iter().zip(&mut counts).zip(&mut sums) {
            for (thread, tf) in counts.take() {
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

/// How often one term occurs in each of a scope's threads.
struct Counts {
    by_thread: Vec<u64>,
    /// Those in which it does.
    threads: Vec<usize>,
}

impl Counts {
    fn of(threads: usize) -> Self {
        Self {
            by_thread: vec![0; threads],
            threads: Vec::new(),
        }
    }

    fn add(&mut self, thread: usize, more: u64) {
        if let Some(count) = self.by_thread.get_mut(thread) {
            if *count == 0 {
                self.threads.push(thread);
            }
            *count += more;
        }
    }

    /// The threads and how often, which are forgotten.
    fn take(&mut self) -> impl Iterator<Item = (usize, u64)> {
        let counts = &mut self.by_thread;
        self.threads.drain(..).map(|thread| {
            let count = counts.get_mut(thread).map_or(0, std::mem::take);
            (thread, count)
        })
    }
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
