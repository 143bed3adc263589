//! What lost its line breaks on the way: "Culture > Pay: When we pay. …" starts with a trail of headings, and "We ask: - Who?
//! - When?" is a list.

use crate::piece::{floor, part};
use std::ops::Range;

/// A trail is looked for in this much of a text.
const TRAIL_BYTES_MAX: usize = 400;
/// A heading without others above it has at most this many words.
const HEADING_WORDS_MAX: usize = 10;
/// Stands between the headings of a trail.
const STEP: &str = " > ";
/// The next number is looked for in this much of a text.
const ITEM_BYTES_MAX: usize = 1_000;
/// What starts with one of these is a sentence, and no heading.
const SPEAKING: &[&str] = &[
    "and", "but", "he", "here", "hey", "hi", "i", "it", "let", "my", "please", "she", "so", "that",
    "there", "they", "this", "we", "you",
];
/// A list of fewer items is a sentence with dashes.
const ITEMS_MIN: usize = 2;

/// The headings that a text starts with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Trail {
    /// Each heading, outermost first.
    pub(super) crumbs: Vec<Range<usize>>,
    /// Where what stands under them starts.
    pub(super) rest: usize,
}

/// The trail at the start of a paragraph: "A > B: text", or "A: text" where the paragraph is the whole document and has
/// several sentences.
pub(super) fn trail(text: &str, document: &str) -> Option<Trail> {
    let head = part(text, 0..floor(text, TRAIL_BYTES_MAX));
    let head = head.split('\n').next().unwrap_or_default();
    let closed = [".: ", "?: ", "!: "]
        .iter()
        .filter_map(|mark| head.find(mark))
        .min()
        .map(|at| at + 1);
    let steps = head.contains(STEP);
    let end = match closed {
        Some(at) => at,
        None if steps => {
            let last = head.rfind(STEP)?;
            let after = head.find(": ").filter(|colon| *colon < last);
            // A step that stands behind the first colon is one of the text.
            match after {
                Some(colon) if head.find(STEP)? < colon => colon,
                Some(_) => return None,
                None => last + part(head, last..head.len()).find(": ")?,
            }
        }
        None => heading(text, head, document)?,
    };
    let rest = end + ": ".len();
    if part(text, rest..text.len()).trim().is_empty() {
        return None;
    }
    let mut crumbs = Vec::new();
    let mut start = 0;
    for crumb in part(head, 0..end).split(STEP) {
        crumbs.push(start..start + crumb.len());
        start += crumb.len() + STEP.len();
    }
    crumbs.retain(|crumb| !part(head, crumb.clone()).trim().is_empty());
    Some(Trail { crumbs, rest })
}

/// Where the only heading of a document of one paragraph ends.
fn heading(text: &str, head: &str, document: &str) -> Option<usize> {
    let end = head.find(": ")?;
    let label = part(head, 0..end);
    let rest = part(text, end + 2..text.len());
    let whole = !document.trim().contains('\n') && label.starts_with(char::is_alphanumeric);
    let title = label.split_whitespace().count() <= HEADING_WORDS_MAX
        && !label.contains(['.', ',', ';', '"'])
        && label.chars().any(char::is_uppercase);
    let first = label.split(|c: char| !c.is_alphanumeric()).next();
    let first = first.unwrap_or_default().to_lowercase();
    let speaks = SPEAKING.contains(&first.as_str());
    let several = rest.contains(". ") || items(rest, 0).is_some();
    (whole && title && several && !speaks).then_some(end)
}

/// A list within a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct List {
    /// Where the text before the list ends.
    pub(super) lead_end: usize,
    /// Each item; a number stays with it, a dash does not.
    pub(super) items: Vec<Range<usize>>,
}

/// The list within `text` from `start` on, if there is one.
pub(super) fn items(text: &str, start: usize) -> Option<List> {
    let range = start..text.len();
    dashed(text, range.clone()).or_else(|| numbered(text, range))
}

/// Dashes before capitals, one of them after a mark or at the start.
fn dashed(text: &str, range: Range<usize>) -> Option<List> {
    let mut marks = Vec::new();
    let mut after_mark = false;
    let body = part(text, range.clone());
    if body.starts_with("- ") {
        marks.push((range.start, range.start + 2));
        after_mark = true;
    }
    for (at, mark) in body.match_indices(" - ").chain(body.match_indices(" • ")) {
        let rest = part(body, at + mark.len()..body.len());
        if rest.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit() || c == '"') {
            after_mark |= ends_phrase(part(body, 0..at));
            marks.push((range.start + at, range.start + at + mark.len()));
        }
    }
    marks.sort_unstable();
    (after_mark && marks.len() >= ITEMS_MIN).then(|| between(&marks, range.end))
}

/// "1. …", "2. …" and so on, the first after a mark or at the start, the others also before capitals.
fn numbered(text: &str, range: Range<usize>) -> Option<List> {
    let body = part(text, range.clone());
    let mut marks = Vec::new();
    let mut from = 0;
    for number in 1_u32.. {
        let rest = part(body, from..floor(body, from + ITEM_BYTES_MAX));
        let found = [format!("{number}. "), format!("{number}) ")]
            .iter()
            .filter_map(|mark| {
                let at = rest.find(mark.as_str())?;
                let (before, after) = (
                    part(body, 0..from + at),
                    part(rest, at + mark.len()..rest.len()),
                );
                let follows =
                    number > 1 && before.ends_with(' ') && after.starts_with(char::is_uppercase);
                (follows || ends_phrase(before.trim_end())).then_some(at)
            })
            .min();
        let Some(at) = found else {
            break;
        };
        marks.push((range.start + from + at, range.start + from + at));
        from += at + 2;
    }
    (marks.len() >= ITEMS_MIN).then(|| between(&marks, range.end))
}

fn ends_phrase(before: &str) -> bool {
    before.is_empty() || before.ends_with([':', '.', ';', '?', '!', ')', ','])
}

/// Items between marks, each given by its start and end.
fn between(marks: &[(usize, usize)], end: usize) -> List {
    let ends = marks.iter().skip(1).map(|(start, _)| *start).chain([end]);
    List {
        lead_end: marks.first().map_or(end, |(start, _)| *start),
        items: marks
            .iter()
            .zip(ends)
            .map(|((_, start), end)| *start..end.max(*start))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_trail(text: &str, expected: Option<(&[&str], &str)>) {
        let found = trail(text, text);
        let found = found.as_ref().map(|trail| {
            let crumbs: Vec<&str> = trail
                .crumbs
                .iter()
                .map(|crumb| part(text, crumb.clone()))
                .collect();
            (crumbs, part(text, trail.rest..text.len()))
        });
        let expected = expected.map(|(crumbs, rest)| (crumbs.to_vec(), rest));
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn trails_are_found() {
        check_trail(
            "Travel > Cars > Mileage: We pay by the mile. It covers gas.",
            Some((
                &["Travel", "Cars", "Mileage"],
                "We pay by the mile. It covers gas.",
            )),
        );
        check_trail(
            "Travel > What is paid?: All of it.",
            Some((&["Travel", "What is paid?"], "All of it.")),
        );
        check_trail(
            "Share what you know: We want that. See the page.",
            Some((&["Share what you know"], "We want that. See the page.")),
        );
        check_trail("Sprint planning: migrating the service by June.", None);
        check_trail("I have news: We moved. You should come.", None);
        check_trail("One sentence. Note: a > b holds.", None);
        check_trail("Price: more if a > b: see. That is it.", None);
        check_trail("A > B", None);
    }

    #[track_caller]
    fn check_items(text: &str, expected: Option<(&str, &[&str])>) {
        let found = items(text, 0);
        let found = found.as_ref().map(|list| {
            let items: Vec<&str> = list
                .items
                .iter()
                .map(|item| part(text, item.clone()))
                .collect();
            (part(text, 0..list.lead_end), items)
        });
        let expected = expected.map(|(lead, items)| (lead, items.to_vec()));
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn lists_within_a_line_are_found() {
        check_items(
            "We ask: - Who is it? - When is it",
            Some(("We ask:", &["Who is it?", "When is it"])),
        );
        check_items(
            "To fix it: 1. Go to the page. 2. Click on Save. 3. Done",
            Some((
                "To fix it: ",
                &["1. Go to the page. ", "2. Click on Save. ", "3. Done"],
            )),
        );
        check_items(
            "Ask: 1. Open the board 2. Make a card 3. Done",
            Some((
                "Ask: ",
                &["1. Open the board ", "2. Make a card ", "3. Done"],
            )),
        );
        check_items("The line Porto - Lisbon - Faro is closed.", None);
        check_items("It costs 1. Then 2. More", None);
        check_items("We use a well-known tool - and like it.", None);
    }
}
