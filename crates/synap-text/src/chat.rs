//! Transcripts as text: `User: …` lines and what follows them, into turns.

mod speaker;

use crate::piece::{Form, GROUP_BYTES, Piece, collapse, merge, part};
use crate::{kind, markdown};
pub(crate) use speaker::{Line, Reading, lines};
use std::ops::Range;
use std::rc::Rc;
use synap_types::Timestamp;

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

/// A role as it is shown: "User".
pub(crate) fn capital(role: &str) -> String {
    let mut chars = role.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// The pieces of a transcript; `None` when the text has no speakers' lines, so that it is prose.
pub(crate) fn pieces(text: &str, reading: Reading) -> Option<Vec<Piece>> {
    let lines = lines(text, reading)?;
    let first = lines.first().map_or(text.len(), |line| line.start);
    let mut pieces = shifted(markdown::pieces(part(text, 0..first)), 0);
    for (line, next) in lines
        .iter()
        .zip(lines.iter().skip(1).map(Some).chain([None]))
    {
        pieces.extend(turn(
            text,
            line,
            line.body..next.map_or(text.len(), |next| next.start),
        ));
    }
    Some(pieces)
}

fn turn(text: &str, line: &Line, body: Range<usize>) -> Vec<Piece> {
    let said = part(text, body.clone());
    let start = body.start + (said.len() - said.trim_start().len());
    let turn = Turn {
        speaker: Some(line.speaker.as_str().into()),
        said_at: line.said_at,
    };
    shifted(turn.pieces(said.trim()), start)
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
