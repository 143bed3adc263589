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
fn only_the_last_sentence_leads_in() {
    check(
        "The hall opens in March. Please bring:\n\n- a pen\n- some paper\n",
        &[
            "The hall opens in March.",
            "Please bring: a pen",
            "Please bring: some paper",
        ],
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
        &["See the runbook first."],
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
fn a_links_target_is_told_where_it_is_all_there_is() {
    check(
        "## Links\n- [Runbook](https://a.example/r)\n1. ![chart](c.png)\n2. ![](d.png)\n",
        &[
            "Links: Runbook (https://a.example/r)",
            "Links: 1. chart (c.png)",
            "Links: 2. d.png",
        ],
    );
    check(
        "| Team | Page |\n|---|---|\n| Data | [Wiki](https://a.example/w) |\n",
        &["Team: Data; Page: Wiki (https://a.example/w)"],
    );
    check(
        "An ![image of a chart](c.png) and ![](d.png) are here.",
        &["An image of a chart and are here."],
    );
}

#[test]
fn definitions_stand_under_their_terms() {
    check(
        "# Words\n\nScope\n: Whose memory it is.\n: What a read walks.\n\nEvent\n: What happened.\n\nThe end of the list is here.\n",
        &[
            "Words: Scope: Whose memory it is.",
            "Scope: What a read walks.",
            "Event: What happened.",
            "Words: The end of the list is here.",
        ],
    );
}

#[test]
fn front_matter_gives_title_and_date() {
    for text in [
        "---\ntitle: \"Pay\"\ndate: 2026-03-04\ntags: [pay]\n---\n\nWe pay monthly.",
        "+++\ntitle = \"Pay\"\ndate = 2026-03-04\ntags = [\"pay\"]\n+++\n\nWe pay monthly.",
    ] {
        let found = pieces(text);
        assert_eq!(found.len(), 2, "{found:?}");
        for piece in found {
            assert_eq!(piece.title.as_deref(), Some("Pay"));
            let said_at = piece.said_at.unwrap().to_string();
            assert_eq!(said_at, "2026-03-04T00:00:00Z");
        }
    }
}

#[test]
fn rules_are_no_front_matter() {
    for text in [
        "---\n\nOne: two\n\n---\n",
        "---\nOne: two is here",
        "\n---\nOne: two\n---\n",
    ] {
        assert!(
            pieces(text)
                .iter()
                .all(|piece| piece.form != crate::piece::Form::Code),
            "{text:?}"
        );
    }
    let found = pieces("---\r\ntitle: Pay\r\n---\r\nWe pay monthly.");
    assert_eq!(found[1].body, "We pay monthly.");
    assert_eq!(found[1].span, 22..37);
}

#[test]
fn code_knows_what_is_said_of_it_and_long_code_its_language() {
    check(
        "## Setup\n\nTo build it, run make in the folder.\n\n```sh\nmake\n```\n",
        &[
            "Setup: To build it, run make in the folder.",
            "Setup: To build it, run make in the folder. sh\nmake",
        ],
    );
    check(
        "```sh\r\nmake\u{0}\r\n\tx\u{7}y\r\n```\r\n",
        &["sh\nmake\n\txy"],
    );
    let code = "let x = 1;\n".repeat(500);
    let found = pieces(&format!("```rust\n{code}```"));
    assert_eq!(found.len(), 2);
    assert!(
        found
            .iter()
            .all(|piece| piece.body.starts_with("rust\nlet x"))
    );
    check(
        "A letter was sent to us today.\n\n    Dear team, we would like to\n    thank you for it.\n",
        &[
            "A letter was sent to us today.",
            "A letter was sent to us today. Dear team, we would like to thank you for it.",
        ],
    );
}

#[test]
fn wide_rows_are_cut_between_cells_and_keep_their_first_value() {
    let columns = 120;
    let head = "| column name ".repeat(columns);
    let row = (0..columns).fold(String::new(), |row, at| {
        format!("{row}| value number {at} ")
    });
    let found = pieces(&format!("{head}|\n{}|\n{row}|\n", "|---".repeat(columns)));
    assert_eq!(found.len(), 3, "{}", found.len());
    for piece in &found {
        assert!(piece.body.starts_with("column name: value number 0; "));
        assert!(piece.body.len() <= 1_500);
    }
}

#[test]
fn plain_text_has_headings_and_sections() {
    check(
        "TRAVEL POLICY\n\nBook early if you can do so.\n\n2.1 Meals and drinks\n\nWe pay for all meals there.\n",
        &[
            "TRAVEL POLICY: Book early if you can do so.",
            "2.1 Meals and drinks: We pay for all meals there.",
        ],
    );
    check(
        "**Meals**\n\nWe pay for all meals there.\n\nTools\n*****\nWe use a lot of tools.\n",
        &[
            "Meals: We pay for all meals there.",
            "Tools: We use a lot of tools.",
        ],
    );
    check(
        "Decisions:\nWe ship on Friday.\nThe budget is fixed.\n\nAction items:\n- Dana: send the report\n- Bo: call Acme\n\nWe meet again next week.\n",
        &[
            "Decisions: We ship on Friday.",
            "Decisions: The budget is fixed.",
            "Action items: Dana: send the report",
            "Action items: Bo: call Acme",
            "Action items: We meet again next week.",
        ],
    );
    check(
        "What we bring along:\n\nA tent and a lot of water.\n\nMore words are down here.",
        &[
            "What we bring along: A tent and a lot of water.",
            "More words are down here.",
        ],
    );
}

#[test]
fn lines_alone_are_titles_where_no_heading_has_marks() {
    check(
        "Remote work policy\n\nAll may work from home.\n\nEquipment\n\nWe pay for a chair. Ask us for one.\n\nA desk is yours.\n",
        &[
            "Remote work policy: All may work from home.",
            "Equipment: We pay for a chair.",
            "Equipment: Ask us for one.",
            "Equipment: A desk is yours.",
        ],
    );
    check(
        "Working hours\nCore hours are from ten to three o'clock.\nThe rest is free.\n\nContact\nEmail: us@a.example\nSlack: #us\n",
        &[
            "Working hours: Core hours are from ten to three o'clock.",
            "Working hours: The rest is free.",
            "Contact: Email: us@a.example",
            "Contact: Slack: #us",
        ],
    );
    check(
        "Hi all\n\nWe ship on Friday to all of you.\n\n# Notes\n\nA label\n\nThe text of the notes is here.\n\nMore of the text is here.",
        &[
            "Hi all; We ship on Friday to all of you.",
            "Notes: A label; The text of the notes is here.",
            "Notes: More of the text is here.",
        ],
    );
}

#[test]
fn a_numbered_line_alone_is_a_title() {
    check(
        "1. Scope\n\nAll who travel for us.\n\n2. Booking\n\nBook two weeks ahead.\n\n1. one\n2. two\n",
        &[
            "1. Scope: All who travel for us.",
            "2. Booking: Book two weeks ahead.",
            "2. Booking: 1. one",
            "2. Booking: 2. two",
        ],
    );
    check(
        "We need:\n\n1. a pen\n\nMore words are down here.",
        &["We need: 1. a pen", "More words are down here."],
    );
}

#[test]
fn answers_stand_under_their_questions() {
    for gap in ["\n", "\n\n"] {
        check(
            &format!(
                "Q: Can I rent a car?{gap}A: Yes, if it is cheaper.\n\nThe end of the list is here."
            ),
            &[
                "Q: Can I rent a car?",
                "Q: Can I rent a car? A: Yes, if it is cheaper.",
                "The end of the list is here.",
            ],
        );
    }
}

#[test]
fn structures_of_html_in_markdown_are_read() {
    check(
        "## Places\n\nWe have two of them now.\n\n<table>\n<tr><th>Place<th>Size</tr>\n<tr><td>Porto<td>8</tr>\n</table>\n",
        &[
            "Places: We have two of them now.",
            "Places: Place: Porto; Size: 8",
        ],
    );
}

#[test]
fn minutes_are_of_the_day_of_the_meeting() {
    let found = pieces(
        "Sync of the data team\nDate: March 3, 2026\nAttendees: Dana, Bo\n\nWe ship on Friday.",
    );
    assert!(
        found.iter().all(|piece| piece.said_at.is_some()),
        "{found:?}"
    );
    assert_eq!(found[0].title.as_deref(), Some("Sync of the data team"));
    assert!(
        pieces("Party\nDate: March 3, 2026\n\nWe eat.")
            .iter()
            .all(|piece| piece.said_at.is_none())
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
