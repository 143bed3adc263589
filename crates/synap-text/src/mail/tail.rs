//! What stands below the words of a mail: its signature, and what machines add.

use crate::piece::part;
use std::ops::Range;

/// Lines of a signature.
const SIGNATURE_LINES_MAX: usize = 8;
/// A line of a signature.
const LINE_BYTES_MAX: usize = 90;
/// Words by which a letter ends, in small letters.
const CLOSINGS: &[&str] = &[
    "all the best",
    "best",
    "best regards",
    "best wishes",
    "cheers",
    "cordially",
    "kind regards",
    "many thanks",
    "mit freundlichen grüßen",
    "regards",
    "respectfully",
    "sincerely",
    "thank you",
    "thanks",
    "thanks again",
    "thx",
    "viele grüße",
    "warm regards",
    "yours",
    "yours sincerely",
];
/// Lines that programs add start with one of these, in small letters.
const ADDED: &[&str] = &[
    "sent from my ",
    "sent from outlook",
    "sent from mail for ",
    "sent from yahoo",
    "get outlook for ",
    "sent via ",
    "von meinem iphone gesendet",
];
/// A paragraph with two of these is a disclaimer.
const CUES: &[&str] = &[
    "confidential",
    "disclaimer",
    "intended recipient",
    "intended only",
    "intended solely",
    "privileged",
    "notify the sender",
    "received this email in error",
    "received this e-mail in error",
    "received this message in error",
    "delete this",
    "delete it",
    "unauthorized",
    "unauthorised",
    "dissemination",
    "virus",
    "scanned",
];
/// A disclaimer is not shorter.
const DISCLAIMER_BYTES_MIN: usize = 80;

/// The parts of what somebody wrote.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// The words themselves.
    pub(super) body: Vec<Range<usize>>,
    /// The signature, where it says more than a name.
    pub(super) signature: Option<Range<usize>>,
}

/// Tells body and signature apart; disclaimers are in neither.
pub(super) fn of(text: &str) -> Parts {
    let mut parts = Parts::default();
    let end = match signature(text) {
        Some((from, range)) => {
            let said = part(text, range.clone());
            let lines = said.lines().filter(|line| !line.trim().is_empty());
            if lines.count() > 1 {
                parts.signature = Some(range);
            }
            from
        }
        None => text.len(),
    };
    for range in paragraphs(part(text, 0..end)) {
        let paragraph = part(text, range.clone());
        if !is_disclaimer(paragraph) {
            let mut from = range.start;
            for line in paragraph.split_inclusive('\n') {
                if !is_added(line) {
                    parts.push(from..from + line.len());
                }
                from += line.len();
            }
        }
    }
    parts
}

/// Lines up to a blank one, which belongs to those before it.
fn paragraphs(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        at += line.len();
        if line.trim().is_empty() {
            ranges.push(start..at);
            start = at;
        }
    }
    ranges.push(start..at);
    ranges
}

impl Parts {
    fn push(&mut self, range: Range<usize>) {
        match self.body.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.body.push(range),
        }
    }
}

/// Where the signature starts with its mark, and its lines without it.
fn signature(text: &str) -> Option<(usize, Range<usize>)> {
    let last = last_lines(text, SIGNATURE_LINES_MAX * 3);
    let mark = last
        .iter()
        .find(|(_, line)| matches!(line.trim_end(), "--" | "—"));
    let Some((start, line)) = mark else {
        return closing(text);
    };
    let from = closing(part(text, 0..*start)).map_or(*start, |(from, _)| from);
    Some((from, start + line.len()..text.trim_end().len()))
}

/// The same for a signature below "Best regards,".
fn closing(text: &str) -> Option<(usize, Range<usize>)> {
    let last = last_lines(text, SIGNATURE_LINES_MAX);
    let count = last.iter().position(|(_, line)| is_closing(line))?;
    let (start, line) = last.get(count)?;
    let short = last
        .iter()
        .take(count)
        .all(|(_, line)| line.len() <= LINE_BYTES_MAX && !line.trim_end().ends_with(['.', '?']));
    (short && count > 0).then_some((*start, start + line.len()..text.trim_end().len()))
}

/// The last lines that are not blank at the end, the last one first, each with its start.
fn last_lines(text: &str, count: usize) -> Vec<(usize, &str)> {
    let text = text.trim_end();
    let mut lines = Vec::new();
    let mut end = text.len();
    while lines.len() < count {
        let start = part(text, 0..end).rfind('\n').map_or(0, |at| at + 1);
        lines.push((start, part(text, start..end)));
        if start == 0 {
            break;
        }
        end = start - 1;
    }
    lines
}

fn is_closing(line: &str) -> bool {
    let line = line.trim();
    line.len() <= LINE_BYTES_MAX
        && CLOSINGS.contains(
            &line
                .trim_end_matches([',', '!', '.', ' '])
                .to_lowercase()
                .as_str(),
        )
}

fn is_added(line: &str) -> bool {
    let line = line.trim();
    line.len() <= LINE_BYTES_MAX && {
        let lower = line.to_lowercase();
        ADDED.iter().any(|start| lower.starts_with(start))
    }
}

fn is_disclaimer(paragraph: &str) -> bool {
    if paragraph.len() < DISCLAIMER_BYTES_MIN {
        return false;
    }
    let lower = paragraph.to_lowercase();
    CUES.iter()
        .filter(|cue| lower.contains(**cue))
        .nth(1)
        .is_some()
}
