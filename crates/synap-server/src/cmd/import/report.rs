//! What became of an import, for people and for programs.

use crate::cmd::say;
use serde::Serialize;
use std::collections::BTreeMap;

/// Memories that are named for each reason, and reasons that are told apart; the rest is counted.
const NAMES_MAX: usize = 5;
const REASONS_MAX: usize = 50;
const OTHER_REASONS: &str = "other reasons";

/// Memories that share a fate, by the reason for it.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Reasons(BTreeMap<String, Reason>);

/// One reason.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Reason {
    count: usize,
    first: Vec<String>,
}

impl Reasons {
    /// Counts a memory.
    pub(crate) fn add(&mut self, reason: &str, name: &str) {
        let is_known = self.0.contains_key(reason) || self.0.len() < REASONS_MAX;
        let reason = if is_known { reason } else { OTHER_REASONS };
        let reason = self.0.entry(reason.to_owned()).or_default();
        reason.count += 1;
        if reason.first.len() < NAMES_MAX {
            reason.first.push(name.to_owned());
        }
    }

    /// How many memories.
    pub(crate) fn count(&self) -> usize {
        self.0.values().map(|reason| reason.count).sum()
    }

    fn lines(&self, fate: &str) -> Vec<String> {
        let line = |(reason, Reason { count, first }): (&String, &Reason)| {
            let more = if *count > first.len() { ", …" } else { "" };
            format!("{fate}: {reason}: {count} ({}{more})", first.join(", "))
        };
        self.0.iter().map(line).collect()
    }
}

/// All that is said at the end.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// Whether nothing was sent.
    pub(crate) dry_run: bool,
    /// Memories, and lines that should have been one.
    pub(crate) read: usize,
    /// What a dry run would have sent.
    pub(crate) to_send: usize,
    /// Stored now.
    pub(crate) stored: usize,
    /// Stored before.
    pub(crate) unchanged: usize,
    /// Malformed or refused.
    pub(crate) failed: usize,
    /// Left out.
    pub(crate) skipped: usize,
    /// Why some failed.
    pub(crate) failures: Reasons,
    /// Why some were left out.
    pub(crate) skips: Reasons,
    /// Fields that were not brought over, and how often.
    pub(crate) not_mapped: BTreeMap<String, usize>,
    /// Fields that are kept in the metadata and mean nothing here, and how often.
    pub(crate) without_effect: BTreeMap<String, usize>,
    /// What else should be known.
    pub(crate) warnings: Vec<String>,
}

impl Report {
    /// Prints it: the sum, then a line for everything that is not just as it was.
    pub(crate) fn print(&self) {
        for line in self.lines() {
            say(&line);
        }
    }

    fn lines(&self) -> Vec<String> {
        let Self {
            read,
            to_send,
            stored,
            unchanged,
            failed,
            skipped,
            ..
        } = self;
        let done = if self.dry_run {
            format!("{to_send} to send")
        } else {
            format!("{stored} stored, {unchanged} unchanged")
        };
        let note = if self.dry_run {
            " (nothing was sent)"
        } else {
            ""
        };
        let mut lines = vec![format!(
            "{read} read: {done}, {failed} failed, {skipped} skipped{note}"
        )];
        lines.extend(self.failures.lines("failed"));
        lines.extend(self.skips.lines("skipped"));
        for (field, count) in &self.not_mapped {
            lines.push(format!("{field}: {count} not mapped"));
        }
        for (field, count) in &self.without_effect {
            lines.push(format!(
                "{field}: {count} kept in the metadata, without effect"
            ));
        }
        lines.extend(
            self.warnings
                .iter()
                .map(|warning| format!("note: {warning}")),
        );
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_counted_and_a_few_are_named() {
        let mut reasons = Reasons::default();
        for at in 0..7 {
            reasons.add("no user_id", &format!("m{at}"));
        }
        reasons.add("no text", "x");
        assert_eq!(reasons.count(), 8);
        let expected = [
            "skipped: no text: 1 (x)",
            "skipped: no user_id: 7 (m0, m1, m2, m3, m4, …)",
        ];
        assert_eq!(reasons.lines("skipped"), expected);
    }

    #[test]
    fn endlessly_many_reasons_do_not_fill_the_memory() {
        let mut reasons = Reasons::default();
        for at in 0..1_000 {
            reasons.add(&format!("reason {at}"), "m");
        }
        assert_eq!((reasons.0.len(), reasons.count()), (REASONS_MAX + 1, 1_000));
        assert_eq!(reasons.0[OTHER_REASONS].count, 1_000 - REASONS_MAX);
    }

    #[test]
    fn the_report_says_what_is_not_as_it_was() {
        let mut report = Report {
            read: 3,
            stored: 2,
            skipped: 1,
            ..Report::default()
        };
        report.not_mapped.insert("relations".to_owned(), 12);
        report.without_effect.insert("immutable".to_owned(), 1);
        report.warnings.push("one page of several".to_owned());
        let expected = [
            "3 read: 2 stored, 0 unchanged, 0 failed, 1 skipped",
            "relations: 12 not mapped",
            "immutable: 1 kept in the metadata, without effect",
            "note: one page of several",
        ];
        assert_eq!(report.lines(), expected);
        (report.dry_run, report.to_send) = (true, 2);
        assert_eq!(
            report.lines()[0],
            "3 read: 2 to send, 0 failed, 1 skipped (nothing was sent)"
        );
    }
}
