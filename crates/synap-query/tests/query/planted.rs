//! A row under the key of another scope is an error, whichever way it is met, and never an answer.

use crate::world::{World, request, scope};
use synap_query::{FetchError, ScopeView, fetch, ingest_state};
use synap_readmodel::{
    DocumentRow, MemoryStore, ReadStore as _, Row, RowKey, SnapshotExt as _, WriteSet, key,
};
use synap_types::{ApiError, EventId, FetchResponse};

const SECRET: &str = "The deployment secret is a word";

/// Two customers, each with memories.
fn world() -> World {
    let mut world = World::default();
    world.add(&scope(&["acme"]), "own", "Deployment runs on Tuesdays");
    world.add(&scope(&["acme"]), "other", "The office is in Porto");
    world.add(&scope(&["rival"]), "secret", SECRET);
    world
}

fn plant<R: Row>(store: &MemoryStore, from: &RowKey<R>, to: RowKey<R>) {
    let row = store.snapshot().row(from).unwrap().unwrap();
    let mut writes = WriteSet::default();
    writes.put(to, &row);
    store.commit(&writes).unwrap();
}

#[track_caller]
fn check(answer: Result<FetchResponse, FetchError>) {
    match answer {
        Err(e @ FetchError::ForeignRow) => {
            let told = ApiError::from(e);
            assert!(!told.message.contains("secret"), "{}", told.message);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_planted_memory_is_no_answer_to_a_query_that_finds_it() {
    let (world, acme, rival) = (world(), scope(&["acme"]).hash(), scope(&["rival"]).hash());
    plant(&world.store, &key::memory(&rival, 0), key::memory(&acme, 0));
    for reader in [scope(&["acme"]), scope(&["acme", "dana"])] {
        check(world.try_ask(&request(&reader, &["deployment"])));
    }
}

#[test]
fn a_planted_memory_is_no_recent_one() {
    let (world, acme, rival) = (world(), scope(&["acme"]).hash(), scope(&["rival"]).hash());
    plant(&world.store, &key::memory(&rival, 0), key::memory(&acme, 1));
    for queries in [&[][..], &["deployment"]] {
        check(world.try_ask(&request(&scope(&["acme"]), queries)));
    }
}

#[test]
fn planted_statistics_are_an_error() {
    let (world, acme, rival) = (world(), scope(&["acme"]).hash(), scope(&["rival"]).hash());
    plant(&world.store, &key::stats(&rival), key::stats(&acme));
    check(world.try_ask(&request(&scope(&["acme"]), &[])));
}

#[test]
fn a_view_outside_the_chain_is_refused() {
    let world = world();
    let rows = world.store.snapshot();
    for (reader, viewed) in [
        (&["acme"][..], &["rival"][..]),
        (&["acme"], &["acme", "dana"]),
        (&["acme", "dana"], &["acme", "erin"]),
        (&[], &["acme"]),
    ] {
        let views = [ScopeView::new(scope(viewed), &rows).unwrap()];
        check(fetch(
            &request(&scope(reader), &[]),
            &views,
            synap_query::Means::of(&synap_query::Ranking::default()),
            false,
        ));
    }
}

#[test]
fn a_planted_document_is_no_state_of_an_ingest() {
    let (store, rival) = (MemoryStore::default(), scope(&["rival"]));
    let (acme, document) = (scope(&["acme"]), "guide".parse().unwrap());
    let row = DocumentRow {
        document_id: document,
        scope: rival,
        event_id: EventId::new(acme.hash().to_uuid()),
        seq: 1,
        content: [0; 16],
        version: 1,
        previous: None,
        ordinals: Vec::new(),
    };
    let mut writes = WriteSet::default();
    writes.put(key::document(&acme.hash(), &row.document_id), &row);
    store.commit(&writes).unwrap();
    let state = ingest_state(&store.snapshot(), &acme, None, Some(&row.document_id));
    assert!(matches!(state, Err(FetchError::ForeignRow)));
}
