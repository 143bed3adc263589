//! Signal: what stands side by side in the query stands so in the memory. Names and terms of art are several words.

use synap_text::term_hash;

/// What a pair counts with one other term between.
const APART: f32 = 0.5;

/// The pairs of neighbouring terms of a query.
#[derive(Debug, Default)]
pub(crate) struct Pairs(Vec<(u16, u16)>);

impl Pairs {
    pub(crate) fn of(sequence: &[String]) -> Self {
        let hashes: Vec<u16> = sequence.iter().map(|term| term_hash(term)).collect();
        let mut pairs: Vec<(u16, u16)> = hashes.windows(2).filter_map(pair).collect();
        pairs.sort_unstable();
        pairs.dedup();
        Self(pairs)
    }

    /// The share of the pairs that a memory's terms have side by side; half for one with another term between.
    pub(crate) fn share(&self, sequence: &[u16]) -> f32 {
        if self.0.is_empty() {
            return 0.0;
        }
        let mut near = vec![0.0_f32; self.0.len()];
        let mut note = |found: Option<(u16, u16)>, worth: f32| {
            let at = found.and_then(|found| self.0.binary_search(&found).ok());
            if let Some(best) = at.and_then(|at| near.get_mut(at)) {
                *best = best.max(worth);
            }
        };
        for window in sequence.windows(2) {
            note(pair(window), 1.0);
        }
        for window in sequence.windows(3) {
            note(window.first().copied().zip(window.last().copied()), APART);
        }
        near.iter().sum::<f32>() / super::float(self.0.len() as u64)
    }
}

fn pair(window: &[u16]) -> Option<(u16, u16)> {
    window.first().copied().zip(window.get(1).copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::float_cmp, reason = "shares of two pairs are exact")]
    #[test]
    fn pairs_count_side_by_side_and_half_apart() {
        let terms = |text: &str| synap_text::terms(text);
        let hashes = |text: &str| terms(text).iter().map(|t| term_hash(t)).collect::<Vec<_>>();
        let pairs = Pairs::of(&terms("golden retriever breeder"));
        assert_eq!(pairs.share(&hashes("a golden retriever breeder")), 1.0);
        assert_eq!(pairs.share(&hashes("golden retriever")), 0.5);
        assert_eq!(pairs.share(&hashes("golden little retriever")), 0.25);
        assert_eq!(pairs.share(&hashes("retriever golden")), 0.0);
        assert_eq!(Pairs::of(&terms("golden")).share(&hashes("golden")), 0.0);
    }
}
