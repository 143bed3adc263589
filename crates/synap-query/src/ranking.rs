//! The one place that weighs the signals.
//!
//! ```text
//! relevance = (Σ weight × likeness) × (1 + Σ weight × trait) ÷ the best of the chain
//! ```
//!
//! A *likeness* says how well a passage, or what stands around it, matches the query: each is a share of the chain's best,
//! 0 to 1. A *trait* is so of the passage whatever its words, and makes it more or less worth telling. Traits multiply, so
//! that they never bring in what does not match.
//!
//! The weights are round numbers from a search over conversations, handbooks and encyclopaedia articles together, each
//! left out once: none of them decides alone, and halving one moves recall by a point at most, but for `answer`.

use serde::Deserialize;

macro_rules! weights {
    ($($(#[$doc:meta])* $name:ident = $default:literal,)*) => {
        /// Weights of all signals. 0 turns one off.
        #[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Ranking { $($(#[$doc])* pub $name: f32,)* }

        impl Default for Ranking {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Ranking {
            /// Names of all weights.
            pub const NAMES: &[&str] = &[$(stringify!($name)),*];

            /// Sets one weight by its name.
            pub fn set(&mut self, name: &str, value: f32) -> Result<(), RankingError> {
                if !value.is_finite() || value.abs() > WEIGHT_MAX {
                    return Err(RankingError::Value(name.to_owned()));
                }
                match name {
                    $(stringify!($name) => self.$name = value,)*
                    _ => return Err(RankingError::Name(name.to_owned())),
                }
                Ok(())
            }

            /// The weights by name.
            pub fn entries(&self) -> impl Iterator<Item = (&'static str, f32)> {
                [$((stringify!($name), self.$name)),*].into_iter()
            }
        }
    };
}

/// A weight's amount is at most this.
const WEIGHT_MAX: f32 = 100.0;

weights! {
    /// Likeness: BM25 of the passage, with the words of the query and related ones.
    bm25 = 0.8,
    /// How much a word that only means nearly the same counts beside the word itself, times its likeness.
    related = 0.7,
    /// Likeness: BM25 of the passage's best memory alone.
    statement = 0.2,
    /// Likeness: words that stand side by side in the query stand so in a memory.
    proximity = 0.4,
    /// Likeness: a memory is of the type that the query asks for.
    type_asked = 0.05,
    /// Likeness: a memory mentions a name that the query does. Off, as the next one and `recency` are: they moved no measured
    /// set for the better.
    entity = 0.0,
    /// Likeness: how sure a memory's type is.
    confidence = 0.0,
    /// Likeness: the passages next to it in its thread match; those one further count by [`Self::further`] of it.
    before = 0.25,
    /// As `before`, of the passage that follows.
    after = 0.15,
    /// What is left of `before` and `after` one passage further away.
    further = 0.4,
    /// Likeness: what another said just before it is a question, and matches: this may be the answer.
    answer = 0.5,
    /// Likeness: BM25 of its whole thread.
    thread = 0.2,
    /// Likeness: the mean of its thread's three best passages.
    thread_best = 0.4,
    /// Likeness: cosine of the query's vector and its own.
    dense = 1.8,
    /// As `dense`, of turns: conversations tell more by what stands around.
    dense_turn = 0.9,
    /// Likeness: as `answer`, by meaning: cosine of the query's vector and that of the question before it.
    dense_answer = 0.3,
    /// Likeness: the mean of `dense` of its thread's three best passages.
    dense_thread = 0.4,
    /// What `dense` and those below its name count in fast fetches, times their own weights: the query's vector is then made of
    /// what is known of its words.
    looked_up = 0.5,
    /// Trait: it was said or takes place in the period that the query names.
    period = 0.3,
    /// Trait: the query names its speaker.
    speaker = 0.15,
    /// Trait: the query names its speaker, who speaks of himself or herself.
    of_self = 0.1,
    /// Trait: it says when, and the query asks when.
    when = 0.2,
    /// Trait: it ends with a question.
    question = -0.2,
    /// Trait: its length, up to 200 bytes.
    length = 0.2,
    /// Trait: its age, as a share of the scope's: 1 for the newest.
    recency = 0.0,
    /// How much a memory loses within its passage when it matches less than the passage's best.
    beside = 0.85,
    /// How much each memory of a passage counts less for every better one of the same passage: what one text says at length
    /// leaves room for what others say.
    again = 0.2,
}

impl Ranking {
    /// Turns a signal off.
    pub fn without(&mut self, name: &str) -> Result<(), RankingError> {
        self.set(name, 0.0)
    }

    /// Refuses what [`Self::set`] would refuse.
    pub fn check(&self) -> Result<(), RankingError> {
        let mut copy = *self;
        self.entries()
            .try_for_each(|(name, value)| copy.set(name, value))
    }
}

/// Why weights are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RankingError {
    /// There is no such signal.
    #[error("there is no signal {0:?}, the signals are {names}", names = Ranking::NAMES.join(", "))]
    Name(String),
    /// Not a number that can weigh.
    #[error("the weight of {0:?} must be a number from -{WEIGHT_MAX} to {WEIGHT_MAX}")]
    Value(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_set_by_its_name_or_refused() {
        let mut ranking = Ranking::default();
        ranking.set("bm25", 2.0).unwrap();
        ranking.without("answer").unwrap();
        assert_eq!((ranking.bm25, ranking.answer), (2.0, 0.0));
        let unknown = ranking.set("bm52", 1.0).unwrap_err().to_string();
        assert!(
            unknown.contains("\"bm52\"") && unknown.contains("bm25, related"),
            "{unknown}"
        );
        assert!(ranking.set("bm25", f32::NAN).is_err());
        assert!(
            Ranking {
                answer: 1e9,
                ..ranking
            }
            .check()
            .is_err()
        );
    }
}
