//! E-mails: who wrote what to whom and when, with the replies and forwarded mails in them attributed to their own authors.
//! A signature is a piece of its own; disclaimers and "Sent from my phone" are left out.

mod head;
mod tail;

use crate::markdown;
use crate::piece::{Flow, Form, Piece, clip, collapse, join, merge, part};
use head::Head;
use std::ops::Range;
use std::rc::Rc;
use synap_types::Timestamp;

/// Replies within replies are told apart up to here.
const DEPTH_MAX: usize = 8;
/// The subject goes into each statement up to here.
const SUBJECT_BYTES_MAX: usize = 80;
/// An attribution is spread over so many lines.
const ATTRIBUTION_LINES_MAX: usize = 3;
/// Words of a greeting.
const GREETING_WORDS_MAX: usize = 4;
/// What stands above a mail within a mail, without its marks and in small letters.
const SEPARATORS: &[&str] = &[
    "original message",
    "forwarded message",
    "begin forwarded message:",
    "forwarded by",
    "ursprüngliche nachricht",
    "message d'origine",
];

/// Whether a text starts with the headers of a mail.
pub(crate) fn is_mail(text: &str) -> bool {
    head::of(text, 0).is_some_and(|head| head.is_mail())
}

/// The pieces of a mail, in the order of its text.
pub(crate) fn pieces(text: &str) -> Vec<Piece> {
    let mut flow = Flow::default();
    flow.push(text, 0..text.len());
    let mut mail = Mail { pieces: Vec::new() };
    let head = head::of(text, 0);
    let start = head.as_ref().map_or(0, |head| head.range.end);
    let author = Author::of(head.as_ref());
    if let Some(head) = &head {
        mail.headers(head, &flow, &author);
    }
    mail.part(&flow, start, &author, 0);
    mail.pieces.sort_by_key(|piece| piece.span.start);
    mail.pieces
}

/// Whose words they are.
#[derive(Debug, Clone, Default)]
struct Author {
    name: Option<Rc<str>>,
    said_at: Option<Timestamp>,
    subject: Option<Rc<str>>,
}

impl Author {
    fn of(head: Option<&Head>) -> Self {
        let Some(head) = head else {
            return Self::default();
        };
        Self {
            name: head.from.as_deref().and_then(head::name).map(Into::into),
            said_at: head.date,
            subject: head.subject.as_deref().and_then(topic),
        }
    }

    /// One who is quoted: of the same subject, unless the quotation names another.
    fn quoted(&self, quoted: Self) -> Self {
        Self {
            subject: quoted.subject.or_else(|| self.subject.clone()),
            ..quoted
        }
    }
}

/// A subject without "Re:" and "Fwd:".
fn topic(subject: &str) -> Option<Rc<str>> {
    let mut topic = subject.trim();
    while let Some((mark, rest)) = topic.split_once(':') {
        let known = matches!(
            mark.trim().to_lowercase().as_str(),
            "re" | "fw" | "fwd" | "aw" | "wg" | "sv" | "tr"
        );
        if !known {
            break;
        }
        topic = rest.trim_start();
    }
    (!topic.is_empty()).then(|| clip(topic, SUBJECT_BYTES_MAX).into())
}

struct Mail {
    pieces: Vec<Piece>,
}

impl Mail {
    /// The mail of `author` from `start` on.
    fn part(&mut self, flow: &Flow, start: usize, author: &Author, depth: usize) {
        let lines = lines(&flow.text, start);
        let mut at = 0;
        let mut own = Flow::default();
        while let Some(range) = lines.get(at) {
            let line = part(&flow.text, range.clone());
            let after = if depth < DEPTH_MAX
                && line.starts_with(['-', '_', '>', '*', 'B', 'b', 'F', ' '])
            {
                self.inner(flow, &lines, at, author, depth, &mut own)
            } else {
                None
            };
            if let Some(after) = after {
                at = after;
                continue;
            }
            if let Some((quoted, next)) = attributed(flow, &lines, at)
                && depth < DEPTH_MAX
            {
                self.own(&std::mem::take(&mut own), author);
                let quoted = author.quoted(quoted);
                at = self.quote(flow, &lines, next, &quoted, depth);
                continue;
            }
            if line.starts_with('>') {
                self.own(&std::mem::take(&mut own), author);
                let quoted = author.quoted(Author::default());
                at = self.quote(flow, &lines, at, &quoted, depth);
                continue;
            }
            own.push(line, flow.source(range));
            at += 1;
        }
        self.own(&own, author);
    }

    /// A mail within the mail, below a separator or at its own headers; the line after it.
    fn inner(
        &mut self,
        flow: &Flow,
        lines: &[Range<usize>],
        at: usize,
        author: &Author,
        depth: usize,
        own: &mut Flow,
    ) -> Option<usize> {
        let line = part(&flow.text, lines.get(at)?.clone());
        let separator = is_separator(line);
        let next = lines.get(at + usize::from(separator))?;
        if !separator && !line.trim_start_matches('*').starts_with("From:") {
            return None;
        }
        let head = head::of(&flow.text, next.start).filter(Head::is_mail)?;
        self.own(&std::mem::take(own), author);
        let quoted = author.quoted(Author::of(Some(&head)));
        self.headers(&head, flow, &quoted);
        self.part(flow, head.range.end, &quoted, depth + 1);
        Some(lines.len())
    }

    /// The quoted lines from `at` on; the line after them. Without marks, all that follows is quoted.
    fn quote(
        &mut self,
        flow: &Flow,
        lines: &[Range<usize>],
        at: usize,
        author: &Author,
        depth: usize,
    ) -> usize {
        let blank = |range: &Range<usize>| part(&flow.text, range.clone()).trim().is_empty();
        let mut end = at;
        while lines.get(end).is_some_and(&blank) {
            end += 1;
        }
        let first = end;
        let mut inner = Flow::default();
        while let Some(range) = lines.get(end) {
            let line = part(&flow.text, range.clone());
            let Some(said) = line.strip_prefix('>') else {
                break;
            };
            let said = if depth + 1 < DEPTH_MAX {
                said.strip_prefix(' ').unwrap_or(said)
            } else {
                said.trim_start_matches(['>', ' '])
            };
            inner.push(said, flow.source(&(range.end - said.len()..range.end)));
            end += 1;
        }
        if end > first {
            self.part(&inner, 0, author, depth + 1);
            return end;
        }
        let start = lines.get(first).map_or(flow.text.len(), |line| line.start);
        self.part(flow, start, author, depth + 1);
        lines.len()
    }

    /// What the author wrote.
    fn own(&mut self, flow: &Flow, author: &Author) {
        let tail = tail::of(&flow.text);
        let mut body = Flow::default();
        for range in tail.body {
            for line in lines(part(&flow.text, 0..range.end), range.start) {
                body.push(part(&flow.text, line.clone()), flow.source(&line));
            }
        }
        let mut pieces = merge(markdown::pieces(&body.text), 0);
        if pieces.len() > 1 && pieces.first().is_some_and(is_greeting) {
            pieces.remove(0);
        }
        for mut piece in pieces {
            piece.span = body.source(&piece.span);
            piece.said_at = author.said_at.or(piece.said_at);
            self.push(piece, author);
        }
        if let Some(range) = tail.signature {
            let lines = part(&flow.text, range.clone()).lines().map(collapse);
            let text: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
            let piece = Piece::new(
                Some("Signature".into()),
                text.join("; "),
                flow.source(&range),
                Form::Item,
            );
            let author = Author {
                subject: None,
                ..author.clone()
            };
            self.push(piece, &author);
        }
    }

    fn headers(&mut self, head: &Head, flow: &Flow, author: &Author) {
        let shown = head.shown.iter().map(String::as_str);
        let shown: Vec<&str> = shown.filter(|header| !header.ends_with(':')).collect();
        let piece = Piece::new(None, shown.join("; "), flow.source(&head.range), Form::Item);
        let author = Author {
            name: None,
            subject: None,
            ..author.clone()
        };
        if !piece.body.is_empty() {
            self.push(piece, &author);
        }
    }

    fn push(&mut self, mut piece: Piece, author: &Author) {
        piece.speaker.clone_from(&author.name);
        piece.said_at = piece.said_at.or(author.said_at);
        if let Some(subject) = &author.subject {
            piece.title = Some(Rc::clone(subject));
            piece.context = Some(match piece.context.as_deref() {
                Some(context) if context.starts_with(&**subject) => context.into(),
                Some(context) => join(subject, context).into(),
                None => Rc::clone(subject),
            });
        }
        self.pieces.push(piece);
    }
}

/// An attribution that starts in the line at `at`, and the line after it.
fn attributed(flow: &Flow, lines: &[Range<usize>], at: usize) -> Option<(Author, usize)> {
    let first = lines.get(at)?;
    if !head::may_attribute(part(&flow.text, first.clone())) {
        return None;
    }
    (at..at + ATTRIBUTION_LINES_MAX).find_map(|last| {
        let text = collapse(part(&flow.text, first.start..lines.get(last)?.end));
        let (name, said_at) = head::attribution(&text)?;
        let author = Author {
            name: Some(name.into()),
            said_at,
            subject: None,
        };
        Some((author, last + 1))
    })
}

/// "Hi Dana,", where it does not stand with what follows.
fn is_greeting(piece: &Piece) -> bool {
    piece.body.ends_with(',') && piece.body.split_whitespace().count() <= GREETING_WORDS_MAX
}

fn is_separator(line: &str) -> bool {
    let bare = line
        .trim()
        .trim_matches(|c: char| matches!(c, '-' | '_' | '*' | '=' | ' '))
        .to_lowercase();
    let marks = line.trim();
    let rule = marks.len() >= 8 && marks.bytes().all(|byte| matches!(byte, b'_' | b'-'));
    rule || SEPARATORS.iter().any(|mark| bare.starts_with(mark))
}

/// The lines of a text, each with its end.
fn lines(text: &str, start: usize) -> Vec<Range<usize>> {
    let mut at = start;
    part(text, start..text.len())
        .split_inclusive('\n')
        .map(|line| {
            at += line.len();
            at - line.len()..at
        })
        .collect()
}

#[cfg(test)]
mod tests;
