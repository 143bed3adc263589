//! Which sentences are kept: weights of terms, and a greedy choice that prefers what was not said yet.

use super::sentences::Sentence;
use crate::{normal_form, similarity};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// Sentences that share this much with a kept one are repetitions.
const SAME: f32 = 0.75;
/// A term loses weight when it is kept, this many times: to a half, then to a quarter.
const COVERED_MAX: u32 = 2;
/// Kept sentences that a sentence is compared with, the newest that share its rarest term.
const COMPARED_MAX: usize = 16;
/// Sentences of at least this share of the best weight are telling.
const TELLING_SHARE: u64 = 2;

/// A term of the conversation.
#[derive(Debug)]
struct Term {
    weight: u64,
    /// Sentences that have it.
    count: u64,
    /// How often it was kept, up to [`COVERED_MAX`].
    covered: u32,
    /// Kept sentences that have it as their rarest term.
    kept: Vec<usize>,
}

/// For each sentence whether it is kept.
pub(super) fn choose(sentences: &[Sentence<'_>], target_tokens: usize) -> Vec<bool> {
    let mut kept = vec![false; sentences.len()];
    let mut choice = Choice::new(sentences);
    let mut heap: BinaryHeap<(u64, Reverse<usize>)> = (0..sentences.len())
        .map(|at| (choice.weight(at), Reverse(at)))
        .filter(|(weight, _)| *weight > 0)
        .collect();
    let best = heap.peek().map_or(0, |(weight, _)| *weight);
    let shortest = shortest(sentences, &heap, best / TELLING_SHARE);
    let mut left = target_tokens;
    let mut forms = BTreeSet::new();
    while let Some((weight, Reverse(at))) = heap.pop() {
        let Some(sentence) = sentences.get(at).filter(|one| one.tokens <= left) else {
            continue;
        };
        let now = choice.weight(at);
        if now < weight {
            heap.push((now, Reverse(at)));
        } else if !choice.repeats(at) && forms.insert(normal_form(&sentence.text)) {
            choice.keep(at);
            left -= sentence.tokens;
            set(&mut kept, at);
        }
    }
    if !kept.contains(&true)
        && let Some(at) = shortest
    {
        set(&mut kept, at);
    }
    kept
}

/// The shortest of the sentences that weigh enough; of a conversation of greetings, the shortest sentence.
fn shortest(
    sentences: &[Sentence<'_>],
    heap: &BinaryHeap<(u64, Reverse<usize>)>,
    weight_min: u64,
) -> Option<usize> {
    let tokens = |at: &usize| sentences.get(*at).map(|sentence| (sentence.tokens, *at));
    heap.iter()
        .filter(|(weight, _)| *weight >= weight_min)
        .map(|(_, Reverse(at))| *at)
        .min_by_key(tokens)
        .or_else(|| (0..sentences.len()).min_by_key(tokens))
}

fn set(kept: &mut [bool], at: usize) {
    if let Some(kept) = kept.get_mut(at) {
        *kept = true;
    }
}

/// The terms of a conversation, and what was kept of it so far.
#[derive(Debug)]
struct Choice<'a> {
    sentences: &'a [Sentence<'a>],
    terms: Vec<Term>,
    /// The terms of each sentence, as positions in `terms`.
    of: Vec<Vec<usize>>,
}

impl<'a> Choice<'a> {
    fn new(sentences: &'a [Sentence<'a>]) -> Self {
        let mut positions: BTreeMap<&str, usize> = BTreeMap::new();
        let mut terms: Vec<Term> = Vec::new();
        let mut of = Vec::with_capacity(sentences.len());
        for sentence in sentences {
            let mut own = Vec::with_capacity(sentence.terms.len());
            for term in &sentence.terms {
                let at = *positions.entry(term).or_insert(terms.len());
                if at == terms.len() {
                    terms.push(Term {
                        weight: 0,
                        count: 0,
                        covered: 0,
                        kept: Vec::new(),
                    });
                }
                if let Some(term) = terms.get_mut(at) {
                    term.count += 1;
                }
                own.push(at);
            }
            of.push(own);
        }
        let all = sentences.len() as u64;
        for term in &mut terms {
            term.weight = log2(1 + term.count) * log2(1 + all / term.count);
        }
        Self {
            sentences,
            terms,
            of,
        }
    }

    fn terms_of(&self, at: usize) -> impl Iterator<Item = &Term> {
        self.of
            .get(at)
            .into_iter()
            .flatten()
            .filter_map(|term| self.terms.get(*term))
    }

    /// What a sentence is worth beside those that were kept. It never grows while sentences are kept.
    fn weight(&self, at: usize) -> u64 {
        let percent = self.sentences.get(at).map_or(0, |one| one.percent);
        let count = self.of.get(at).map_or(0, Vec::len) as u64;
        let sum: u64 = self
            .terms_of(at)
            .map(|term| term.weight >> term.covered)
            .sum();
        // By the number of terms to the power of three quarters, where few count as a few more, so that neither fragments
        // nor long sentences win.
        let length = (256 * (count + 3).pow(3)).isqrt().isqrt();
        sum * percent / length.max(1)
    }

    /// The rarest term of a sentence.
    fn rarest(&self, at: usize) -> Option<usize> {
        let of = self.of.get(at)?;
        of.iter()
            .copied()
            .min_by_key(|term| (self.terms.get(*term).map(|term| term.count), *term))
    }

    /// Whether a kept sentence says the same.
    fn repeats(&self, at: usize) -> bool {
        let Some(own) = self.sentences.get(at) else {
            return false;
        };
        self.rarest(at)
            .and_then(|term| self.terms.get(term))
            .is_some_and(|term| {
                term.kept.iter().rev().take(COMPARED_MAX).any(|other| {
                    self.sentences.get(*other).is_some_and(|other| {
                        other.denies == own.denies && similarity(&other.terms, &own.terms) >= SAME
                    })
                })
            })
    }

    fn keep(&mut self, at: usize) {
        let rarest = self.rarest(at);
        for term in self.of.get(at).into_iter().flatten() {
            if let Some(one) = self.terms.get_mut(*term) {
                one.covered = (one.covered + 1).min(COVERED_MAX);
                if Some(*term) == rarest {
                    one.kept.push(at);
                }
            }
        }
    }
}

/// The logarithm to base 2 in sixteenths, rounded down; a whole number, so that it is the same everywhere. 0 for 0.
fn log2(of: u64) -> u64 {
    let Some(whole) = of.checked_ilog2() else {
        return 0;
    };
    // The logarithm of x is a sixteenth of that of x to the power of 16: four squarings, each kept in 32 bits.
    let mut mantissa = if whole > 31 {
        of >> (whole - 31)
    } else {
        of << (31 - whole)
    };
    let mut sixteenths = u64::from(whole);
    for _ in 0..4 {
        mantissa = (mantissa * mantissa) >> 31;
        let doubled = mantissa >> 32;
        sixteenths = sixteenths * 2 + doubled;
        mantissa >>= doubled;
    }
    sixteenths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_whole_numbers() {
        let found: Vec<u64> = [0, 1, 2, 3, 4, 10, 1 << 20, u64::MAX]
            .into_iter()
            .map(log2)
            .collect();
        assert_eq!(found, [0, 0, 16, 25, 32, 53, 320, 1023]);
    }
}
