//! Pages of every shape.

use super::super::pieces;
use crate::piece::{join, part};

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let found: Vec<String> = crate::piece::merge(pieces(text), 0)
        .iter()
        .map(|piece| {
            assert!(text.get(piece.span.clone()).is_some(), "{piece:?}");
            join(piece.context.as_deref().unwrap_or_default(), &piece.body)
        })
        .collect();
    assert_eq!(found, expected, "{text:?}");
}

#[test]
fn headings_lists_and_text_are_those_of_markdown() {
    check(
        "<!doctype html>\n<html><head><title>T</title><style>p {}</style></head><body><h1>Handbook</h1>\n<h2>Pay &amp; time</h2>\
         <p>We pay\n monthly.<br>Ask <a href=\"https://a.example\">Dana</a> first.</p><ul><li>Gross: before tax<li>Net: after it\
         <ul><li>on Fridays</ul></ul></body></html>",
        &[
            "Handbook: Pay & time: We pay monthly.",
            "Pay & time: Ask Dana first.",
            "Pay & time: Gross: before tax",
            "Pay & time: Net: after it: on Fridays",
        ],
    );
    check(
        "<p>One is here.</p><div>Two <b>are</b> here.</div>",
        &["One is here.", "Two are here."],
    );
    check(
        "<dl><dt>Scope</dt><dd>Whose memory it is.</dd><dt>Event<dd>What happened.</dl>",
        &["Scope: Whose memory it is.", "Event: What happened."],
    );
}

#[test]
fn tables_of_data_are_told_from_layouts() {
    check(
        "<table><caption>Plans</caption><thead><tr><th>Plan<th>Price</thead><tr><td>Pro<td>$20<tr><td><p>Free</p><td></table>",
        &["Plans: Plan: Pro; Price: $20", "Plans: Plan: Free"],
    );
    check(
        "<table><tr><td><h2>News</h2><table><tr><td>Owner</td><td>Dana</td></tr></table></td><td>A word of ours.</td></tr></table>",
        &["News: Owner: Dana", "News: A word of ours."],
    );
}

#[test]
fn code_keeps_lines_and_language() {
    check(
        "<p>Run this:</p><pre><code class=\"hljs language-sh\">cd x\n\nmake &gt; log\n</code></pre>",
        &["Run this: sh\ncd x\n\nmake > log"],
    );
}

#[test]
fn title_and_date_come_from_the_head() {
    let found = pieces(
        "<html><head><meta property='article:published_time' content='2026-03-04T10:00:00Z'><title>Pay &amp; time</title></head>\
         <p>We pay monthly.</p>",
    );
    assert_eq!(found[0].title.as_deref(), Some("Pay & time"));
    assert_eq!(
        found[0].said_at.unwrap().to_string(),
        "2026-03-04T10:00:00Z"
    );
    assert_eq!(found[0].body, "We pay monthly.");
}

#[test]
fn what_is_not_closed_is_still_read() {
    check("<html><body><h1>Alone", &["Alone"]);
    check(
        "<div><svg>no text<p>More of it here.</div>",
        &["no text; More of it here."],
    );
    check(
        "<body><ul><li>one thing<p>and its text</ol></table></p>",
        &["one thing: and its text"],
    );
    check("<html>a &nope; b < c & d", &["a &nope; b < c & d"]);
}

#[test]
fn markdown_that_starts_with_a_tag_is_no_page() {
    check(
        "<div align=center>\n\n# Tool\n\n</div>\n\nIt does **things** for us.\n\n<p>",
        &["Tool: It does things for us."],
    );
}

#[test]
fn ranges_point_at_what_was_taken() {
    let text = "<html><p>One &amp; two.</p>\n<ul><li>three <b>four</b></li></ul>";
    let found: Vec<&str> = pieces(text)
        .into_iter()
        .map(|piece| part(text, piece.span))
        .collect();
    assert_eq!(found, ["One &amp; two.", "three <b>four"]);
}
