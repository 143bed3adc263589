//! Drafts of pieces: the text is known, what it stands under is resolved when the whole outline is.

use super::{Walker, plain};
use crate::outline::NodeId;
use crate::piece::{BODY_BYTES_MAX, CODE_BYTES_MAX, Flow, Form, Piece, collapse, cut_long, part};
use std::ops::Range;

/// A piece under a node of the outline.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) at: Option<NodeId>,
    pub(super) body: String,
    pub(super) span: Range<usize>,
    pub(super) form: Form,
}

impl Walker<'_> {
    /// All of `flow` as one piece, or several where it is too long for one.
    pub(super) fn draft(&mut self, at: Option<NodeId>, flow: &Flow, form: Form) {
        self.draft_range(at, flow, 0..flow.text.len(), form);
    }

    pub(super) fn draft_range(
        &mut self,
        at: Option<NodeId>,
        flow: &Flow,
        range: Range<usize>,
        form: Form,
    ) {
        let bytes_max = if form == Form::Code {
            CODE_BYTES_MAX
        } else {
            BODY_BYTES_MAX
        };
        for range in cut_long(&flow.text, range, bytes_max) {
            let text = part(&flow.text, range.clone());
            let body = if form == Form::Code {
                printable(text)
            } else {
                collapse(text)
            };
            if !body.is_empty() {
                self.drafts.push(Draft {
                    at,
                    body,
                    span: flow.source(&range),
                    form,
                });
            }
        }
    }

    /// The pieces in the order of the text.
    pub(super) fn finish(mut self) -> Vec<Piece> {
        self.flush();
        self.settle();
        self.gap(self.source.len());
        self.drafts.sort_by_key(|draft| draft.span.start);
        let contexts = self
            .outline
            .contexts(self.drafts.iter().map(|draft| draft.at));
        let mut pieces: Vec<Piece> = contexts
            .into_iter()
            .zip(self.drafts)
            .map(|(context, draft)| Piece::new(context, draft.body, draft.span, draft.form))
            .collect();
        for orphan in self.outline.orphans() {
            for range in cut_long(&orphan.text, 0..orphan.text.len(), BODY_BYTES_MAX) {
                let body = part(&orphan.text, range).trim().to_owned();
                pieces.push(Piece::new(
                    orphan.context.clone(),
                    body,
                    orphan.span.clone(),
                    Form::Item,
                ));
            }
        }
        let title = self.outline.title().or(self.front.title);
        let said_at = self.front.said_at.or_else(|| plain::held_at(self.source));
        for piece in &mut pieces {
            piece.title.clone_from(&title);
            piece.said_at = said_at;
        }
        pieces.sort_by_key(|piece| piece.span.start);
        pieces
    }
}

/// Code with its line breaks and tabs, and no other control characters.
fn printable(code: &str) -> String {
    let code: String = code
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect();
    code.trim_matches('\n').trim_end().to_owned()
}
