//! What became of an ingestion, and what an ingest would meet.

use crate::world::scope;
use synap_query::{FetchError, ingest_state, ingestion_status};
use synap_readmodel::{IngestionRow, MemoryStore, ReadStore as _, SeenRow, WriteSet, key};
use synap_types::{ClientId, EventId, IngestState, IngestionId, MemoryId, Scope};

fn ingestion(number: u8) -> IngestionId {
    IngestionId::new(synap_types::Hash128::from_bytes([number; 16]).to_uuid())
}

/// A store with ingestion 1, as `client` would look for it.
fn store(client: &ClientId, parked: Option<&str>) -> MemoryStore {
    let row = IngestionRow {
        ingestion_id: ingestion(1),
        scope: scope(&["acme", "dana"]),
        document_id: "guide".parse().unwrap(),
        accepted_at: 5,
        seq: 3,
        memory_ids: vec![MemoryId::new(ingestion(7).uuid()); usize::from(parked.is_none())],
        parked: parked.map(str::to_owned),
    };
    let (store, mut writes) = (MemoryStore::default(), WriteSet::default());
    let own = Scope::of_client(client.clone()).hash();
    writes.put(key::ingestion(&own, ingestion(1)), &row);
    store.commit(&writes).unwrap();
    store
}

#[test]
fn an_ingestion_is_told_with_its_scope_and_memories() {
    let app: ClientId = "app".parse().unwrap();
    let status = ingestion_status(&store(&app, None).snapshot(), &app, ingestion(1));
    let status = status.unwrap().unwrap();
    assert_eq!(
        (status.status, status.memories_created),
        (IngestState::Completed, 1)
    );
    assert_eq!(
        (status.scope.as_str(), status.error_message),
        ("user", None)
    );
    assert_eq!(status.completed_at, Some(status.queued_at));
}

#[test]
fn a_parked_ingestion_has_failed_and_says_why() {
    let app: ClientId = "app".parse().unwrap();
    let status = ingestion_status(&store(&app, Some("why")).snapshot(), &app, ingestion(1));
    let status = status.unwrap().unwrap();
    assert_eq!(
        (status.status, status.memories_created),
        (IngestState::Failed, 0)
    );
    assert_eq!(
        (status.error_message.as_deref(), status.completed_at),
        (Some("why"), None)
    );
}

#[test]
fn unknown_and_foreign_ingestions_look_alike() {
    let (app, other): (ClientId, ClientId) = ("app".parse().unwrap(), "other".parse().unwrap());
    let store = store(&app, None);
    assert_eq!(
        ingestion_status(&store.snapshot(), &app, ingestion(2)).unwrap(),
        None
    );
    assert_eq!(
        ingestion_status(&store.snapshot(), &other, ingestion(1)).unwrap(),
        None
    );
}

#[test]
fn a_planted_ingestion_is_an_error() {
    let other: ClientId = "other".parse().unwrap();
    let planted = ingestion_status(&store(&other, None).snapshot(), &other, ingestion(1));
    assert!(matches!(planted, Err(FetchError::ForeignRow)));
}

#[test]
fn an_ingest_meets_what_its_own_scope_has_seen() {
    let (store, mut writes) = (MemoryStore::default(), WriteSet::default());
    let (acme, event) = (scope(&["acme"]), EventId::new(ingestion(1).uuid()));
    let seen = SeenRow {
        seq: 4,
        document_id: Some("guide".parse().unwrap()),
        turn: None,
        erased: false,
    };
    writes.put(key::seen(&acme.hash(), event), &seen);
    store.commit(&writes).unwrap();
    let state = |scope: &Scope| ingest_state(&store.snapshot(), scope, Some(event), None).unwrap();
    assert_eq!(state(&acme).seen, Some(seen));
    assert_eq!(state(&scope(&["rival"])).seen, None);
    assert_eq!(state(&acme).document, None);
}
