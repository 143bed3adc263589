//! Blocks as they end: what they stand under, and whether they lead in to what follows.

use super::{Frame, ITEM_BYTES_MAX, Item, Leaf, Link, TARGET_BYTES_MAX, Walker, html, label};
use crate::outline::NodeId;
use crate::piece::{Flow, Form, collapse, part};
use pulldown_cmark::CodeBlockKind;
use std::mem::{replace, take};
use std::ops::Range;

impl Walker<'_> {
    /// What a block that starts here stands under.
    pub(super) fn context(&mut self) -> Option<NodeId> {
        let Some(frame) = self.frames.last_mut() else {
            return self.outline.section();
        };
        let (flow, stated) = match replace(&mut frame.item, Item::Done) {
            Item::Label(flow) => (flow, false),
            Item::Stated(flow) => (flow, true),
            Item::Fresh | Item::Done => return frame.at,
        };
        let span = flow.source(&(0..flow.text.len()));
        frame.at = Some(
            self.outline
                .lead(frame.at, collapse(&flow.text), span, stated),
        );
        frame.at
    }

    /// The pending paragraph as a lead-in, or what it stands under.
    pub(super) fn take_lead(&mut self, takes_labels: bool) -> Option<NodeId> {
        let above = self.context();
        let Some(flow) = self.pending.take() else {
            return above;
        };
        if takes_labels || flow.text.trim_end().ends_with(':') {
            let span = flow.source(&(0..flow.text.len()));
            return Some(self.outline.lead(above, collapse(&flow.text), span, false));
        }
        self.prose(above, &flow);
        above
    }

    /// The pending paragraph leads in to nothing: it is a paragraph like others.
    pub(super) fn settle(&mut self) {
        if let Some(flow) = self.pending.take() {
            let at = self.context();
            self.prose(at, &flow);
        }
    }

    /// Ends the open inline text.
    pub(super) fn flush(&mut self) {
        let flow = take(&mut self.flow);
        self.links.clear();
        let leaf = replace(&mut self.leaf, Leaf::Paragraph);
        if flow.text.trim().is_empty() {
            return;
        }
        match leaf {
            Leaf::Paragraph | Leaf::Cell => self.paragraph(flow),
            Leaf::Heading(level) => self.heading(level, &flow),
            Leaf::Code => {
                let at = self.context();
                self.draft(at, &flow, Form::Code);
            }
            Leaf::Html => {
                let at = self.context();
                self.prose(at, &html::strip(&flow));
            }
        }
    }

    fn paragraph(&mut self, flow: Flow) {
        let fresh = matches!(
            self.frames.last(),
            Some(Frame {
                item: Item::Fresh,
                ..
            })
        );
        if !fresh {
            self.settle();
            if label::is_label(&flow.text) {
                self.pending = Some(flow);
            } else {
                let at = self.context();
                self.prose(at, &flow);
            }
            return;
        }
        let at = self.context();
        let item = if label::is_label(&flow.text) {
            Item::Label(flow)
        } else {
            if flow.text.len() <= ITEM_BYTES_MAX {
                self.draft(at, &flow, Form::Item);
            } else {
                self.prose(at, &flow);
            }
            Item::Stated(flow)
        };
        if let Some(frame) = self.frames.last_mut() {
            frame.item = item;
        }
    }

    fn heading(&mut self, level: u8, flow: &Flow) {
        self.settle();
        let (text, span) = (collapse(&flow.text), flow.source(&(0..flow.text.len())));
        let above = self.context();
        match self.frames.last_mut() {
            None => self.outline.heading(level, text, span),
            Some(frame) => frame.at = Some(self.outline.lead(above, text, span, false)),
        }
    }

    pub(super) fn start_code(&mut self, kind: &CodeBlockKind<'_>, range: &Range<usize>) {
        self.open(Leaf::Code);
        let at = self.take_lead(false);
        self.frame(at, false);
        if let CodeBlockKind::Fenced(info) = kind
            && !info.is_empty()
        {
            self.push(&format!("{info}\n"), range.start..range.start);
        }
    }

    pub(super) fn start_footnote(&mut self, label: &str, range: &Range<usize>) {
        self.flush();
        self.settle();
        self.gap(range.start);
        self.covered = self.covered.max(range.start + label.len() + "[^]:".len());
        let above = self.context();
        let from = range.start..range.start;
        let at = self.outline.lead(above, format!("[^{label}]"), from, false);
        self.frame(Some(at), false);
    }

    pub(super) fn start_link(&mut self, target: &str, title: &str) {
        let target = if title.is_empty() {
            target.to_owned()
        } else {
            format!("{target} \"{title}\"")
        };
        self.links.push(Link {
            target,
            text_from: self.flow.text.len(),
        });
    }

    pub(super) fn end_link(&mut self, range: &Range<usize>) {
        if let Some(link) = self.links.pop() {
            let text = part(&self.flow.text, link.text_from..self.flow.text.len());
            let known = text == link.target || link.target.strip_prefix("mailto:") == Some(text);
            if !known && !link.target.is_empty() && link.target.len() <= TARGET_BYTES_MAX {
                let gap = if text.is_empty() { "" } else { " " };
                let target = format!("{gap}({})", link.target);
                let from = self.covered.min(range.end)..range.end;
                self.flow.push(&target, from);
            }
        }
        self.cover_end(range);
    }
}
