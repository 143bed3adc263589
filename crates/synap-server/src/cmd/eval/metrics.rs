//! Figures of retrieval: recall, reciprocal rank, discounted gain.

use serde_json::{Map, Value};

/// Names of all figures, in the order of the table.
pub(super) const NAMES: [&str; 8] = ["r1", "r5", "r10", "r50", "hit10", "all10", "mrr", "ndcg10"];

/// The figures of one question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found([f64; NAMES.len()]);

impl Found {
    /// Of the texts `seen`, best first, where `gold` are those that hold the answer.
    pub(super) fn of(gold: &[String], seen: &[String]) -> Self {
        let rank = |id: &String| seen.iter().position(|other| other == id);
        let mut ranks: Vec<usize> = gold
            .iter()
            .map(|id| rank(id).unwrap_or(usize::MAX))
            .collect();
        ranks.sort_unstable();
        let all = float(gold.len().max(1));
        let within = |most: usize| float(ranks.iter().filter(|rank| **rank < most).count()) / all;
        let (first, last) = (ranks.first().copied(), ranks.last().copied());
        let is = |rank: Option<usize>| f64::from(u8::from(rank.is_some_and(|rank| rank < 10)));
        let reciprocal = first.filter(|rank| *rank < usize::MAX);
        let reciprocal = reciprocal.map_or(0.0, |rank| 1.0 / (float(rank) + 1.0));
        let discount = |rank: usize| 1.0 / (float(rank) + 2.0).log2();
        let gain: f64 = ranks
            .iter()
            .filter(|rank| **rank < 10)
            .map(|rank| discount(*rank))
            .sum();
        let ideal: f64 = (0..gold.len().min(10)).map(discount).sum();
        Self([
            within(1),
            within(5),
            within(10),
            within(50),
            is(first),
            is(last),
            reciprocal,
            if ideal > 0.0 { gain / ideal } else { 0.0 },
        ])
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "ranks and counts are far below 2^52"
)]
pub(super) const fn float(count: usize) -> f64 {
    count as f64
}

/// Means over questions.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Summary {
    sums: [f64; NAMES.len()],
    count: usize,
}

impl Summary {
    pub(super) fn add(&mut self, found: &Found) {
        for (sum, value) in self.sums.iter_mut().zip(found.0) {
            *sum += value;
        }
        self.count += 1;
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    fn means(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let count = float(self.count.max(1));
        NAMES.into_iter().zip(self.sums.map(|sum| sum / count))
    }

    /// The mean of the figure with this name, 0 to 1.
    pub(super) fn of(&self, name: &str) -> Option<f64> {
        self.means()
            .find(|(known, _)| *known == name)
            .map(|(_, mean)| mean)
    }

    pub(super) fn to_json(self) -> Map<String, Value> {
        self.means()
            .map(|(name, mean)| (name.to_owned(), mean.into()))
            .collect()
    }

    /// In per cent.
    pub(super) fn line(&self) -> String {
        let figures = self
            .means()
            .map(|(name, mean)| format!("{name} {:.1}", 100.0 * mean));
        figures.collect::<Vec<_>>().join("  ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::float_cmp, reason = "halves are exact")]
    #[test]
    fn figures_are_those_of_their_definitions() {
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let found = Found::of(&ids(&["b", "z"]), &ids(&["a", "b", "c"]));
        let mut all = Summary::default();
        all.add(&found);
        let figure = |name| all.of(name).unwrap();
        assert_eq!(
            (figure("r1"), figure("r5"), figure("hit10"), figure("all10")),
            (0.0, 0.5, 1.0, 0.0)
        );
        assert_eq!(figure("mrr"), 0.5);
        let ideal = 1.0 + 1.0 / 3_f64.log2();
        assert!((figure("ndcg10") - (1.0 / 3_f64.log2()) / ideal).abs() < 1e-12);
        assert_eq!(all.of("r2"), None);
        assert_eq!(Found::of(&ids(&["x"]), &[]), Found([0.0; NAMES.len()]));
    }
}
