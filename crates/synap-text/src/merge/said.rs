//! What a sentence says, and how that relates to what another one says.

use crate::normal::is_negation;
use crate::{normal_form, terms};

/// Verbs of which many values are true at once.
const MANY: &[&str] = &[
    "adores", "can", "cannot", "enjoys", "enjoy", "got", "had", "has", "hate", "hates", "have",
    "includes", "know", "knows", "like", "likes", "love", "loves", "met", "needs", "need", "owns",
    "own", "plays", "play", "read", "reads", "said", "saw", "speak", "speaks", "supports",
    "support", "uses", "use", "visited", "want", "wants",
];
/// Words that leave a statement what it is.
const LIGHT: &[&str] = &["actually", "currently", "now", "really"];
/// Words that say nothing of their own, and helpers of "not".
const SMALL: &[&str] = &[
    "a", "also", "an", "did", "do", "does", "just", "so", "that", "the", "then", "too", "very",
];
const BE: &[&str] = &["am", "are", "is", "was", "were"];

/// How a new sentence relates to an old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// The old one says all that the new one says.
    Same,
    /// The new one says of the same what is so now.
    Update,
    /// They are about different things.
    Other,
}

/// A sentence as it is compared.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) sentence: String,
    pub(super) form: String,
    words: Vec<String>,
    /// Its words without the small and the negating ones, as terms where they are any.
    core: Vec<String>,
    negated: bool,
}

impl Said {
    pub(super) fn new(sentence: &str) -> Self {
        let form = normal_form(sentence);
        let words: Vec<String> = form
            .split(' ')
            .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-'))
            .filter(|word| !word.is_empty() && !LIGHT.contains(word))
            .map(ToOwned::to_owned)
            .collect();
        let core = words
            .iter()
            .filter(|word| !SMALL.contains(&word.as_str()) && !is_negation(word))
            .flat_map(|word| {
                let terms = terms(word);
                if terms.is_empty() {
                    vec![word.clone()]
                } else {
                    terms
                }
            })
            .collect();
        Self {
            sentence: sentence.to_owned(),
            negated: words.iter().any(|word| is_negation(word)),
            core,
            form,
            words,
        }
    }

    /// Sentences are compared that share one of these: the first two words, or the first or the last of their core.
    pub(super) fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        if let [first, second, ..] = &self.words[..] {
            keys.push(format!("{first} {second}"));
        }
        let ends = [self.core.first(), self.core.last()];
        keys.extend(ends.into_iter().flatten().map(|term| format!(" {term}")));
        keys.dedup();
        keys
    }

    /// How this, which is new, relates to `old`.
    pub(super) fn to(&self, old: &Self) -> Relation {
        if self.negated == old.negated {
            if self.core.is_empty() || old.core.is_empty() {
                Relation::Other
            } else if self.core == old.core {
                Relation::Same
            } else if self.has_other_value(old) {
                Relation::Update
            } else if within(&self.core, &old.core) {
                Relation::Same
            } else if within(&old.core, &self.core) {
                Relation::Update
            } else {
                Relation::Other
            }
        } else if self.core == old.core && !self.core.is_empty() {
            Relation::Update
        } else {
            Relation::Other
        }
    }

    /// Whether the two differ in one run of words only, which holds one value at a time.
    fn has_other_value(&self, old: &Self) -> bool {
        let pairs = self.words.iter().zip(&old.words);
        let head = pairs.take_while(|(new, old)| new == old).count();
        let shorter = self.words.len().min(old.words.len());
        let ends = self.words.iter().rev().zip(old.words.iter().rev());
        let tail = ends
            .take(shorter - head)
            .take_while(|(new, old)| new == old)
            .count();
        let common = head + tail;
        let start = self.words.get(..head).unwrap_or_default();
        head >= 2
            && common < shorter
            && enough(common, self.words.len().max(old.words.len()))
            && !holds_many(start)
    }
}

/// Whether what two sentences start with leaves room for many values: a verb of many, or "Ana is (a)".
fn holds_many(start: &[String]) -> bool {
    let describes = start.get(1).is_some_and(|word| BE.contains(&word.as_str()))
        && start
            .iter()
            .skip(2)
            .all(|word| matches!(word.as_str(), "a" | "an"));
    describes || start.iter().any(|word| MANY.contains(&word.as_str()))
}

/// Whether a sentence has the terms of another one in their order, and not many more.
fn within(few: &[String], many: &[String]) -> bool {
    let mut rest = many.iter();
    enough(few.len(), many.len()) && few.iter().all(|term| rest.any(|other| other == term))
}

/// Three in five.
const fn enough(part: usize, whole: usize) -> bool {
    part * 5 >= whole * 3
}
