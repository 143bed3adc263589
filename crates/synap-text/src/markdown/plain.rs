//! Headings and sections of texts without markup: lines in capitals, numbered titles, bold lines, underlined ones, and what
//! minutes of meetings are made of.

use super::{Frame, Item, Walker, label};
use crate::piece::{Flow, Form, collapse, floor, part};
use crate::when::{Order, moment};
use std::ops::Range;
use synap_types::Timestamp;

/// A heading has at most this many words.
const WORDS_MAX: usize = 10;
/// A line below a title has this many words, or a key.
const SENTENCE_WORDS_MIN: usize = 6;
/// Letters of a heading in capitals.
const LETTERS_MIN: usize = 5;
/// The date of a meeting is looked for in this much of its minutes.
const HEAD_BYTES_MAX: usize = 1_500;
/// The first heading is the title. The others are below the six levels that Markdown has: underlined, capitals, numbered ("2.1" and deeper), a
/// line of its own, bold, a section of minutes.
const TITLE: u8 = 1;
const UNDERLINED: u8 = 7;
const CAPITALS: u8 = 8;
const NUMBERED: u8 = 9;
const PLAIN: u8 = 19;
const BOLD: u8 = 20;
const SECTION: u8 = 21;
/// Sections of minutes: what follows stands under them until the next one. In alphabetical order.
const SECTIONS: &[&str] = &[
    "absent",
    "action items",
    "action points",
    "actions",
    "agenda",
    "announcements",
    "apologies",
    "attendees",
    "background",
    "blockers",
    "decisions",
    "decisions made",
    "discussion",
    "follow-ups",
    "goals",
    "key decisions",
    "key takeaways",
    "next steps",
    "notes",
    "open issues",
    "open questions",
    "participants",
    "present",
    "risks",
    "summary",
    "to do",
    "todo",
    "topics",
    "updates",
];
/// Only minutes have one of these.
const PEOPLE: &[&str] = &[
    "attendees",
    "participants",
    "present",
    "minutes",
    "facilitator",
];
/// Labels of the day of a meeting.
const DAYS: &[&str] = &["date", "meeting date", "when", "date and time", "date/time"];

impl Walker<'_> {
    /// Opens a section if the paragraph is a heading by its looks.
    pub(super) fn plain_heading(&mut self, flow: &Flow) -> bool {
        let text = flow.text.trim();
        if !self.frames.is_empty() || text.contains('\n') || text.len() > WORDS_MAX * 20 {
            return false;
        }
        if self.opens_section(text, flow, &(0..flow.text.len())) {
            return true;
        }
        let span = flow.source(&(0..flow.text.len()));
        let level = level(text).or_else(|| {
            let after = part(self.source, span.end..floor(self.source, span.end + 3));
            let before = part(self.source, span.start.saturating_sub(2)..span.start);
            (matches!(before, "**" | "__") && after.starts_with(before)).then_some(BOLD)
        });
        let words = text.split_whitespace().nth(WORDS_MAX).is_none();
        if let Some(level) = level.filter(|_| words && !text.ends_with(['.', '!', '?', ','])) {
            let level = self.unless_first(level);
            self.outline.heading(level, collapse(text), span);
            return true;
        }
        false
    }

    /// The title in the first line of a paragraph, above "Key: value" lines or, in a text without marks, above sentences;
    /// where the rest starts.
    pub(super) fn title_line(&mut self, flow: &Flow) -> Option<usize> {
        let (title, rest) = flow.text.split_once('\n')?;
        let next = rest.lines().next()?;
        let keyed = label::is_keyed(next);
        let first = self.drafts.is_empty() && self.outline.section().is_none();
        let sentence = next
            .split_whitespace()
            .nth(SENTENCE_WORDS_MIN - 1)
            .is_some();
        let below = keyed && (first || !self.marked) || sentence && !self.marked;
        let named = below
            && label::is_label(title)
            && !title.contains([':', ',', '@'])
            && title.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit())
            && !label::is_greeting(title);
        named.then(|| {
            let level = self.unless_first(PLAIN);
            let span = flow.source(&(0..title.len()));
            self.outline.heading(level, collapse(title), span);
            title.len() + 1
        })
    }

    /// The paragraph before `next`, a few words alone on their line, is the title of what follows in a text without marks.
    pub(super) fn pending_title(&mut self, next: &Flow) {
        let Some(flow) = &self.pending else {
            return;
        };
        let text = flow.text.trim();
        let title = self.frames.is_empty()
            && !self.marked
            && !label::is_label(&next.text)
            && !text.contains(['\n', ':', ',', '(', '@'])
            && text.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit())
            && !label::is_greeting(text);
        if title && let Some(flow) = self.pending.take() {
            let span = flow.source(&(0..flow.text.len()));
            let level = self.unless_first(PLAIN);
            self.outline.heading(level, collapse(&flow.text), span);
        }
    }

    /// The level of a heading that is the document's title if nothing stands before it.
    fn unless_first(&self, level: u8) -> u8 {
        let first = self.drafts.is_empty() && self.outline.section().is_none();
        if first { TITLE } else { level }
    }

    /// Opens a section of minutes, if that is what `label` names.
    pub(super) fn opens_section(&mut self, label: &str, flow: &Flow, range: &Range<usize>) -> bool {
        let name = label.trim_end_matches(':').to_lowercase();
        let opens = self.frames.is_empty() && SECTIONS.binary_search(&name.as_str()).is_ok();
        if opens {
            self.outline
                .heading(SECTION, collapse(label), flow.source(range));
        }
        opens
    }

    /// Ends an item whose text leads in to nothing.
    pub(super) fn end_item(&mut self) {
        let Some(Frame {
            at,
            item: Item::Label(flow),
            ..
        }) = self.frames.pop()
        else {
            return;
        };
        let alone = matches!(self.frames.as_slice(), [list] if list.ordered && list.at == self.outline.section());
        let first = self.numbered.is_none() && self.items == 1;
        if alone && first && !flow.text.trim_end().ends_with(':') {
            self.numbered = Some((at, flow));
        } else {
            self.draft(at, &flow, Form::Item);
        }
    }

    /// There are more items in its list.
    pub(super) fn not_a_title(&mut self) {
        if let Some((at, flow)) = self.numbered.take() {
            self.draft(at, &flow, Form::Item);
        }
    }

    /// "1. Booking", alone between paragraphs, is the title of what follows.
    pub(super) fn numbered_title(&mut self) {
        if let Some((_, flow)) = self.numbered.take() {
            let span = flow.source(&(0..flow.text.len()));
            self.outline.heading(NUMBERED, collapse(&flow.text), span);
        }
    }

    /// A line of marks: where it stands right under a short line, it underlines that.
    pub(super) fn rule(&mut self, range: &Range<usize>) {
        self.flush();
        let underlined = self.pending.as_ref().is_some_and(|flow| {
            let span = flow.source(&(0..flow.text.len()));
            self.frames.is_empty()
                && part(self.source, span.end..range.start).trim_matches(' ') == "\n"
        });
        if underlined && let Some(flow) = self.pending.take() {
            let span = flow.source(&(0..flow.text.len()));
            self.outline.heading(UNDERLINED, collapse(&flow.text), span);
        }
        self.settle();
    }
}

/// The level of a line in capitals or with a number of two parts.
fn level(text: &str) -> Option<u8> {
    let letters = text.chars().filter(|c| c.is_uppercase()).count();
    if letters >= LETTERS_MIN && !text.contains(char::is_lowercase) && !text.contains(": ") {
        return Some(CAPITALS);
    }
    let (number, title) = text.split_once(' ')?;
    let number = number.trim_end_matches('.');
    let dots = number.matches('.').count();
    let numbered = (1..=4).contains(&dots)
        && number.split('.').all(|part| {
            !part.is_empty() && part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit())
        })
        && title.trim_start().starts_with(char::is_uppercase);
    numbered.then(|| NUMBERED + u8::try_from(dots).unwrap_or(0))
}

/// When the meeting was that a text has the minutes of.
pub(super) fn held_at(text: &str) -> Option<Timestamp> {
    let head = part(text, 0..floor(text, HEAD_BYTES_MAX));
    let bare = |text: &str| {
        text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '#' | '-' | '_' | '|'))
            .to_lowercase()
    };
    let minutes = head.lines().any(|line| {
        let label = bare(line.split(':').next().unwrap_or_default());
        PEOPLE.iter().any(|word| label == *word) || label.ends_with("minutes")
    });
    if !minutes {
        return None;
    }
    head.lines().find_map(|line| {
        let (label, value) = line.split_once(':')?;
        let value = value.trim_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '_' | '|'));
        DAYS.contains(&bare(label).as_str())
            .then(|| moment(value, Order::MonthFirst))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_in_order() {
        assert!(SECTIONS.is_sorted());
    }

    #[test]
    fn levels_go_by_looks() {
        for (text, expected) in [
            ("TRAVEL POLICY", Some(CAPITALS)),
            ("2.1 Meals", Some(NUMBERED + 1)),
            ("2.1.3. Meals", Some(NUMBERED + 2)),
            ("OK", None),
            ("NOTE: ASK FIRST", None),
            ("2 Meals", None),
            ("2.1 meals", None),
            ("Travel policy", None),
        ] {
            assert_eq!(level(text), expected, "{text:?}");
        }
    }
}
