//! What is chosen, and what there is room for: near-duplicates folded, contradictions settled, tokens counted.

use crate::Tokens;
use crate::candidate::{Candidate, ScopeCandidates};
use crate::fence;
use crate::left_out::LeftOuts;
use crate::saying::Saying;
use synap_readmodel::MemoryRow;
use synap_types::{FetchRequest, MemoryId};

/// A memory by id and by the number of its scope.
pub(crate) type Named = (MemoryId, usize);

/// A candidate that made it.
#[derive(Debug)]
pub(crate) struct Selected {
    pub(crate) candidate: Candidate,
    /// `reserved`, `relevance`, `value`, `metadata` or `recency`.
    pub(crate) by: &'static str,
    /// Estimated tokens of its text.
    pub(crate) tokens: usize,
    /// What it takes of the budget.
    pub(crate) charged: usize,
    /// Near-duplicates that it stands for.
    pub(crate) folded: Vec<Named>,
    /// Those that it contradicts.
    pub(crate) contradicted: Vec<Named>,
    /// The one that contradicts it, if it is told nevertheless.
    pub(crate) shadowed_by: Option<MemoryId>,
    saying: Saying,
}

impl Selected {
    /// How it is named by one that stands before it.
    fn named(&self) -> Named {
        (self.candidate.row.id, self.candidate.scope)
    }

    /// Whether it counts more than `other`, which says the opposite: narrower, or in the same scope newer.
    fn outranks(&self, other: &Self) -> bool {
        let newer = |item: &Self| {
            let row = &item.candidate.row;
            let said = row.updated_at.or(row.said_at).unwrap_or(row.accepted_at);
            (said, item.candidate.score.ordinal)
        };
        let (own, others) = (self.candidate.scope, other.candidate.scope);
        own < others || own == others && newer(self) > newer(other)
    }
}

/// What is chosen, and what may still be.
#[derive(Debug)]
pub(crate) struct Budget<'a> {
    counted: Tokens<'a>,
    results: usize,
    tokens: usize,
    is_bounded: bool,
    /// Whether tokens are those of the rendered text.
    prompt: bool,
    /// Whether what is contradicted is told.
    shadowed: bool,
    /// How many more items each query may bring in, if that is bounded.
    per_query: Option<Vec<usize>>,
    /// How many more of those that do not fit are compared with what is there: they may be narrower, or be named by it.
    comparisons: usize,
    pub(crate) selected: Vec<Selected>,
    pub(crate) left_out: LeftOuts,
}

impl<'a> Budget<'a> {
    pub(crate) fn new(
        request: &FetchRequest,
        scopes: &[ScopeCandidates],
        counted: Tokens<'a>,
    ) -> Self {
        let prompt = request.include.prompt;
        let known = scopes.iter().filter(|scope| scope.known).count();
        // Set aside whatever is chosen, so that the text as a whole fits.
        let frame = if prompt {
            fence::frame_tokens(&request.scope, known, counted)
        } else {
            0
        };
        Self {
            counted,
            results: request.max_results,
            tokens: request
                .max_tokens
                .map_or(usize::MAX, |most| most.saturating_sub(frame)),
            is_bounded: request.max_tokens.is_some(),
            prompt,
            shadowed: request.include.shadowed,
            comparisons: request.max_results,
            per_query: request
                .max_results_per_query
                .filter(|_| !request.queries.is_empty())
                .map(|most| vec![most; request.queries.len()]),
            selected: Vec::new(),
            left_out: LeftOuts::new(request.explain),
        }
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.results == 0 || self.tokens == 0
    }

    /// Whether no further match changes anything.
    pub(crate) const fn is_decided(&self) -> bool {
        self.is_full() && self.comparisons == 0 && !self.left_out.wanted
    }

    /// Whether what no query found may come in.
    pub(crate) const fn takes_filling(&self) -> bool {
        self.per_query.is_none()
    }

    /// Items and tokens that there is room for, where tokens are bounded.
    pub(crate) fn room_in_tokens(&self) -> Option<(usize, usize)> {
        self.is_bounded.then_some((self.results, self.tokens))
    }

    /// What a memory takes of the budget.
    pub(crate) fn cost(&self, row: &MemoryRow) -> usize {
        if self.prompt {
            self.counted.of(&fence::entry(row, self.shadowed))
        } else {
            self.counted.of_row(row)
        }
    }

    /// Whether a query to which the candidate is worth the most may still bring something in.
    fn is_wanted(&self, candidate: &Candidate) -> bool {
        self.per_query.as_ref().is_none_or(|left| {
            let mut left = left.iter().enumerate();
            left.any(|(number, left)| *left > 0 && candidate.score.is_best_for(number))
        })
    }

    /// Takes the candidate if there is room and nothing says the same or its opposite. Answers whether it adds something.
    pub(crate) fn offer(&mut self, candidate: Candidate, by: &'static str) -> bool {
        if !self.is_wanted(&candidate) {
            self.left_out.add(&candidate, "max_results_per_query", None);
            return false;
        }
        let charged = self.cost(&candidate.row);
        let fits = self.results > 0 && charged <= self.tokens;
        let reason = if self.results > 0 {
            "max_tokens"
        } else {
            "max_results"
        };
        if !fits {
            if self.comparisons == 0 {
                self.left_out.add(&candidate, reason, None);
                return false;
            }
            self.comparisons -= 1;
        }
        let offered = Selected {
            saying: Saying::of(&candidate.row),
            tokens: if self.prompt {
                self.counted.of_row(&candidate.row)
            } else {
                charged
            },
            charged,
            candidate,
            by,
            folded: Vec::new(),
            contradicted: Vec::new(),
            shadowed_by: None,
        };
        let against = self.those(|known| {
            let same_scope = known.candidate.scope == offered.candidate.scope;
            known.saying.contradicts(&offered.saying, same_scope)
        });
        if !against.is_empty() {
            return self.settle(&against, offered, reason);
        }
        let same = self.those(|known| known.saying.is_like(&offered.saying));
        if !same.is_empty() {
            self.fold(&same, offered);
            return false;
        }
        if fits {
            self.take(offered);
        } else {
            self.left_out.add(&offered.candidate, reason, None);
        }
        fits
    }

    /// Places of the selected ones for which `is` holds, in ascending order.
    fn those(&self, is: impl Fn(&Selected) -> bool) -> Vec<usize> {
        let known = (0..).zip(&self.selected);
        known
            .filter(|(_, known)| is(known))
            .map(|(at, _)| at)
            .collect()
    }

    fn take(&mut self, item: Selected) {
        self.results -= 1;
        self.tokens -= item.charged;
        for (number, left) in self.per_query.iter_mut().flatten().enumerate() {
            if item.candidate.score.is_best_for(number) {
                *left = left.saturating_sub(1);
            }
        }
        self.selected.push(item);
    }

    /// Takes the item at `at` out again.
    fn give_back(&mut self, at: usize) -> Selected {
        let gone = self.selected.swap_remove(at);
        self.results += 1;
        self.tokens = self.tokens.saturating_add(gone.charged);
        gone
    }

    /// Whether an item would fit if those at `at` left.
    fn fits_for(&self, item: &Selected, at: &[usize]) -> bool {
        let known = at.iter().filter_map(|at| self.selected.get(*at));
        let freed: usize = known.map(|item| item.charged).sum();
        item.charged <= self.tokens.saturating_add(freed) && (self.results > 0 || !at.is_empty())
    }

    /// Keeps one of those that say the same: what stands at `same`, or what is offered. It names those that leave.
    fn fold(&mut self, same: &[usize], mut offered: Selected) {
        let known = || same.iter().filter_map(|at| self.selected.get(*at));
        let narrowest = known().map(|item| item.candidate.scope).min();
        let is_narrower = narrowest.is_some_and(|scope| offered.candidate.scope < scope);
        // A match never gives way to what no query found.
        let is_match = |item: &Selected| item.candidate.score.queries != 0;
        let matches_no_less = is_match(&offered) || !known().any(is_match);
        // Two that say the same have about as many words, not exactly as many.
        if !(is_narrower && self.fits_for(&offered, same) && matches_no_less) {
            let keeper = same.iter().copied();
            let keeper = keeper.min_by_key(|at| self.selected.get(*at).map(|k| k.candidate.scope));
            if let Some(known) = keeper.and_then(|at| self.selected.get_mut(at)) {
                known.folded.push(offered.named());
                let by = known.candidate.row.id;
                self.left_out.add(&offered.candidate, "duplicate", Some(by));
            }
            return;
        }
        for at in same.iter().rev() {
            let gone = self.give_back(*at);
            let by = offered.candidate.row.id;
            self.left_out.add(&gone.candidate, "duplicate", Some(by));
            offered.folded.push(gone.named());
            offered.folded.extend(gone.folded);
            offered.contradicted.extend(gone.contradicted);
        }
        self.take(offered);
    }

    /// Decides between what is offered and those at `against` that say the opposite. Answers whether it adds something.
    fn settle(&mut self, against: &[usize], mut offered: Selected, reason: &'static str) -> bool {
        let (id, named) = (offered.candidate.row.id, offered.named());
        let mut known = against.iter().filter_map(|at| self.selected.get(*at));
        let winner = known
            .find(|known| !offered.outranks(known))
            .map(|known| known.candidate.row.id);
        if let Some(winner) = winner {
            if let Some(known) = self
                .selected
                .iter_mut()
                .find(|item| item.candidate.row.id == winner)
            {
                known.contradicted.push(named);
            }
            if self.shadowed && self.fits_for(&offered, &[]) {
                offered.shadowed_by = Some(winner);
                self.take(offered);
                return true;
            }
            self.left_out
                .add(&offered.candidate, "contradiction", Some(winner));
            return false;
        }
        if self.shadowed {
            for at in against {
                if let Some(known) = self.selected.get_mut(*at) {
                    known.shadowed_by.get_or_insert(id);
                    offered.contradicted.push(known.named());
                }
            }
            let fits = self.fits_for(&offered, &[]);
            if fits {
                self.take(offered);
            } else {
                self.left_out.add(&offered.candidate, reason, None);
            }
            return fits;
        }
        // What is known to be overruled is not told, even where what overrules it has no room.
        let fits = self.fits_for(&offered, against);
        for at in against.iter().rev() {
            let gone = self.give_back(*at);
            self.left_out
                .add(&gone.candidate, "contradiction", Some(id));
            offered.contradicted.push(gone.named());
            offered.contradicted.extend(gone.contradicted);
            offered.contradicted.extend(gone.folded);
        }
        if fits {
            self.take(offered);
        } else {
            self.left_out.add(&offered.candidate, reason, None);
        }
        false
    }
}
