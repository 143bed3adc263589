//! Signal: what stands around a passage matches. In a conversation the words of a question are in the question, and what
//! one wants to know is in the turn after it.

use crate::Ranking;
use crate::passages::Passages;
use synap_readmodel::PassageFlags;

/// What the neighbours of one passage say for it, each part 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Neighbours {
    /// The passages before it.
    pub(crate) before: f32,
    /// The passages after it.
    pub(crate) after: f32,
    /// The question before it, if there is one.
    pub(crate) answer: f32,
    /// Where that stands.
    pub(crate) asked: Option<usize>,
}

/// Of the passage at `at`; `bm25` has the scores of the scope's passages, as shares of the best.
pub(crate) fn neighbours(
    scope: &Passages,
    bm25: &[f32],
    at: usize,
    ranking: &Ranking,
) -> Neighbours {
    let own = |at: Option<usize>| at.and_then(|at| bm25.get(at)).copied().unwrap_or(0.0);
    let before = scope.before(at);
    let after = scope.after(at);
    let asked = before.filter(|at| {
        let flags = scope.get(*at).map(|passage| passage.flags);
        flags.is_some_and(|flags| flags.has(PassageFlags::TURN | PassageFlags::ENDS_ASKING))
    });
    let further = |next: Option<usize>| ranking.further * own(next);
    Neighbours {
        before: own(before) + further(before.and_then(|at| scope.before(at))),
        after: own(after) + further(after.and_then(|at| scope.after(at))),
        answer: own(asked),
        asked,
    }
}
