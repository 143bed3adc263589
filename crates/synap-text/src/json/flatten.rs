//! JSON into pieces: a small object is one ("user: name: Dana, city: Porto"), a larger one is a piece per group of plain
//! members and per part; a list of objects is a piece per element.

use super::reader::{Node, Shape};
use crate::markdown;
use crate::piece::{BODY_BYTES_MAX, Form, Piece, clip, collapse, cut_long, join, part};
use std::ops::Range;
use std::rc::Rc;

/// What is told on one line.
const LINE_BYTES: usize = 200;
/// A string longer than this is read as Markdown.
const STRING_BYTES_MAX: usize = 300;
/// A path is started anew beyond this.
const PATH_BYTES_MAX: usize = 200;
/// A key goes into a path up to here.
const KEY_BYTES_MAX: usize = 80;
/// The name of an element goes into the path of its parts up to here.
const NAME_BYTES_MAX: usize = 40;
/// Members that name an element.
const NAMES: &[&str] = &["name", "title", "id", "key"];

/// The pieces of a value, in the order of the text.
pub(super) fn pieces(root: &Node, path: Option<&str>) -> Vec<Piece> {
    let mut flat = Flat::default();
    flat.value(root, &path.map_or_else(String::new, ToOwned::to_owned));
    flat.pieces
}

#[derive(Default)]
struct Flat {
    pieces: Vec<Piece>,
}

/// Plain members or elements that stand side by side.
#[derive(Default)]
struct Group {
    text: String,
    span: Range<usize>,
}

impl Flat {
    fn value(&mut self, node: &Node, path: &str) {
        if node.flat && node.bytes <= LINE_BYTES && !wraps(node) {
            let mut line = String::new();
            write_line(&mut line, node, true);
            self.push(path, &line, node.span.clone());
            return;
        }
        match &node.shape {
            Shape::Object(members) => self.object(members, path),
            Shape::List(values) => self.list(values, path),
            Shape::Text { text, plain } => self.long(text, *plain, &node.span, path),
            Shape::Word(word) => self.push(path, word, node.span.clone()),
        }
    }

    fn object(&mut self, members: &[(String, Node)], path: &str) {
        let mut group = Group::default();
        for (key, value) in members {
            let plain = match &value.shape {
                Shape::Text { .. } | Shape::Word(_) => true,
                Shape::List(_) => value.flat,
                Shape::Object(members) => members.is_empty(),
            };
            if plain && value.bytes <= LINE_BYTES {
                let mut line = format!("{key}: ");
                write_line(&mut line, value, false);
                self.group(&mut group, path, &line, &value.span);
            } else {
                self.end(&mut group, path);
                let path = self.below(path, key, &value.span);
                let before = self.pieces.len();
                self.value(value, &path);
                if self.pieces.len() == before {
                    self.push("", &path, value.span.clone());
                }
            }
        }
        self.end(&mut group, path);
    }

    fn list(&mut self, values: &[Node], path: &str) {
        let mut group = Group::default();
        for value in values {
            if value.is_container() || value.bytes > LINE_BYTES {
                self.end(&mut group, path);
                let name = NAMES.iter().find_map(|name| value.get(name)?.text());
                let named = name
                    .filter(|_| !value.flat || value.bytes > LINE_BYTES)
                    .map(|name| format!("{path}[{}]", clip(name, NAME_BYTES_MAX)));
                self.value(value, named.as_deref().unwrap_or(path));
            } else {
                let mut line = String::new();
                write_line(&mut line, value, false);
                self.group(&mut group, path, &line, &value.span);
            }
        }
        self.end(&mut group, path);
    }

    fn long(&mut self, text: &str, plain: bool, span: &Range<usize>, path: &str) {
        if text.len() <= STRING_BYTES_MAX {
            self.push(path, text, span.clone());
            return;
        }
        for mut piece in markdown::pieces(text) {
            let context = piece
                .context
                .as_deref()
                .map_or_else(|| path.to_owned(), |context| join(path, context));
            piece.context = (!context.is_empty()).then(|| Rc::from(context));
            piece.span = within(span, plain, &piece.span);
            self.pieces.push(piece);
        }
    }

    fn group(&mut self, group: &mut Group, path: &str, line: &str, span: &Range<usize>) {
        if group.text.len() + line.len() > LINE_BYTES {
            self.end(group, path);
        }
        if group.text.is_empty() {
            group.span = span.clone();
        } else {
            group.text.push_str(", ");
        }
        group.text.push_str(line);
        group.span.end = span.end;
    }

    fn end(&mut self, group: &mut Group, path: &str) {
        let group = std::mem::take(group);
        self.push(path, &group.text, group.span);
    }

    /// The path of a member. What does not fit becomes a piece of its own, so that no key is lost.
    fn below(&mut self, path: &str, key: &str, span: &Range<usize>) -> String {
        let short = clip(key, KEY_BYTES_MAX);
        if short.len() != key.len() {
            self.push(path, key, span.start..span.start);
        }
        if path.is_empty() {
            return short;
        }
        if path.len() + short.len() > PATH_BYTES_MAX {
            self.push("", path, span.start..span.start);
            return format!("….{short}");
        }
        format!("{path}.{short}")
    }

    fn push(&mut self, path: &str, line: &str, span: Range<usize>) {
        let context = (!path.is_empty()).then(|| Rc::<str>::from(path));
        for range in cut_long(line, 0..line.len(), BODY_BYTES_MAX) {
            let body = collapse(part(line, range));
            if !body.is_empty() {
                self.pieces
                    .push(Piece::new(context.clone(), body, span.clone(), Form::Item));
            }
        }
    }
}

/// The range in the source of a range of a string's text.
pub(super) fn within(string: &Range<usize>, plain: bool, range: &Range<usize>) -> Range<usize> {
    if plain {
        string.start + 1 + range.start..string.start + 1 + range.end
    } else {
        string.clone()
    }
}

/// Whether an object only names another.
fn wraps(node: &Node) -> bool {
    matches!(&node.shape, Shape::Object(members) if members.len() == 1 && members.iter().all(|(_, value)| value.is_container() && value.bytes > 0))
}

/// A value on one line. Called for flat values only, whose depth is that of the reader.
fn write_line(out: &mut String, node: &Node, outer: bool) {
    match &node.shape {
        Shape::Text { text, .. } | Shape::Word(text) => out.push_str(text),
        Shape::List(values) => {
            for (at, value) in values.iter().enumerate() {
                out.push_str(if at > 0 {
                    ", "
                } else if outer {
                    ""
                } else {
                    "["
                });
                write_line(out, value, false);
            }
            if !outer && !values.is_empty() {
                out.push(']');
            }
        }
        Shape::Object(members) => {
            for (at, (key, value)) in members.iter().enumerate() {
                out.push_str(if at > 0 {
                    ", "
                } else if outer {
                    ""
                } else {
                    "("
                });
                out.push_str(key);
                out.push_str(": ");
                write_line(out, value, false);
            }
            if !outer && !members.is_empty() {
                out.push(')');
            }
        }
    }
}
