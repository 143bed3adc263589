//! Blocks as they end: what they stand under, and whether they lead in to what follows.

use super::{
    Draft, Frame, ITEM_BYTES_MAX, Item, Leaf, Link, TARGET_BYTES_MAX, Walker, html, label, page,
};
use crate::outline::NodeId;
use crate::piece::{Flow, Form, collapse, part};
use pulldown_cmark::CodeBlockKind;
use std::mem::{replace, take};
use std::ops::Range;

/// A paragraph before code leads in to it up to here.
const LEAD_BYTES_MAX: usize = 160;

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
        if flow.text.trim_end().ends_with(':') {
            return self.lead_in(above, &flow, 0..flow.text.len());
        }
        if takes_labels {
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
        self.show_target();
        let flow = take(&mut self.flow);
        self.links.clear();
        let leaf = replace(&mut self.leaf, Leaf::Paragraph);
        if flow.text.trim().is_empty() {
            return;
        }
        self.said = None;
        match leaf {
            Leaf::Paragraph | Leaf::Cell => self.paragraph(flow),
            Leaf::Heading(level) => self.heading(level, &flow),
            Leaf::Code => self.code(&flow),
            Leaf::Html => self.html(&flow),
        }
    }

    /// HTML in Markdown: a structure is read as a page's is, all else is text.
    fn html(&mut self, flow: &Flow) {
        let at = self.context();
        if !page::has_structure(&flow.text) {
            self.prose(at, &html::strip(flow));
            return;
        }
        for piece in page::pieces(&flow.text) {
            let span = flow.source(&piece.span);
            let at = match piece.context {
                Some(context) => {
                    let lead = self
                        .outline
                        .lead(at, context.to_string(), span.clone(), true);
                    Some(lead)
                }
                None => at,
            };
            self.drafts.push(Draft {
                at,
                body: piece.body,
                span,
                form: piece.form,
            });
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
            let leads = self
                .pending
                .as_ref()
                .is_some_and(|label| label.text.trim_end().ends_with(':'))
                && !label::is_label(&flow.text);
            let under = if leads {
                self.take_lead(true)
            } else {
                self.pending_title(&flow);
                None
            };
            self.settle();
            if self.plain_heading(&flow) {
                return;
            }
            if label::is_label(&flow.text) {
                self.pending = Some(flow);
            } else {
                let at = under.or_else(|| self.context());
                self.prose(at, &flow);
                self.said = Some(flow).filter(|flow| flow.text.len() <= LEAD_BYTES_MAX);
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

    pub(super) fn heading(&mut self, level: u8, flow: &Flow) {
        self.settle();
        self.marked = true;
        let (text, span) = (collapse(&flow.text), flow.source(&(0..flow.text.len())));
        let above = self.context();
        match self.frames.last_mut() {
            None => self.outline.heading(level, text, span),
            Some(frame) => frame.at = Some(self.outline.lead(above, text, span, false)),
        }
    }

    pub(super) fn start_code(&mut self, kind: &CodeBlockKind<'_>, range: &Range<usize>) {
        self.open(Leaf::Code);
        let mut at = self.take_lead(false);
        if let Some(flow) = self.said.take() {
            let span = flow.source(&(0..flow.text.len()));
            at = Some(self.outline.lead(at, collapse(&flow.text), span, true));
        }
        self.frame(at, false);
        self.language = match kind {
            CodeBlockKind::Fenced(info) => Some(collapse(info)),
            CodeBlockKind::Indented => None,
        };
        if let Some(language) = self.language.clone().filter(|info| !info.is_empty()) {
            self.push(&format!("{language}\n"), range.start..range.start);
        }
    }

    /// Code stays whole. Where it is cut, each part names the language. Indented prose is no code.
    fn code(&mut self, flow: &Flow) {
        let at = self.context();
        let language = self.language.take();
        if language.is_none() && label::is_prose(&flow.text) {
            let joined = flow.replaced('\n', " ");
            self.prose(at, &joined);
            return;
        }
        let before = self.drafts.len();
        self.draft(at, flow, Form::Code);
        let language = language.unwrap_or_default();
        for draft in self.drafts.iter_mut().skip(before + 1) {
            if !language.is_empty() {
                draft.body = format!("{language}\n{}", draft.body);
            }
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

    pub(super) fn start_link(&mut self, target: &str, source: Range<usize>) {
        self.links.push(Link {
            target: target.to_owned(),
            text: self.flow.text.len()..self.flow.text.len(),
            source,
        });
    }

    pub(super) fn end_link(&mut self, range: &Range<usize>) {
        if let Some(mut link) = self.links.pop() {
            link.text.end = self.flow.text.len();
            self.link = Some(link);
        }
        self.cover_end(range);
    }

    /// Where a link is all that the open text says, its target is a part of what it says.
    pub(super) fn show_target(&mut self) {
        let Some(link) = self.link.take() else {
            return;
        };
        let outside = [
            part(&self.flow.text, 0..link.text.start),
            part(&self.flow.text, link.text.end..self.flow.text.len()),
        ];
        let text = part(&self.flow.text, link.text.clone()).trim();
        let known = text == link.target || link.target.strip_prefix("mailto:") == Some(text);
        let says_more = outside
            .iter()
            .any(|text| text.contains(char::is_alphanumeric) && !is_number(text));
        if says_more || known || link.target.is_empty() || link.target.len() > TARGET_BYTES_MAX {
            return;
        }
        let target = if text.is_empty() {
            link.target
        } else {
            format!(" ({})", link.target)
        };
        self.flow.push(&target, link.source);
    }

    /// A term of a definition list: what follows stands under it.
    pub(super) fn start_term(&mut self) {
        self.open(Leaf::Paragraph);
        self.settle();
        self.end_terms();
    }

    pub(super) fn end_term(&mut self) {
        self.show_target();
        let flow = take(&mut self.flow);
        let at = self.context();
        let span = flow.source(&(0..flow.text.len()));
        let at = self.outline.lead(at, collapse(&flow.text), span, false);
        self.frame(Some(at), false);
        if let Some(frame) = self.frames.last_mut() {
            frame.term = true;
        }
    }

    pub(super) fn end_terms(&mut self) {
        while self.frames.last().is_some_and(|frame| frame.term) {
            self.frames.pop();
        }
    }
}

/// The number of a list's item.
fn is_number(text: &str) -> bool {
    let text = text.trim().trim_end_matches('.');
    text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit())
}
