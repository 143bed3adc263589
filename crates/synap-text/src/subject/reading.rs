//! Understanding a sentence as a preference: who, which verb, and what.

use super::lexicon::{DIMENSIONS, Dimension};
use super::{Choice, Claim, Holder, Subject, holder_of};
use crate::terms::terms;
use std::ops::Range;

/// Words of a sentence that is understood to its end.
const WORDS_MAX: usize = 24;
/// Words that may precede a statement and change nothing.
const OPENERS: &[&str] = &[
    "actually",
    "also",
    "and",
    "but",
    "btw",
    "hey",
    "hi",
    "ok",
    "okay",
    "so",
    "well",
    "yes",
    "yeah",
    "generally",
    "now",
    "nowadays",
    "currently",
    "fyi",
];
/// Words between a subject and its verb that change nothing.
const ADVERBS: &[&str] = &[
    "actually",
    "absolutely",
    "also",
    "always",
    "definitely",
    "do",
    "does",
    "generally",
    "just",
    "much",
    "now",
    "really",
    "still",
    "strongly",
    "usually",
    "would",
    "d",
];
const PREFER: &[&str] = &["prefer", "prefers", "favour", "favours", "favor", "favors"];
const LIKE: &[&str] = &[
    "like", "likes", "love", "loves", "enjoy", "enjoys", "adore", "adores",
];
const DISLIKE: &[&str] = &[
    "dislike", "dislikes", "hate", "hates", "detest", "detests", "loathe", "loathes",
];
/// Who is meant by these is not said in the sentence.
const NOBODY_KNOWN: &[&str] = &[
    "he",
    "she",
    "they",
    "it",
    "you",
    "who",
    "this",
    "that",
    "these",
    "those",
    "one",
    "everybody",
    "everyone",
    "nobody",
    "somebody",
    "someone",
    "people",
    "my",
    "your",
    "his",
    "her",
    "their",
];
/// Rules for whoever reads them: "Please reply in German."
const REQUESTS: &[&str] = &[
    "use", "keep", "reply", "respond", "answer", "write", "send", "contact", "speak", "format",
    "give",
];
const NEGATIONS: &[&str] = &[
    "not", "don't", "doesn't", "never", "can't", "cannot", "wouldn't", "dont", "doesnt",
];
/// Words at which the choice ends and what it was chosen over begins.
const OVER: &[&str] = &["over", "than", "instead", "rather", "versus", "vs"];
/// A statement with one of these is not so in every case, or says two things.
const UNSURE: &[&str] = &[
    "unless",
    "except",
    "sometimes",
    "maybe",
    "perhaps",
    "either",
    "or",
    "depending",
    "depends",
    "but",
    "although",
    "though",
    "while",
    "whereas",
    "both",
    "used",
    "if",
    "until",
];
/// Stems that say nothing of what a choice is for.
const FILLERS: &[&str] = &[
    "receiv", "get", "contact", "reach", "have", "use", "send", "sent", "notifi", "prefer",
    "method", "channel", "way", "mode", "form", "option", "pleas", "keep", "repli", "respond",
    "give", "given", "write", "thing", "everyth", "general", "alway", "inform", "kept", "talk",
    "me", "my", "us", "our", "user", "work", "go", "take", "make", "lot", "much", "anymor", "all",
];

/// A word of a sentence.
#[derive(Debug)]
struct Word<'a> {
    raw: &'a str,
    lower: String,
}

fn words(sentence: &str) -> Vec<Word<'_>> {
    sentence
        .split(|c: char| c.is_whitespace() || matches!(c, ':' | '(' | ')' | '–' | '—'))
        .map(|raw| raw.trim_matches(|c: char| !c.is_alphanumeric() && c != '+' && c != '#'))
        .filter(|raw| !raw.is_empty())
        .take(WORDS_MAX + 1)
        .map(|raw| Word {
            raw,
            lower: raw.replace('’', "'").to_lowercase(),
        })
        .collect()
}

/// A sentence that is being understood.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    words: Vec<Word<'a>>,
    names: &'a [&'a str],
    said_by: &'a Holder,
}

impl<'a> Reading<'a> {
    /// The words of `sentence`, which `said_by` said; none of one too long.
    pub(super) fn of(sentence: &'a str, names: &'a [&'a str], said_by: &'a Holder) -> Option<Self> {
        let words = words(sentence);
        let is_short = (1..=WORDS_MAX).contains(&words.len());
        is_short.then_some(Self {
            words,
            names,
            said_by,
        })
    }

    fn lower(&self, at: usize) -> &str {
        self.words.get(at).map_or("", |word| word.lower.as_str())
    }

    fn is_in(&self, at: usize, list: &[&str]) -> bool {
        list.contains(&self.lower(at))
    }

    /// The preference that it gives, if it gives one and nothing else.
    pub(super) fn preference(&self) -> Option<Subject> {
        if self
            .words
            .iter()
            .any(|word| UNSURE.contains(&word.lower.as_str()))
        {
            return None;
        }
        let mut at = 0;
        while self.is_in(at, OPENERS) {
            at += 1;
        }
        let start = at;
        if let Some(found) = self.favourite(start) {
            return Some(found);
        }
        let (holder, after) = self.subject(start)?;
        at = after;
        let (mut negated, mut asked) = (false, false);
        loop {
            if self.is_in(at, NEGATIONS) {
                negated = !negated;
            } else if self.lower(at) == "please" {
                asked = true;
            } else if self.lower(at) == "no" && self.lower(at + 1) == "longer" {
                negated = !negated;
                at += 1;
            } else if !self.is_in(at, ADVERBS) {
                break;
            }
            at += 1;
        }
        let is_request = after == start && (self.is_in(at, REQUESTS) || self.lower(at) == "avoid");
        let would = after > start && (at > after || self.lower(after - 1).ends_with("'d"));
        let rather = self.lower(at) == "rather" && would;
        let claim = if self.is_in(at, PREFER) || rather {
            self.choice(at + 1, !negated)
                .or_else(|| self.order(at + 1, negated))
        } else if is_request || asked && self.is_in(at, REQUESTS) {
            self.choice(at + 1, negated == (self.lower(at) == "avoid"))
        } else if self.is_in(at, LIKE) && self.likes_as_such(start, after, at) {
            self.liking(at + 1, !negated)
        } else if self.is_in(at, DISLIKE) && self.likes_as_such(start, after, at) {
            self.liking(at + 1, negated)
        } else if matches!(self.lower(at), "stand" | "bear") && negated {
            self.liking(at + 1, false)
        } else {
            None
        };
        Some(Subject {
            holder,
            claim: claim?,
        })
    }

    /// Whether the verb at `at` goes with the subject from `start` to `after`: not that of "Sounds like rain", "your love
    /// for it", and "I'd love to", which wishes for something once.
    fn likes_as_such(&self, start: usize, after: usize, at: usize) -> bool {
        let would =
            (start..at).any(|at| self.lower(at).ends_with("'d") || self.lower(at) == "would");
        let first_person = matches!(self.lower(start), "i" | "we");
        let does = (after..at).any(|at| matches!(self.lower(at), "does" | "doesn't" | "doesnt"));
        after > start && !would && (first_person || does || self.lower(at).ends_with('s'))
    }

    /// Who is spoken of, and where the words after it begin.
    fn subject(&self, at: usize) -> Option<(Holder, usize)> {
        let own = self.said_by.clone();
        match (self.lower(at), self.lower(at + 1)) {
            ("i" | "i'd", _) => Some((own, at + 1)),
            ("we" | "we'd", _) => Some((Holder::Group, at + 1)),
            ("the" | "this", "user" | "customer" | "client") => Some((Holder::Own, at + 2)),
            ("the" | "our", "team" | "company" | "organisation" | "organization") => {
                Some((Holder::Group, at + 2))
            }
            ("user", _) => Some((Holder::Own, at + 1)),
            _ if self.is_in(at, NOBODY_KNOWN) => None,
            _ => {
                let is_verb = |at: usize| {
                    [PREFER, LIKE, DISLIKE, REQUESTS, NEGATIONS, ADVERBS]
                        .iter()
                        .any(|list| self.is_in(at, list))
                        || self.lower(at) == "no" && self.lower(at + 1) == "longer"
                };
                if is_verb(at) || matches!(self.lower(at), "please" | "avoid") {
                    return Some((own, at));
                }
                let name: Vec<&str> = (at..at + 4)
                    .take_while(|at| !is_verb(*at))
                    .filter_map(|at| self.words.get(at))
                    .map(|word| word.raw)
                    .collect();
                let is_name = !name.is_empty()
                    && name.len() < 4
                    && name.iter().all(|word| word.starts_with(char::is_uppercase));
                is_name.then(|| (holder_of(&name.join(" "), self.names), at + name.len()))
            }
        }
    }

    /// "My favourite colour is blue", "Alice's preferred editor is Vim", "Preferred contact method: email"
    fn favourite(&self, start: usize) -> Option<Subject> {
        let first = self.lower(start);
        let (holder, at) = match first {
            "my" => (self.said_by.clone(), start + 1),
            "our" => (Holder::Group, start + 1),
            "the" if self.lower(start + 1).ends_with("'s") => (Holder::Own, start + 2),
            "favourite" | "favorite" | "preferred" => (self.said_by.clone(), start),
            _ => {
                let name = first.strip_suffix("'s")?;
                (holder_of(name, self.names), start + 1)
            }
        };
        let preferred = self.lower(at) == "preferred";
        if !preferred && !self.is_in(at, &["favourite", "favorite"]) {
            return None;
        }
        let is = (at + 1..self.words.len()).find(|at| self.lower(*at) == "is");
        let (what_end, value_start) = match is {
            Some(is) => (is, is + 1),
            // After a colon stands the value alone.
            None if preferred => (self.words.len().checked_sub(1)?, self.words.len() - 1),
            None => return None,
        };
        if (value_start..self.words.len()).any(|at| self.is_in(at, &["and", "not"])) {
            return None;
        }
        if preferred
            && let Some(claim) = self.choice_of(value_start, value_start, true, at + 1..what_end)
        {
            return Some(Subject { holder, claim });
        }
        let (what, value) = (
            self.terms(at + 1, what_end),
            self.terms(value_start, self.words.len()),
        );
        let claim = Claim::Favourite { what, value };
        let is_whole = matches!(&claim, Claim::Favourite { what, value } if !what.is_empty() && !value.is_empty());
        (is.is_some() && is_whole).then_some(Subject { holder, claim })
    }

    fn choice(&self, from: usize, wanted: bool) -> Option<Claim> {
        self.choice_of(from, from, wanted, 0..0)
    }

    /// The one value of a dimension among the words from `from` on; the words in `about` are of its topic, too.
    fn choice_of(
        &self,
        from: usize,
        topic_from: usize,
        mut wanted: bool,
        about: Range<usize>,
    ) -> Option<Claim> {
        let end = self.end(from);
        let (dimension, value, place) = (from..end).find_map(|at| self.value_at(at, end))?;
        if (from..end).any(|at| {
            let other = self.value_at(at, end).filter(|_| !place.contains(&at));
            other.is_some_and(|(other, ..)| other.name == dimension.name)
        }) {
            return None;
        }
        // "Prefers no calls", "prefers not to be called"
        if (from..place.start).any(|at| self.is_in(at, &["no", "not", "without"])) {
            wanted = !wanted;
        }
        let rest = (topic_from..end)
            .chain(about)
            .filter(|at| !place.contains(at));
        let rest: Vec<&str> = rest.map(|at| self.lower(at)).collect();
        let mut topic = terms(&rest.join(" "));
        topic.retain(|term| {
            let native = dimension.native.split(' ').any(|known| known == term);
            !native && !FILLERS.contains(&term.as_str())
        });
        topic.sort_unstable();
        topic.dedup();
        Some(Claim::Choice(Choice {
            dimension: dimension.name,
            value,
            wanted,
            topic,
        }))
    }

    /// Where what is chosen ends and what it was chosen over begins.
    fn end(&self, from: usize) -> usize {
        let stops = |at: &usize| {
            let to = self.lower(*at) == "to"
                && (from..*at).any(|at| self.value_at(at, self.words.len()).is_some());
            to || self.is_in(*at, OVER) || self.is_in(*at, &["not"]) && *at > from + 1
        };
        (from..self.words.len())
            .find(stops)
            .unwrap_or(self.words.len())
    }

    fn value_at(
        &self,
        at: usize,
        end: usize,
    ) -> Option<(&'static Dimension, &'static str, Range<usize>)> {
        DIMENSIONS.iter().find_map(|dimension| {
            dimension.values.iter().find_map(|value| {
                let of_spelling = value.split('|').find_map(|spelling| {
                    let length = spelling.split('_').count();
                    let same = spelling
                        .split('_')
                        .enumerate()
                        .all(|(offset, word)| self.lower(at + offset) == word);
                    (same && at + length <= end).then_some(length)
                });
                of_spelling.map(|length| (dimension, *value, at..at + length))
            })
        })
    }

    /// "A over B", "A rather than B", "A to B"
    fn order(&self, from: usize, negated: bool) -> Option<Claim> {
        let over = (from..self.words.len())
            .find(|at| self.is_in(*at, OVER) || self.lower(*at) == "to" && *at > from)?;
        let mut after = over + 1;
        while self.is_in(after, &["than", "of", "to"]) {
            after += 1;
        }
        let (better, worse) = (self.terms(from, over), self.terms(after, self.words.len()));
        (!negated && !better.is_empty() && !worse.is_empty())
            .then_some(Claim::Order { better, worse })
    }

    fn liking(&self, from: usize, likes: bool) -> Option<Claim> {
        if (from..self.words.len()).any(|at| {
            self.is_in(at, OVER)
                || self.is_in(at, NEGATIONS)
                || self.is_in(at, &["and", "because", "that", "how"])
        }) {
            return None;
        }
        let object = self.terms(from, self.words.len());
        (!object.is_empty()).then_some(Claim::Liking { object, likes })
    }

    /// The terms of the words from `from` to `to`, each once, in ascending order.
    fn terms(&self, from: usize, to: usize) -> Vec<String> {
        let words: Vec<&str> = (from..to).map(|at| self.lower(at)).collect();
        let mut found = terms(&words.join(" "));
        found.retain(|term| !matches!(term.as_str(), "lot" | "much" | "anymor" | "realli" | "all"));
        found.sort_unstable();
        found.dedup();
        found
    }
}
