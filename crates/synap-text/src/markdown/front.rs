//! What front matter says of the whole document: its title, and when it was written.

use super::Walker;
use crate::piece::{Flow, Form, clip, floor, part};
use crate::when::{Order, moment};
use std::ops::Range;
use std::rc::Rc;
use synap_types::Timestamp;

/// Front matter ends within so much.
const BYTES_MAX: usize = 64 * 1024;
/// A title is told up to here.
const TITLE_BYTES_MAX: usize = 120;
/// Keys of a date, the better ones first.
const DATES: &[&str] = &[
    "date",
    "published",
    "created",
    "created_at",
    "updated",
    "last_updated",
    "lastmod",
];

/// What is known from front matter.
#[derive(Debug, Default)]
pub(super) struct Front {
    pub(super) title: Option<Rc<str>>,
    pub(super) said_at: Option<Timestamp>,
}

impl Walker<'_> {
    /// Takes front matter from the start of the text; where the rest starts.
    ///
    /// Not by the parser, whose time is quadratic in the lines of marks that could start some.
    pub(super) fn front_matter(&mut self) -> usize {
        let Some(inner) = inner(self.source) else {
            return 0;
        };
        let mut flow = Flow::default();
        flow.push(part(self.source, inner.clone()), inner.clone());
        self.front = Front::of(&flow.text);
        self.draft(None, &flow, Form::Code);
        let rest = part(self.source, inner.end..self.source.len());
        let start = inner.end + rest.find('\n').map_or(rest.len(), |at| at + 1);
        self.covered = start;
        start
    }
}

/// What stands between the first line of marks and the next one, if it tells keys and values.
fn inner(text: &str) -> Option<Range<usize>> {
    let mut lines = part(text, 0..floor(text, BYTES_MAX)).split_inclusive('\n');
    let first = lines.next()?;
    let mark = first.trim_end();
    if !matches!(mark, "---" | "+++") {
        return None;
    }
    let (mut at, mut keys) = (first.len(), false);
    for line in lines {
        if line.trim_end() == mark || mark == "---" && line.trim_end() == "..." {
            return keys.then_some(first.len()..at);
        }
        if at == first.len() && line.trim().is_empty() {
            return None;
        }
        keys |= line.contains([':', '=']);
        at += line.len();
    }
    None
}

impl Front {
    /// Reads "key: value" and `key = "value"` lines that are not indented.
    pub(super) fn of(text: &str) -> Self {
        let value = |key: &str| {
            text.lines().find_map(|line| {
                let (name, value) = line.split_once([':', '='])?;
                let value = value.trim().trim_matches(['"', '\'']);
                (name.trim_end().eq_ignore_ascii_case(key) && !value.is_empty()).then_some(value)
            })
        };
        Self {
            title: value("title").map(|title| clip(title, TITLE_BYTES_MAX).into()),
            said_at: DATES
                .iter()
                .find_map(|key| moment(value(key)?, Order::MonthFirst)),
        }
    }
}
