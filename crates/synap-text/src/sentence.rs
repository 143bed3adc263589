//! Cuts running text into sentences in one pass.
//!
//! Not UAX #29: its rule 8 looks ahead without a bound from every character after a full stop, so a document of a dot
//! and brackets costs quadratic time; and it cuts after "Dr." and inside of `https://a.example/?b`.

use crate::piece::part;
use std::ops::Range;

/// Never ends a sentence, whatever follows.
const ABBREVIATIONS: &[&str] = &[
    "adm", "approx", "capt", "cf", "col", "dept", "dr", "e.g", "eg", "eq", "esp", "est", "gen",
    "gov", "hon", "i.e", "ie", "incl", "lt", "max", "messrs", "min", "mr", "mrs", "ms", "mt",
    "prof", "rep", "rev", "sen", "sgt", "st", "vs",
];
/// Does not end a sentence when a number follows.
const BEFORE_NUMBERS: &[&str] = &[
    "apr", "art", "aug", "ch", "dec", "feb", "fig", "jan", "jul", "jun", "mar", "no", "nos", "nov",
    "oct", "p", "para", "pp", "ref", "sec", "sep", "sept", "ver", "vol",
];
/// End a sentence when white space follows.
const SPACED: &[char] = &['.', '!', '?', '…', '‼', '⁇', '⁈', '⁉', '؟', '۔', '։', '።'];
/// End a sentence as they are.
const IDEOGRAPHIC: &[char] = &['。', '！', '？', '．', '｡', '।', '॥', '။', '។'];
/// May stand between a full stop and the white space after it.
const CLOSERS: &[char] = &[
    ')', ']', '}', '"', '\'', '”', '’', '»', '」', '』', '）', '*', '_', '`',
];

/// The sentences of `text`: ranges in order that hold everything but the white space between them. A line break ends one.
pub(crate) fn cut(text: &str) -> Vec<Range<usize>> {
    let casual = !text.contains(char::is_uppercase);
    let mut sentences = Vec::new();
    let (mut start, mut word, mut skip_to) = (0, 0, 0);
    for (at, c) in text.char_indices() {
        if at < skip_to {
            continue;
        }
        let after = at + c.len_utf8();
        if c == '\n' {
            push(text, start..at, &mut sentences);
            (start, word) = (after, after);
        } else if c.is_whitespace() || matches!(c, '(' | '[' | '"' | '“') {
            word = after;
        } else if SPACED.contains(&c) || IDEOGRAPHIC.contains(&c) {
            let end = run_end(text, after);
            skip_to = end;
            if ends(
                text,
                &Mark {
                    sentence: start,
                    word,
                    at,
                    end,
                    c,
                    casual,
                },
            ) {
                push(text, start..end, &mut sentences);
                (start, word) = (end, end);
            }
        }
    }
    push(text, start..text.len(), &mut sentences);
    sentences
}

/// A place where a sentence might end.
struct Mark {
    /// Where the sentence started.
    sentence: usize,
    /// Where the word before the mark started.
    word: usize,
    /// The mark.
    at: usize,
    /// The end of marks and closing brackets.
    end: usize,
    c: char,
    /// The text has no capital letter, so small letters start sentences.
    casual: bool,
}

fn ends(text: &str, mark: &Mark) -> bool {
    let rest = part(text, mark.end..text.len());
    if IDEOGRAPHIC.contains(&mark.c) || rest.is_empty() {
        return true;
    }
    if !rest.starts_with(char::is_whitespace) {
        return false;
    }
    let following = rest.trim_start();
    let Some(next) = following.chars().next() else {
        return true;
    };
    if mark.c != '.' || mark.end > mark.at + 2 {
        return !next.is_lowercase() || mark.end == mark.at + mark.c.len_utf8();
    }
    if next.is_lowercase() && !mark.casual {
        return false;
    }
    let word = part(text, mark.word..mark.at);
    let numbers = is_ordinal(word) && mark.word == first_word(text, mark.sentence);
    !numbers && !is_abbreviation(word, following, next)
}

fn is_abbreviation(word: &str, following: &str, next: char) -> bool {
    if word.len() > 16 {
        return false;
    }
    let lower = word.to_lowercase();
    if matches!(lower.as_str(), "a.m" | "p.m") {
        let zone: String = following
            .chars()
            .take_while(|c| c.is_alphanumeric())
            .take(6)
            .collect();
        return next.is_numeric()
            || (2..=4).contains(&zone.len()) && zone.chars().all(char::is_uppercase);
    }
    let mut letters = word.chars();
    let initial =
        matches!((letters.next(), letters.next()), (Some(c), None) if c.is_uppercase() && c != 'I');
    let dotted = word.contains('.')
        && word
            .split('.')
            .all(|part| part.chars().count() == 1 && !part.contains(char::is_numeric));
    initial
        || dotted
        || ABBREVIATIONS.contains(&lower.as_str())
        || next.is_numeric() && BEFORE_NUMBERS.contains(&lower.as_str())
}

/// "1." at the start of a line is a number, not a sentence.
fn is_ordinal(word: &str) -> bool {
    word.len() <= 3 && !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
}

fn first_word(text: &str, sentence: usize) -> usize {
    let rest = part(text, sentence..text.len());
    sentence + (rest.len() - rest.trim_start().len())
}

/// The end of the marks and closing brackets that follow.
fn run_end(text: &str, from: usize) -> usize {
    let rest = part(text, from..text.len());
    let run = rest.trim_start_matches(|c| SPACED.contains(&c) || IDEOGRAPHIC.contains(&c));
    from + (rest.len() - run.trim_start_matches(CLOSERS).len())
}

fn push(text: &str, range: Range<usize>, sentences: &mut Vec<Range<usize>>) {
    let sentence = part(text, range.clone());
    let start = range.start + (sentence.len() - sentence.trim_start().len());
    let end = start + sentence.trim().len();
    if start < end {
        sentences.push(start..end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<&str> = cut(text)
            .into_iter()
            .map(|range| part(text, range))
            .collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn sentences_end_at_full_stops() {
        check(
            "Alice prefers dark mode. She lives in Lisbon.",
            &["Alice prefers dark mode.", "She lives in Lisbon."],
        );
        check(
            "Really? Yes! Done…  Next",
            &["Really?", "Yes!", "Done…", "Next"],
        );
        check(
            "He said \"stop.\" Then he left.",
            &["He said \"stop.\"", "Then he left."],
        );
        check("\"Really?\" she asked.", &["\"Really?\" she asked."]);
        check(
            "i like tea. i hate coffee.",
            &["i like tea.", "i hate coffee."],
        );
    }

    #[test]
    fn abbreviations_numbers_and_addresses_are_not_cut() {
        check(
            "Ask Dr. Kim, e.g. Monday. Then go.",
            &["Ask Dr. Kim, e.g. Monday.", "Then go."],
        );
        check(
            "Use OAuth 2.1. See https://a.example/x?Y=1.2 now.",
            &["Use OAuth 2.1.", "See https://a.example/x?Y=1.2 now."],
        );
        check(
            "From 10 a.m. PT on. At 2 p.m. We stop.",
            &["From 10 a.m. PT on.", "At 2 p.m.", "We stop."],
        );
        check(
            "J. Smith wrote it. So do I. Then",
            &["J. Smith wrote it.", "So do I.", "Then"],
        );
        check(
            "See Fig. 2 and No. 5. Pay $3.50. Ok",
            &["See Fig. 2 and No. 5.", "Pay $3.50.", "Ok"],
        );
        check(
            "It began in 2021. Then it grew.",
            &["It began in 2021.", "Then it grew."],
        );
        check(
            "1. Run the tests. 2. Ship.",
            &["1. Run the tests.", "2. Ship."],
        );
    }

    #[test]
    fn other_scripts_and_lines_are_cut() {
        check(
            "今日は晴れです。明日は雨です。",
            &["今日は晴れです。", "明日は雨です。"],
        );
        check("one\ntwo\n\n three ", &["one", "two", "three"]);
        check("كيف حالك؟ أنا بخير.", &["كيف حالك؟", "أنا بخير."]);
        check(" \n ", &[]);
    }
}
