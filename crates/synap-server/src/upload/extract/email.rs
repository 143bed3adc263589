//! An e-mail as Markdown: its subject as the heading, who wrote to whom and when, then what was written. Attachments are
//! named, not read.

use crate::upload::extract::html;
use crate::upload::is_blank;
use mail_parser::{Address, Message, MessageParser, MessagePart, MimeHeaders as _, PartType};
use synap_types::Timestamp;

/// Recipients and attachments that are listed.
const LISTED_MAX: usize = 50;

/// `None` if it has no headers.
pub(super) fn markdown(bytes: &[u8]) -> Option<(String, Option<Timestamp>)> {
    let message = MessageParser::default().parse(bytes)?;
    if message.headers().is_empty() {
        return None;
    }
    let date = message.date().filter(|date| date.is_valid());
    let date = date.map(mail_parser::DateTime::to_rfc3339);
    let text = written(&message, date.as_deref());
    Some((text, date.and_then(|date| date.parse().ok())))
}

fn written(message: &Message<'_>, date: Option<&str>) -> String {
    let mut text = String::new();
    if let Some(subject) = message.subject().map(line).filter(|line| !line.is_empty()) {
        add(&mut text, &format!("# {subject}\n"));
    }
    for (title, people) in [
        ("From", message.from()),
        ("To", message.to()),
        ("Cc", message.cc()),
    ] {
        let people = people.map(names).unwrap_or_default();
        if !people.is_empty() {
            add(&mut text, &format!("- {title}: {}", people.join(", ")));
        }
    }
    if let Some(date) = date {
        add(&mut text, &format!("- Date: {date}"));
    }
    let mut bodies: Vec<String> = message.text_bodies().filter_map(body).collect();
    if bodies.is_empty() {
        // There is only a page; or a part is damaged, and the parser takes that for an attachment.
        let parts = message.parts.iter();
        let nameless = parts.filter(|part| part.attachment_name().is_none());
        bodies = nameless.filter_map(body).collect();
    }
    add(&mut text, &format!("\n{}", bodies.join("\n\n")));
    let attached = message
        .attachments()
        .filter_map(|part| part.attachment_name());
    let attached: Vec<String> = attached.take(LISTED_MAX).map(line).collect();
    if !attached.is_empty() {
        add(
            &mut text,
            &format!("\nAttachments: {}", attached.join(", ")),
        );
    }
    text
}

fn add(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// The text of a part, if it has any.
fn body(part: &MessagePart<'_>) -> Option<String> {
    let declared = part.content_type().and_then(|kind| kind.subtype());
    let text = match &part.body {
        PartType::Text(text) if declared != Some("html") => Some(text.trim().to_owned()),
        PartType::Text(page) | PartType::Html(page) => html::markdown(page),
        PartType::Binary(_)
        | PartType::InlineBinary(_)
        | PartType::Message(_)
        | PartType::Multipart(_) => None,
    };
    text.filter(|text| !is_blank(text))
}

fn names(people: &Address<'_>) -> Vec<String> {
    let name = |person: &mail_parser::Addr<'_>| match (person.name(), person.address()) {
        (Some(name), Some(address)) => Some(format!("{} <{}>", line(name), line(address))),
        (Some(one), None) | (None, Some(one)) => Some(line(one)),
        (None, None) => None,
    };
    people.iter().filter_map(name).take(LISTED_MAX).collect()
}

/// On one line.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
