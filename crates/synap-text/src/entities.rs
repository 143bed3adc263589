//! Names in a text: people, places, organisations, products, e-mail addresses and @mentions; by their capitals, without lists
//! of names.

use crate::piece::part;
use crate::{kind, sentence};

/// Names of one text.
pub const ENTITIES_MAX: usize = 16;
/// No more sentences are looked at when so many were found, before doublets are dropped.
const FOUND_MAX: usize = 4 * ENTITIES_MAX;
/// Longer ones are no names.
const ENTITY_BYTES_MAX: usize = 80;
/// Sentences of one text that are looked at.
const SENTENCES_MAX: usize = 24;
/// Words of one sentence that are looked at.
const WORDS_MAX: usize = 120;
/// Words of one name.
const NAME_WORDS_MAX: usize = 5;

/// Between two words of a name.
const INSIDE: &[&str] = &[
    "of", "de", "van", "von", "da", "del", "la", "der", "den", "&",
];
/// Before a name, and no part of it.
const TITLES: &[&str] = &["mr", "mrs", "ms", "dr", "prof", "miss", "sir", "mx", "st"];
/// Capitals that name no one.
const NO_NAMES: &[&str] = &[
    "i",
    "i'm",
    "i'd",
    "i've",
    "i'll",
    "ok",
    "okay",
    "api",
    "url",
    "http",
    "https",
    "json",
    "xml",
    "html",
    "css",
    "sql",
    "ci",
    "cd",
    "pr",
    "prs",
    "id",
    "ids",
    "faq",
    "pdf",
    "csv",
    "tv",
    "am",
    "pm",
    "utc",
    "pt",
    "et",
    "cet",
    "gmt",
    "ceo",
    "cto",
    "cfo",
    "hr",
    "it",
    "vp",
    "nda",
    "iso",
    "q1",
    "q2",
    "q3",
    "q4",
    "h1",
    "h2",
    "fyi",
    "eod",
    "asap",
    "usb",
    "cpu",
    "gpu",
    "ram",
    "ui",
    "ux",
    "qa",
    "sla",
    "mr",
    "mrs",
    "ms",
    "dr",
    "prof",
    "wow",
    "yeah",
    "hey",
    "hi",
    "hello",
    "thanks",
    "thank",
    "great",
    "sure",
    "sorry",
    "please",
    "god",
    "christmas",
    "halloween",
    "easter",
    "english",
    "internet",
    "oh",
    "haha",
    "lol",
    "congrats",
    "absolutely",
    "definitely",
    "totally",
    "glad",
    "sounds",
    "good",
    "nice",
    "cool",
    "user",
    "assistant",
    "ask",
    "call",
    "email",
    "tell",
    "meet",
    "contact",
    "remind",
    "visit",
    "add",
    "get",
    "take",
    "per",
    "what",
    "who",
    "where",
    "why",
    "how",
    "let",
    "there",
    "here",
    "such",
    "well",
    "also",
    "still",
    "just",
    "maybe",
    "system",
    "agent",
];
/// Ends of nouns that start sentences and are no names: "Maintenance is due".
const NOUN_ENDS: &[&str] = &[
    "tion", "sion", "ment", "ness", "ing", "ity", "ance", "ence", "ship", "ism", "ware", "age",
    "ure", "ings", "tions", "ments", "ories",
];
/// Verbs by which a single capitalised word at the start of a sentence is known to be somebody.
const SAID_OF_PEOPLE: &[&str] = &[
    "is", "was", "has", "had", "and", "will", "does", "did", "went", "told", "said", "got", "made",
    "met", "felt", "took", "bought", "left", "came", "gave", "ran", "won", "lost", "can",
    "doesn't", "isn't", "wasn't",
];

/// The names in `text`, each once, in the order of their first occurrence, at most [`ENTITIES_MAX`].
///
/// A name is written as it stands there, without titles and possessive endings; e-mail addresses and mentions are in small
/// letters. A single capitalised word that starts a sentence counts only where what follows, or another place, says that it
/// is a name.
pub fn entities(text: &str) -> Vec<String> {
    let mut found = Found::default();
    for range in sentence::cut(text).into_iter().take(SENTENCES_MAX) {
        if found.names.len() + found.doubtful.len() < FOUND_MAX {
            of_sentence(part(text, range), &mut found);
        }
    }
    let Found {
        mut names,
        doubtful,
    } = found;
    let inside: Vec<String> = names.iter().map(|(_, name)| name.to_lowercase()).collect();
    let known = |name: &str| {
        let lower = name.to_lowercase();
        inside
            .iter()
            .any(|one| one.split(' ').any(|word| word == lower))
    };
    let again = doubtful.into_iter().filter(|(_, name)| known(name));
    names.extend(again.collect::<Vec<_>>());
    names.sort_by_key(|(at, _)| *at);
    let mut unique: Vec<String> = Vec::new();
    for (_, name) in names {
        let lower = name.to_lowercase();
        if unique.len() < ENTITIES_MAX && unique.iter().all(|one| one.to_lowercase() != lower) {
            unique.push(name);
        }
    }
    unique
}

#[derive(Default)]
struct Found {
    /// With the order in which they came.
    names: Vec<(usize, String)>,
    /// At starts of sentences only.
    doubtful: Vec<(usize, String)>,
}

struct Word<'a> {
    raw: &'a str,
    /// Without marks around it and without a possessive ending.
    plain: &'a str,
    /// A mark that ends a name follows.
    closed: bool,
    /// It owns something: it had a possessive ending.
    owns: bool,
}

impl Word<'_> {
    /// A bracket or a quotation opens with it.
    fn starts(&self) -> bool {
        self.raw.starts_with(['(', '[', '"', '“', '«'])
    }

    /// The next word may be capitalised as at the start of a sentence: this is a list's mark or number, or has a colon.
    fn opens(&self) -> bool {
        let number = self.plain.bytes().all(|byte| byte.is_ascii_digit());
        self.raw.ends_with(':')
            || number && (self.plain.is_empty() || self.raw.ends_with(['.', ')']))
    }
}

fn of_sentence(sentence: &str, found: &mut Found) {
    let words: Vec<Word<'_>> = sentence
        .split_whitespace()
        .take(WORDS_MAX)
        .map(word)
        .collect();
    let mut at = 0;
    while let Some(first) = words.get(at) {
        let opens = at == 0
            || at
                .checked_sub(1)
                .and_then(|at| words.get(at))
                .is_some_and(Word::opens);
        let order = found.names.len() + found.doubtful.len();
        if let Some(address) = address(first.plain) {
            found.names.push((order, address));
            at += 1;
            continue;
        }
        let end = name_end(&words, at);
        let start = (at..end)
            .find(|at| words.get(*at).is_some_and(|word| !is_title(word.plain)))
            .unwrap_or(end);
        if start < end {
            let name: Vec<&str> = words
                .iter()
                .take(end)
                .skip(start)
                .map(|word| word.plain)
                .collect();
            let name = name.join(" ");
            let sure = !opens || start > at || end - start > 1 || is_somebody(&words, end);
            if name.len() <= ENTITY_BYTES_MAX {
                let list = if sure {
                    &mut found.names
                } else {
                    &mut found.doubtful
                };
                list.push((order, name));
            }
        }
        at = end.max(at + 1);
    }
}

/// Whether the one word before `end`, at the start of a sentence, is a name.
fn is_somebody(words: &[Word<'_>], end: usize) -> bool {
    let Some(name) = end.checked_sub(1).and_then(|at| words.get(at)) else {
        return false;
    };
    let lower = name.plain.to_lowercase();
    if has_inner_capital(name.plain) || name.owns {
        return true;
    }
    if NOUN_ENDS.iter().any(|ending| lower.ends_with(ending)) || lower.ends_with('s') {
        return false;
    }
    words.get(end).is_some_and(|next| {
        let verb =
            next.plain.len() > 4 && (next.plain.ends_with("ed") || next.plain.ends_with('s'));
        let small = next.plain.starts_with(char::is_lowercase);
        !name.closed && small && (SAID_OF_PEOPLE.contains(&next.plain) || verb)
    })
}

fn word(raw: &str) -> Word<'_> {
    let trimmed =
        raw.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '@' | '&' | '#' | '+'));
    let plain = trimmed.trim_end_matches(['#', '+']);
    let after = raw.split_once(trimmed).map_or("", |(_, after)| after);
    let cut = plain
        .strip_suffix("'s")
        .or_else(|| plain.strip_suffix("’s"));
    Word {
        raw,
        plain: cut.unwrap_or(plain),
        // The full stop of "Dr." and "J." ends no name.
        closed: after.contains(|c: char| !matches!(c, '.' | '"' | '”' | '*' | '_'))
            || after.contains('.') && plain.len() > 4
            || cut.is_some(),
        owns: cut.is_some(),
    }
}

/// The end of the name that starts at `at`; `at` itself where none does.
fn name_end(words: &[Word<'_>], at: usize) -> usize {
    let mut end = at;
    while let Some(word) = words.get(end).filter(|_| end < at + NAME_WORDS_MAX) {
        let joins = end > at
            && INSIDE.contains(&word.plain)
            && words.get(end + 1).is_some_and(|next| is_name(next.plain));
        let apart = end > at && word.starts();
        if apart || !joins && !is_name(word.plain) && !is_title(word.plain) {
            break;
        }
        end += 1;
        if word.closed {
            break;
        }
    }
    end
}

fn is_title(word: &str) -> bool {
    TITLES.contains(&word.to_lowercase().as_str()) && word.starts_with(char::is_uppercase)
}

fn is_name(word: &str) -> bool {
    let capital = word.starts_with(char::is_uppercase) || has_inner_capital(word);
    let lower = word.to_lowercase();
    capital
        && word.chars().count() > 1
        && !NO_NAMES.contains(&lower.as_str())
        && !kind::is_calendar(&lower)
        && !kind::opens_sentences(&lower)
        && !kind::is_pronoun(
            lower
                .split_once(['\'', '’'])
                .map_or(lower.as_str(), |(head, _)| head),
        )
        && word
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '\'' | '’' | '.' | '&'))
}

/// "iPhone", "GitHub"
fn has_inner_capital(word: &str) -> bool {
    let mut chars = word.chars();
    let first = chars.next().is_some_and(char::is_alphabetic);
    let small = word.contains(char::is_lowercase);
    first && small && chars.any(char::is_uppercase)
}

/// An e-mail address or a mention.
fn address(word: &str) -> Option<String> {
    let (name, host) = word.split_once('@')?;
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+'))
    };
    let mention = name.is_empty() && plain(host);
    let mail = plain(name) && plain(host) && host.contains('.');
    (word.len() <= ENTITY_BYTES_MAX && (mention || mail)).then(|| word.to_lowercase())
}

#[cfg(test)]
mod tests;
