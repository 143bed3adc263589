//! Transcripts as text: `User: …` lines and what follows them, into turns.

mod cues;
mod label;
mod speaker;
mod stamp;

use crate::piece::{Flow, Form, GROUP_BYTES, Piece, clip, collapse, merge, part};
use crate::{kind, markdown};
pub(crate) use label::is_role;
pub(crate) use speaker::Reading;
use speaker::{Line, lines};
use std::ops::Range;
use std::rc::Rc;
use synap_types::Timestamp;

/// A speaker's name is shown up to here.
const NAME_BYTES_MAX: usize = 200;
/// A turn up to here is one piece.
const TURN_BYTES_SHORT: usize = 160;

/// What one speaker said until the next spoke.
#[derive(Debug)]
pub(crate) struct Turn {
    /// Who.
    pub(crate) speaker: Option<Rc<str>>,
    /// When, if the transcript says so.
    pub(crate) said_at: Option<Timestamp>,
}

impl Turn {
    /// A short turn is one piece. A long one is read as Markdown, its neighbouring sentences of the same kind put together
    /// up to [`GROUP_BYTES`].
    pub(crate) fn pieces(&self, text: &str) -> Vec<Piece> {
        let short = collapse(text);
        let mut pieces = if short.is_empty() {
            Vec::new()
        } else if short.len() <= TURN_BYTES_SHORT {
            vec![Piece::new(None, short, 0..text.len(), Form::Item)]
        } else {
            by_kind(markdown::pieces(text))
        };
        for piece in &mut pieces {
            piece.speaker.clone_from(&self.speaker);
            piece.said_at = self.said_at;
        }
        pieces
    }
}

/// Puts neighbours of the same kind together.
fn by_kind(pieces: Vec<Piece>) -> Vec<Piece> {
    let kind_of = |piece: &Piece| kind::of(&piece.body, piece.context.as_deref(), None).kind;
    let whole: Vec<_> = merge(pieces, 0)
        .into_iter()
        .map(|piece| (kind_of(&piece), piece))
        .collect();
    whole
        .chunk_by(|(kind, _), (next, _)| kind == next)
        .flat_map(|run| {
            merge(
                run.iter().map(|(_, piece)| piece.clone()).collect(),
                GROUP_BYTES,
            )
        })
        .collect()
}

/// A name on one line, clipped; `None` when it is blank.
pub(crate) fn shown_name(name: &str) -> Option<String> {
    let name = clip(&collapse(name), NAME_BYTES_MAX);
    (!name.is_empty()).then_some(name)
}

/// A role as it is shown: "User".
pub(crate) fn capital(role: &str) -> String {
    let mut chars = role.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// What somebody said, or, without a speaker, what stands before and between.
#[derive(Debug)]
pub(crate) struct Spoken {
    /// Who, as it is shown: "User", "Dana".
    pub(crate) speaker: Option<String>,
    /// When, if the transcript tells the date, too.
    pub(crate) said_at: Option<Timestamp>,
    /// The words, and where they stand.
    pub(crate) words: Flow,
}

/// What a transcript has in it, in order; `None` when the text has neither speakers' lines nor subtitles.
pub(crate) fn said(text: &str, reading: Reading) -> Option<Vec<Spoken>> {
    if let Some(said) = cues::read(text) {
        return Some(said);
    }
    let lines = lines(text, reading)?;
    let first = lines.first().map_or(text.len(), |line| line.start);
    let ends = lines.iter().skip(1).map(|line| line.start);
    let turns = lines.iter().zip(ends.chain([text.len()]));
    let mut all = vec![Spoken {
        speaker: None,
        said_at: None,
        words: trimmed(text, 0..first),
    }];
    all.extend(turns.map(|(line, end)| Spoken {
        speaker: Some(line.speaker.clone()),
        said_at: line.said_at,
        words: trimmed(text, line.body..end),
    }));
    Some(all)
}

fn trimmed(text: &str, range: Range<usize>) -> Flow {
    let said = part(text, range.clone());
    let start = range.start + (said.len() - said.trim_start().len());
    let said = said.trim();
    let mut flow = Flow::default();
    flow.push(said, start..start + said.len());
    flow
}

/// The pieces of a transcript; `None` when the text has no speakers' lines, so that it is prose.
pub(crate) fn pieces(text: &str, reading: Reading) -> Option<Vec<Piece>> {
    let all = said(text, reading)?;
    let mut pieces = Vec::new();
    for said in all {
        let turn = Turn {
            speaker: said.speaker.as_deref().map(Into::into),
            said_at: said.said_at,
        };
        let found = if turn.speaker.is_none() {
            markdown::pieces(&said.words.text)
        } else {
            turn.pieces(&said.words.text)
        };
        pieces.extend(found.into_iter().map(|mut piece| {
            piece.span = said.words.source(&piece.span);
            piece
        }));
    }
    Some(pieces)
}

/// Moves pieces of a part of a text to where the part starts.
pub(crate) fn shifted(mut pieces: Vec<Piece>, by: usize) -> Vec<Piece> {
    for piece in &mut pieces {
        piece.span = piece.span.start + by..piece.span.end + by;
    }
    pieces
}

#[cfg(test)]
mod tests;
