//! Lists of messages: `[{"role": …, "content": …}]` or `{"messages": […]}`, as chat interfaces send and keep them.

use super::flatten::{self, within};
use super::reader::{Node, Shape};
use crate::chat::{Turn, capital, is_role, shown_name};
use crate::piece::Piece;
use crate::when::{Order, moment};
use std::rc::Rc;
use synap_types::Timestamp;

/// Where an object keeps its messages.
const LISTS: &[&str] = &[
    "messages",
    "transcript",
    "turns",
    "conversation",
    "conversations",
    "contents",
    "history",
    "chat",
    "events",
];
/// Who said it; a name wins over a role.
const SPEAKERS: &[&str] = &[
    "speaker", "name", "author", "sender", "role", "from", "username", "user",
];
/// What was said.
const CONTENTS: &[&str] = &["content", "text", "message", "parts", "value", "body"];
/// When it was said.
const TIMES: &[&str] = &[
    "timestamp",
    "created_at",
    "time",
    "ts",
    "timestamp_ms",
    "sent_at",
    "date",
];
/// Members that say nothing: the only part of a message that makes no piece.
const SILENT: &[&str] = &[
    "id",
    "type",
    "object",
    "index",
    "uuid",
    "message_id",
    "conversation_id",
    "session_id",
    "event_id",
    "event_type",
    "tool_call_id",
    "client_msg_id",
    "sent_at_ms",
];
/// Parts of a message that hold no words.
const WORDLESS: &[&str] = &[
    "image",
    "image_url",
    "input_image",
    "audio",
    "input_audio",
    "file",
    "video",
];

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

/// Lines of messages, one after the other; `None` when some are none.
pub(super) fn lines(nodes: &[Node]) -> Option<Vec<Piece>> {
    nodes
        .iter()
        .all(is_message)
        .then(|| nodes.iter().flat_map(message).collect())
}

/// The speaker of `{"user": "…"}`.
fn role_only(node: &Node) -> Option<(&str, &Node)> {
    match &node.shape {
        Shape::Object(members) => match members.as_slice() {
            [(role, said)] if is_role(role) && said.text().is_some() => Some((role, said)),
            _ => None,
        },
        Shape::List(_) | Shape::Text { .. } | Shape::Word(_) => None,
    }
}

/// The kind and the message of `{"type": "human", "data": {"content": …}}`.
fn wrapped(node: &Node) -> Option<(&str, &Node)> {
    let kind = node.get("type")?.text().filter(|kind| is_role(kind))?;
    let data = node.get("data")?;
    data.get("content").is_some().then_some((kind, data))
}

fn is_message(node: &Node) -> bool {
    if role_only(node).is_some() || wrapped(node).is_some() {
        return true;
    }
    SPEAKERS.iter().any(|key| {
        node.get(key)
            .is_some_and(|speaker| speaker.text().is_some())
    }) && CONTENTS.iter().any(|key| node.get(key).is_some())
}

fn message(node: &Node) -> Vec<Piece> {
    if let Some((role, said)) = role_only(node) {
        let turn = Turn {
            speaker: shown("role", role),
            said_at: None,
        };
        let mut pieces = Vec::new();
        parts(&turn, said, &mut pieces);
        return pieces;
    }
    let (node, kind) = wrapped(node).map_or((node, None), |(kind, data)| (data, Some(kind)));
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
        speaker: speaker
            .and_then(|key| shown(key, node.get(key)?.text()?))
            .or_else(|| shown("role", kind?)),
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
        Shape::List(parts_of) if parts_of.iter().any(is_part) => {
            for part in parts_of {
                let kind = part.get("type").and_then(Node::text).unwrap_or_default();
                if !WORDLESS.contains(&kind) {
                    let words = Some(part).filter(|part| is_part(part));
                    let words = words.and_then(|part| part.get("text"));
                    parts(turn, words.unwrap_or(part), pieces);
                }
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
    let speaker = shown_name(speaker)?;
    Some(if key == "role" || is_role(&speaker) {
        capital(&speaker).into()
    } else {
        speaker.into()
    })
}

/// A date and time, or seconds or milliseconds since 1970.
fn timestamp(node: &Node) -> Option<Timestamp> {
    let word = match &node.shape {
        Shape::Text { text, .. } => {
            let digits = |c: char| c.is_ascii_digit() || c == '.';
            if !text.chars().all(digits) {
                return moment(text, Order::MonthFirst);
            }
            text
        }
        Shape::Word(word) => word,
        Shape::Object(_) | Shape::List(_) => return None,
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
