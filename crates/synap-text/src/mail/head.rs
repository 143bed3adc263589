//! The headers of a mail, and the lines by which a reply says whom it quotes.

use crate::piece::{clip, collapse, floor, part};
use crate::when::{Order, moment};
use std::ops::Range;
use synap_types::Timestamp;

/// Lines of headers.
const LINES_MAX: usize = 60;
/// A header is shown up to here.
const SHOWN_BYTES_MAX: usize = 300;
/// A name is shown up to here.
const NAME_BYTES_MAX: usize = 60;
/// An attribution is not longer.
const ATTRIBUTION_BYTES_MAX: usize = 300;
/// Headers that are shown, with their name in other languages.
const SHOWN: &[(&str, &[&str])] = &[
    ("From", &["from", "von", "de"]),
    ("To", &["to", "an"]),
    ("Cc", &["cc"]),
    ("Date", &["date", "sent", "gesendet", "datum"]),
    ("Subject", &["subject", "betreff", "objet"]),
];
/// Headers that are known and left out. Others are, too, where they look like headers (`X-Mailer`).
const HIDDEN: &[&str] = &[
    "bcc",
    "importance",
    "priority",
    "sender",
    "received",
    "references",
    "attachments",
];

/// The headers at the start of a mail.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) from: Option<String>,
    pub(super) date: Option<Timestamp>,
    pub(super) subject: Option<String>,
    /// "From: Dana", as they are shown.
    pub(super) shown: Vec<String>,
    /// Where they stand.
    pub(super) range: Range<usize>,
}

impl Head {
    /// Whether they are a mail's, and not those of a form.
    pub(super) fn is_mail(&self) -> bool {
        self.from.is_some()
            && (self.subject.is_some() || self.date.is_some())
            && self.shown.len() > 1
    }
}

/// The headers that stand at `start`, also as a list below the subject as a heading.
pub(super) fn of(text: &str, start: usize) -> Option<Head> {
    let mut head = Head {
        range: start..start,
        ..Head::default()
    };
    let mut at = start;
    let mut last: Option<usize> = None;
    for line in part(text, start..text.len())
        .split_inclusive('\n')
        .take(LINES_MAX)
    {
        let end = at + line.len();
        let bare = line.trim();
        let folded = line.starts_with([' ', '\t']) && !bare.is_empty();
        if let Some(title) = bare.strip_prefix("# ")
            && head.subject.is_none()
            && head.shown.is_empty()
        {
            head.subject = Some(collapse(title));
            head.shown.push(shown("Subject", title));
        } else if bare.is_empty() {
            // The headers end here, unless they have not begun.
            if !head.shown.is_empty() && head.from.is_some() {
                break;
            }
        } else if folded && let Some(at) = last {
            head.fold(at, bare);
        } else if let Some((name, value)) = header(bare) {
            last = head.take(name, value);
        } else if !folded {
            break;
        }
        at = end;
        head.range.end = end;
    }
    (!head.shown.is_empty()).then_some(head)
}

impl Head {
    fn take(&mut self, name: &str, value: &str) -> Option<usize> {
        let lower = name.to_lowercase();
        let (title, _) = SHOWN
            .iter()
            .find(|(_, names)| names.contains(&lower.as_str()))?;
        match *title {
            "From" if self.from.is_none() && !value.trim().is_empty() => {
                self.from = Some(collapse(value));
            }
            "Subject" if self.subject.is_none() => self.subject = Some(collapse(value)),
            "Date" if self.date.is_none() => self.date = moment(value, Order::MonthFirst),
            _ => {}
        }
        self.shown.push(shown(title, value));
        Some(self.shown.len() - 1)
    }

    /// Puts a folded line to the header that it belongs to.
    fn fold(&mut self, at: usize, line: &str) {
        let Some(shown) = self.shown.get_mut(at) else {
            return;
        };
        *shown = clip(&format!("{shown} {}", collapse(line)), SHOWN_BYTES_MAX);
        if let Some(subject) = shown.strip_prefix("Subject:") {
            self.subject = Some(subject.trim().to_owned());
        }
    }
}

fn shown(title: &str, value: &str) -> String {
    let value = collapse(part(value, 0..floor(value, SHOWN_BYTES_MAX * 2)));
    clip(format!("{title}: {value}").trim_end(), SHOWN_BYTES_MAX)
}

/// Name and value of a header line, also of one that is bold or an item.
fn header(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start_matches(['-', '*', ' ', '_']);
    let (name, value) = line.split_once(':')?;
    let name = name.trim_end_matches(['*', '_', ' ']);
    let lower = name.to_lowercase();
    let known = SHOWN
        .iter()
        .any(|(_, names)| names.contains(&lower.as_str()))
        || HIDDEN.contains(&lower.as_str())
        || name.len() <= 40
            && name.contains('-')
            && name.starts_with(char::is_uppercase)
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    known.then(|| (name, value.trim_start_matches(['*', '_'])))
}

/// The name in "Dana Kim <dana@acme.example>"; the address where there is no name.
pub(super) fn name(from: &str) -> Option<String> {
    let before = from.split(['<', '[']).next().unwrap_or_default();
    let name = before.trim().trim_matches(['"', '\'', '*', ' ']);
    let name = if name.is_empty() {
        from.trim_matches(['<', '>', '[', ']', ' '])
    } else {
        name
    };
    // "Kim, Dana" is Dana Kim.
    let name = match name.split_once(", ") {
        Some((last, first)) if !first.contains([',', '@']) => format!("{first} {last}"),
        _ => name.to_owned(),
    };
    let name = clip(&collapse(&name), NAME_BYTES_MAX);
    (!name.is_empty()).then_some(name)
}

/// Whether a line may be the first of an attribution; cheap.
pub(super) fn may_attribute(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("On ")
        || line.starts_with("Am ")
        || line.len() <= ATTRIBUTION_BYTES_MAX && line.trim_end().ends_with("wrote:")
}

/// Who is quoted, and when it was written: "On Tue, Mar 3, 2026 at 10:05 AM Dana Kim <dana@acme.example> wrote:".
pub(super) fn attribution(text: &str) -> Option<(String, Option<Timestamp>)> {
    if text.len() > ATTRIBUTION_BYTES_MAX {
        return None;
    }
    if let Some(rest) = text.strip_prefix("Am ") {
        let (date, who) = rest.strip_suffix(':')?.split_once(" schrieb ")?;
        return Some((name(who)?, moment(date, Order::DayFirst)));
    }
    let rest = text.strip_suffix("wrote:")?.trim_end();
    let Some(rest) = rest.strip_prefix("On ") else {
        let who = name(rest)?;
        let words = who.split_whitespace().count();
        return (words <= 4 && who.starts_with(char::is_uppercase)).then_some((who, None));
    };
    let head = rest.split(['<', '[']).next().unwrap_or_default();
    let words: Vec<&str> = head.split_whitespace().collect();
    let dated = (1..=words.len()).find(|count| {
        let date = words.get(..*count).unwrap_or_default().join(" ");
        moment(&date, Order::MonthFirst).is_some()
    });
    let Some(dated) = dated else {
        return Some((name(rest.rsplit(", ").next()?)?, None));
    };
    let of_time = |word: &&&str| {
        let bare = word.trim_matches([',', '.']).to_lowercase();
        bare.contains(|c: char| c.is_ascii_digit())
            || matches!(
                bare.as_str(),
                "at" | "am" | "pm" | "a.m" | "p.m" | "utc" | "gmt" | ""
            )
    };
    let rest_of_time = words.iter().skip(dated).take_while(of_time).count();
    let date = words
        .get(..dated + rest_of_time)
        .unwrap_or_default()
        .join(" ");
    let who = words
        .get(dated + rest_of_time..)
        .unwrap_or_default()
        .join(" ");
    let who = if who.is_empty() {
        name(rest.split_once('<')?.1)?
    } else {
        name(&who)?
    };
    Some((who, moment(&date, Order::MonthFirst)))
}
