//! Reads the labelled sentences and compares what the rules say with what a careful reader said.

use std::collections::BTreeMap;
use std::fmt;
use synap_text::{
    Source, Statement, TurnSource, asks_when, event_time, query_time, statements, turn_statements,
};
use synap_types::{Content, DocumentType, MemoryType, Timestamp};

/// The halves of every set: rules are written for `dev` and only measured with `test`.
pub(crate) const HALVES: [&str; 2] = ["dev", "test"];

/// One sentence that was read otherwise than its label says.
#[derive(Debug)]
pub(crate) struct Miss {
    pub(crate) sentence: String,
    pub(crate) expected: String,
    pub(crate) found: String,
}

/// Right answers among all.
#[derive(Debug, Default)]
pub(crate) struct Share {
    pub(crate) right: usize,
    pub(crate) all: usize,
    pub(crate) misses: Vec<Miss>,
}

impl Share {
    fn add(&mut self, sentence: &str, expected: &str, found: &str) {
        self.all += 1;
        if expected == found {
            self.right += 1;
        } else {
            self.misses.push(Miss {
                sentence: sentence.to_owned(),
                expected: expected.to_owned(),
                found: found.to_owned(),
            });
        }
    }

    /// In percent.
    pub(crate) fn percent(&self) -> f64 {
        percent(self.right, self.all)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:5.1} % ({} of {})",
            self.percent(),
            self.right,
            self.all
        )
    }
}

/// Of one type: how often it was labelled, found, and both.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) labelled: usize,
    pub(crate) found: usize,
    pub(crate) both: usize,
}

impl Counts {
    /// Precision, recall and F1 in percent.
    pub(crate) fn scores(self) -> (f64, f64, f64) {
        (
            percent(self.both, self.found),
            percent(self.both, self.labelled),
            percent(2 * self.both, self.found + self.labelled),
        )
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    if whole == 0 {
        100.0
    } else {
        100.0 * number(part) / number(whole)
    }
}

/// The rows of one half, without the column that names it.
fn rows<'a>(table: &'a str, half: &'a str) -> impl Iterator<Item = Vec<&'a str>> {
    table.lines().skip(1).filter_map(move |line| {
        let mut fields = line.split('\t');
        (fields.next() == Some(half)).then(|| fields.collect())
    })
}

/// Types: the share of right ones, and the counts of each.
pub(crate) fn types(half: &str) -> (Share, BTreeMap<&'static str, Counts>) {
    let mut share = Share::default();
    let mut counts: BTreeMap<&'static str, Counts> = BTreeMap::new();
    for row in rows(include_str!("types.tsv"), half) {
        let [kind, speaker, sentence] = row[..] else {
            panic!("a row of types.tsv has four columns: {row:?}");
        };
        let expected = MemoryType::ALL.into_iter().find(|one| one.name() == kind);
        let expected = expected.expect("a type of memories");
        let found = typed(sentence, speaker).map_or(MemoryType::Fact, |statement| statement.kind);
        counts.entry(expected.name()).or_default().labelled += 1;
        counts.entry(found.name()).or_default().found += 1;
        if expected == found {
            counts.entry(found.name()).or_default().both += 1;
        }
        share.add(sentence, kind, found.name());
    }
    (share, counts)
}

fn typed(sentence: &str, speaker: &str) -> Option<Statement> {
    if speaker == "-" {
        let content = Content::Text(sentence.to_owned());
        let source = Source {
            content: &content,
            document_type: &DocumentType::DOCUMENT.parse().expect("a type of documents"),
            said_at: None,
        };
        return statements(&source).into_iter().next();
    }
    let turn = TurnSource {
        content: sentence,
        speaker,
        said_at: None,
        accepted_at: None,
    };
    turn_statements(&turn).into_iter().next()
}

/// Dates: every column must be as labelled.
pub(crate) fn dates(half: &str) -> Share {
    let mut share = Share::default();
    for row in rows(include_str!("dates.tsv"), half) {
        let [reference, date, end, precision, until, recurrence, sentence] = row[..] else {
            panic!("a row of dates.tsv has eight columns: {row:?}");
        };
        let expected = format!("{date} {end} {precision} {until} {recurrence}");
        let found = match event_time(sentence, moment(reference)) {
            None => "- - - - -".to_owned(),
            Some(time) => format!(
                "{} {} {} {} {}",
                shown(time.date),
                shown(time.end),
                time.precision.map_or("-", synap_types::Precision::as_str),
                shown(time.valid_until),
                time.recurrence.as_deref().unwrap_or("-"),
            ),
        };
        share.add(sentence, &expected, &found);
    }
    share
}

/// Queries: the period that they name, and whether they ask when.
pub(crate) fn query_times(half: &str) -> Share {
    let mut share = Share::default();
    for row in rows(include_str!("query_times.tsv"), half) {
        let [now, start, end, asks, query] = row[..] else {
            panic!("a row of query_times.tsv has six columns: {row:?}");
        };
        let period = query_time(query, moment(now).expect("the moment of asking"));
        let found = format!(
            "{} {} {}",
            shown(period.map(|period| period.start)),
            shown(period.map(|period| period.end)),
            if asks_when(query) { "yes" } else { "no" },
        );
        share.add(query, &format!("{start} {end} {asks}"), &found);
    }
    share
}

/// Noon of a day, so that it matters which day it is and not when it begins.
fn moment(day: &str) -> Option<Timestamp> {
    (day != "-").then(|| format!("{day}T12:00:00Z").parse().expect("a day"))
}

/// A day without the time of its midnight.
fn shown(at: Option<Timestamp>) -> String {
    let text = at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    let text = text.trim_end_matches('Z').trim_end_matches(":00");
    text.trim_end_matches("T00").to_owned()
}
