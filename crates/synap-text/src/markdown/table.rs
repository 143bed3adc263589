//! Tables: one piece per row, each value with its column's name.

use crate::piece::{BODY_BYTES_MAX, Flow, clip, collapse, cut_long, part};
use std::mem::take;
use std::ops::Range;

/// A column's name goes into each row up to here.
const NAME_BYTES_MAX: usize = 40;
/// A row longer than this is cut between its cells.
const ROW_BYTES_MAX: usize = BODY_BYTES_MAX;
/// The first value goes into each part of a row that is cut, up to here.
const KEY_BYTES_MAX: usize = 80;

/// The table that is being read.
#[derive(Debug, Default)]
pub(super) struct Table {
    names: Vec<String>,
    cells: Vec<String>,
    /// The end of the last cell with text.
    cells_end: usize,
    /// The head, as long as no row says all of it.
    head: Option<(String, Range<usize>)>,
}

impl Table {
    pub(super) fn cell(&mut self, flow: &Flow, range: &Range<usize>) {
        self.cells.push(collapse(&flow.text));
        self.cells_end = range.end;
    }

    pub(super) fn head(&mut self, range: Range<usize>) {
        let cells = take(&mut self.cells);
        let head = cells
            .iter()
            .filter(|name| !name.is_empty())
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("; ");
        self.head = Some((head, range));
        self.names = cells
            .iter()
            .map(|name| clip(name, NAME_BYTES_MAX))
            .collect();
    }

    /// The row as "Name: value; Name: value", and what stands behind its last cell; none when it is empty. A long row is
    /// several, each of which starts with the first value.
    pub(super) fn row(&mut self, source: &str, range: &Range<usize>) -> Vec<String> {
        let cells = take(&mut self.cells);
        let mut parts = Vec::new();
        let mut named = 0;
        for (at, value) in cells
            .iter()
            .enumerate()
            .filter(|(_, value)| !value.is_empty())
        {
            let name = self
                .names
                .get(at)
                .map_or("", |name| name.trim_end_matches(':'));
            named += usize::from(!name.is_empty());
            parts.push(if name.is_empty() {
                value.clone()
            } else {
                format!("{name}: {value}")
            });
        }
        let rest = part(
            source,
            self.cells_end.clamp(range.start, range.end)..range.end,
        );
        let rest = collapse(&rest.replace('|', " "));
        if !rest.is_empty() {
            parts.push(rest);
        }
        let columns = self.names.iter().filter(|name| !name.is_empty()).count();
        if named == columns && !self.names.iter().any(|name| name.ends_with('…')) {
            self.head = None;
        }
        if self.names.is_empty() && cells.len() == 2 && parts.len() == 2 {
            return folded(&[parts.join(": ")]);
        }
        folded(&parts)
    }

    /// The names, when no row gave them all.
    pub(super) fn unstated(&mut self) -> Option<(String, Range<usize>)> {
        self.head.take().filter(|(head, _)| !head.is_empty())
    }
}

/// The parts of a row on lines of a bounded length. A part that is longer is cut.
fn folded(parts: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let key = parts.first().map(|key| clip(key, KEY_BYTES_MAX));
    let key = key.unwrap_or_default();
    for part_of in parts {
        for range in cut_long(part_of, 0..part_of.len(), ROW_BYTES_MAX - KEY_BYTES_MAX * 2) {
            let text = part(part_of, range);
            match lines.last_mut() {
                Some(line) if line.len() + text.len() + 2 <= ROW_BYTES_MAX => {
                    line.push_str("; ");
                    line.push_str(text);
                }
                Some(_) => lines.push(format!("{key}; {text}")),
                None => lines.push(text.to_owned()),
            }
        }
    }
    lines
}
