//! Drafts of pieces: the text is known, what it stands under is resolved when the whole outline is.

use super::Walker;
use crate::outline::NodeId;
use crate::piece::{BODY_BYTES_MAX, CODE_BYTES_MAX, Flow, Form, Piece, collapse, cut_long, part};
use crate::{kind, sentence};
use std::ops::Range;

/// Words of a name that a pronoun is given.
const NAME_WORDS_MAX: usize = 3;
/// A name that a pronoun is given.
const NAME_BYTES_MAX: usize = 40;
/// Sentences that start with one of these stand under the name that the sentence before started with.
const PRONOUNS: &[&str] = &["he", "her", "his", "she", "their", "they"];

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

    /// The sentences of `flow`, one piece each.
    pub(super) fn prose(&mut self, at: Option<NodeId>, flow: &Flow) {
        let mut subject: Option<NodeId> = None;
        for range in sentence::cut(&flow.text) {
            let text = part(&flow.text, range.clone());
            let above = if starts_with_pronoun(text) {
                subject
            } else {
                subject = name(text).map(|name| {
                    self.outline
                        .lead(at, name.to_owned(), flow.source(&range), true)
                });
                None
            };
            self.draft_range(above.or(at), flow, range, Form::Prose);
        }
    }

    fn draft_range(&mut self, at: Option<NodeId>, flow: &Flow, range: Range<usize>, form: Form) {
        let bytes_max = if form == Form::Code {
            CODE_BYTES_MAX
        } else {
            BODY_BYTES_MAX
        };
        for range in cut_long(&flow.text, range, bytes_max) {
            let text = part(&flow.text, range.clone());
            let body = if form == Form::Code {
                text.trim_matches('\n').trim_end().to_owned()
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
        let title = self.outline.title();
        for piece in &mut pieces {
            piece.title.clone_from(&title);
        }
        pieces.sort_by_key(|piece| piece.span.start);
        pieces
    }
}

fn starts_with_pronoun(sentence: &str) -> bool {
    let word = sentence
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    word.len() <= 5 && PRONOUNS.contains(&word.to_ascii_lowercase().as_str())
}

/// The capitalised words that a sentence starts with, if a word in small letters follows them.
fn name(sentence: &str) -> Option<&str> {
    let mut end = 0;
    for (count, word) in sentence.split(' ').enumerate() {
        let capital = word.starts_with(char::is_uppercase)
            && word.chars().all(|c| c.is_alphanumeric() || c == '-');
        if !capital {
            let follows =
                word.starts_with(char::is_lowercase) && count > 0 && end <= NAME_BYTES_MAX;
            return follows.then(|| part(sentence, 0..end));
        }
        if count == NAME_WORDS_MAX || count == 0 && kind::opens_sentences(word) {
            return None;
        }
        end += word.len() + usize::from(count > 0);
    }
    None
}
