//! Puts what is new into what was known, sentence by sentence.

mod said;

use crate::piece::part;
use crate::sentence;
use said::{Relation, Said};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Sentences that one is compared with, of those that start or end alike.
const COMPARED_MAX: usize = 32;

/// A speaker's name is at most this long.
const LABEL_BYTES_MAX: usize = 40;
/// A speaker's name has at most this many words.
const LABEL_WORDS_MAX: usize = 3;

/// `old` with the sentences of `new` merged in. The rule, for each sentence of `new` in turn:
///
/// - It is dropped where a sentence that is there says the same: equal but for case, quotes and closing marks; or with the
///   same words in the same order, apart from endings and words like "the" and "so"; or with more words, of which these are at least three in five, in their order.
/// - It takes the place of the first sentence that it updates: one whose words are at least three in five of its own, in
///   their order; one with the same words that says the opposite ("does not"); or one that differs in one run of words
///   only ("now" and "really" apart), after at least two words in common and with at least three in five words in common: "She lives in Lisbon." by
///   "She lives in Porto.". Where many values can be true at once ("Dana likes tea.", "Ana is tall.") that last does not
///   apply.
/// - Else it is appended: in a line of its own if either text has several lines, else after a space.
///
/// Sentences of `old` stay in their order, with the white space and the list marks between them. A blank text changes
/// nothing. Who is named at the start of `old` ("Dana: I live in Lisbon.") stays, and does not count where `new` names nobody. A sentence is compared with at most 96 others, so time grows with the text.
pub fn smart_merge(old: &str, new: &str) -> String {
    if new.trim().is_empty() {
        return old.to_owned();
    }
    if old.trim().is_empty() {
        return new.to_owned();
    }
    let mut merged = Merged::default();
    let mut after = 0;
    let speaker = speaker_bytes(old, new);
    for mut range in bare(old) {
        if range.start == 0 {
            range.start = speaker;
        }
        merged.push(part(old, after..range.start), part(old, range.clone()));
        after = range.end;
    }
    let end = part(old, after..old.len());
    let lined = old.trim().contains('\n') || new.trim().contains('\n');
    let mut before = 0;
    for range in bare(new) {
        let mark = part(new, before..range.start).trim_start();
        merged.merge(part(new, range.clone()), mark, lined);
        before = range.end;
    }
    merged.text(end)
}

/// How much of `old` says who is speaking, where `new` has no such label.
fn speaker_bytes(old: &str, new: &str) -> usize {
    let label = old
        .split_once(": ")
        .map_or("", |(label, _)| label)
        .trim_end();
    let names = label.len() <= LABEL_BYTES_MAX
        && label.split(' ').count() <= LABEL_WORDS_MAX
        && label.split(' ').all(|word| {
            word.starts_with(char::is_uppercase) && word.chars().all(char::is_alphanumeric)
        });
    if names && !new.contains(':') {
        label.len() + 2
    } else {
        0
    }
}

/// The sentences of a text without the marks of list items.
fn bare(text: &str) -> Vec<Range<usize>> {
    let cut = sentence::cut(text).into_iter();
    cut.map(|range| {
        let sentence = part(text, range.clone());
        let marked = sentence.starts_with(['-', '*', '+', '•', '#', '>']);
        let bare = sentence.trim_start_matches(['-', '*', '+', '•', '#', '>']);
        let said = bare.trim_start();
        if marked && said.len() < bare.len() {
            range.end - said.len()..range.end
        } else {
            range
        }
    })
    .collect()
}

/// The sentences that there are, and where to find like ones.
#[derive(Debug, Default)]
struct Merged {
    /// Each with what stands before it.
    all: Vec<(String, Said)>,
    forms: BTreeSet<String>,
    /// Positions in `all` by what sentences that are compared have in common.
    by_key: BTreeMap<String, Vec<usize>>,
}

impl Merged {
    fn push(&mut self, gap: &str, sentence: &str) {
        let said = Said::new(sentence);
        self.index(&said, self.all.len());
        self.all.push((gap.to_owned(), said));
    }

    fn index(&mut self, said: &Said, at: usize) {
        self.forms.insert(said.form.clone());
        for key in said.keys() {
            self.by_key.entry(key).or_default().push(at);
        }
    }

    fn merge(&mut self, sentence: &str, mark: &str, lined: bool) {
        let said = Said::new(sentence);
        if self.forms.contains(&said.form) {
            return;
        }
        let mut near = BTreeSet::new();
        for key in said.keys() {
            let with = self.by_key.get(&key).into_iter().flatten();
            near.extend(with.take(COMPARED_MAX).copied());
        }
        let mut updated = None;
        for at in near {
            let relation = self
                .all
                .get(at)
                .map_or(Relation::Other, |(_, old)| said.to(old));
            match relation {
                Relation::Same => return,
                Relation::Update => updated = updated.or(Some(at)),
                Relation::Other => {}
            }
        }
        let Some(at) = updated else {
            let gap = if lined { "\n" } else { " " };
            self.push(&format!("{gap}{mark}"), sentence);
            return;
        };
        self.index(&said, at);
        if let Some((_, old)) = self.all.get_mut(at) {
            self.forms.remove(&old.form);
            self.forms.insert(said.form.clone());
            *old = said;
        }
    }

    fn text(&self, end: &str) -> String {
        let sentences = self
            .all
            .iter()
            .map(|(gap, said)| format!("{gap}{}", said.sentence));
        let mut text: String = sentences.collect();
        text.push_str(end);
        text
    }
}

#[cfg(test)]
mod tests;
