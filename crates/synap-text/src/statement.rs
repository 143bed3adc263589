//! From a document to its statements: which reader, how many, of what kind.

use crate::Extractor;
use crate::chat::Reading;
use crate::entities::entities;
use crate::piece::{BODY_BYTES_MAX, Form, Piece, collapse, cut_long, join, merge, part};
use crate::{chat, dates, json, kind, mail, markdown};
use std::ops::Range;
use synap_types::{Content, DocumentType, EventTime, MemoryType, Timestamp};

/// Raised whenever the same input may give other output: part of the projection's version.
pub const TEXT_VERSION: u32 = 5;

/// Statements of one document. Of a document with more, neighbours are put together, evenly, so that all of its text stays
/// in some statement.
pub const STATEMENTS_MAX: usize = 10_000;

/// A text of up to this many bytes that is a JSON object stays whole: whoever wrote it as a text wants it back as it is.
const VALUE_BYTES_MAX: usize = 64 * 1024;

/// The type of documents that are mails also without headers.
const EMAIL: &str = "email";

/// Of a long text, neighbouring sentences are put together until it gives this many statements, about.
const STATEMENTS_GOOD: usize = STATEMENTS_MAX / 2;

/// A document to be read.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Its content.
    pub content: &'a Content,
    /// What it is.
    pub document_type: &'a DocumentType,
    /// When it was written, if known: "yesterday" counts from there where the content does not say when it was said.
    pub said_at: Option<Timestamp>,
}

/// One statement derived from a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Text that stands on its own: "Deployment Process: Production: Tuesdays and Thursdays", "Dana: I moved to Porto."
    pub text: String,
    /// Where in [`Content::to_text`] it came from, in bytes, at characters' boundaries.
    pub span: Range<u32>,
    /// What it is.
    pub kind: MemoryType,
    /// Who said it; it is at the start of `text`, too. `None` outside of transcripts.
    pub speaker: Option<String>,
    /// How sure `kind` is, 0 to 1, coarse.
    pub confidence: f32,
    /// Which feeling an emotion is ("frustration"); what anything else is about, where a word tells ("communication"). A
    /// preference and an emotion always have one.
    pub category: Option<String>,
    /// The title of its Markdown document (the only heading of the first level). `text` leaves it out, apart from the first
    /// statement's, as it would make every statement match every query that names the document.
    pub title: Option<String>,
    /// When it was said, if the transcript says so.
    pub said_at: Option<Timestamp>,
    /// What its time expressions say: against `said_at`, else against the time of the source.
    pub time: Option<EventTime>,
    /// The names in it, without its speaker's; see [`crate::entities`].
    pub entities: Vec<String>,
}

/// The statements of a document in the order of its text, at most [`STATEMENTS_MAX`].
pub fn statements(source: &Source<'_>) -> Vec<Statement> {
    Extractor::default().statements(source)
}

/// [`statements`], neighbours put together as long as they fit in `fill_bytes`.
pub(crate) fn cut(source: &Source<'_>, fill_bytes: usize) -> Vec<Statement> {
    let text = source.content.to_text();
    of_pieces(pieces(source, &text), &text, source.said_at, fill_bytes)
}

/// The statements of the pieces of a text, at most [`STATEMENTS_MAX`]. `written`: when, where a piece does not say it.
pub(crate) fn of_pieces(
    mut pieces: Vec<Piece>,
    text: &str,
    written: Option<Timestamp>,
    fill_bytes: usize,
) -> Vec<Statement> {
    if pieces.is_empty() {
        pieces = marks(text);
    }
    let long_bytes = match text.len() / STATEMENTS_GOOD {
        bytes if bytes < 32 => 0,
        bytes => bytes.min(BODY_BYTES_MAX),
    };
    let pieces = merge(pieces, fill_bytes.max(long_bytes));
    let each = pieces.len().div_ceil(STATEMENTS_MAX).max(1);
    pieces
        .chunks(each)
        .filter_map(|pieces| statement(pieces, written))
        .collect()
}

/// A text of marks only, such as a rule or a tag: kept as it is.
pub(crate) fn marks(text: &str) -> Vec<Piece> {
    cut_long(text, 0..text.len(), BODY_BYTES_MAX)
        .into_iter()
        .map(|range| Piece::new(None, collapse(part(text, range.clone())), range, Form::Item))
        .filter(|piece| !piece.body.is_empty())
        .collect()
}

fn pieces(source: &Source<'_>, text: &str) -> Vec<Piece> {
    let chat = source.document_type.is_chat();
    if matches!(source.content, Content::Text(_))
        && text.len() <= VALUE_BYTES_MAX
        && json::is_value(text, chat)
    {
        let whole = text.trim();
        let start = text.len() - text.trim_start().len();
        let span = start..start + whole.len();
        return vec![Piece::new(None, whole.to_owned(), span, Form::Code)];
    }
    if let Some(pieces) = json::pieces(text, chat) {
        return pieces;
    }
    if source.document_type.as_str() == EMAIL || mail::is_mail(text) {
        return mail::pieces(text);
    }
    let reading = if source.document_type.as_str() == DocumentType::CHAT {
        Reading::Any
    } else {
        Reading::People
    };
    let turns = if chat {
        chat::pieces(text, reading)
    } else {
        None
    };
    turns.unwrap_or_else(|| markdown::pieces(text))
}

/// One statement of one piece, or of several that stand side by side.
fn statement(pieces: &[Piece], written: Option<Timestamp>) -> Option<Statement> {
    let (first, more) = pieces.split_first()?;
    let mut text = full(first);
    let (mut body, mut last, mut end) = (first.body.clone(), first, first.span.end);
    for piece in more {
        let same = piece.context == last.context && piece.speaker == last.speaker;
        text.push('\n');
        text.push_str(&if same {
            piece.body.clone()
        } else {
            full(piece)
        });
        body.push('\n');
        body.push_str(&piece.body);
        end = end.max(piece.span.end);
        last = piece;
    }
    let speaker = first
        .speaker
        .as_deref()
        .filter(|_| more.iter().all(|piece| piece.speaker == first.speaker));
    // Numbers in code are seldom dates, and its capitals no names.
    let told = first.form != Form::Code;
    let typed = if told {
        kind::of(&body, first.context.as_deref(), speaker)
    } else {
        kind::Typed {
            kind: MemoryType::Fact,
            confidence: 0.5,
            category: None,
        }
    };
    Some(Statement {
        text,
        span: offset(first.span.start)..offset(end),
        kind: typed.kind,
        speaker: speaker.map(ToOwned::to_owned),
        confidence: typed.confidence,
        category: typed.category.map(ToOwned::to_owned),
        title: first.title.as_deref().map(ToOwned::to_owned),
        said_at: first.said_at,
        time: dates::event_time(&body, first.said_at.or(written)).filter(|_| told),
        entities: if told { entities(&body) } else { Vec::new() },
    })
}

/// Speaker, context and body.
fn full(piece: &Piece) -> String {
    let text = join(piece.context.as_deref().unwrap_or_default(), &piece.body);
    piece
        .speaker
        .as_deref()
        .map_or_else(|| text.clone(), |speaker| format!("{speaker}: {text}"))
}

/// Documents are smaller than 4 GiB; an offset beyond is held there.
fn offset(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
