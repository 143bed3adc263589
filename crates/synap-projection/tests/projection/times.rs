//! What memories say of time counts from when they were said.

use crate::changes::updated;
use crate::conversations::{alice, turn};
use crate::world::{applied, ingest_into, log_of, memories};
use synap_readmodel::MemoryRow;
use synap_types::{Event, EventBody, MergeStrategy, Timestamp, TurnDoor, TurnRole};

const DAY_SECONDS: i64 = 86_400;

#[track_caller]
fn check(events: &[Event], date: Option<&str>) -> Vec<MemoryRow> {
    let rows = memories(&applied(&log_of(events)), &alice());
    let last = rows.last().unwrap();
    let found = last.time.as_ref().and_then(|time| time.date);
    assert_eq!(found, date.map(|date| date.parse().unwrap()), "{last:?}");
    rows
}

fn document(text: &str, written: Option<&str>) -> Event {
    let mut event = ingest_into(&alice(), "home", text, "home");
    let EventBody::MemoryIngested(data) = &mut event.body else {
        panic!("{event:?}");
    };
    data.document_created_at = written.map(|at| at.parse::<Timestamp>().unwrap());
    event
}

#[test]
fn a_turn_counts_from_when_it_was_recorded() {
    let turn = |text: &str| turn("t1", TurnDoor::Call, DAY_SECONDS * 3, TurnRole::User, text);
    let rows = check(&[turn("I met Nina yesterday.")], Some("1970-01-03"));
    assert_eq!(rows[0].entities, ["Nina"]);
    let update = updated(&rows[0], "I met Nina today.", MergeStrategy::Replace);
    check(&[turn("I met Nina yesterday."), update], Some("1970-01-04"));
}

#[test]
fn a_document_counts_from_its_date_and_from_nothing_else() {
    let text = "The office moved yesterday.";
    check(&[document(text, Some("2026-03-05"))], Some("2026-03-04"));
    check(&[document(text, None)], None);
    check(
        &[document("We moved on 4 March 2026.", None)],
        Some("2026-03-04"),
    );
}
