//! Signal: BM25 of one memory alone. Within a passage it says which memory to tell, and among passages it prefers those that
//! say it all at once.

use super::Query;
use super::bm25::{ChainStats, Postings, frequency, idf, saturation};
use std::collections::HashMap;
use synap_text::term_hash;

/// A query's words as hashes, as memories keep theirs.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// Number of the word, and what this form of it counts, by hash.
    forms: HashMap<u16, (usize, f32)>,
    count: usize,
    average: f32,
}

impl Words {
    pub(crate) fn of(query: &Query, stats: ChainStats, postings: &[Postings]) -> Self {
        let mut forms = HashMap::new();
        for (number, word) in query.words.iter().enumerate() {
            for (term, weight) in &word.forms {
                let weight = weight * idf(stats.passages, frequency(postings, term));
                forms.entry(term_hash(term)).or_insert((number, weight));
            }
        }
        Self {
            forms,
            count: query.words.len(),
            average: stats.average_of_memories(),
        }
    }

    /// BM25 of a memory with these terms.
    pub(crate) fn score(&self, sequence: &[u16]) -> f32 {
        let mut counts: HashMap<u16, u16> = HashMap::new();
        for hash in sequence {
            if self.forms.contains_key(hash) {
                let count = counts.entry(*hash).or_default();
                *count = count.saturating_add(1);
            }
        }
        let length = u16::try_from(sequence.len()).unwrap_or(u16::MAX);
        let mut best = vec![0.0_f32; self.count];
        for (hash, tf) in counts {
            let Some((word, weight)) = self.forms.get(&hash) else {
                continue;
            };
            if let Some(best) = best.get_mut(*word) {
                *best = best.max(weight * saturation(tf, length, self.average));
            }
        }
        best.iter().sum()
    }
}
