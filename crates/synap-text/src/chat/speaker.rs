//! Finds the lines of a transcript at which a speaker starts: `User: …`, `**Assistant:** …`, `[10:02] Dana: …`.
//!
//! "Sprint planning: …" is no speaker. A label counts when it is a known role; when it recurs and looks like a name; or, where
//! the document's type says that people talk, when it looks like a name and another one does.

use super::capital;
use crate::piece::part;
use std::collections::BTreeMap;
use synap_types::Timestamp;

/// A label has at most this many words.
const WORDS_MAX: usize = 3;
/// A label is at most this long.
const LABEL_BYTES_MAX: usize = 40;
/// A time before a label is at most this long.
const TIME_BYTES_MAX: usize = 40;

/// Those who talk in transcripts, in alphabetical order.
const ROLES: &[&str] = &[
    "ai",
    "assistant",
    "bot",
    "chatbot",
    "chatgpt",
    "claude",
    "developer",
    "gpt",
    "human",
    "system",
    "user",
];
/// Roles that are words of documents, too: they count when they recur.
const RECURRING: &[&str] = &[
    "agent",
    "answer",
    "caller",
    "client",
    "customer",
    "doctor",
    "guest",
    "host",
    "interviewee",
    "interviewer",
    "me",
    "moderator",
    "operator",
    "patient",
    "representative",
    "speaker",
    "student",
    "support",
    "teacher",
    "tool",
    "you",
];
/// Labels that are fields of a form or of a letter, even when they recur.
const FIELDS: &[&str] = &[
    "action",
    "actions",
    "address",
    "agenda",
    "attendees",
    "author",
    "bcc",
    "budget",
    "category",
    "cc",
    "city",
    "company",
    "conclusion",
    "cons",
    "context",
    "country",
    "date",
    "deadline",
    "decision",
    "description",
    "due",
    "email",
    "error",
    "example",
    "examples",
    "from",
    "goal",
    "goals",
    "hint",
    "http",
    "https",
    "id",
    "important",
    "info",
    "input",
    "key",
    "location",
    "name",
    "next steps",
    "note",
    "notes",
    "output",
    "owner",
    "participants",
    "phone",
    "plan",
    "priority",
    "production",
    "project",
    "pros",
    "ps",
    "purpose",
    "question",
    "re",
    "reason",
    "result",
    "results",
    "role",
    "section",
    "sent",
    "staging",
    "status",
    "step",
    "subject",
    "summary",
    "tags",
    "task",
    "tasks",
    "tel",
    "time",
    "tip",
    "title",
    "to",
    "todo",
    "topic",
    "type",
    "update",
    "url",
    "version",
    "warning",
    "website",
];

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
    /// A time before the name, if it is whole.
    pub(crate) said_at: Option<Timestamp>,
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
    let lines: Vec<Line> = candidates
        .into_iter()
        .zip(accepted)
        .filter_map(|(line, accepted)| accepted.then_some(line))
        .collect();
    (!lines.is_empty()).then_some(lines)
}

/// All lines that start with something like a label, outside of fenced code.
fn candidates(text: &str) -> Vec<Line> {
    let (mut start, mut fenced) = (0, false);
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            lines.extend(candidate(line, start));
        }
        start += line.len();
    }
    lines
}

fn candidate(line: &str, start: usize) -> Option<Line> {
    let indented = line.trim_start_matches(' ');
    if line.len() - indented.len() > 3 {
        return None;
    }
    let (time, rest) = split_time(indented);
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
    let (label, after) = match label.split_once(['(', '[']) {
        Some((label, after)) => (label.trim(), Some(after.trim_end_matches([')', ']']))),
        None => (label, None),
    };
    let plausible = !label.is_empty()
        && label.split_whitespace().count() <= WORDS_MAX
        && label.starts_with(char::is_alphabetic)
        && label
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '\'' | '’' | '_' | '@'));
    plausible.then(|| Line {
        start,
        body: start + (line.len() - closes.len()),
        speaker: shown(label),
        said_at: time.or(after).and_then(|time| time.parse().ok()),
    })
}

/// A time in brackets, or digits, before a label.
fn split_time(line: &str) -> (Option<&str>, &str) {
    if let Some((time, rest)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']'))
        && time.len() <= TIME_BYTES_MAX
        && time.starts_with(|c: char| c.is_ascii_digit())
    {
        return (Some(time), rest.trim_start_matches([' ', '-']));
    }
    if !line.starts_with(|c: char| c.is_ascii_digit()) {
        return (None, line);
    }
    let rest = line.trim_start_matches(|c: char| {
        c.is_ascii_digit() || matches!(c, ':' | '.' | '/' | '-' | ',' | ' ' | 'T' | 'Z')
    });
    let rest = ["AM", "PM", "am", "pm"]
        .iter()
        .find_map(|half| rest.strip_prefix(half))
        .unwrap_or(rest);
    let rest = rest.trim_start_matches([' ', '-', ']']);
    let time = part(line, 0..line.len() - rest.len()).trim_end_matches([' ', '-']);
    if time.len() > TIME_BYTES_MAX || !time.contains(':') {
        (None, line)
    } else {
        (Some(time), rest)
    }
}

/// Roles with a capital, names as they are.
fn shown(label: &str) -> String {
    let lower = label.to_lowercase();
    if matches!(lower.as_str(), "ai" | "gpt") {
        return lower.to_uppercase();
    }
    if is_role(label) || is_recurring(label) {
        capital(&lower)
    } else {
        label.to_owned()
    }
}

fn is_role(label: &str) -> bool {
    ROLES.binary_search(&label.to_lowercase().as_str()).is_ok()
}

fn is_recurring(label: &str) -> bool {
    RECURRING.contains(&label.to_lowercase().as_str())
}

/// Whether a label may be a name: no field, and each word has a capital or it is one word.
fn is_name(label: &str) -> bool {
    let lower = label.to_lowercase();
    let words = label.split_whitespace().count();
    !FIELDS.contains(&lower.as_str())
        && label.split_whitespace().all(|word| {
            words == 1
                || word
                    .starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit() || !c.is_ascii())
        })
}

/// Whether a name that occurs once, in a transcript where others recur, is one more speaker.
fn shows_a_person(label: &str) -> bool {
    label.starts_with(char::is_uppercase) && label.split_whitespace().count() <= 2
}
