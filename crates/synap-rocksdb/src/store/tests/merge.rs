//! Appends: whatever RocksDB joins, and when, the bytes stand in the order of the commits.

use super::*;

fn chunk() -> Key {
    key::posting_chunk(&scope(), "hot", 0)
}

fn append(store: &RocksStore, ordinals: std::ops::Range<u32>) {
    for ordinal in ordinals {
        let mut writes = WriteSet::default();
        let posting = Posting {
            ordinal,
            tf: 1,
            terms: 9,
        };
        writes.append(chunk(), &posting.bytes());
        store.commit(&writes).unwrap();
    }
}

#[track_caller]
fn check_ordinals(store: &RocksStore, expected: std::ops::Range<u32>) {
    let bytes = store.snapshot().get(&chunk()).unwrap().unwrap();
    assert_eq!(bytes.len(), expected.len() * 4);
    let found = Posting::read(0, &bytes).map(|posting| posting.ordinal);
    assert!(found.eq(expected.clone()), "by get");
    let mut found = Vec::new();
    let mut add = |_: &[u8], value: &[u8]| {
        found.extend(Posting::read(0, value).map(|posting| posting.ordinal));
        ControlFlow::Continue(())
    };
    let snapshot = store.snapshot();
    snapshot
        .scan(&key::postings(&scope(), "hot"), &mut add)
        .unwrap();
    assert_eq!(found, expected.collect::<Vec<_>>(), "by scan");
}

#[test]
fn appends_keep_their_order_across_flushes_compactions_and_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    append(&store, 0..700);
    check_ordinals(&store, 0..700);
    store.flush().unwrap();
    check_ordinals(&store, 0..700);
    append(&store, 700..800);
    check_ordinals(&store, 0..800);
    store.flush().unwrap();
    append(&store, 800..801);
    store.flush().unwrap();
    compact(&store);
    check_ordinals(&store, 0..801);
    append(&store, 801..1_500);
    drop(store);
    let store = open(dir.path());
    check_ordinals(&store, 0..1_500);
    append(&store, 1_500..1_600);
    compact(&store);
    check_ordinals(&store, 0..1_600);
}

#[test]
fn appends_of_any_length_are_kept_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for bytes in [&b""[..], b"", b"abc", b"", b"\0"] {
        let mut writes = WriteSet::default();
        writes.append(chunk(), bytes);
        store.commit(&writes).unwrap();
        if bytes == b"abc" {
            store.flush().unwrap();
        }
    }
    let value = store.snapshot().get(&chunk()).unwrap();
    assert_eq!(value.as_deref(), Some(&b"abc\0"[..]));
}

#[test]
fn an_empty_append_makes_an_empty_value() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut writes = WriteSet::default();
    writes.append(chunk(), b"");
    store.commit(&writes).unwrap();
    for _ in 0..2 {
        let value = store.snapshot().get(&chunk()).unwrap();
        assert_eq!(value.as_deref(), Some(&b""[..]));
        store.flush().unwrap();
        compact(&store);
    }
}
