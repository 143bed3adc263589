//! Which candidates are worth the budget. The published rule:
//!
//! 1. **Reserved shares.** Half of `max_results` is reserved, in equal shares, for the scopes that have relevant
//!    memories (at least [`RELEVANT_SHARE`] of the best score of the chain). In rounds, narrowest scope first, each takes
//!    its next best: a tight budget keeps the narrower scope, a roomy one crowds no scope out.
//! 2. **Relevance.** What is left goes to the best remaining matches, whatever their scope.
//! 3. **Recency.** If there is still room, the newest memories that did not match follow: in rounds, one of each scope,
//!    narrowest first.
//!
//! `max_results_per_query` bounds how many items each query brings in by the first two; the third does not apply then.
//!
//! A memory is never split; one that does not fit the token budget is passed over. Near-duplicates (see [`Saying`]) are
//! folded into the one that is already there, or take its place if theirs is the narrower scope, the budget has room for
//! them, and they match no less. Items stand in scope order, narrowest first; within a scope the most relevant first,
//! then the newest.

use crate::FetchError;
use crate::candidate::{Candidate, ScopeCandidates};
use crate::saying::Saying;
use std::cmp::Reverse;
use synap_text::estimate_tokens;
use synap_types::{FetchRequest, MemoryId};

/// A memory is relevant to the reserve if it scores at least this share of the chain's best.
const RELEVANT_SHARE: f32 = 0.2;

/// A candidate that made it.
#[derive(Debug)]
pub(crate) struct Selected {
    pub(crate) candidate: Candidate,
    /// `reserved`, `relevance` or `recency`.
    pub(crate) by: &'static str,
    pub(crate) tokens: usize,
    /// Memory and scope number of those that it stands for.
    pub(crate) folded: Vec<(MemoryId, usize)>,
    saying: Saying,
}

/// Chooses from the candidates of a chain; answers them in scope order.
///
/// `newest` gives the newest memories of a scope that are not among its matches; it is asked only if there is room.
pub(crate) fn select(
    request: &FetchRequest,
    scopes: &mut [ScopeCandidates],
    newest: impl Fn(usize, &ScopeCandidates) -> Result<Vec<Candidate>, FetchError>,
) -> Result<Vec<Selected>, FetchError> {
    let mut chosen = Budget::new(request);
    reserve(request, scopes, &mut chosen);
    let mut rest: Vec<Candidate> = scopes
        .iter_mut()
        .flat_map(|scope| scope.ranked.drain(..))
        .collect();
    rest.sort_by(|a, b| {
        let by_relevance = b.score.relevance.total_cmp(&a.score.relevance);
        by_relevance.then(a.scope.cmp(&b.scope))
    });
    for candidate in rest {
        chosen.offer(candidate, "relevance");
    }
    fill(scopes, &mut chosen, newest)?;
    let mut selected = chosen.selected;
    selected.sort_by(|a, b| {
        let (x, y) = (&a.candidate, &b.candidate);
        let by_relevance = y.score.relevance.total_cmp(&x.score.relevance);
        let by_scope = x.scope.cmp(&y.scope);
        by_scope
            .then(by_relevance)
            .then(Reverse(x.score.ordinal).cmp(&Reverse(y.score.ordinal)))
    });
    Ok(selected)
}

/// Rule 1.
fn reserve(request: &FetchRequest, scopes: &mut [ScopeCandidates], chosen: &mut Budget) {
    let best = |scope: &ScopeCandidates| scope.ranked.front().map(|best| best.score.relevance);
    let floor = RELEVANT_SHARE * scopes.iter().filter_map(best).fold(0.0, f32::max);
    let relevant = |scope: &ScopeCandidates| best(scope).is_some_and(|best| best >= floor);
    let sharing = scopes.iter().filter(|scope| relevant(scope)).count();
    let Some(share) = request.max_results.checked_div(2 * sharing) else {
        return;
    };
    for _ in 0..share.max(1) {
        for scope in scopes.iter_mut() {
            while relevant(scope) && !chosen.is_full() {
                let next = scope.ranked.pop_front();
                if next.is_some_and(|candidate| chosen.offer(candidate, "reserved")) {
                    break;
                }
            }
        }
    }
}

/// Rule 3.
fn fill(
    scopes: &[ScopeCandidates],
    chosen: &mut Budget,
    newest: impl Fn(usize, &ScopeCandidates) -> Result<Vec<Candidate>, FetchError>,
) -> Result<(), FetchError> {
    let mut recent = Vec::new();
    if chosen.per_query.is_some() {
        return Ok(());
    }
    for (number, scope) in scopes.iter().enumerate().filter(|(_, scope)| scope.known) {
        if !chosen.is_full() {
            recent.push(newest(number, scope)?.into_iter());
        }
    }
    while !chosen.is_full() && recent.iter().any(|scope| scope.len() > 0) {
        for candidate in recent.iter_mut().filter_map(Iterator::next) {
            chosen.offer(candidate, "recency");
        }
    }
    Ok(())
}

/// What is chosen, and what may still be.
#[derive(Debug)]
struct Budget {
    results: usize,
    tokens: usize,
    /// How many more items each query may bring in, if that is bounded.
    per_query: Option<Vec<usize>>,
    /// How many more of those that do not fit are compared with what is there: they may be narrower, or be named by it.
    comparisons: usize,
    selected: Vec<Selected>,
}

impl Budget {
    fn new(request: &FetchRequest) -> Self {
        Self {
            results: request.max_results,
            tokens: request.max_tokens.unwrap_or(usize::MAX),
            comparisons: request.max_results,
            per_query: request
                .max_results_per_query
                .map(|most| vec![most; request.queries.len()]),
            selected: Vec::new(),
        }
    }

    fn is_full(&self) -> bool {
        self.results == 0 || self.tokens == 0
    }

    /// Whether a query that found the candidate may still bring something in.
    fn is_wanted(&self, candidate: &Candidate) -> bool {
        self.per_query.as_ref().is_none_or(|left| {
            let mut left = left.iter().enumerate();
            left.any(|(number, left)| *left > 0 && candidate.score.is_of(number))
        })
    }

    /// Takes the candidate if there is room and nothing says the same already. Answers whether it adds something.
    fn offer(&mut self, candidate: Candidate, by: &'static str) -> bool {
        if !self.is_wanted(&candidate) {
            return false;
        }
        let tokens = estimate_tokens(&candidate.row.text);
        let fits = self.results > 0 && tokens <= self.tokens;
        if !fits {
            if self.comparisons == 0 {
                return false;
            }
            self.comparisons -= 1;
        }
        let offered = Selected {
            saying: Saying::of(&candidate.row.text),
            candidate,
            by,
            tokens,
            folded: Vec::new(),
        };
        let same: Vec<usize> = (0..)
            .zip(&self.selected)
            .filter(|(_, known)| known.saying.is_like(&offered.saying))
            .map(|(at, _)| at)
            .collect();
        if same.is_empty() && fits {
            self.take(offered);
            return true;
        }
        self.fold(&same, offered);
        false
    }

    fn take(&mut self, item: Selected) {
        self.results -= 1;
        self.tokens -= item.tokens;
        for (number, left) in self.per_query.iter_mut().flatten().enumerate() {
            if item.candidate.score.is_of(number) {
                *left = left.saturating_sub(1);
            }
        }
        self.selected.push(item);
    }

    /// Keeps one of those that say the same: what stands at `same`, or what is offered. It names those that leave.
    fn fold(&mut self, same: &[usize], mut offered: Selected) {
        let known = || same.iter().filter_map(|at| self.selected.get(*at));
        let narrowest = known().map(|item| item.candidate.scope).min();
        let is_narrower = narrowest.is_some_and(|scope| offered.candidate.scope < scope);
        // Two that say the same have about as many words, not exactly as many.
        let freed: usize = known().map(|item| item.tokens).sum();
        let fits = offered.tokens <= self.tokens + freed;
        // A match never gives way to what no query found.
        let is_match = |item: &Selected| item.candidate.score.queries != 0;
        let matches_no_less = is_match(&offered) || !known().any(is_match);
        if !(is_narrower && fits && matches_no_less) {
            let keeper = same.iter().copied();
            let keeper = keeper.min_by_key(|at| self.selected.get(*at).map(|k| k.candidate.scope));
            if let Some(known) = keeper.and_then(|at| self.selected.get_mut(at)) {
                known.folded.push(offered.named());
            }
            return;
        }
        for at in same.iter().rev() {
            let gone = self.selected.swap_remove(*at);
            self.results += 1;
            self.tokens += gone.tokens;
            offered.folded.push(gone.named());
            offered.folded.extend(gone.folded);
        }
        self.take(offered);
    }
}

impl Selected {
    /// How it is named by one that stands for it.
    fn named(&self) -> (MemoryId, usize) {
        (self.candidate.row.id, self.candidate.scope)
    }
}
