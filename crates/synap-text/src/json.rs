//! JSON documents: messages into turns, everything else into "path: key: value" pieces.

mod flatten;
mod messages;
mod reader;

use crate::piece::Piece;

/// The pieces of a JSON text; `None` when it is none, or a lone string or number. `chat`: lists of messages are turns.
pub(crate) fn pieces(text: &str, chat: bool) -> Option<Vec<Piece>> {
    let Some(root) = reader::read(text) else {
        let nodes = reader::read_lines(text)?;
        let told = if chat { messages::lines(&nodes) } else { None };
        return Some(told.unwrap_or_else(|| {
            let flat = nodes.iter().flat_map(|node| flatten::pieces(node, None));
            flat.collect()
        }));
    };
    if chat && let Some(pieces) = messages::pieces(&root) {
        return Some(pieces);
    }
    Some(flatten::pieces(&root, None))
}

/// Whether the text is a JSON object, and not a list of messages where such are turns.
pub(crate) fn is_value(text: &str, chat: bool) -> bool {
    let is_object = text.trim_start().starts_with('{');
    is_object && reader::read(text).is_some_and(|root| !chat || messages::pieces(&root).is_none())
}

#[cfg(test)]
mod tests;
