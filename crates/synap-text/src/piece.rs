//! Pieces of a document on their way to become statements, and text that remembers where it came from.

use std::ops::Range;
use std::rc::Rc;
use synap_types::Timestamp;

/// A body longer than this is cut, at a line, a space or a character.
pub(crate) const BODY_BYTES_MAX: usize = 1_500;
/// Code and front matter stay whole up to here.
pub(crate) const CODE_BYTES_MAX: usize = 4_000;
/// Neighbouring sentences are put together up to here, where they are put together.
pub(crate) const GROUP_BYTES: usize = 240;
/// Fewer words than this do not stand alone beside a neighbour.
const WORDS_FEW: usize = 3;

/// How a piece may be treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A sentence of running text: may be merged with its neighbour.
    Prose,
    /// Stands alone: a list item, a table row, a short turn.
    Item,
    /// Kept with its line breaks.
    Code,
}

/// One candidate for a statement.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// Headings and lead-ins, joined.
    pub(crate) context: Option<Rc<str>>,
    /// The text itself.
    pub(crate) body: String,
    /// Where it came from.
    pub(crate) span: Range<usize>,
    /// Who said it.
    pub(crate) speaker: Option<Rc<str>>,
    /// When it was said.
    pub(crate) said_at: Option<Timestamp>,
    /// The document's title, where `context` leaves it out.
    pub(crate) title: Option<Rc<str>>,
    /// How it may be treated.
    pub(crate) form: Form,
}

impl Piece {
    /// A piece without a speaker.
    pub(crate) fn new(
        context: Option<Rc<str>>,
        body: String,
        span: Range<usize>,
        form: Form,
    ) -> Self {
        Self {
            context,
            body,
            span,
            speaker: None,
            said_at: None,
            title: None,
            form,
        }
    }

    /// Either is too short to stand alone. "Hi Dana," belongs to what follows.
    fn is_fragment_beside(&self, next: &Self) -> bool {
        few_words(&self.body) || few_words(&next.body) && !next.body.ends_with(',')
    }

    fn joins(&self, next: &Self, fill_bytes: usize) -> bool {
        let bytes = self.body.len() + next.body.len();
        self.form == Form::Prose
            && next.form == Form::Prose
            && self.context == next.context
            && self.speaker == next.speaker
            && (bytes <= fill_bytes || bytes <= GROUP_BYTES && self.is_fragment_beside(next))
    }
}

/// Merges very short fragments with their neighbours, and neighbours as long as they fit in `fill_bytes` together.
pub(crate) fn merge(pieces: Vec<Piece>, fill_bytes: usize) -> Vec<Piece> {
    let mut merged: Vec<Piece> = Vec::new();
    for piece in pieces {
        match merged.last_mut() {
            Some(last) if last.joins(&piece, fill_bytes) => {
                let gap = if last.body.ends_with(char::is_alphanumeric) {
                    "; "
                } else {
                    " "
                };
                last.body.push_str(gap);
                last.body.push_str(&piece.body);
                last.span.end = last.span.end.max(piece.span.end);
            }
            _ => merged.push(piece),
        }
    }
    merged
}

/// Text put together from parts of a source.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// The text so far.
    pub(crate) text: String,
    /// Where each part starts in `text`, and its range in the source.
    parts: Vec<(usize, Range<usize>)>,
}

impl Flow {
    /// Appends what stood at `from` in the source.
    pub(crate) fn push(&mut self, text: &str, from: Range<usize>) {
        if !text.is_empty() {
            self.parts.push((self.text.len(), from));
            self.text.push_str(text);
        }
    }

    /// The range in the source of a range of the text. Exact where the text was taken as it stands.
    pub(crate) fn source(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.part(range.start).map_or(0, |(at, length, from)| {
            if length == from.len() {
                from.start + (range.start - at)
            } else {
                from.start
            }
        });
        let end = self
            .part(range.end.saturating_sub(1))
            .map_or(start, |(at, length, from)| {
                if length == from.len() {
                    from.start + (range.end - at)
                } else {
                    from.end
                }
            });
        start..end.max(start)
    }

    /// The same text with one character, a byte long, as another of the same length.
    pub(crate) fn replaced(&self, character: char, by: &str) -> Self {
        Self {
            text: self.text.replace(character, by),
            parts: self.parts.clone(),
        }
    }

    fn part(&self, offset: usize) -> Option<(usize, usize, &Range<usize>)> {
        let after = self.parts.partition_point(|(at, _)| *at <= offset);
        let (at, from) = self.parts.get(after.checked_sub(1)?)?;
        let end = self
            .parts
            .get(after)
            .map_or(self.text.len(), |(next, _)| *next);
        Some((*at, end - at, from))
    }
}

/// The part of `text` in `range`; empty where the range cuts a character.
pub(crate) fn part(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or_default()
}

/// White space and control characters become single spaces; none at the ends.
pub(crate) fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
    {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Whether a text is too short to stand alone.
fn few_words(text: &str) -> bool {
    text.split_whitespace()
        .filter(|word| word.contains(char::is_alphanumeric))
        .nth(WORDS_FEW - 1)
        .is_none()
        && text.is_ascii()
        && !text.contains(": ")
}

/// The largest character boundary of `text` at or before `bytes`.
pub(crate) fn floor(text: &str, bytes: usize) -> usize {
    (0..=bytes.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// The first `bytes` of a text, cut after a word and marked; all of it when it fits.
pub(crate) fn clip(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let head = part(text, 0..floor(text, bytes));
    let words = head.rsplit_once(' ').map_or(head, |(words, _)| words);
    format!("{words}…")
}

/// Cuts a range of `text` into ranges of at most `bytes_max`: at a line's end, else at a space, else anywhere.
pub(crate) fn cut_long(text: &str, range: Range<usize>, bytes_max: usize) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = range.start;
    while range.end.saturating_sub(start) > bytes_max {
        let limit = floor(text, start + bytes_max);
        let head = part(text, start..limit);
        let at = head
            .rfind('\n')
            .filter(|at| *at > bytes_max / 2)
            .or_else(|| head.rfind(char::is_whitespace))
            .filter(|at| *at > 0)
            .map_or(limit, |at| start + at);
        if at <= start {
            break;
        }
        ranges.push(start..at);
        start = at;
    }
    if start < range.end {
        ranges.push(start..range.end);
    }
    ranges
}

/// `context: body`, without a doubled colon.
pub(crate) fn join(context: &str, body: &str) -> String {
    let context = context.trim_end().trim_end_matches(':').trim_end();
    if context.is_empty() {
        return body.to_owned();
    }
    let gap = if context.ends_with(['.', '?', '!']) {
        " "
    } else {
        ": "
    };
    format!("{context}{gap}{body}")
}

/// The text in small letters, with straight apostrophes.
pub(crate) fn lowered(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        text.replace('’', "'").to_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_knows_where_its_text_came_from() {
        let mut flow = Flow::default();
        flow.push("Hello ", 10..16);
        flow.push("&", 16..21);
        flow.push("world", 21..26);
        assert_eq!(flow.source(&(0..5)), 10..15);
        assert_eq!(flow.source(&(6..7)), 16..21);
        assert_eq!(flow.source(&(7..9)), 21..23);
        assert_eq!(flow.source(&(0..12)), 10..26);
    }

    #[test]
    fn long_text_is_cut_at_spaces_and_nothing_is_lost() {
        let text = "word ".repeat(1_000);
        let ranges = cut_long(&text, 0..text.len(), 100);
        let joined: String = ranges
            .iter()
            .map(|range| part(&text, range.clone()))
            .collect();
        assert_eq!(joined, text);
        assert!(ranges.iter().all(|range| range.len() <= 100));
        let solid = "é".repeat(1_000);
        assert_eq!(cut_long(&solid, 0..solid.len(), 101).len(), 20);
    }

    #[test]
    fn contexts_join_without_doubled_colons() {
        assert_eq!(
            join("Deployment Process:", "any time"),
            "Deployment Process: any time"
        );
        assert_eq!(join("When?", "any time"), "When? any time");
        assert_eq!(join("", "any time"), "any time");
    }
}
