//! Differences are found and named; a sample is the same rows for everybody.

use super::*;
use crate::{MemoryStore, ReadStore as _, SeenRow, StatsRow, ThreadRow, WriteSet, key};
use synap_types::{EventId, Hash128, Isolation, ScopeIds};

fn scope() -> Scope {
    let ids = ScopeIds {
        customer_id: Some("acme".parse().unwrap()),
        ..Default::default()
    };
    let client = "app".parse().unwrap();
    Isolation::strict().scope(&client, &ids).unwrap()
}

fn seen(number: u64) -> EventId {
    EventId::new(Hash128::of("test", [&number.to_be_bytes()[..]]).to_uuid())
}

fn store(rows: u64, changed: Option<u64>) -> MemoryStore {
    let store = MemoryStore::default();
    let mut writes = WriteSet::default();
    let hash = scope().hash();
    for number in 1..=rows {
        let seq = number + u64::from(changed == Some(number)) * 1_000;
        let row = SeenRow {
            seq,
            document_id: None,
            turn: None,
            erased: false,
        };
        writes.put(key::seen(&hash, seen(number)), &row);
    }
    store.commit(&writes).unwrap();
    store
}

#[test]
fn the_one_row_that_differs_is_named_among_many() {
    let (one, other) = (store(5_000, None), store(5_000, Some(4_321)));
    let found = compare(&one.snapshot(), &other.snapshot(), 9).unwrap();
    let key = HEXLOWER.encode(key::seen(&scope().hash(), seen(4_321)).key().bytes());
    let expected = Difference {
        table: Table::Rows,
        kind: Some(Kind::Seen),
        key: key.clone(),
        scope: HEXLOWER.encode(scope().hash().bytes()),
        scope_path: None,
        seq: Some(5_321),
        found: Found::Both,
    };
    assert_eq!(found, [expected]);
    let said = found[0].to_string();
    assert!(
        said.starts_with(&format!("Seen row {key}, scope ")),
        "{said}"
    );
    assert!(said.ends_with(", seq 5321, in table rows"), "{said}");
}

#[test]
fn a_missing_row_says_where_and_whose_it_is() {
    let (one, other) = (MemoryStore::default(), MemoryStore::default());
    let mut writes = WriteSet::default();
    writes.put(key::stats(&scope().hash()), &StatsRow::new(scope()));
    one.commit(&writes).unwrap();
    let named = |a: &MemoryStore, b: &MemoryStore| {
        let found = compare(&a.snapshot(), &b.snapshot(), 9).unwrap();
        assert_eq!(found.len(), 1);
        let path = found[0].scope_path.clone().unwrap();
        (path, found[0].found)
    };
    let path = "customer=acme".to_owned();
    assert_eq!(named(&one, &other), (path.clone(), Found::First));
    assert_eq!(named(&other, &one), (path, Found::Second));
    assert!(
        compare(&one.snapshot(), &other.snapshot(), 0)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn what_cannot_be_read_is_named_all_the_same() {
    let (one, other) = (MemoryStore::default(), MemoryStore::default());
    let mut writes = WriteSet::default();
    let row = ThreadRow {
        last: 1,
        seq: 7,
        terms: 1,
    };
    let place = key::thread(&scope().hash(), 3);
    writes.put(place, &row);
    one.commit(&writes).unwrap();
    let mut damaged = WriteSet::default();
    damaged.append(key::thread(&scope().hash(), 3).into_key(), b"junk");
    other.commit(&damaged).unwrap();
    let found = compare(&one.snapshot(), &other.snapshot(), 9).unwrap();
    assert_eq!((found.len(), found[0].kind), (1, Some(Kind::Thread)));
    assert_eq!(found[0].seq, None);
}

#[test]
fn a_sample_is_about_its_share_and_the_same_for_everybody() {
    let (one, other) = (store(5_000, None), store(5_000, Some(17)));
    let tenth = Sample::of_share(0.1).unwrap();
    let digest = digest_of(&one.snapshot(), tenth).unwrap();
    assert!((350..650).contains(&digest.rows), "{}", digest.rows);
    assert_eq!(digest_of(&one.snapshot(), tenth).unwrap(), digest);
    // A difference is seen by exactly the samples that hold its row, and larger samples hold all of smaller ones.
    let sees = |percent: u32| {
        let sample = Sample::of_share(f64::from(percent) / 100.0).unwrap();
        let found = compare_of(&one.snapshot(), &other.snapshot(), sample, 9).unwrap();
        let equal = digest_of(&one.snapshot(), sample).unwrap()
            == digest_of(&other.snapshot(), sample).unwrap();
        assert_eq!(found.is_empty(), equal, "{percent}");
        !found.is_empty()
    };
    let found: Vec<bool> = (1..=100).map(sees).collect();
    assert!(
        found[99] && !found[0],
        "a hundredth lacks this row, the whole has it"
    );
    assert!(found.is_sorted(), "{found:?}");
    assert!(Sample::of_share(0.0).is_none() && Sample::of_share(1.1).is_none());
}
