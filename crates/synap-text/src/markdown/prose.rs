//! Running text into sentences that stand on their own: a sentence that leans on the one before stays with it, one about
//! "she" is given the name, and all of a section are given the trail that the section starts with.

use super::{ITEM_BYTES_MAX, Walker, inline, label};
use crate::outline::NodeId;
use crate::piece::{Flow, Form, collapse, part};
use crate::{kind, sentence};
use std::ops::Range;

/// Words of a name that a pronoun is given.
const NAME_WORDS_MAX: usize = 3;
/// A name that a pronoun is given.
const NAME_BYTES_MAX: usize = 40;
/// A sentence that leans on the one before is put with it up to here.
const LEAN_BYTES_MAX: usize = 360;
/// Sentences that start with one of these stand under the name that the sentence before started with.
const PRONOUNS: &[&str] = &["he", "her", "his", "she", "their", "they"];
/// Sentences that start with one of these say something only after the sentence before. In alphabetical order.
const LEANING: &[&str] = &[
    "also",
    "and",
    "because",
    "but",
    "consequently",
    "furthermore",
    "hence",
    "however",
    "instead",
    "it",
    "it'd",
    "it'll",
    "it's",
    "its",
    "likewise",
    "moreover",
    "nor",
    "or",
    "otherwise",
    "similarly",
    "so",
    "such",
    "that",
    "that's",
    "then",
    "therefore",
    "these",
    "this",
    "those",
    "thus",
    "yet",
];

impl Walker<'_> {
    /// The sentences of `flow`, a piece each.
    pub(super) fn prose(&mut self, at: Option<NodeId>, flow: &Flow) {
        let mut at = at;
        let mut start = 0;
        if self.frames.is_empty()
            && let Some(rest) = self.title_line(flow)
        {
            at = self.outline.section();
            if label::is_keyed(part(&flow.text, rest..flow.text.len())) {
                self.lines(at, flow, rest..flow.text.len());
            } else {
                self.sentences(at, flow, rest..flow.text.len());
            }
            return;
        }
        if self.frames.is_empty()
            && let Some(trail) = inline::trail(&flow.text, self.source)
        {
            for crumb in trail.crumbs {
                let text = collapse(part(&flow.text, crumb.clone()));
                at = Some(self.outline.lead(at, text, flow.source(&crumb), false));
            }
            start = trail.rest;
        } else if let Some(label) = label::label_line(&flow.text) {
            let text = collapse(part(&flow.text, label.clone()));
            let under = if self.opens_section(&text, flow, &label) {
                self.outline.section()
            } else {
                Some(self.outline.lead(at, text, flow.source(&label), false))
            };
            self.lines(under, flow, label.end..flow.text.len());
            return;
        }
        if let Some(answer) = label::answer(&flow.text) {
            if answer.start > 0 {
                self.sentences(at, flow, 0..answer.start);
                let text = collapse(part(&flow.text, 0..answer.start));
                self.question =
                    Some(
                        self.outline
                            .lead(at, text, flow.source(&(0..answer.start)), true),
                    );
            }
            let under = self.question.take().or(at);
            self.sentences(under, flow, answer);
            return;
        }
        self.question = label::is_question(&flow.text).then(|| {
            let text = collapse(&flow.text);
            self.outline
                .lead(at, text, flow.source(&(0..flow.text.len())), true)
        });
        let Some(list) = inline::items(&flow.text, start) else {
            self.sentences(at, flow, start..flow.text.len());
            return;
        };
        let under = self.lead_in(at, flow, start..list.lead_end);
        for item in list.items {
            if item.len() <= ITEM_BYTES_MAX {
                self.draft_range(under, flow, item, Form::Item);
            } else {
                self.sentences(under, flow, item);
            }
        }
    }

    /// The text before a list, whose last sentence leads in to it if it ends with a colon.
    pub(super) fn lead_in(
        &mut self,
        at: Option<NodeId>,
        flow: &Flow,
        range: Range<usize>,
    ) -> Option<NodeId> {
        let last = sentence::cut(part(&flow.text, range.clone()))
            .pop()
            .map(|last| range.start + last.start..range.start + last.end)
            .filter(|last| part(&flow.text, last.clone()).ends_with(':'));
        let Some(last) = last else {
            self.sentences(at, flow, range);
            return at;
        };
        self.sentences(at, flow, range.start..last.start);
        let text = collapse(part(&flow.text, last.clone()));
        Some(self.outline.lead(at, text, flow.source(&last), false))
    }

    /// Lines under a label, a piece each.
    fn lines(&mut self, at: Option<NodeId>, flow: &Flow, range: Range<usize>) {
        let mut start = range.start;
        for line in part(&flow.text, range).split_inclusive('\n') {
            let found = start..start + line.len();
            start = found.end;
            if line.len() <= ITEM_BYTES_MAX {
                self.draft_range(at, flow, found, Form::Item);
            } else {
                self.sentences(at, flow, found);
            }
        }
    }

    fn sentences(&mut self, at: Option<NodeId>, flow: &Flow, range: Range<usize>) {
        let mut subject: Option<NodeId> = None;
        let mut open: Option<(Option<NodeId>, Range<usize>)> = None;
        for found in sentence::cut(part(&flow.text, range.clone())) {
            let found = range.start + found.start..range.start + found.end;
            let text = part(&flow.text, found.clone());
            let word = first_word(text);
            let pronoun = PRONOUNS.contains(&word.as_str());
            if let Some((_, before)) = open.as_mut()
                && found.end - before.start <= LEAN_BYTES_MAX
                && (pronoun && subject.is_none() || leans(text, &word))
            {
                before.end = found.end;
                continue;
            }
            let above = if pronoun {
                subject
            } else {
                subject = name(text).map(|name| {
                    self.outline
                        .lead(at, name.to_owned(), flow.source(&found), true)
                });
                None
            };
            if let Some((above, sentence)) = open.replace((above.or(at), found)) {
                self.draft_range(above, flow, sentence, Form::Prose);
            }
        }
        if let Some((above, sentence)) = open {
            self.draft_range(above, flow, sentence, Form::Prose);
        }
    }
}

/// Whether a sentence says something only after the one before.
fn leans(sentence: &str, word: &str) -> bool {
    sentence.starts_with('(') || LEANING.binary_search(&word).is_ok()
}

/// The first word in small letters; empty when it is longer than any that is asked for.
fn first_word(sentence: &str) -> String {
    let word = sentence
        .split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '’'))
        .next()
        .unwrap_or_default();
    if word.len() > NAME_BYTES_MAX {
        return String::new();
    }
    word.to_lowercase().replace('’', "'")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_in_order() {
        assert!(LEANING.is_sorted());
    }
}
