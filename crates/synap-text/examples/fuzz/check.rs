//! What is promised of every text.

use super::generate::{Reader, Target};
use synap_text::{
    STATEMENTS_MAX, Source, Statement, SummaryTurn, TERM_BYTES_MAX, TurnSource, asks_when,
    attributes, estimate_tokens, moment_asked, named, normal_form, query_terms, query_time,
    smart_merge, statements, summarise, terms, transcript_turns, turn_statements,
};
use synap_types::{Content, Timestamp, TurnRole};

/// A JSON object that is a text stays whole up to here; any other statement is much shorter.
const VALUE_BYTES_MAX: usize = 64 * 1024;
/// A statement of any other text: code with its context, or many neighbours of a very long document.
const STATEMENT_BYTES_MAX: usize = 16 * 1024;

/// Reads a text as its target does; says what is not as promised.
pub(super) fn text(target: &Target, text: &str) -> Result<(), String> {
    match target.reader {
        Reader::Document(document_type) => document(text, document_type),
        Reader::Turn => turn(text),
        Reader::Transcript => transcript(text),
        Reader::Terms => words(text),
        Reader::Question => question(text),
        Reader::Merge => merge(text),
        Reader::Summary => summary(text),
    }
}

fn document(text: &str, document_type: &str) -> Result<(), String> {
    let content = Content::Text(text.to_owned());
    let document_type = document_type
        .parse()
        .map_err(|_| "not a document type".to_owned())?;
    let source = Source {
        content: &content,
        document_type: &document_type,
        said_at: Some(Timestamp::from_micros(1_800_000_000_000_000)),
    };
    let found = statements(&source);
    if found != statements(&source) {
        return Err("another reading gave something else".to_owned());
    }
    all(&found, text)
}

fn turn(text: &str) -> Result<(), String> {
    let turn = TurnSource {
        content: text,
        speaker: "Dana",
        said_at: None,
        accepted_at: Some(Timestamp::from_micros(1_800_000_000_000_000)),
    };
    let found = turn_statements(&turn);
    if found
        .iter()
        .any(|one| one.speaker.as_deref() != Some("Dana"))
    {
        return Err("a turn's statement has another speaker".to_owned());
    }
    all(&found, text)
}

fn all(found: &[Statement], text: &str) -> Result<(), String> {
    if found.len() > STATEMENTS_MAX {
        return Err(format!("{} statements", found.len()));
    }
    let visible = |c: char| !c.is_whitespace() && !c.is_control();
    if found.is_empty()
        && text.contains(visible)
        && !text
            .trim_start()
            .starts_with(['{', '[', '<', 'F', 'W', '-', '0'])
    {
        return Err("nothing came of a text".to_owned());
    }
    let mut start = 0;
    let json = text.trim_start().starts_with(['{', '[']);
    for one in found {
        statement(one, text)?;
        if one.span.start < start && !json {
            return Err(format!("not in the order of the text: {:?}", one.span));
        }
        start = one.span.start;
    }
    let bytes: usize = found.iter().map(|one| one.text.len()).sum();
    if bytes > text.len() * 400 + 4_096 {
        return Err(format!("{bytes} bytes of {}", text.len()));
    }
    Ok(())
}

fn statement(one: &Statement, text: &str) -> Result<(), String> {
    let span = one.span.start as usize..one.span.end as usize;
    if text.get(span.clone()).is_none() {
        return Err(format!("no place in the text: {span:?} of {}", text.len()));
    }
    let value = text.trim_start().starts_with('{');
    let bytes_max = if value {
        VALUE_BYTES_MAX
    } else {
        STATEMENT_BYTES_MAX
    };
    if one.text.len() > bytes_max {
        return Err(format!("a statement of {} bytes", one.text.len()));
    }
    if one.text.trim().is_empty() {
        return Err("a blank statement".to_owned());
    }
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if one.text.contains(control) && !value {
        return Err(format!("control characters in {:?}", one.text));
    }
    if !(0.0..=1.0).contains(&one.confidence) {
        return Err(format!("a confidence of {}", one.confidence));
    }
    attributes(one, &["Dana"]);
    Ok(())
}

fn transcript(text: &str) -> Result<(), String> {
    let found = transcript_turns(text);
    if found != transcript_turns(text) {
        return Err("another reading gave something else".to_owned());
    }
    if found.is_empty() && !text.trim().is_empty() {
        return Err("no turns".to_owned());
    }
    if found.iter().any(|turn| turn.content.trim().is_empty()) {
        return Err("a blank turn".to_owned());
    }
    let bytes: usize = found.iter().map(|turn| turn.content.len()).sum();
    // Subtitles have a space between their lines.
    if bytes > text.len() * 2 {
        return Err(format!("{bytes} bytes of {}", text.len()));
    }
    Ok(())
}

fn words(text: &str) -> Result<(), String> {
    for (name, found) in [("terms", terms(text)), ("query terms", query_terms(text))] {
        if found
            .iter()
            .any(|term| term.is_empty() || term.len() > TERM_BYTES_MAX)
        {
            return Err(format!("{name} are empty or too long"));
        }
        if found.len() > text.len() {
            return Err(format!("{} {name} of {} bytes", found.len(), text.len()));
        }
    }
    let normal = normal_form(text);
    if normal_form(&normal) != normal {
        return Err("the normal form of a normal form is another".to_owned());
    }
    if estimate_tokens(text) > text.len() + 1 {
        return Err("many more tokens than bytes".to_owned());
    }
    Ok(())
}

fn question(text: &str) -> Result<(), String> {
    let now = Timestamp::from_micros(1_800_000_000_000_000);
    if let Some(period) = query_time(text, now)
        && period.start >= period.end
    {
        return Err(format!("no time at all: {period:?}"));
    }
    let names = named(text);
    if names.len() > text.len() {
        return Err(format!("{} names of {} bytes", names.len(), text.len()));
    }
    asks_when(text);
    moment_asked(text);
    words(text)
}

/// The first half is what was known, the second half is new.
fn merge(text: &str) -> Result<(), String> {
    let half = (0..=text.len() / 2)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    let (old, new) = text.split_at_checked(half).unwrap_or_default();
    let merged = smart_merge(old, new);
    if merged != smart_merge(old, new) {
        return Err("another merge gave something else".to_owned());
    }
    if merged.len() > text.len() * 2 + 16 {
        return Err(format!("{} bytes of {}", merged.len(), text.len()));
    }
    Ok(())
}

fn summary(text: &str) -> Result<(), String> {
    let turns: Vec<SummaryTurn<'_>> = (1..)
        .zip(text.lines())
        .map(|(number, content)| SummaryTurn {
            number,
            role: if number % 2 == 0 {
                TurnRole::Assistant
            } else {
                TurnRole::User
            },
            speaker: "Dana",
            content,
            said_at: None,
        })
        .collect();
    let found = summarise(&turns, 500);
    if found != summarise(&turns, 500) {
        return Err("another summary is another".to_owned());
    }
    Ok(())
}
