//! What a statement stands under: headings, a list's lead-in, the parent item. Each is carried by the statements below it
//! or, when none carries it whole, is given back to become a statement itself, so that no word is lost.

use crate::piece::{clip, join};
use std::ops::Range;
use std::rc::Rc;

/// One heading or lead-in goes into a context up to here.
const PART_BYTES_MAX: usize = 120;
/// All of a context.
const CONTEXT_BYTES_MAX: usize = 240;
/// Headings and lead-ins of one context.
const PARTS_MAX: usize = 5;

/// A heading or lead-in in the [`Outline`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeId(usize);

#[derive(Debug)]
struct Node {
    text: String,
    span: Range<usize>,
    above: Option<NodeId>,
    level: Option<u8>,
    carried: bool,
    context: Option<Rc<str>>,
}

/// A node that no statement carries.
#[derive(Debug)]
pub(crate) struct Orphan {
    /// What it stands under.
    pub(crate) context: Option<Rc<str>>,
    /// Its text.
    pub(crate) text: String,
    /// Where it came from.
    pub(crate) span: Range<usize>,
}

/// All headings and lead-ins of a document.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    nodes: Vec<Node>,
    open: Vec<(u8, NodeId)>,
}

impl Outline {
    /// Opens a section, which ends those of its level and below.
    pub(crate) fn heading(&mut self, level: u8, text: String, span: Range<usize>) {
        while self.open.last().is_some_and(|(open, _)| *open >= level) {
            self.open.pop();
        }
        let id = self.add(Node {
            text,
            span,
            above: self.section(),
            level: Some(level),
            carried: false,
            context: None,
        });
        self.open.push((level, id));
    }

    /// Adds a lead-in. `stated`: it is a statement already and need not be carried.
    pub(crate) fn lead(
        &mut self,
        above: Option<NodeId>,
        text: String,
        span: Range<usize>,
        stated: bool,
    ) -> NodeId {
        self.add(Node {
            text,
            span,
            above,
            level: None,
            carried: stated,
            context: None,
        })
    }

    /// The heading that the next block stands under.
    pub(crate) fn section(&self) -> Option<NodeId> {
        self.open.last().map(|(_, id)| *id)
    }

    /// Whether the document has a title: its only heading of the first level, before all others. Statements below a
    /// deeper heading do not carry it (it would make every statement match every query that names the document), apart
    /// from the first.
    fn title_node(&self) -> Option<NodeId> {
        let mut tops = (0..)
            .zip(&self.nodes)
            .filter(|(_, node)| node.level == Some(1))
            .map(|(id, _)| NodeId(id));
        let first = self
            .nodes
            .iter()
            .position(|node| node.level.is_some())
            .map(NodeId);
        let title = tops.next().filter(|title| Some(*title) == first);
        if tops.next().is_none() { title } else { None }
    }

    /// The document's title, which contexts leave out.
    pub(crate) fn title(&self) -> Option<Rc<str>> {
        let node = self.nodes.get(self.title_node()?.0)?;
        Some(clip(&node.text, PART_BYTES_MAX).into())
    }

    /// Contexts of blocks in the order of the text; `None` for those that stand under nothing.
    pub(crate) fn contexts(
        &mut self,
        blocks: impl Iterator<Item = Option<NodeId>>,
    ) -> Vec<Option<Rc<str>>> {
        let title = self.title_node();
        blocks
            .map(|at| at.map(|at| self.context(at, title)))
            .collect()
    }

    /// Takes the nodes that nothing carries whole, with their contexts.
    pub(crate) fn orphans(&mut self) -> Vec<Orphan> {
        let title = self.title_node();
        let mut orphans = Vec::new();
        // From the end, as those below carry those above.
        for id in (0..self.nodes.len()).rev() {
            let Some(node) = self.nodes.get_mut(id).filter(|node| !node.carried) else {
                continue;
            };
            node.carried = true;
            let (above, text, span) = (node.above, node.text.clone(), node.span.clone());
            let context = above.map(|above| self.context(above, title));
            orphans.push(Orphan {
                context,
                text,
                span,
            });
        }
        orphans
    }

    fn context(&mut self, at: NodeId, title: Option<NodeId>) -> Rc<str> {
        if let Some(known) = self.nodes.get(at.0).and_then(|node| node.context.clone()) {
            return known;
        }
        let (mut parts, mut bytes, mut once) = (Vec::new(), 0, false);
        let mut next = Some(at);
        while let Some(id) = next {
            let Some(node) = self.nodes.get_mut(id.0) else {
                break;
            };
            next = node.above;
            if Some(id) == title && id != at {
                if node.carried || node.text.len() > PART_BYTES_MAX {
                    break;
                }
                once = true;
            }
            let part = clip(&node.text, PART_BYTES_MAX);
            bytes += part.len();
            if !parts.is_empty() && (bytes > CONTEXT_BYTES_MAX || parts.len() == PARTS_MAX) {
                break;
            }
            node.carried |= part == node.text;
            parts.push(part);
        }
        let context = parts.iter().skip(1).fold(
            parts.first().cloned().unwrap_or_default(),
            |below, above| join(above, &below),
        );
        let context: Rc<str> = context.into();
        if let Some(node) = self.nodes.get_mut(at.0).filter(|_| !once) {
            node.context = Some(Rc::clone(&context));
        }
        context
    }

    fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() - 1)
    }
}
