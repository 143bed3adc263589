//! Vectors that a model computed stand in the rows once, and only for what still says what it said.

use crate::world::{applied, apply, digest_of, ingest_into, log_of, memories, recorded, scope};
use synap_readmodel::{
    MemoryRow, MemoryStore, ReadStore as _, Sketch, Snapshot as _, SnapshotExt as _, Vector, key,
    passage_text,
};
use synap_types::{
    Event, EventBody, IdempotencyKey, MemoriesEnriched, MemoryVector, QuantisedVector, Scope,
    ScopeErased, Seq, Timestamp,
};

const TEXT: &str = "The lift is broken.\n\nThe pool opens in June.\n\nParking costs nine euros.";
const OTHER: &str = "Breakfast is from seven to ten.";

/// Vectors of the passages of `rows`, each with its number in front.
fn enriched(key: &str, scope: &Scope, rows: &[MemoryRow], first: i8) -> Event {
    let vector = |passage: &[MemoryRow]| {
        let mut numbers = vec![1; 384];
        numbers[0] = first;
        MemoryVector {
            memory_id: passage[0].id,
            text_hash: MemoryVector::text_hash(&passage_text(passage)),
            vector: QuantisedVector(numbers),
        }
    };
    let passages = rows.chunk_by(|a, b| a.passage == b.passage);
    Event {
        id: IdempotencyKey::Caller(key.to_owned()).event_id(scope),
        time: Timestamp::from_micros(9_000_000),
        body: EventBody::MemoriesEnriched(Box::new(MemoriesEnriched {
            scope: scope.clone(),
            model: "fake".to_owned(),
            model_hash: "00".to_owned(),
            memories: passages.map(vector).collect(),
        })),
    }
}

/// Ordinal and first number of every vector, and ordinals of the sketches.
fn stored(store: &MemoryStore, scope: &Scope) -> (Vec<(u32, i8)>, Vec<u32>) {
    let (rows, hash) = (store.snapshot(), scope.hash());
    let model = MemoriesEnriched::model_key("fake", "00");
    let block = rows.get(&key::vector_block(&hash, &model, 0)).unwrap();
    let chunk = rows.get(&key::sketch_chunk(&hash, &model, 0)).unwrap();
    (
        Vector::read(&block.unwrap_or_default())
            .map(|vector| (vector.ordinal, vector.numbers[0]))
            .collect(),
        Sketch::read(&chunk.unwrap_or_default())
            .map(|sketch| sketch.ordinal)
            .collect(),
    )
}

#[test]
fn a_passage_has_one_vector_however_often_it_was_computed() {
    let acme = scope(&["acme"]);
    let ingests = [
        ingest_into(&acme, "house", TEXT, "1"),
        ingest_into(&acme, "kitchen", OTHER, "2"),
    ];
    let rows = memories(&applied(&log_of(&ingests)), &acme);
    let passages: Vec<u32> = rows.iter().map(|row| row.passage).collect();
    assert_eq!(passages, [0, 0, 0, 3]);
    let [house, kitchen] = ingests;
    let events = [
        house,
        kitchen,
        enriched("a", &acme, &rows[3..], 7),
        enriched("b", &acme, &rows, 8),
    ];
    let store = applied(&log_of(&events));
    assert_eq!(stored(&store, &acme), (vec![(3, 7), (0, 8)], vec![3, 0]));
    let known = store.snapshot().row(&key::vectors(
        &acme.hash(),
        &MemoriesEnriched::model_key("fake", "00"),
        0,
    ));
    assert_eq!(known.unwrap().unwrap().bits, [0b1001]);
    // Event by event, as a live run does it: the same rows, and no model anywhere.
    let again = MemoryStore::default();
    for event in log_of(&events) {
        apply(&again, &[event]);
    }
    assert_eq!(digest_of(&again), digest_of(&store));
}

#[test]
fn what_is_gone_or_says_something_else_gets_no_vector() {
    let (acme, other) = (scope(&["acme"]), scope(&["other"]));
    let first = ingest_into(&acme, "house", TEXT, "1");
    let rows = memories(&applied(&log_of(std::slice::from_ref(&first))), &acme);
    let second = ingest_into(&acme, "house", "The pool opens in June.", "2");
    let store = applied(&log_of(&[first, second]));
    let left: Vec<MemoryRow> = memories(&store, &acme)
        .into_iter()
        .filter(MemoryRow::is_live)
        .collect();
    assert_eq!(left.len(), 1);
    let mut changed = left.clone();
    "The pool opens in May.".clone_into(&mut changed[0].text);
    let late = [
        enriched("a", &acme, &changed, 1),
        enriched("b", &other, &left, 2),
        // Of the passage as it was before.
        enriched("c", &acme, &rows, 3),
        enriched("d", &acme, &left, 4),
    ];
    for (seq, event) in (3..).zip(&late) {
        assert_eq!(apply(&store, &[recorded(seq, event)]).halt, None);
    }
    let (vectors, _) = stored(&store, &acme);
    assert_eq!(vectors, [(left[0].passage, 4)]);
    assert_eq!(stored(&store, &other), (Vec::new(), Vec::new()));
}

#[test]
fn what_was_erased_gets_no_vector() {
    let acme = scope(&["acme"]);
    let ingest = ingest_into(&acme, "house", TEXT, "1");
    let rows = memories(&applied(&log_of(std::slice::from_ref(&ingest))), &acme);
    let id = IdempotencyKey::Caller("erase".to_owned()).event_id(&acme);
    let erased = Event {
        id,
        time: Timestamp::from_micros(5_000_000),
        body: EventBody::ScopeErased(Box::new(ScopeErased {
            deletion_id: id,
            scope: acme.clone(),
            conversation_id: None,
            author: crate::world::author(),
        })),
    };
    let store = applied(&log_of(&[ingest, erased, enriched("a", &acme, &rows, 1)]));
    assert_eq!(stored(&store, &acme), (Vec::new(), Vec::new()));
}

#[test]
fn events_that_add_memories_are_listed_and_no_others() {
    let acme = scope(&["acme"]);
    let ingest = ingest_into(&acme, "house", TEXT, "1");
    let rows = memories(&applied(&log_of(std::slice::from_ref(&ingest))), &acme);
    let store = applied(&log_of(&[ingest, enriched("a", &acme, &rows, 1)]));
    let rows = store.snapshot();
    let listed = rows.row(&key::fresh(Seq::new(1))).unwrap().unwrap();
    assert_eq!((listed.first, listed.end), (0, 3));
    let mut seqs = Vec::new();
    rows.scan(&key::fresh_page(0), &mut |rest, _| {
        seqs.push(rest.to_vec());
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(seqs, [vec![1]]);
}
