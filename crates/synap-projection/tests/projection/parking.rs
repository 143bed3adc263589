//! Events that cannot be applied are set aside: counted, listed, and in front of their followers.

use crate::changes::erased;
use crate::conversations::{alice, conversation_id, row, turn as turn_of};
use crate::world::{
    HERE, LIFE, Running, append, applied, apply, data, ingest, ingest_into, live_texts, log_of,
    recorded, scope,
};
use std::sync::Arc;
use synap_log::{MemoryLog, Recorded};
use synap_projection::turn;
use synap_readmodel::{
    IngestionRow, Item, Key, MemoryStore, ParkedRow, Prefix, ReadStore as _, Snapshot,
    SnapshotExt as _, StatsRow, StoreError, Table, Visit, WriteSet, key,
};
use synap_types::{Event, Seq, TurnDoor, TurnRole};

const TEXT: &str = "Deploys run on Tuesdays.";

fn parked(store: &MemoryStore, seq: u64) -> Option<ParkedRow> {
    store.snapshot().row(&key::parked(Seq::new(seq))).unwrap()
}

fn ingestion(store: &MemoryStore, event: &Event) -> Option<IngestionRow> {
    let at = key::ingestion(&scope(&[]).hash(), data(event).ingestion_id);
    store.snapshot().row(&at).unwrap()
}

/// The event with a part of its payload replaced.
fn damaged(seq: u64, event: &Event, from: &str, to: &str) -> Recorded {
    let mut recorded = recorded(seq, event);
    let text = String::from_utf8(recorded.payload.to_vec()).unwrap();
    assert!(text.contains(from), "{text}");
    recorded.payload = text.replace(from, to).into_bytes().into();
    recorded
}

/// A store whose scope `acme` has no ordinal left, so that nothing can be added to it.
fn full() -> MemoryStore {
    let (store, acme) = (MemoryStore::default(), scope(&["acme"]));
    let mut writes = WriteSet::default();
    let mut row = StatsRow::new(acme.clone());
    row.totals.next_ordinal = u32::MAX;
    writes.put(key::stats(&acme.hash()), &row);
    store.commit(&writes).unwrap();
    store
}

#[tokio::test]
async fn a_malformed_payload_is_parked_and_counted_and_others_go_on() {
    let (log, store) = (
        Arc::new(MemoryLog::default()),
        Arc::new(MemoryStore::default()),
    );
    let mut running = Running::start(&log, &store);
    append(&*log, &ingest("one", TEXT, "a"), Some("{\"not\": \"whole")).await;
    append(&*log, &ingest("two", "Staging is open.", "b"), None).await;
    let now = running.until_applied(2).await;
    assert_eq!(now.parked, 1);
    assert_eq!(live_texts(&store, &scope(&["acme"])), ["Staging is open."]);
    let row = parked(&store, 1).unwrap();
    assert_eq!(
        (row.reason.as_str(), row.behind),
        ("malformed at envelope", None)
    );
    assert!(row.subject.ends_with(".memory-ingested"));
    running.stop().await;

    let again = Running::start(&log, &store);
    assert_eq!(again.progress.borrow().parked, 1, "counted after a restart");
    again.stop().await;
}

#[test]
fn later_events_of_the_same_document_wait_and_those_of_others_do_not() {
    let dana = scope(&["acme", "dana"]);
    let events = [
        ingest("guide", TEXT, "a"),
        ingest("guide", "Other.", "b"),
        ingest_into(&dana, "guide", TEXT, "c"),
    ];
    let store = full();
    let turn = apply(&store, &log_of(&events));
    assert_eq!((turn.parked, turn.halt), (2, None));
    let reasons = [1, 2].map(|seq| parked(&store, seq).map(|row| (row.reason, row.behind)));
    let expected = [
        Some(("the scope is full".to_owned(), None)),
        Some(("waits behind event 1".to_owned(), Some(1))),
    ];
    assert_eq!(reasons, expected);
    assert_eq!(
        live_texts(&store, &dana),
        [TEXT],
        "the same name in another scope"
    );
    for event in &events[..2] {
        let row = ingestion(&store, event).unwrap();
        assert!(row.parked.is_some() && row.memory_ids.is_empty());
    }
    assert_eq!(ingestion(&store, &events[2]).unwrap().parked, None);
    assert_eq!(live_texts(&store, &scope(&["acme"])), [""; 0]);
}

/// Enough is left to know whom it is about: its status can be told, and a later version does not overtake it.
#[test]
fn a_malformed_event_holds_its_document_if_that_can_be_told() {
    let events = ["a", "b"].map(|key| ingest("guide", TEXT, key));
    let log = [
        damaged(1, &events[0], "\"format\":\"text\"", "\"format\":\"runes\""),
        recorded(2, &events[1]),
        recorded(3, &ingest("other", TEXT, "c")),
    ];
    let store = MemoryStore::default();
    assert_eq!(apply(&store, &log).parked, 2);
    assert_eq!(parked(&store, 2).unwrap().behind, Some(1));
    assert!(parked(&store, 3).is_none());
    let row = ingestion(&store, &events[0]).unwrap();
    assert_eq!(
        row.parked.as_deref(),
        Some("malformed at synap.memory.ingested.v1")
    );
}

#[test]
fn a_malformed_copy_of_an_applied_event_is_listed_and_harms_nobody() {
    let event = ingest("guide", TEXT, "a");
    let next = ingest("guide", "Deploys run on Fridays.", "b");
    let log = [
        recorded(1, &event),
        damaged(2, &event, "\"format\":\"text\"", "\"format\":\"runes\""),
        recorded(3, &next),
    ];
    let store = MemoryStore::default();
    assert_eq!(apply(&store, &log).parked, 1);
    assert_eq!(ingestion(&store, &event).unwrap().parked, None);
    assert_eq!(
        live_texts(&store, &scope(&["acme"])),
        ["Deploys run on Fridays."]
    );
}

/// Whoever may write one scope could else hold up the documents of any other.
#[test]
fn a_payload_under_a_foreign_subject_is_parked_and_holds_up_nobody() {
    let foreign = ingest("guide", "Planted.", "a");
    let mut planted = recorded(1, &foreign);
    planted.subject = recorded(1, &ingest_into(&scope(&["other"]), "guide", TEXT, "a")).subject;
    let mut broken = damaged(2, &foreign, "\"format\":\"text\"", "\"format\":\"runes\"");
    broken.subject.clone_from(&planted.subject);
    let log = [planted, broken, recorded(3, &ingest("guide", TEXT, "b"))];
    let store = MemoryStore::default();
    assert_eq!(apply(&store, &log).parked, 2);
    assert_eq!(
        parked(&store, 1).unwrap().reason,
        "its subject names another scope"
    );
    assert_eq!(
        ingestion(&store, &foreign),
        None,
        "not told to the scope that it names"
    );
    assert_eq!(live_texts(&store, &scope(&["acme"])), [TEXT]);
}

#[test]
fn an_applied_event_that_comes_again_behind_a_parked_one_stays_applied() {
    let first = ingest("guide", TEXT, "a");
    let store = applied(&[recorded(1, &first)]);
    let broken = ingest("guide", "Other.", "b");
    let log = [
        damaged(2, &broken, "\"format\":\"text\"", "\"format\":\"runes\""),
        recorded(3, &first),
    ];
    assert_eq!(apply(&store, &log).parked, 1);
    let row = ingestion(&store, &first).unwrap();
    assert_eq!((row.parked, row.memory_ids.len()), (None, 1));
}

#[test]
fn a_malformed_turn_holds_its_own_conversation_until_that_is_deleted_or_erased() {
    let said = |key: &str, text: &str| turn_of(key, TurnDoor::Call, 1, TurnRole::User, text);
    let broken = said("a", "I keep bees.");
    let owner = alice();
    for erasure in [Some(conversation_id()), None] {
        let log = [
            damaged(1, &broken, "\"role\":\"user\"", "\"role\":\"bee\""),
            recorded(2, &said("b", "I keep geese.")),
            recorded(3, &ingest_into(&owner, "guide", TEXT, "c")),
            recorded(4, &erased(&owner, erasure)),
            recorded(5, &said("d", "I keep goats.")),
        ];
        let store = MemoryStore::default();
        let turn = apply(&store, &log);
        assert_eq!((turn.parked, turn.halt), (2, None), "{erasure:?}");
        assert_eq!(parked(&store, 2).unwrap().behind, Some(1));
        assert_eq!(row(&store).unwrap().turns, 1, "{erasure:?}");
        let texts = live_texts(&store, &owner);
        assert_eq!(
            texts.last().map(String::as_str),
            Some("User: I keep goats.")
        );
        assert!(parked(&store, 1).is_some(), "still listed");
    }
}

/// A snapshot with one key that panics, or cannot be read.
struct Trap<S> {
    rows: S,
    at: Key,
    panics: bool,
}

impl<S: Snapshot> Snapshot for Trap<S> {
    fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        if *key != self.at {
            return self.rows.get(key);
        }
        assert!(!self.panics, "stands for a defect in the projection");
        Err(StoreError::Io("stands for a broken disk".into()))
    }

    fn scan_from(&self, prefix: &Prefix, from: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
        self.rows.scan_from(prefix, from, visit)
    }

    fn last_at(&self, prefix: &Prefix, at: &[u8]) -> Result<Option<Item>, StoreError> {
        self.rows.last_at(prefix, at)
    }

    fn scan_table(&self, table: Table, visit: Visit<'_>) -> Result<(), StoreError> {
        self.rows.scan_table(table, visit)
    }
}

fn trapped(store: &MemoryStore, panics: bool) -> Trap<impl Snapshot> {
    let document = "guide".parse().unwrap();
    Trap {
        rows: store.snapshot(),
        at: key::document(&scope(&["acme"]).hash(), &document).into_key(),
        panics,
    }
}

#[test]
fn a_panic_parks_the_event_and_leaves_no_trace_of_it() {
    let store = MemoryStore::default();
    let events = [
        ingest("guide", TEXT, "a"),
        ingest("guide", TEXT, "b"),
        ingest("other", "Staging is open.", "c"),
    ];
    let turn = turn(HERE, LIFE, &trapped(&store, true), &log_of(&events)).unwrap();
    store.commit(&turn.writes).unwrap();
    assert_eq!((turn.parked, turn.applied), (2, Seq::new(3)));
    assert_eq!(parked(&store, 1).unwrap().reason, "applying it panicked");
    assert_eq!(live_texts(&store, &scope(&["acme"])), ["Staging is open."]);
    let seen = key::seen(&scope(&["acme"]).hash(), events[0].id);
    assert_eq!(store.snapshot().row(&seen).unwrap(), None);
}

#[test]
fn rows_that_cannot_be_read_are_no_reason_to_park() {
    let store = MemoryStore::default();
    let log = log_of(&[ingest("guide", TEXT, "a")]);
    let failed = turn(HERE, LIFE, &trapped(&store, false), &log);
    assert!(matches!(failed, Err(StoreError::Io(_))));
}
