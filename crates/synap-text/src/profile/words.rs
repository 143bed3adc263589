//! The clauses of a sentence, and whether one starts with a pattern.

use super::rules::SLOTS;
use crate::kind;
use crate::piece::{lowered, part};

/// Words of one sentence that are looked at.
const WORDS_MAX: usize = 60;
/// Words that change nothing between others.
const LIGHT: &[&str] = &[
    "actually",
    "also",
    "always",
    "basically",
    "currently",
    "just",
    "mainly",
    "mostly",
    "now",
    "really",
    "still",
    "usually",
    "well",
];
/// Words that start clauses.
const JOINTS: &[&str] = &[
    "and", "because", "but", "fyi", "hello", "hey", "hi", "ok", "since", "so", "while", "yes",
];
/// Words that make the rest a case that need not hold.
const CONDITIONS: &[&str] = &[
    "assume", "assuming", "had", "if", "imagine", "pretend", "suppose", "unless", "when",
    "whenever", "would",
];
/// Forms of verbs that go with "I" and "they", not with a name.
const PLURAL: &[&str] = &["are", "do", "have", "live", "reside", "speak", "work"];

/// Whose words are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Who<'a> {
    /// Names that mean the user.
    pub(super) names: &'a [&'a str],
    /// Nobody speaks: "the user" is the user.
    pub(super) is_note: bool,
}

/// A word of a clause.
#[derive(Debug, Clone)]
pub(super) struct Word<'a> {
    /// As it stands, without marks at its ends.
    pub(super) raw: &'a str,
    /// In small letters.
    pub(super) lower: String,
    /// A mark that ends a phrase follows.
    pub(super) closes: bool,
}

/// Words from where a pattern may start.
#[derive(Debug)]
pub(super) struct Clause<'a> {
    words: &'a [Word<'a>],
    /// Who is meant is named, not "I".
    pub(super) reported: bool,
    /// How many words the subject ("Dana Scully") or the owner ("Dana's") takes.
    subject: usize,
    owner: usize,
}

/// What a pattern left.
#[derive(Debug)]
pub(super) struct Found<'a> {
    /// The words after the pattern.
    pub(super) rest: Vec<Word<'a>>,
    /// The word that a slot of a list took.
    pub(super) slot: Option<String>,
    /// The whole sentence has no capital letter.
    pub(super) casual: bool,
}

impl Clause<'_> {
    /// Whether what follows need not be so.
    pub(super) fn is_condition(&self) -> bool {
        self.words
            .first()
            .is_some_and(|word| CONDITIONS.contains(&word.lower.as_str()))
    }

    /// Whether it starts with the circumstances of a habit.
    pub(super) fn is_occasion(&self) -> bool {
        self.words
            .first()
            .is_some_and(|word| matches!(word.lower.as_str(), "when" | "whenever"))
    }

    /// Whether it starts with the user by name.
    pub(super) const fn is_reported(&self) -> bool {
        self.reported && self.subject + self.owner > 0
    }

    /// What follows the pattern, if the clause starts with it.
    pub(super) fn matches(&self, pattern: &str) -> Option<Found<'_>> {
        if self.is_plural() {
            return None;
        }
        let (mut at, mut slot) = (0, None);
        for wanted in pattern.split(' ') {
            let (wanted, optional) = wanted
                .strip_suffix('?')
                .map_or((wanted, false), |wanted| (wanted, true));
            match self.takes(wanted, at) {
                Some((count, found)) => {
                    at += count;
                    slot = found.or(slot);
                }
                None if optional => {}
                None => return None,
            }
        }
        Some(Found {
            rest: self.words.get(at..).unwrap_or_default().to_vec(),
            slot,
            casual: !self
                .words
                .iter()
                .any(|word| word.raw.len() > 1 && word.raw.starts_with(char::is_uppercase)),
        })
    }

    /// Whether many are meant where one name could be: "Backups live in Frankfurt."
    fn is_plural(&self) -> bool {
        let is = |at: usize, list: &[&str]| {
            self.words
                .get(at)
                .is_some_and(|word| list.contains(&word.lower.as_str()))
        };
        self.reported && self.subject > 0 && is(self.subject, PLURAL)
    }

    /// How many words from `at` a slot takes, and which one it is, if it is of a list.
    fn takes(&self, wanted: &str, at: usize) -> Option<(usize, Option<String>)> {
        let count = |words: usize| (at == 0 && words > 0).then_some((words, None));
        match wanted {
            "<i>" => return count(self.subject),
            "<my>" => return count(self.owner),
            _ => {}
        }
        // What a phrase's end cuts off belongs to no pattern.
        let before = at.checked_sub(1).and_then(|before| self.words.get(before));
        if before.is_some_and(|word| word.closes) {
            return None;
        }
        let word = &self.words.get(at)?.lower;
        let (wanted, word) = match wanted.strip_suffix("'s") {
            Some(wanted) => (wanted, word.strip_suffix("'s")?),
            None => (wanted, word.as_str()),
        };
        let listed = SLOTS.iter().find(|(name, _)| *name == wanted);
        match listed {
            Some((name, words)) => {
                let holds = words.split_ascii_whitespace().any(|listed| listed == word);
                holds.then(|| (1, (*name != "<be>").then(|| word.to_owned())))
            }
            None => wanted
                .split('|')
                .any(|wanted| wanted == word)
                .then_some((1, None)),
        }
    }
}

/// The clauses of a sentence: from its start, and from each word after a mark or an "and".
pub(super) fn clauses<'a>(words: &'a [Word<'a>], who: Who<'_>) -> Vec<Clause<'a>> {
    let starts = (0..words.len()).filter(|at| {
        let before = at.checked_sub(1).and_then(|before| words.get(before));
        before.is_none_or(|before| before.closes || JOINTS.contains(&before.lower.as_str()))
            || words.get(*at).is_some_and(|word| word.lower == "i")
    });
    starts
        .map(|at| clause(words.get(at..).unwrap_or_default(), who))
        .collect()
}

fn clause<'a>(words: &'a [Word<'a>], who: Who<'_>) -> Clause<'a> {
    let first = words.first().map_or("", |word| word.lower.as_str());
    let (mut subject, mut owner) = (usize::from(first == "i"), usize::from(first == "my"));
    let reported = subject + owner == 0;
    if reported {
        (subject, owner) = named(words, who);
    }
    Clause {
        words,
        reported,
        subject,
        owner,
    }
}

/// How many words the user's name at the start takes as a subject and as an owner. Another name is another person or thing,
/// and so may "she" be.
fn named(words: &[Word<'_>], who: Who<'_>) -> (usize, usize) {
    let counts = |name: &str| {
        who.names
            .iter()
            .any(|known| known.to_lowercase() == name.to_lowercase())
            && name.starts_with(char::is_uppercase)
            && name.chars().all(|c| c.is_alphabetic() || c == '-')
            && !kind::opens_sentences(name)
    };
    let whole = words
        .iter()
        .take(2)
        .take_while(|word| counts(word.raw))
        .count();
    let at = usize::from(
        words
            .first()
            .is_some_and(|word| word.lower == "the" && who.is_note),
    );
    let user = words.get(at).map_or("", |word| word.lower.as_str());
    let owns = words.get(whole).is_some_and(|word| {
        let name = word
            .raw
            .strip_suffix("'s")
            .or_else(|| word.raw.strip_suffix("’s"));
        name.is_some_and(counts)
    });
    match (user, owns) {
        ("user", _) if who.is_note => (at + 1, 0),
        ("user's", _) if who.is_note => (0, at + 1),
        (_, true) => (0, whole + 1),
        (_, false) => (whole, 0),
    }
}

/// The words of a sentence; contractions are written out.
pub(super) fn words(sentence: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    for raw in sentence.split_whitespace().take(WORDS_MAX) {
        let bare = raw.trim_matches(|c: char| !c.is_alphanumeric() && c != '+');
        let lower = lowered(bare);
        if bare.is_empty() || LIGHT.contains(&lower.as_str()) {
            if let Some(last) = words.last_mut() {
                let last: &mut Word<'_> = last;
                last.closes |= raw.ends_with([',', ';', ':', '.', '–', '—', '-']);
            }
            continue;
        }
        let closes = !raw.ends_with(bare)
            && raw.ends_with([',', ';', ':', '.', '!', '?', ')', '…'])
            || matches!(raw.chars().next_back(), Some('—' | '–'));
        let (head, tail) = lower.split_once('\'').unwrap_or((&lower, ""));
        let be = match (head, tail) {
            ("i", "m") => Some("am"),
            ("he" | "she" | "name" | "birthday" | "number", "s") => Some("is"),
            ("they", "re") => Some("are"),
            ("i" | "they", "ve") => Some("have"),
            ("don" | "doesn", "t") => Some("not"),
            _ => None,
        };
        let Some(be) = be else {
            words.push(Word {
                raw: bare,
                lower,
                closes,
            });
            continue;
        };
        let head = match head {
            "don" => "do",
            "doesn" => "does",
            head => head,
        };
        for (lower, closes) in [(head, false), (be, closes)] {
            words.push(Word {
                raw: part(bare, 0..head.len().min(bare.len())),
                lower: lower.to_owned(),
                closes,
            });
        }
    }
    words
}
