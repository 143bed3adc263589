//! Finds the rules whose pattern occurs in a sentence. A pattern is words with spaces between; `a|b` is either, `<month>` a
//! class, and a slot that ends in `?` may be missing.

use super::rules::{RULES, Rule};
use super::word::{Class, Word};
use std::collections::HashMap;
use std::sync::LazyLock;

/// A rule that applies.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) rule: &'static Rule,
    /// What a word of `<feel>` in it says.
    pub(super) feeling: Option<&'static str>,
}

struct Compiled {
    rule: &'static Rule,
    slots: Vec<Slot>,
}

struct Slot {
    any_of: Vec<Alternative>,
    optional: bool,
}

enum Alternative {
    Word(&'static str),
    Class(Class),
}

/// Patterns by what their first slot may be, which is never optional.
struct Index {
    by_word: HashMap<&'static str, Vec<usize>>,
    by_class: Vec<(Class, usize)>,
    rules: Vec<Compiled>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index {
        by_word: HashMap::new(),
        by_class: Vec::new(),
        rules: RULES.iter().map(compile).collect(),
    };
    for (at, compiled) in index.rules.iter().enumerate() {
        for alternative in compiled.slots.first().iter().flat_map(|slot| &slot.any_of) {
            match alternative {
                Alternative::Word(word) => index.by_word.entry(word).or_default().push(at),
                Alternative::Class(class) => index.by_class.push((*class, at)),
            }
        }
    }
    index
});

/// The rules that apply to a sentence.
pub(super) fn find(words: &[Word<'_>]) -> Vec<Found> {
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let by_word = INDEX
            .by_word
            .get(word.lower.as_str())
            .into_iter()
            .flatten()
            .copied();
        let by_class = INDEX
            .by_class
            .iter()
            .filter(|(class, _)| word.is(*class))
            .map(|(_, rule)| *rule);
        let rest = words.get(at..).unwrap_or_default();
        for compiled in by_word
            .chain(by_class)
            .filter_map(|rule| INDEX.rules.get(rule))
        {
            if let Some(feeling) = applies(&compiled.slots, rest) {
                found.push(Found {
                    rule: compiled.rule,
                    feeling,
                });
            }
        }
    }
    found
}

/// Whether `words` start with the pattern; if so, what a feeling in it is.
#[expect(
    clippy::option_option,
    reason = "applies or not, and with a feeling or not"
)]
fn applies(slots: &[Slot], words: &[Word<'_>]) -> Option<Option<&'static str>> {
    let Some((slot, slots_left)) = slots.split_first() else {
        return Some(None);
    };
    if let Some((word, words_left)) = words.split_first()
        && let Some(alternative) = slot
            .any_of
            .iter()
            .find(|alternative| alternative.holds(word))
        && let Some(feeling) = applies(slots_left, words_left)
    {
        let own = if matches!(alternative, Alternative::Class(Class::Feel)) {
            word.feeling()
        } else {
            None
        };
        return Some(own.or(feeling));
    }
    if slot.optional {
        applies(slots_left, words)
    } else {
        None
    }
}

impl Alternative {
    fn holds(&self, word: &Word<'_>) -> bool {
        match self {
            Self::Word(text) => word.lower == *text,
            Self::Class(class) => word.is(*class),
        }
    }
}

fn compile(rule: &'static Rule) -> Compiled {
    let slots = rule.pattern.split(' ').map(|slot| {
        let (slot, optional) = slot
            .strip_suffix('?')
            .map_or((slot, false), |slot| (slot, true));
        let any_of = slot.split('|').map(|alternative| {
            let class = Class::NAMED.iter().find(|(_, name)| *name == alternative);
            class.map_or(Alternative::Word(alternative), |(class, _)| {
                Alternative::Class(*class)
            })
        });
        Slot {
            any_of: any_of.collect(),
            optional,
        }
    });
    Compiled {
        rule,
        slots: slots.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_that_a_rule_names_exists_and_no_pattern_starts_with_an_optional_slot() {
        for compiled in &INDEX.rules {
            assert!(
                compiled.slots.first().is_some_and(|slot| !slot.optional),
                "{}",
                compiled.rule.pattern
            );
            for alternative in compiled.slots.iter().flat_map(|slot| &slot.any_of) {
                let unknown = matches!(alternative, Alternative::Word(word) if word.contains('<') || word.is_empty());
                assert!(!unknown, "{}", compiled.rule.pattern);
            }
        }
    }
}
