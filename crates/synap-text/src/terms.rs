//! Terms as they are indexed and asked for.

mod stop;

use crate::piece::lowered;
use rust_stemmers::{Algorithm, Stemmer};
use std::borrow::Cow;
use stop::is_stop;
use unicode_segmentation::UnicodeSegmentation as _;

/// A term is cut here, in the index and in queries alike.
pub const TERM_BYTES_MAX: usize = 64;

/// The terms of a text in its order, with repetition: Unicode words in small letters without English stop-words, words of
/// ASCII letters as Snowball's English stems. Parts of identifiers and numbers with letters follow the whole
/// (`snake_case`, `camelCase`, `v2.1`). Scripts without spaces give pairs of neighbouring characters, and each Han
/// character. A quarter such as "Q2" gives `quarter`, too.
pub fn terms(text: &str) -> Vec<String> {
    collect(text, true)
}

/// As [`terms`], but of an identifier or a number with letters only the whole: what shares a part of it is something else.
pub fn whole_terms(text: &str) -> Vec<String> {
    collect(text, false)
}

fn collect(text: &str, with_parts: bool) -> Vec<String> {
    let mut sink = Sink {
        stemmer: Stemmer::create(Algorithm::English),
        terms: Vec::new(),
        run: None,
        with_parts,
    };
    for (at, word) in text.unicode_word_indices() {
        let mut chars = word.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) if is_unspaced(c) => sink.unspaced(at, c),
            (Some(c), Some(_)) if is_unspaced(c) => {
                for (offset, c) in word.char_indices() {
                    sink.unspaced(at + offset, c);
                }
            }
            _ => {
                sink.end_run();
                sink.word(word);
            }
        }
    }
    sink.end_run();
    sink.terms
}

/// The terms of a query: as [`terms`]. Empty when the query has stop-words only.
pub fn query_terms(text: &str) -> Vec<String> {
    terms(text)
}

struct Sink {
    stemmer: Stemmer,
    terms: Vec<String>,
    /// The last character of a script without spaces, where it ends, and whether it is in a pair yet.
    run: Option<(char, usize, bool)>,
    /// Whether the parts of a word follow the whole.
    with_parts: bool,
}

impl Sink {
    fn unspaced(&mut self, at: usize, c: char) {
        let before = self.run.filter(|(_, end, _)| *end == at);
        if let Some((before, _, _)) = before {
            self.terms.push([before, c].iter().collect());
        } else {
            self.end_run();
        }
        if is_han(c) {
            self.terms.push(c.to_string());
        }
        self.run = Some((c, at + c.len_utf8(), before.is_some() || is_han(c)));
    }

    fn end_run(&mut self) {
        if let Some((c, _, false)) = self.run.take() {
            self.terms.push(c.to_string());
        }
    }

    fn word(&mut self, word: &str) {
        let lower = lowered(word);
        if is_stop(&lower) {
            return;
        }
        self.stem(&lower);
        if !self.with_parts {
            return;
        }
        let plain = if word.contains('’') {
            Cow::Owned(word.replace('’', "'"))
        } else {
            Cow::Borrowed(word)
        };
        let plain = plain.strip_suffix("'s").unwrap_or(&plain);
        if plain.len() <= TERM_BYTES_MAX && plain.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return;
        }
        if matches!(lower.as_str(), "q1" | "q2" | "q3" | "q4") {
            self.terms.push("quarter".to_owned());
            return;
        }
        let parts = parts(plain);
        if parts.len() > 1 {
            for part in parts {
                let part = part.to_lowercase();
                if part.len() > 1 && part != lower && !is_stop(&part) {
                    self.stem(&part);
                }
            }
        }
    }

    fn stem(&mut self, word: &str) {
        let cut = crate::piece::part(word, 0..crate::piece::floor(word, TERM_BYTES_MAX));
        let english = cut
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'\'');
        let term = if english {
            self.stemmer.stem(cut).into_owned()
        } else {
            cut.to_owned()
        };
        if !term.is_empty() {
            self.terms.push(term);
        }
    }
}

/// Parts of an identifier or of a number with letters. Decimals stay whole.
fn parts(word: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut chars = word.char_indices().peekable();
    let (mut start, mut before) = (0, Kind::Other);
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map_or(Kind::Other, |(_, c)| Kind::of(*c));
        let decimal = c == '.' && before == Kind::Digit && next == Kind::Digit;
        let kind = if decimal { Kind::Digit } else { Kind::of(c) };
        let cuts = match (before, kind) {
            (_, Kind::Other)
            | (Kind::Other, _)
            | (Kind::Digit, Kind::Lower | Kind::Upper)
            | (Kind::Lower | Kind::Upper, Kind::Digit)
            | (Kind::Lower, Kind::Upper) => true,
            (Kind::Upper, Kind::Upper) => next == Kind::Lower,
            _ => false,
        };
        if cuts {
            parts.push(crate::piece::part(word, start..at));
            start = if kind == Kind::Other {
                at + c.len_utf8()
            } else {
                at
            };
        }
        before = kind;
    }
    parts.push(crate::piece::part(word, start..word.len()));
    parts.retain(|part| !part.is_empty());
    parts
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lower,
    Upper,
    Digit,
    Other,
}

impl Kind {
    fn of(c: char) -> Self {
        match c {
            c if c.is_numeric() => Self::Digit,
            c if c.is_uppercase() => Self::Upper,
            '.' | '_' | '-' | ':' | '\'' | ',' | ';' => Self::Other,
            _ => Self::Lower,
        }
    }
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}' | '々')
}

/// Scripts that put no spaces between words: Han, kana, Thai, Lao, Burmese, Khmer; and Hangul, whose words have endings.
fn is_unspaced(c: char) -> bool {
    is_han(c)
        || matches!(c, '\u{3041}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{FF66}'..='\u{FF9F}' | '\u{AC00}'..='\u{D7A3}')
        || matches!(c, '\u{0E01}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}')
}

#[cfg(test)]
mod tests;
