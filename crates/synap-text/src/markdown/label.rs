//! Lines and paragraphs that lead in to others, by their looks.

use crate::piece::{floor, part};
use std::ops::Range;

/// A label has at most this many words.
const WORDS_MAX: usize = 8;
/// A line shorter than this was not broken because it was full.
const LINE_BYTES_SHORT: usize = 45;
/// "Label: value" is looked for in this much of a line.
const LABEL_BYTES_MAX: usize = 40;

/// Whether a paragraph names what follows it instead of saying something: it ends with a colon, or is a few words
/// without a full stop.
pub(super) fn is_label(text: &str) -> bool {
    let text = text.trim_end();
    text.ends_with(':')
        || !text.ends_with(['.', '!', '?', '…', '。', '！', '？'])
            && text.split_whitespace().nth(WORDS_MAX).is_none()
}

/// The first of several lines, if it ends with a colon.
pub(super) fn label_line(text: &str) -> Option<Range<usize>> {
    let (line, rest) = text.split_once('\n')?;
    let label = line.trim_end().ends_with(':')
        && line.split_whitespace().nth(WORDS_MAX).is_none()
        && !rest.trim().is_empty();
    label.then_some(0..line.len())
}

/// Whether lines start with "Key: value".
pub(super) fn is_keyed(text: &str) -> bool {
    let line = text.lines().next().unwrap_or_default();
    line.split_once(": ").is_some_and(|(key, _)| is_label(key))
}

/// First words of lines by which letters begin and end, in small letters.
const GREETINGS: &[&str] = &[
    "best",
    "bye",
    "cheers",
    "dear",
    "good",
    "greetings",
    "hallo",
    "hello",
    "hey",
    "hi",
    "kind",
    "love",
    "regards",
    "sincerely",
    "thank",
    "thanks",
    "thx",
    "yours",
];

/// Whether a line is a greeting, and no title.
pub(super) fn is_greeting(text: &str) -> bool {
    let word = text.split(|c: char| !c.is_alphabetic()).next();
    let word = word.unwrap_or_default().to_lowercase();
    GREETINGS.contains(&word.as_str())
}

/// Words before a question, and before its answer.
const QUESTIONS: &[&str] = &["Q:", "Question:", "Frage:"];
const ANSWERS: &[&str] = &["A:", "Answer:", "Antwort:"];

/// Whether a paragraph says of itself that it is a question.
pub(super) fn is_question(text: &str) -> bool {
    QUESTIONS.iter().any(|label| text.starts_with(label))
}

/// The answer in a paragraph: all of it, or what follows a question.
pub(super) fn answer(text: &str) -> Option<Range<usize>> {
    let answers = |text: &str| ANSWERS.iter().any(|label| text.starts_with(label));
    if answers(text) {
        return Some(0..text.len());
    }
    let at = text.find('\n').filter(|_| is_question(text))? + 1;
    answers(part(text, at..text.len())).then_some(at..text.len())
}

/// Whether a line break in a paragraph (at `range` in `source`) separates: the next line is "Label: value", or starts
/// with a capital though this line is short.
pub(super) fn breaks(source: &str, range: &Range<usize>) -> bool {
    let rest = part(
        source,
        range.end..floor(source, range.end + LABEL_BYTES_MAX),
    );
    let next = rest.trim_start_matches([' ', '>', '\t', '*', '_']);
    let label = next.split_once(':').is_some_and(|(label, value)| {
        value.starts_with([' ', '*'])
            && label.split(' ').count() <= 4
            && !label.contains(['\n', '.', ',', '/'])
    });
    let bytes = source.as_bytes().get(..range.start).unwrap_or_default();
    let line = bytes
        .iter()
        .rev()
        .take(LINE_BYTES_SHORT)
        .take_while(|byte| **byte != b'\n')
        .count();
    next.starts_with(char::is_uppercase) && (label || line < LINE_BYTES_SHORT)
}

/// Whether an indented block is running text: it has sentences, and more letters than code has.
pub(super) fn is_prose(text: &str) -> bool {
    let text = text.trim();
    let words = text.split_whitespace().count();
    let plain = text
        .split_whitespace()
        .filter(|word| {
            word.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '"'])
                .trim_start_matches(['(', '"'])
                .chars()
                .all(|c| c.is_alphabetic() || matches!(c, '\'' | '’' | '-'))
        })
        .count();
    text.ends_with(['.', '!', '?', '…', '。']) && words >= 4 && plain * 10 >= words * 9
}
