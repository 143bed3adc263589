//! Reads JSON with the place of each value. What is valid is up to `serde_json`; this only finds where values stand.

use crate::piece::part;
use std::ops::Range;

/// Values nested deeper than this are not read as JSON. `serde_json` refuses them, too.
const DEPTH_MAX: usize = 127;

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) shape: Shape,
    /// Bytes of the value on one line, about.
    pub(super) bytes: usize,
    /// No list of objects or lists is in it, so that it can be told on one line.
    pub(super) flat: bool,
}

/// A value.
#[derive(Debug)]
pub(super) enum Shape {
    /// Members in the order of the text.
    Object(Vec<(String, Node)>),
    List(Vec<Node>),
    /// `plain`: it stands in the source as it is, a byte after its start.
    Text {
        text: String,
        plain: bool,
    },
    /// A number, `true`, `false` or `null`.
    Word(String),
}

impl Node {
    /// The member of an object.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.shape {
            Shape::Object(members) => members
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value),
            Shape::List(_) | Shape::Text { .. } | Shape::Word(_) => None,
        }
    }

    /// The text of a string.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.shape {
            Shape::Text { text, .. } => Some(text),
            Shape::Object(_) | Shape::List(_) | Shape::Word(_) => None,
        }
    }

    /// Whether it has parts.
    pub(super) fn is_container(&self) -> bool {
        matches!(self.shape, Shape::Object(_) | Shape::List(_))
    }

    fn new(span: Range<usize>, shape: Shape) -> Self {
        let (bytes, flat) = match &shape {
            Shape::Object(members) => (
                members
                    .iter()
                    .map(|(key, value)| key.len() + value.bytes + 4)
                    .sum(),
                members.iter().all(|(_, value)| value.flat),
            ),
            Shape::List(values) => (
                values.iter().map(|value| value.bytes + 2).sum(),
                !values.iter().any(Self::is_container),
            ),
            Shape::Text { text, .. } | Shape::Word(text) => (text.len(), true),
        };
        Self {
            span,
            shape,
            bytes,
            flat,
        }
    }
}

/// The object or list that a text is; `None` when it is anything else.
pub(super) fn read(text: &str) -> Option<Node> {
    if !text.trim_start().starts_with(['{', '['])
        || serde_json::from_str::<serde_json::Value>(text).is_err()
    {
        return None;
    }
    Reader { text, at: 0 }.value(0)
}

/// The objects that the lines of a text are; `None` when there is one line, or one that is none.
pub(super) fn read_lines(text: &str) -> Option<Vec<Node>> {
    if !text.trim_start().starts_with('{') || !text.trim_end().ends_with('}') {
        return None;
    }
    let mut nodes = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let from = at;
        at += line.len();
        if line.trim().is_empty() {
            continue;
        }
        if !line.trim_start().starts_with('{')
            || serde_json::from_str::<serde_json::Value>(line).is_err()
        {
            return None;
        }
        nodes.push(Reader { text, at: from }.value(0)?);
    }
    (nodes.len() > 1).then_some(nodes)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Option<Node> {
        let first = self.peek()?;
        let start = self.at;
        let shape = match first {
            _ if depth > DEPTH_MAX => return None,
            b'{' => self.object(depth)?,
            b'[' => self.list(depth)?,
            b'"' => {
                let (text, plain) = self.string()?;
                Shape::Text { text, plain }
            }
            _ => {
                let rest = part(self.text, self.at..self.text.len());
                let end = rest
                    .find(|c: char| matches!(c, ',' | ']' | '}') || c.is_ascii_whitespace())
                    .unwrap_or(rest.len());
                self.at += end.max(1);
                Shape::Word(part(rest, 0..end).to_owned())
            }
        };
        Some(Node::new(start..self.at, shape))
    }

    fn object(&mut self, depth: usize) -> Option<Shape> {
        let mut members = Vec::new();
        self.at += 1;
        while self.peek()? != b'}' {
            let (key, _) = self.string()?;
            self.take(b':')?;
            members.push((key, self.value(depth + 1)?));
            if self.peek()? == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        Some(Shape::Object(members))
    }

    fn list(&mut self, depth: usize) -> Option<Shape> {
        let mut values = Vec::new();
        self.at += 1;
        while self.peek()? != b']' {
            values.push(self.value(depth + 1)?);
            if self.peek()? == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        Some(Shape::List(values))
    }

    fn string(&mut self) -> Option<(String, bool)> {
        let start = self.at;
        self.take(b'"')?;
        let mut escaped = false;
        let length = part(self.text, self.at..self.text.len())
            .bytes()
            .position(|byte| {
                let ends = byte == b'"' && !escaped;
                escaped = byte == b'\\' && !escaped;
                ends
            })?;
        let inner = part(self.text, self.at..self.at + length);
        self.at += length + 1;
        if inner.contains('\\') {
            let text = serde_json::from_str(part(self.text, start..self.at)).ok()?;
            return Some((text, false));
        }
        Some((inner.to_owned(), true))
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        let found = self.peek()? == byte;
        self.at += 1;
        found.then_some(())
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = self.text.as_bytes().get(self.at)?;
            if !byte.is_ascii_whitespace() {
                return Some(*byte);
            }
            self.at += 1;
        }
    }
}
