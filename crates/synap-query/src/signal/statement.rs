//! Signal: BM25 of one memory alone. Within a passage it says which memory to tell, and among passages it prefers those that
//! say it all at once.

use super::Query;
use super::bm25::{ChainStats, Postings, frequency, idf, saturation};
use synap_text::term_hash;

/// A query's words as hashes, as memories keep theirs.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// In order of hashes.
    forms: Vec<Form>,
    count: usize,
    average: f32,
}

/// A form of a word of the query.
#[derive(Debug)]
struct Form {
    hash: u16,
    /// Number of the word.
    word: usize,
    /// What this form of it counts.
    weight: f32,
}

impl Words {
    pub(crate) fn of(query: &Query, stats: ChainStats, postings: &[Postings]) -> Self {
        let mut forms = Vec::new();
        for (word, asked) in query.words.iter().enumerate() {
            for (term, weight) in &asked.forms {
                forms.push(Form {
                    hash: term_hash(term),
                    word,
                    weight: weight * idf(stats.passages, frequency(postings, term)),
                });
            }
        }
        // Of a hash that several words have, the first one's counts: the order is kept.
        forms.sort_by_key(|form| form.hash);
        forms.dedup_by_key(|form| form.hash);
        Self {
            forms,
            count: query.words.len(),
            average: stats.average_of_memories(),
        }
    }

    /// BM25 of a memory with these terms.
    pub(crate) fn score(&self, sequence: &[u16]) -> f32 {
        let place = |hash: &u16| {
            let found = self.forms.binary_search_by_key(hash, |form| form.hash);
            found.ok()
        };
        let mut found: Vec<usize> = sequence.iter().filter_map(place).collect();
        found.sort_unstable();
        let length = u16::try_from(sequence.len()).unwrap_or(u16::MAX);
        let mut best = vec![0.0_f32; self.count];
        for same in found.chunk_by(|a, b| a == b) {
            let form = same.first().and_then(|at| self.forms.get(*at));
            let Some(Form { word, weight, .. }) = form else {
                continue;
            };
            let tf = u16::try_from(same.len()).unwrap_or(u16::MAX);
            if let Some(best) = best.get_mut(*word) {
                *best = best.max(weight * saturation(tf, length, self.average));
            }
        }
        best.iter().sum()
    }
}
