//! Finds the lines of a transcript at which a speaker starts: `User: …`, `**Assistant:** …`, `[10:02] Dana: …`.
//!
//! "Sprint planning: …" is no speaker. A label counts when it is a known role; when it recurs and looks like a name; or, where
//! the document's type says that people talk, when it looks like a name and another one does.

use super::label::{is_name, is_recurring, is_role, shown, shows_a_person};
use super::stamp::{clock_of, said_at, split_time};
use crate::piece::part;
use std::collections::BTreeMap;
use synap_types::Timestamp;

/// A label has at most this many words.
const WORDS_MAX: usize = 3;
/// A label is at most this long.
const LABEL_BYTES_MAX: usize = 40;

/// What is known of a text before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It may be prose, too.
    Any,
    /// People talk, so two names are enough.
    People,
    /// It is a transcript: people talk, and "Agent" or "Customer" counts once.
    Transcript,
}

/// A line at which somebody starts to speak.
#[derive(Debug)]
pub(crate) struct Line {
    /// Where the line starts.
    pub(crate) start: usize,
    /// Where what is said starts.
    pub(crate) body: usize,
    /// Who, as it is shown: "User", "Dana".
    pub(crate) speaker: String,
    /// The time beside the name, as it stands.
    pub(super) stamp: Option<String>,
    /// When it was said, where that and the lines around it tell the date, too.
    pub(crate) said_at: Option<Timestamp>,
    /// The name has a line of its own.
    alone: bool,
}

/// The speakers' lines of a text; `None` when it is no transcript.
pub(crate) fn lines(text: &str, reading: Reading) -> Option<Vec<Line>> {
    let candidates = candidates(text);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for line in &candidates {
        *counts.entry(&line.speaker).or_default() += 1;
    }
    let roles = counts.keys().filter(|label| is_role(label)).count();
    let recurs = |label: &str| counts.get(label).is_some_and(|count| *count > 1);
    let named = counts
        .keys()
        .filter(|label| is_name(label) && !is_role(label));
    let any_recurs = named.clone().any(|label| recurs(label));
    let people_named = named.count();
    let opening = candidates
        .first()
        .filter(|line| part(text, 0..line.start).trim().is_empty())
        .map(|line| line.speaker.clone());
    let talks = |label: &str| reading == Reading::Transcript && is_recurring(label);
    let accepts = |label: &str| match roles {
        0 if any_recurs => {
            is_name(label) && (recurs(label) || shows_a_person(label)) || talks(label)
        }
        0 => reading != Reading::Any && people_named > 1 && is_name(label) || talks(label),
        1 => {
            is_role(label)
                || is_name(label) && (recurs(label) || opening.as_deref() == Some(label))
                || talks(label)
        }
        _ => is_role(label),
    };
    let accepted: Vec<bool> = candidates
        .iter()
        .map(|line| accepts(&line.speaker))
        .collect();
    let mut lines: Vec<Line> = candidates
        .into_iter()
        .zip(accepted)
        .filter_map(|(line, accepted)| accepted.then_some(line))
        .collect();
    said_at(text, &mut lines);
    (!lines.is_empty()).then_some(lines)
}

/// All lines that start with something like a label, outside of fenced code.
fn candidates(text: &str) -> Vec<Line> {
    let (mut start, mut fenced) = (0, false);
    let mut lines: Vec<Line> = Vec::new();
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            lines.extend(candidate(line, start).or_else(|| own_line(line, start)));
        }
        start += line.len();
    }
    // A name with a time on a line of its own, and nothing said below it: an agenda, not a transcript.
    let ends: Vec<usize> = lines
        .iter()
        .skip(1)
        .map(|line| line.start)
        .chain([text.len()])
        .collect();
    let mut ends = ends.into_iter();
    lines.retain(|line| {
        let end = ends.next().unwrap_or(text.len());
        !line.alone || !part(text, line.body..end).trim().is_empty()
    });
    lines
}

/// Name and start of the words in "Dana: …".
pub(super) fn named(line: &str) -> Option<(String, usize)> {
    let found = candidate(line, 0)?;
    let name = is_role(&found.speaker) || is_name(&found.speaker) && shows_a_person(&found.speaker);
    name.then_some((found.speaker, found.body))
}

/// "Dana: …", "[10:02] Dana: …", "10:02:11 From Dana to Everyone: …", "<dana> …".
fn candidate(line: &str, start: usize) -> Option<Line> {
    let indented = line.trim_start_matches(' ');
    if line.len() - indented.len() > 3 {
        return None;
    }
    let (time, rest) = split_time(indented);
    let rest = rest.strip_prefix(">> ").unwrap_or(rest);
    if let Some((label, said)) = rest
        .strip_prefix('<')
        .and_then(|rest| rest.split_once("> "))
    {
        let label = label.trim_start_matches(['@', '+', ' ']);
        return is_plausible(label).then(|| Line {
            start,
            body: start + (line.len() - said.len()),
            speaker: shown(label),
            stamp: time.map(ToOwned::to_owned),
            said_at: None,
            alone: false,
        });
    }
    let bare = rest.trim_start_matches('*');
    let (label, said) = bare.split_once([':', '：'])?;
    let closes = said.trim_start_matches('*');
    if label.len() > LABEL_BYTES_MAX
        || !(closes.is_empty()
            || closes.starts_with(char::is_whitespace)
            || said.len() > closes.len())
    {
        return None;
    }
    let label = label.trim_end_matches('*').trim();
    let label = label
        .strip_prefix("From ")
        .and_then(|label| label.split_once(" to "))
        .map_or(label, |(from, _)| from.trim());
    let (label, after) = match label.split_once(['(', '[']) {
        Some((label, after)) => (label.trim(), Some(after.trim_end_matches([')', ']']))),
        None => (label, None),
    };
    is_plausible(label).then(|| Line {
        start,
        body: start + (line.len() - closes.len()),
        speaker: shown(label),
        stamp: time.or(after).map(ToOwned::to_owned),
        said_at: None,
        alone: false,
    })
}

/// A name and a time that are all of a line: "Dana Kim  10:32 AM", "[10:32] Dana", "Dana — Today at 10:32 AM". Also a role
/// that is a heading: "## User".
fn own_line(line: &str, start: usize) -> Option<Line> {
    let whole = line.trim();
    if whole.len() > LABEL_BYTES_MAX * 2 {
        return None;
    }
    let bare = whole.trim_matches(['#', '*', ' ', ':']);
    let headed = whole.len() > bare.len() && is_role(bare);
    let (label, stamp) = if headed {
        (bare, None)
    } else {
        let (time, rest) = split_time(whole);
        match time {
            Some(time) => (rest.trim_matches(['*', ' ']), Some(time)),
            None => clock_of(whole).map(|(label, time)| (label.trim_matches('*'), Some(time)))?,
        }
    };
    let named =
        is_plausible(label) && (headed || label.starts_with(char::is_uppercase) && is_name(label));
    named.then(|| Line {
        start,
        body: start + line.len(),
        speaker: shown(label),
        stamp: stamp.map(ToOwned::to_owned),
        said_at: None,
        alone: true,
    })
}

fn is_plausible(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= LABEL_BYTES_MAX
        && label.split_whitespace().count() <= WORDS_MAX
        && label.starts_with(char::is_alphabetic)
        && label
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '\'' | '’' | '_' | '@'))
}
