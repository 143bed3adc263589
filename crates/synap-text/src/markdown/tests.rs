//! Markdown of every shape.

use super::pieces;
use crate::piece::{join, part};

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let found: Vec<String> = crate::piece::merge(pieces(text), 0)
        .iter()
        .map(|piece| join(piece.context.as_deref().unwrap_or_default(), &piece.body))
        .collect();
    assert_eq!(found, expected, "{text:?}");
}

#[test]
fn list_items_carry_headings_and_lead_ins() {
    check(
        "# Handbook\n\n## Deployment Process\n\n- Production: Tuesdays and Thursdays, 10am-2pm PT\n- Staging: any time\n",
        &[
            "Handbook: Deployment Process: Production: Tuesdays and Thursdays, 10am-2pm PT",
            "Deployment Process: Staging: any time",
        ],
    );
    check(
        "## Deployment Process\n- Deployments to production:\n  - Tuesdays and Thursdays\n  - 10am-2pm PT\n- Rollback is automatic.\n",
        &[
            "Deployment Process: Deployments to production: Tuesdays and Thursdays",
            "Deployment Process: Deployments to production: 10am-2pm PT",
            "Deployment Process: Rollback is automatic.",
        ],
    );
    check(
        "Rules for hotfixes:\n\n1. Ask the VP.\n2. Ship it.\n",
        &[
            "Rules for hotfixes: 1. Ask the VP.",
            "Rules for hotfixes: 2. Ship it.",
        ],
    );
    check(
        "Shopping\n- eggs\n- milk",
        &["Shopping: eggs", "Shopping: milk"],
    );
}

#[test]
fn headings_nest_and_empty_ones_stay() {
    check(
        "# A\n## B\n### C\nText of the C section.\n## D\n# E\nText of the E section.\n",
        &[
            "A: B: C: Text of the C section.",
            "A: D",
            "E: Text of the E section.",
        ],
    );
    check(
        "Title of it\n===\n\nWords under the title.",
        &["Title of it: Words under the title."],
    );
    check("# Alone", &["Alone"]);
}

#[test]
fn prose_is_cut_into_sentences_and_fragments_join_their_neighbours() {
    check(
        "Hi Dana,\n\nthe invoice is late. Please check it, e.g. today. Thanks!",
        &[
            "Hi Dana, the invoice is late.",
            "Please check it, e.g. today. Thanks!",
        ],
    );
    check(
        "Alice prefers dark mode. She lives in Lisbon.",
        &["Alice prefers dark mode.", "Alice: She lives in Lisbon."],
    );
    check(
        "This line is wrapped in the middle of a sentence because it is\nlong. Next one is here.",
        &[
            "This line is wrapped in the middle of a sentence because it is long.",
            "Next one is here.",
        ],
    );
    check(
        "**Owner:** Dana Kim of Acme\n**Status:** on the track",
        &["Owner: Dana Kim of Acme", "Status: on the track"],
    );
    check(
        "Subject: the late invoice\nFrom: Dana of Acme",
        &["Subject: the late invoice", "From: Dana of Acme"],
    );
}

#[test]
fn sentences_that_lean_on_the_one_before_stay_with_it() {
    check(
        "We pay by the mile. This covers gas. It does not cover tolls. Parking is paid by us.",
        &[
            "We pay by the mile. This covers gas. It does not cover tolls.",
            "Parking is paid by us.",
        ],
    );
}

#[test]
fn what_lost_its_line_breaks_is_read_with_its_headings_and_lists() {
    check(
        "Travel > Mileage: We pay by the mile. Send the form to us. We ask: - Where from? - Where to?",
        &[
            "Travel: Mileage: We pay by the mile.",
            "Travel: Mileage: Send the form to us.",
            "Travel: Mileage: We ask: Where from?",
            "Travel: Mileage: We ask: Where to?",
        ],
    );
}

#[test]
fn tables_give_a_piece_per_row() {
    check(
        "## Teams\n\n| Team | Size | |\n|---|---|---|\n| Platform | 8 | x |\n| Data | | |\n| a | b | c | more |\n",
        &[
            "Teams: Team: Platform; Size: 8; x",
            "Teams: Team: Data",
            "Teams: Team: a; Size: b; c; more",
        ],
    );
    check("| Only | Names |\n|---|---|\n", &["Only; Names"]);
}

#[test]
fn code_stays_whole() {
    check(
        "## Setup\n\nRun this:\n\n```sh\ncd x\n\nmake\n```\n",
        &["Setup: Run this: sh\ncd x\n\nmake"],
    );
    check(
        "---\ntitle: Notes\nowner: Dana\n---\n\nThe text begins here.\n",
        &["title: Notes\nowner: Dana", "The text begins here."],
    );
}

#[test]
fn links_references_and_markup_lose_no_words() {
    check(
        "See the [runbook](https://a.example/r) first.",
        &["See the runbook (https://a.example/r) first."],
    );
    check(
        "See <https://a.example/r> first now.",
        &["See https://a.example/r first now."],
    );
    check(
        "[spare]: https://a.example/unused\n\nSome words of text.",
        &["[spare]: https://a.example/unused", "Some words of text."],
    );
    check(
        "A note[^1] with more.\n\n[^1]: The footnote says this.\n",
        &["A note[^1] with more.", "[^1]: The footnote says this."],
    );
    check(
        "<div><p>Hello <b>dear</b> Dana</p></div>",
        &["Hello dear Dana"],
    );
    check(
        "Use a <b>bold</b> List<String> here.",
        &["Use a bold List<String> here."],
    );
    check(
        "- [x] wrote the tests\n- [ ] shipped the thing",
        &["[x] wrote the tests", "[ ] shipped the thing"],
    );
    check(
        "> A quote of words.\n> One more is here.",
        &["A quote of words.", "One more is here."],
    );
}

#[test]
fn ranges_point_at_what_was_taken() {
    let text = "# T\n\nOne *bold* sentence. Two **is** here now.\n\n- item &amp; more";
    let found: Vec<&str> = pieces(text)
        .into_iter()
        .map(|piece| part(text, piece.span))
        .collect();
    assert_eq!(
        found,
        [
            "One *bold* sentence.",
            "Two **is** here now.",
            "item &amp; more"
        ]
    );
}
