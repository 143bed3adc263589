//! What a memory says, as far as near-duplicates and contradictions are told by it.

use std::cell::OnceCell;
use synap_readmodel::MemoryRow;
use synap_text::{Subject, normal_form, preference_subject, similarity};
use synap_types::{LevelName, MemoryType};

/// Term sets that overlap this much say the same.
const DUPLICATE_SIMILARITY: f32 = 0.9;

/// Fewer terms than this may be equal words that make other terms.
const FEW: usize = 2;

/// Words that turn a statement round; `…n't` does, too. They are stop-words, so terms do not show them.
const NEGATIONS: &[&str] = &[
    "cannot", "neither", "never", "no", "nobody", "none", "nor", "not", "nothing", "without",
];

/// A text's terms, and apart from them what makes a difference however much else is equal.
#[derive(Debug)]
pub(crate) struct Saying {
    text: String,
    /// Hashes of its terms, each once, in ascending order.
    terms: Vec<u16>,
    /// What most comparisons are decided without.
    wording: OnceCell<Wording>,
    /// The one preference or lasting attribute that it gives.
    subject: Option<Subject>,
}

/// How exactly something is said.
#[derive(Debug)]
struct Wording {
    /// Its normal form.
    plain: String,
    /// Its numbers and negations, in ascending order.
    decisive: Vec<String>,
}

impl Saying {
    /// What a memory says.
    pub(crate) fn of(row: &MemoryRow) -> Self {
        Self {
            subject: subject(row),
            ..Self::new(&row.text, row.sequence.clone())
        }
    }

    fn new(text: &str, mut terms: Vec<u16>) -> Self {
        terms.sort_unstable();
        terms.dedup();
        Self {
            text: text.to_owned(),
            terms,
            wording: OnceCell::new(),
            subject: None,
        }
    }

    fn wording(&self) -> &Wording {
        self.wording.get_or_init(|| {
            let plain = normal_form(&self.text);
            let mut decisive: Vec<String> = plain
                .split(|c: char| !c.is_alphanumeric() && c != '\'')
                .filter(|word| is_decisive(word))
                .map(ToOwned::to_owned)
                .collect();
            decisive.sort_unstable();
            Wording { plain, decisive }
        })
    }

    /// It is a JSON object: a value that was put away, not something that was said. No two of them are one.
    fn is_value(&self) -> bool {
        self.text.starts_with('{') && self.text.ends_with('}')
    }

    /// Whether both cannot hold of whom they speak.
    pub(crate) fn contradicts(&self, other: &Self, same_scope: bool) -> bool {
        let both = self.subject.as_ref().zip(other.subject.as_ref());
        both.is_some_and(|(own, others)| own.contradicts(others, same_scope))
    }

    /// Whether two texts are near-duplicates: nearly the same terms, with the same numbers and negations.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        // What is common is no more than the shorter list, so most pairs are told apart by their lengths.
        let (a, b) = (self.terms.len(), other.terms.len());
        if a.min(b) * 10 < a.max(b) * 9 || self.is_value() {
            return false;
        }
        let near = similarity(&self.terms, &other.terms) >= DUPLICATE_SIMILARITY;
        // Without terms, or with few, only the same words say the same.
        let may_be = near || a.max(b) < FEW;
        may_be && {
            let (own, others) = (self.wording(), other.wording());
            own.decisive == others.decisive && (near && a > 0 || own.plain == others.plain)
        }
    }
}

fn subject(row: &MemoryRow) -> Option<Subject> {
    // What holds of a whole customer is no one's attribute.
    let of_user = row.scope.kind() == LevelName::USER;
    if row.kind == MemoryType::Emotion || !of_user && row.kind != MemoryType::Preference {
        return None;
    }
    let level = row.scope.path().last();
    let id = level.map_or("", |level| level.id.as_str());
    let names: Vec<&str> = id
        .split(|c: char| !c.is_alphanumeric())
        .filter(|name| !name.is_empty())
        .collect();
    preference_subject(&row.text, row.speaker.as_deref(), &names)
}

fn is_decisive(word: &str) -> bool {
    word.contains(char::is_numeric) || word.ends_with("n't") || NEGATIONS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use synap_text::{term_hash, terms};

    fn said(text: &str) -> Saying {
        let terms = terms(text).iter().map(|term| term_hash(term)).collect();
        Saying::new(text, terms)
    }

    #[track_caller]
    fn check(a: &str, b: &str, expected: bool) {
        let (one, other) = (said(a), said(b));
        assert_eq!(one.is_like(&other), expected, "{a:?} {b:?}");
        assert_eq!(other.is_like(&one), expected, "{b:?} {a:?}");
    }

    #[test]
    fn equal_values_are_two() {
        let value = said(r#"{"theme": "dark"}"#);
        assert!(!value.is_like(&said(r#"{"theme": "dark"}"#)));
    }

    #[test]
    fn the_same_in_other_clothes_is_a_duplicate() {
        check("Acme uses Slack.", "acme  uses “Slack”", true);
        check("The team uses Slack", "Team uses the Slack!", true);
        check("Acme uses Slack.", "Acme uses Teams.", false);
    }

    #[test]
    fn a_negation_or_a_number_makes_a_difference() {
        check(
            "Deploys on Fridays are allowed",
            "Deploys on Fridays are not allowed",
            false,
        );
        check("We deploy on Fridays", "We don’t deploy on Fridays", false);
        let long = "Platform payments billing search mobile web data infrastructure security design research";
        check(
            &format!("{long} meet in room 4"),
            &format!("{long} meet in room 5"),
            false,
        );
        check(
            &format!("{long} meet in room 4"),
            &format!("{long} team meet in room 4"),
            true,
        );
    }

    #[test]
    fn texts_without_terms_are_compared_as_they_are() {
        check("It is what it is.", "it is what it is", true);
        check("It is what it is.", "This is that.", false);
        check("…", "!", false);
    }
}
