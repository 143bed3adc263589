//! Lists of messages: `[{"role": …, "content": …}]` or `{"messages": […]}`, as chat interfaces send and keep them.

use super::flatten::{self, within};
use super::reader::{Node, Shape};
use crate::chat::{Turn, capital};
use crate::piece::Piece;
use std::rc::Rc;
use synap_types::Timestamp;

/// Where an object keeps its messages.
const LISTS: &[&str] = &["messages", "transcript", "turns", "conversation"];
/// Who said it; a name wins over a role.
const SPEAKERS: &[&str] = &["speaker", "name", "author", "sender", "role", "from"];
/// What was said.
const CONTENTS: &[&str] = &["content", "text", "message", "parts"];
/// When it was said.
const TIMES: &[&str] = &["timestamp", "created_at", "time", "ts"];
/// Members that say nothing: the only part of a message that makes no piece.
const SILENT: &[&str] = &["id", "type", "object", "index"];

/// The pieces of a list of messages; `None` when it is none.
pub(super) fn pieces(root: &Node) -> Option<Vec<Piece>> {
    let Shape::Object(members) = &root.shape else {
        return list(root);
    };
    let at = members
        .iter()
        .position(|(key, value)| LISTS.contains(&key.as_str()) && list(value).is_some())?;
    let mut pieces = Vec::new();
    for (index, (key, value)) in members.iter().enumerate() {
        if index == at {
            pieces.extend(list(value)?);
        } else if !is_null(value) {
            pieces.extend(flatten::pieces(value, Some(key)));
        }
    }
    Some(pieces)
}

fn list(node: &Node) -> Option<Vec<Piece>> {
    let Shape::List(messages) = &node.shape else {
        return None;
    };
    if messages.is_empty() || !messages.iter().all(is_message) {
        return None;
    }
    Some(messages.iter().flat_map(message).collect())
}

fn is_message(node: &Node) -> bool {
    SPEAKERS.iter().any(|key| {
        node.get(key)
            .is_some_and(|speaker| speaker.text().is_some())
    }) && CONTENTS.iter().any(|key| node.get(key).is_some())
}

fn message(node: &Node) -> Vec<Piece> {
    let Shape::Object(members) = &node.shape else {
        return Vec::new();
    };
    let find = |keys: &[&'static str]| {
        keys.iter()
            .copied()
            .find(|key| node.get(key).is_some_and(|value| !is_null(value)))
    };
    let (speaker, content, time) = (find(SPEAKERS), find(CONTENTS), find(TIMES));
    let turn = Turn {
        speaker: speaker.and_then(|key| shown(key, node.get(key)?.text()?)),
        said_at: time.and_then(|key| timestamp(node.get(key)?)),
    };
    let mut pieces = Vec::new();
    for (key, value) in members {
        let key = key.as_str();
        let told =
            Some(key) == speaker || key == "role" || Some(key) == time && turn.said_at.is_some();
        if Some(key) == content {
            parts(&turn, value, &mut pieces);
        } else if !told && !is_null(value) && !SILENT.contains(&key) {
            pieces.extend(
                flatten::pieces(value, Some(key))
                    .into_iter()
                    .map(|mut piece| {
                        piece.speaker.clone_from(&turn.speaker);
                        piece.said_at = turn.said_at;
                        piece
                    }),
            );
        }
    }
    pieces
}

/// What was said: a string, or a list of strings and `{"type": "text", "text": …}`; other parts are flattened.
fn parts(turn: &Turn, node: &Node, pieces: &mut Vec<Piece>) {
    match &node.shape {
        Shape::Text { text, plain } => {
            pieces.extend(turn.pieces(text).into_iter().map(|mut piece| {
                piece.span = within(&node.span, *plain, &piece.span);
                piece
            }));
        }
        Shape::List(parts_of) if parts_of.iter().all(is_part) => {
            for part in parts_of {
                parts(turn, part.get("text").unwrap_or(part), pieces);
            }
        }
        Shape::Object(_) | Shape::List(_) | Shape::Word(_) => {
            pieces.extend(flatten::pieces(node, None).into_iter().map(|mut piece| {
                piece.speaker.clone_from(&turn.speaker);
                piece.said_at = turn.said_at;
                piece
            }));
        }
    }
}

fn is_part(node: &Node) -> bool {
    match &node.shape {
        Shape::Text { .. } => true,
        Shape::Object(members) => {
            node.get("text").is_some_and(|text| text.text().is_some())
                && members
                    .iter()
                    .all(|(key, _)| key == "text" || key == "type")
        }
        Shape::List(_) | Shape::Word(_) => false,
    }
}

/// Roles with a capital, names as they are.
fn shown(key: &str, speaker: &str) -> Option<Rc<str>> {
    let speaker = speaker.trim();
    let shown = if key == "role" {
        capital(speaker)
    } else {
        speaker.to_owned()
    };
    (!shown.is_empty()).then(|| shown.into())
}

/// RFC 3339, or seconds or milliseconds since 1970.
fn timestamp(node: &Node) -> Option<Timestamp> {
    if let Some(text) = node.text() {
        return text.parse().ok();
    }
    let Shape::Word(word) = &node.shape else {
        return None;
    };
    let (whole, fraction) = word.split_once('.').unwrap_or((word, ""));
    let whole: i64 = whole.parse().ok()?;
    match whole {
        1_000_000_000..100_000_000_000 => {
            let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
            Some(Timestamp::from_micros(
                whole * 1_000_000 + digits.parse::<i64>().ok()?,
            ))
        }
        1_000_000_000_000..100_000_000_000_000 => Some(Timestamp::from_micros(whole * 1_000)),
        _ => None,
    }
}

fn is_null(node: &Node) -> bool {
    matches!(&node.shape, Shape::Word(word) if word == "null")
}
