//! What matched and is not in the answer, for those who ask why.

use crate::candidate::Candidate;
use synap_types::MemoryId;
use synap_types::limits::LEFT_OUT_MAX;

/// One that was left out.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) id: MemoryId,
    /// Number of its scope.
    pub(crate) scope: usize,
    pub(crate) relevance: f32,
    pub(crate) reason: &'static str,
    pub(crate) by: Option<MemoryId>,
}

/// The first that were left out for each reason, and how many there are.
#[derive(Debug, Default)]
pub(crate) struct LeftOuts {
    /// Whether anybody asks.
    pub(crate) wanted: bool,
    pub(crate) count: usize,
    pub(crate) first: Vec<Left>,
}

impl LeftOuts {
    pub(crate) fn new(wanted: bool) -> Self {
        Self {
            wanted,
            ..Self::default()
        }
    }

    /// Notes a candidate that is not told. Without a query that found it, there is nothing to explain.
    pub(crate) fn add(
        &mut self,
        candidate: &Candidate,
        reason: &'static str,
        by: Option<MemoryId>,
    ) {
        if !self.wanted || candidate.score.queries == 0 {
            return;
        }
        self.count += 1;
        self.first.push(Left {
            id: candidate.row.id,
            scope: candidate.scope,
            relevance: candidate.score.relevance,
            reason,
            by,
        });
    }

    /// Takes back what was told after all.
    pub(crate) fn retain(&mut self, is_left_out: impl Fn(MemoryId) -> bool) {
        let before = self.first.len();
        self.first.retain(|left| is_left_out(left.id));
        self.count -= before - self.first.len();
    }

    /// The most relevant of them, and how many there are.
    pub(crate) fn into_best(mut self) -> Option<(Vec<Left>, usize)> {
        self.first
            .sort_by(|a, b| b.relevance.total_cmp(&a.relevance));
        self.first.truncate(LEFT_OUT_MAX);
        self.wanted.then_some((self.first, self.count))
    }
}
