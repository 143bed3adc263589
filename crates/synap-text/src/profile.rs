//! What a statement says of the user that stays true: name, home, work, family, likes.
//!
//! ```text
//! statement ─► sentences ─► clauses (words) ─► table of patterns (rules) ─► Attribute
//!                      └─► wish (likes, by kind) ─► Attribute "preference.…"
//! ```

mod rules;
mod value;
mod wish;
mod words;

use crate::piece::part;
use crate::statement::Statement;
use crate::{kind, sentence};
use rules::RULES;
use synap_types::MemoryType;
use words::{Clause, Who};

/// Sentences of one statement that are looked at.
const SENTENCES_MAX: usize = 12;
/// What another person's report is less sure by.
const REPORTED: f32 = 0.1;

/// One fact or preference of a user.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// What it is, the same for every statement about it: "name", "location", "family.wife", "preference.interface".
    pub name: String,
    /// A few words, or the sentence of a preference.
    pub value: String,
    /// How sure it is, 0 to 1, coarse.
    pub confidence: f32,
}

/// The attributes that a statement gives of the user; in the order of its text.
///
/// The statement was said by the user, or is of a document in the user's own scope; an assistant's gives none. `names` are
/// how others call the user: "Alice lives in Lisbon" is about the user if it is one of them, and in a transcript if it is
/// the speaker. Any other name, and "she", may be somebody else. Names of attributes: `name`, `location`, `employer`,
/// `occupation`, `email`, `phone`, `timezone`, `language`, `birthday`, `diet`, `allergy.<what>`, `family.<who>`,
/// `pet.<what>`, `preference.<about>`. Episodes (apart from moving, being born and names), feelings, questions, conditions
/// and code give nothing.
pub fn attributes(statement: &Statement, names: &[&str]) -> Vec<Attribute> {
    let speaker = statement.speaker.as_deref();
    if speaker.is_some_and(is_assistant) {
        return Vec::new();
    }
    let own_names: Vec<&str> =
        speaker.map_or_else(|| names.to_vec(), |speaker| speaker.split(' ').collect());
    let who = Who {
        names: &own_names,
        is_note: speaker.is_none(),
    };
    let text = speaker
        .and_then(|speaker| {
            let rest = statement.text.strip_prefix(speaker)?;
            rest.strip_prefix(": ")
        })
        .unwrap_or(&statement.text);
    if speaker.is_none() && is_assistant(text.split_once(':').map_or("", |(label, _)| label)) {
        return Vec::new();
    }
    let sentences = sentence::cut(text);
    let alone = sentences.len() == 1;
    sentences
        .into_iter()
        .take(SENTENCES_MAX)
        .map(|range| part(text, range))
        .filter(|sentence| !sentence.ends_with(['?', '？', '؟']))
        .flat_map(|sentence| {
            let kind = if alone {
                statement.kind
            } else {
                kind::of(sentence, None, speaker).kind
            };
            match kind {
                MemoryType::Emotion => Vec::new(),
                MemoryType::Episode => {
                    let words = words::words(sentence);
                    of_rules(&words::clauses(&words, who), true)
                }
                MemoryType::Fact | MemoryType::Preference | MemoryType::TemporalEvent => {
                    let words = words::words(sentence);
                    let clauses = words::clauses(&words, who);
                    let found = of_rules(&clauses, false);
                    if found.is_empty() {
                        wish::of(sentence, speaker, &clauses).into_iter().collect()
                    } else {
                        found
                    }
                }
            }
        })
        .collect()
}

fn is_assistant(name: &str) -> bool {
    kind::is_assistant(name) || name.eq_ignore_ascii_case("agent")
}

/// Of each clause of the sentence, the first pattern of the table that it starts with.
fn of_rules(clauses: &[Clause<'_>], episode: bool) -> Vec<Attribute> {
    if clauses.first().is_some_and(Clause::is_condition) {
        return Vec::new();
    }
    let of_clause = |clause: &Clause<'_>| {
        RULES
            .iter()
            .filter(|rule| rule.of_episodes || !episode)
            .find_map(|rule| {
                let found = clause.matches(rule.pattern)?;
                let (value, about) = value::of(rule, &found)?;
                Some(Attribute {
                    name: about.map_or_else(
                        || rule.name.to_owned(),
                        |about| format!("{}.{about}", rule.name),
                    ),
                    value,
                    confidence: if clause.reported {
                        rule.sure - REPORTED
                    } else {
                        rule.sure
                    },
                })
            })
    };
    clauses.iter().filter_map(of_clause).collect()
}

#[cfg(test)]
mod tests;
