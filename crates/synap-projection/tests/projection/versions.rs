//! Documents that come again: other content supersedes, the same content changes next to nothing.

use crate::world::{
    applied, data, ingest, ingest_into, live_texts, log_of, memories, recorded, scope,
};
use synap_readmodel::{
    Kind, MemoryStore, ReadStore as _, Snapshot as _, SnapshotExt as _, Table, compare, key,
};
use synap_types::{DocumentType, Event, EventBody};

const FIRST: &str = "Deploys run on Tuesdays.\n\nStaging is open at any time.";
const SECOND: &str = "Deploys run on Fridays.\n\nStaging is open at any time.";

fn two_versions() -> (Vec<Event>, MemoryStore) {
    let events = vec![ingest("guide", FIRST, "a"), ingest("guide", SECOND, "b")];
    let store = applied(&log_of(&events));
    (events, store)
}

#[test]
fn other_content_ends_the_old_memories() {
    let (_, store) = two_versions();
    let acme = scope(&["acme"]);
    let rows: Vec<_> = memories(&store, &acme)
        .into_iter()
        .map(|row| (row.text, row.created_seq, row.ended_seq))
        .collect();
    let expected = [
        ("Deploys run on Tuesdays.", 1, Some(2)),
        ("Staging is open at any time.", 1, Some(2)),
        ("Deploys run on Fridays.", 2, None),
        ("Staging is open at any time.", 2, None),
    ];
    assert_eq!(
        rows,
        expected.map(|(text, created, ended)| (text.to_owned(), created, ended))
    );
    let stats = store
        .snapshot()
        .row(&key::stats(&acme.hash()))
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            stats.documents,
            stats.totals.live,
            stats.totals.next_ordinal
        ),
        (1, 2, 4)
    );
    let document = store
        .snapshot()
        .row(&key::document(&acme.hash(), &"guide".parse().unwrap()))
        .unwrap()
        .unwrap();
    assert_eq!((document.version, document.seq), (2, 2));
    assert_eq!(document.ordinals, [2, 3]);
}

#[test]
fn an_unchanged_statement_keeps_its_id_and_is_found_by_it() {
    let (_, store) = two_versions();
    let (acme, rows) = (scope(&["acme"]), store.snapshot());
    let all = memories(&store, &acme);
    assert_eq!(all[1].id, all[3].id, "unchanged");
    assert_ne!(all[0].id, all[2].id, "changed");
    let at = |number: usize| {
        let row = rows.row(&key::memory_index(&scope(&[]).hash(), all[number].id));
        row.unwrap().unwrap().ordinal
    };
    assert_eq!((at(1), at(2), at(3)), (3, 2, 3), "the live ones");
    assert_eq!(at(0), 0, "one that ended is still found by its id");
}

#[test]
fn going_back_to_earlier_content_is_a_third_version() {
    let events =
        [("a", FIRST), ("b", SECOND), ("c", FIRST)].map(|(key, text)| ingest("guide", text, key));
    let store = applied(&log_of(&events));
    let acme = scope(&["acme"]);
    assert_eq!(
        live_texts(&store, &acme),
        ["Deploys run on Tuesdays.", "Staging is open at any time."]
    );
    let all = memories(&store, &acme);
    assert_eq!((all.len(), all[0].id == all[4].id), (6, true));
}

#[test]
fn the_same_content_under_another_key_is_seen_and_answered_and_changes_nothing_else() {
    let events = [ingest("guide", FIRST, "a"), ingest("guide", FIRST, "b")];
    let (once, again) = (applied(&log_of(&events[..1])), applied(&log_of(&events)));
    let changed = compare(&once.snapshot(), &again.snapshot(), 10).unwrap();
    let kinds: Vec<_> = changed.iter().map(|row| row.kind.unwrap()).collect();
    assert_eq!(
        kinds,
        [Kind::Checkpoint, Kind::Seen, Kind::Ingestion, Kind::History,]
    );
    let client = scope(&[]).hash();
    let row = |event: &Event| {
        let at = key::ingestion(&client, data(event).ingestion_id);
        again.snapshot().row(&at).unwrap().unwrap()
    };
    assert_eq!(row(&events[0]).memory_ids, row(&events[1]).memory_ids);
    assert_eq!(row(&events[1]).memory_ids.len(), 2);
}

#[test]
fn a_document_is_its_scope_s_own() {
    let (acme, dana) = (scope(&["acme"]), scope(&["acme", "dana"]));
    let events = [
        ingest_into(&acme, "guide", FIRST, "a"),
        ingest_into(&dana, "guide", SECOND, "a"),
    ];
    let store = applied(&log_of(&events));
    assert_eq!(live_texts(&store, &acme).len(), 2);
    assert_eq!(live_texts(&store, &dana).len(), 2);
    let ids = |owner| -> Vec<_> { memories(&store, owner).iter().map(|row| row.id).collect() };
    assert_ne!(
        ids(&acme)[1],
        ids(&dana)[1],
        "equal statements of two scopes are two memories"
    );
}

#[test]
fn a_statement_that_a_document_repeats_is_one_memory() {
    let text = "Staging is open.\n\nstaging  is open\n\nDeploys run on Fridays.";
    let store = applied(&[recorded(1, &ingest("guide", text, "a"))]);
    assert_eq!(live_texts(&store, &scope(&["acme"])).len(), 2);
}

#[test]
fn metadata_is_stored_once_per_event() {
    let mut event = ingest("guide", FIRST, "a");
    let EventBody::MemoryIngested(body) = &mut event.body else {
        panic!("another event");
    };
    body.metadata.insert("team".to_owned(), "platform".into());
    let store = applied(&[recorded(1, &event)]);
    let (acme, rows) = (scope(&["acme"]), store.snapshot());
    assert!(
        memories(&store, &acme)
            .iter()
            .all(|row| row.metadata.is_some())
    );
    let row = rows.row(&key::metadata(&acme.hash(), event.id)).unwrap();
    assert_eq!(row.unwrap().json, r#"{"team":"platform"}"#);
    let plain = applied(&[recorded(1, &ingest("guide", FIRST, "a"))]);
    let mut kinds = Vec::new();
    let mut visit = |bytes: &[u8], _: &[u8]| {
        kinds.extend(Kind::of(bytes));
        std::ops::ControlFlow::Continue(())
    };
    plain
        .snapshot()
        .scan_table(Table::Rows, &mut visit)
        .unwrap();
    assert!(!kinds.contains(&Kind::Metadata));
}

/// The speaker stands in the text of a turn, so it is indexed with it, once.
#[test]
fn a_speaker_counts_once() {
    let mut event = ingest("talk", "User: I prefer dark mode.", "a");
    let EventBody::MemoryIngested(body) = &mut event.body else {
        panic!("another event");
    };
    body.document_type = DocumentType::CHAT.parse().unwrap();
    let store = applied(&[recorded(1, &event)]);
    let row = memories(&store, &scope(&["acme"])).remove(0);
    assert_eq!(row.speaker.as_deref(), Some("User"));
    assert_eq!(row.sequence.len(), synap_text::terms(&row.text).len());
}
