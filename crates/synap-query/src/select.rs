//! Which candidates are worth the budget. The published rule:
//!
//! 1. **Floor.** A match is told only if its absolute relevance is at least `min_relevance`: what shares nothing but
//!    common words with the queries stays out, and an empty answer is better than noise. 0 turns the floor off.
//! 2. **Reserved shares.** Half of `max_results` is reserved, in equal shares, for the scopes that have relevant
//!    memories (at least [`RELEVANT_SHARE`] of the best score of the chain). In rounds, narrowest scope first, each takes
//!    its next best: a tight budget keeps the narrower scope, a roomy one crowds no scope out. A scope that is alone in this
//!    has one place reserved.
//! 3. **Relevance.** What is left goes to the best remaining matches, whatever their scope. Where tokens are short, the
//!    best one comes first, and after it whichever order gives more: by relevance, or by relevance for its tokens. More is
//!    the larger sum of squares, so that two good memories outweigh four that are half as good.
//! 4. **Filling.** Queries without a word to search by (none, stop-words, "what do you know?", the user's own name) are
//!    answered by the newest memories: in rounds, one of each scope, narrowest first; those that are typed unsurely stand back. So is the room
//!    that matches leave when there is no floor. With one, only memories whose metadata has the words of a query fill it,
//!    since callers keep keys there that no text repeats.
//!
//! `max_results_per_query` bounds how many items each query brings in; nothing fills the room then.
//!
//! A memory is never split; one that does not fit the token budget is passed over. Near-duplicates (see [`Saying`]) are
//! folded into the one that is already there, or take its place if theirs is the narrower scope, the budget has room for
//! them, and they match no less. Of two that contradict each other the narrower stays, in one scope the newer; the other
//! is told only if asked for. Items name those that they stand before. They are in scope order, narrowest first; within a
//! scope the most relevant first, then the newest.
//!
//! [`Saying`]: crate::saying::Saying

use crate::budget::{Budget, Selected};
use crate::candidate::{Candidate, Ranked, ScopeCandidates};
use crate::left_out::LeftOuts;
use crate::listing::Filling;
use crate::{FetchError, ScopeView, Tokens};
use std::cmp::Reverse;
use std::collections::VecDeque;
use synap_readmodel::Snapshot;
use synap_types::FetchRequest;

/// A memory is relevant to the reserve if it scores at least this share of the chain's best.
const RELEVANT_SHARE: f32 = 0.2;
/// Candidates that are weighed by their tokens, for each item that there is room for. Beyond them relevance is low.
const WEIGHED_PER_RESULT: usize = 4;

/// What was chosen, in scope order, and what was not.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) items: Vec<Selected>,
    pub(crate) left_out: LeftOuts,
}

/// Chooses from the candidates of a chain.
///
/// `filling` gives memories of a scope, by its number, that are not among its matches; it is asked only if there is room.
pub(crate) fn select<S: Snapshot>(
    request: &FetchRequest,
    views: &[ScopeView<'_, S>],
    scopes: &mut [ScopeCandidates],
    (with, tokens): (Filling, Tokens<'_>),
    filling: impl Fn(usize, &ScopeCandidates) -> Result<Vec<Candidate>, FetchError>,
) -> Result<Selection, FetchError> {
    let mut chosen = Budget::new(request, scopes, tokens);
    for scope in scopes.iter_mut() {
        let (told, low): (VecDeque<_>, VecDeque<_>) = scope
            .ranked
            .drain(..)
            .partition(|candidate| candidate.score.absolute >= request.min_relevance);
        scope.ranked = told;
        if request.explain {
            for ranked in low {
                let candidate = ranked.read(views)?;
                chosen.left_out.add(&candidate, "min_relevance", None);
            }
        }
    }
    reserve(request, views, scopes, &mut chosen)?;
    let mut rest: Vec<Ranked> = scopes
        .iter_mut()
        .flat_map(|scope| scope.ranked.drain(..))
        .collect();
    rest.sort_by(|a, b| {
        let by_relevance = b.score.relevance.total_cmp(&a.score.relevance);
        by_relevance.then(a.scope.cmp(&b.scope))
    });
    offer(rest, views, &mut chosen)?;
    fill(scopes, &mut chosen, with, filling)?;
    let Budget {
        selected: mut items,
        mut left_out,
        ..
    } = chosen;
    items.sort_by(|a, b| {
        let (x, y) = (&a.candidate, &b.candidate);
        let by_relevance = y.score.relevance.total_cmp(&x.score.relevance);
        let by_scope = x.scope.cmp(&y.scope);
        by_scope
            .then(by_relevance)
            .then(Reverse(x.score.ordinal).cmp(&Reverse(y.score.ordinal)))
    });
    left_out.retain(|id| items.iter().all(|item| item.candidate.row.id != id));
    Ok(Selection { items, left_out })
}

/// Rule 2.
fn reserve<S: Snapshot>(
    request: &FetchRequest,
    views: &[ScopeView<'_, S>],
    scopes: &mut [ScopeCandidates],
    chosen: &mut Budget<'_>,
) -> Result<(), FetchError> {
    let best = |scope: &ScopeCandidates| scope.ranked.front().map(|best| best.score.relevance);
    let floor = RELEVANT_SHARE * scopes.iter().filter_map(best).fold(0.0, f32::max);
    let relevant = |scope: &ScopeCandidates| best(scope).is_some_and(|best| best >= floor);
    let sharing = scopes.iter().filter(|scope| relevant(scope)).count();
    let share = match sharing {
        0 => return Ok(()),
        // Nobody is crowded out: its best one, and the rest by what it is worth.
        1 => 1,
        _ => (request.max_results / (2 * sharing)).max(1),
    };
    for _ in 0..share {
        for scope in scopes.iter_mut() {
            while relevant(scope) && !chosen.is_full() {
                let Some(next) = scope.ranked.pop_front() else {
                    break;
                };
                if chosen.offer(next.read(views)?, "reserved") {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Rule 3, of `rest`, which is in order of relevance.
fn offer<S: Snapshot>(
    rest: Vec<Ranked>,
    views: &[ScopeView<'_, S>],
    chosen: &mut Budget<'_>,
) -> Result<(), FetchError> {
    let mut rest = rest.into_iter().map(|ranked| ranked.read(views));
    let Some(room) = chosen.room_in_tokens() else {
        // What cannot change the answer is not read any further.
        while !chosen.is_decided()
            && let Some(candidate) = rest.next()
        {
            chosen.offer(candidate?, "relevance");
        }
        return Ok(());
    };
    let mut rest = rest.collect::<Result<Vec<_>, _>>()?;
    let by = order_by_value(&mut rest, room, chosen);
    for candidate in rest {
        chosen.offer(candidate, by);
    }
    Ok(())
}

/// Brings `rest`, which is in order of relevance, into the order in which it is offered where there is room for so many
/// results and tokens; answers what that is.
fn order_by_value(
    rest: &mut [Candidate],
    (results, tokens): (usize, usize),
    chosen: &Budget<'_>,
) -> &'static str {
    let weighed = rest.len().min(results.saturating_mul(WEIGHED_PER_RESULT));
    // The best of all is in already, or comes first.
    let best = usize::from(chosen.selected.is_empty());
    let Some(others) = rest.get_mut(best..weighed) else {
        return "relevance";
    };
    let costs: Vec<(f32, usize)> = others
        .iter()
        .map(|other| (other.score.relevance, chosen.cost(&other.row).max(1)))
        .collect();
    let mut by_density: Vec<usize> = (0..others.len()).collect();
    let density = |at: &usize| {
        costs
            .get(*at)
            .map_or(0.0, |(relevance, cost)| relevance / tokens_as(*cost))
    };
    by_density.sort_by(|a, b| density(b).total_cmp(&density(a)));
    let gain = |order: &mut dyn Iterator<Item = usize>| {
        let (mut results, mut tokens, mut gain) = (results, tokens, 0.0);
        for (relevance, cost) in order.filter_map(|at| costs.get(at)) {
            if results > 0 && *cost <= tokens {
                results -= 1;
                tokens -= cost;
                gain += relevance * relevance;
            }
        }
        gain
    };
    let gain_by_relevance: f32 = gain(&mut (0..others.len()));
    if gain(&mut by_density.iter().copied()) <= gain_by_relevance {
        return "relevance";
    }
    let mut place = vec![0; others.len()];
    for (to, at) in by_density.into_iter().enumerate() {
        if let Some(place) = place.get_mut(at) {
            *place = to;
        }
    }
    let mut places = place.into_iter();
    others.sort_by_cached_key(|_| places.next());
    "value"
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a count of tokens within a budget is far below 2^24"
)]
const fn tokens_as(count: usize) -> f32 {
    count as f32
}

/// Rule 4.
fn fill(
    scopes: &[ScopeCandidates],
    chosen: &mut Budget<'_>,
    with: Filling,
    filling: impl Fn(usize, &ScopeCandidates) -> Result<Vec<Candidate>, FetchError>,
) -> Result<(), FetchError> {
    let mut found = Vec::new();
    if !chosen.takes_filling() {
        return Ok(());
    }
    for (number, scope) in scopes.iter().enumerate().filter(|(_, scope)| scope.known) {
        if !chosen.is_full() {
            found.push(filling(number, scope)?.into_iter());
        }
    }
    while !chosen.is_full() && found.iter().any(|scope| scope.len() > 0) {
        for candidate in found.iter_mut().filter_map(Iterator::next) {
            chosen.offer(candidate, with.name());
        }
    }
    Ok(())
}
