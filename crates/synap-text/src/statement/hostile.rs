//! Tests that what has made parsers slow does not make these slow.

use super::{STATEMENTS_MAX, Source, statements};
use crate::{estimate_tokens, normal_form, terms};
use std::time::Duration;
use synap_types::{Content, DocumentType};

/// Enough that quadratic time would take minutes.
const BYTES: usize = 160 * 1024;
const TOOK_MAX: Duration = Duration::from_secs(8);

/// Each is repeated to make a document.
const REPEATED: &[&str] = &[
    "a",
    "a ",
    ". ",
    ".)",
    " ",
    "> ",
    "- ",
    "* a\n",
    "[",
    "[a](",
    "![a](",
    "<",
    "<a ",
    "<!--",
    "<div>\n",
    "`",
    "` ``",
    "*a_ ",
    "**a *",
    "a**b",
    "\n",
    "# a\n",
    "🎉",
    "\u{202e}א",
    "e\u{301}",
    "\u{0}",
    "[a]: b\n",
    "[^a]: b\n",
    "User: a\n",
    "Dr. ",
    "a:",
    "- a\n > - ",
    "|a",
    "&amp;",
    "\\",
    "Alice Bob. She ",
    "<style>",
    "~~~\n",
    "every day by end of ",
    "猫",
    "10:",
    "_",
    "a_",
    "'",
    "[{\"a\":",
    "1. ",
    "1) a\n",
    "---\n",
    "a\n---\n",
    ">---\n",
    "a\n: b\n",
    "<td>",
    "<table><tr><td>",
    "> From: a\nSubject: b\n",
    "A > B: ",
    "1. a. ",
    "Decisions:\n",
    "Dana 10:02\n",
    "<v Dana>",
    "00:00:01.000 --> 00:00:02.000\nDana: a\n\n",
];

fn repeated(text: &str) -> String {
    text.repeat(BYTES / text.len())
}

#[track_caller]
fn check(text: String) {
    let head: String = text.chars().take(12).collect();
    #[expect(clippy::disallowed_methods, reason = "measures the test itself")]
    let start = std::time::Instant::now();
    let content = Content::Text(text);
    let document_type = DocumentType::CHAT.parse().unwrap();
    let found = statements(&Source {
        content: &content,
        document_type: &document_type,
        said_at: None,
    });
    let bytes: usize = found.iter().map(|one| one.text.len()).sum();
    let text = content.to_text();
    assert!(
        terms(&text).len() <= text.len() && normal_form(&text).len() <= text.len(),
        "{head:?}"
    );
    assert!(estimate_tokens(&text) <= text.len(), "{head:?}");
    assert!(
        found.len() <= STATEMENTS_MAX && bytes <= 8 * 1024 * 1024,
        "{head:?}: {bytes}"
    );
    assert!(
        start.elapsed() < TOOK_MAX,
        "{head:?}: {:?}",
        start.elapsed()
    );
}

#[test]
fn repeated_marks_take_bounded_time() {
    for text in REPEATED {
        check(repeated(text));
    }
}

#[test]
fn nested_and_unclosed_structures_take_bounded_time() {
    check((0..500).fold(String::new(), |text, depth| {
        text + &" ".repeat(depth) + "- a\n"
    }));
    check(format!("[{}0]", "{\"a\":[{}]},".repeat(15_000)));
    check(format!(".{}", repeated(")")));
    check(format!("<!--{}", repeated("</")));
    check(format!("<html>{}", repeated("<script>")));
    check(format!("<html>{}", repeated("<td></tr>")));
    check(format!("<html>{}", repeated("<svg>")));
    check(format!("a{}", repeated("\u{301}")));
    check(format!("# {}\n\n{}", repeated("long "), repeated("- a\n")));
    check(format!(
        "{{\"{}\":[{}0]}}",
        "k".repeat(BYTES),
        "{\"a\":1},".repeat(15_000)
    ));
}

/// A table of many columns has its short rows filled up with empty cells.
#[test]
fn wide_tables_take_bounded_time() {
    let (head, rule) = ("a|".repeat(15_000), "-|".repeat(15_000));
    check(format!("{head}\n{rule}\n{}", "b|\n".repeat(30_000)));
}
