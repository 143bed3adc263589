//! What front matter says of the whole document: its title, and when it was written.

use crate::piece::clip;
use crate::when::{Order, moment};
use std::rc::Rc;
use synap_types::Timestamp;

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
