//! The contract suite of the port. Every implementation runs [`run`]; it panics with what is broken.
#![expect(clippy::unwrap_used, reason = "a test suite: a panic is its verdict")]

use crate::{
    CheckpointRow, Key, Kind, Posting, Prefix, ReadStore, Snapshot, SnapshotExt as _, StatsRow,
    Summary, Table, WriteSet, compare, digest, key,
};
use std::ops::ControlFlow;
use synap_types::{Hash128, Scope, Seq};

/// Runs every test of the contract, each over a fresh, empty store.
pub fn run<S: ReadStore>(make: impl Fn() -> S) {
    rows_read_back_until_they_are_deleted(&make());
    a_write_set_is_seen_whole(&make());
    snapshots_do_not_see_later_commits(&make());
    every_commit_makes_another_version(&make());
    appends_add_up_within_and_across_commits(&make());
    summaries_become_one(&make());
    scans_stay_within_their_prefix_and_in_order(&make());
    scans_stop_when_told(&make());
    scans_begin_and_end_within_a_prefix(&make());
    what_is_cleared_goes_before_anything_is_written(&make());
    digests_depend_on_rows_and_not_on_how_they_came(&make(), &make());
}

fn checkpoint(seq: u64) -> CheckpointRow {
    CheckpointRow {
        incarnation: 1,
        seq,
        event: [0; 16],
        projection: 1,
    }
}

fn stats(next_ordinal: u32) -> StatsRow {
    let scope = Scope::of_client("app".parse().unwrap());
    let mut row = StatsRow::new(scope);
    row.totals.next_ordinal = next_ordinal;
    row
}

fn scope(byte: u8) -> Hash128 {
    Hash128::from_bytes([byte; 16])
}

fn rests(snapshot: &impl Snapshot, prefix: &Prefix) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let visit = &mut |rest: &[u8], _: &[u8]| {
        found.push(rest.to_vec());
        ControlFlow::Continue(())
    };
    snapshot.scan(prefix, visit).unwrap();
    found
}

fn rows_read_back_until_they_are_deleted(store: &impl ReadStore) {
    assert_eq!(
        store.snapshot().row(&key::checkpoint()).unwrap(),
        None,
        "a fresh store is empty"
    );
    let mut writes = WriteSet::default();
    writes.put(key::checkpoint(), &checkpoint(1));
    writes.put(key::checkpoint(), &checkpoint(2));
    store.commit(&writes).unwrap();
    assert_eq!(
        store.snapshot().row(&key::checkpoint()).unwrap(),
        Some(checkpoint(2)),
        "the last put counts"
    );
    let mut writes = WriteSet::default();
    writes.delete(key::checkpoint());
    store.commit(&writes).unwrap();
    assert_eq!(
        store.snapshot().row(&key::checkpoint()).unwrap(),
        None,
        "a deleted row is gone"
    );
}

fn a_write_set_is_seen_whole(store: &impl ReadStore) {
    let mut writes = WriteSet::default();
    writes.put(key::checkpoint(), &checkpoint(9));
    writes.put(key::stats(&scope(1)), &stats(5));
    writes.append(key::posting_chunk(&scope(1), "term", 0), b"12345678");
    store.commit(&writes).unwrap();
    let snapshot = store.snapshot();
    assert_eq!(
        snapshot.row(&key::checkpoint()).unwrap(),
        Some(checkpoint(9)),
        "in table meta"
    );
    assert_eq!(
        snapshot.row(&key::stats(&scope(1))).unwrap(),
        Some(stats(5)),
        "in table rows"
    );
    let posting = snapshot
        .get(&key::posting_chunk(&scope(1), "term", 0))
        .unwrap();
    assert_eq!(
        posting.as_deref(),
        Some(&b"12345678"[..]),
        "in table postings"
    );
}

fn snapshots_do_not_see_later_commits(store: &impl ReadStore) {
    let before = store.snapshot();
    let mut writes = WriteSet::default();
    writes.put(key::stats(&scope(1)), &stats(1));
    writes.put(key::parked(Seq::new(1)), &parked());
    store.commit(&writes).unwrap();
    assert_eq!(
        before.row(&key::stats(&scope(1))).unwrap(),
        None,
        "not by get"
    );
    assert!(rests(&before, &key::all_parked()).is_empty(), "not by scan");
    assert_eq!(
        rests(&store.snapshot(), &key::all_parked()).len(),
        1,
        "but a new snapshot does"
    );
}

fn every_commit_makes_another_version(store: &impl ReadStore) {
    let mut known = Vec::new();
    for seq in 1..=3 {
        let (first, again) = (store.snapshot().version(), store.snapshot().version());
        assert_eq!(first, again, "nothing was written");
        known.push(first.unwrap());
        let mut writes = WriteSet::default();
        writes.put(key::checkpoint(), &checkpoint(seq));
        let before = store.snapshot();
        store.commit(&writes).unwrap();
        assert_eq!(before.version(), first, "a snapshot stays what it is");
    }
    known.push(store.snapshot().version().unwrap());
    known.dedup();
    assert_eq!(known.len(), 4);
}

fn parked() -> crate::ParkedRow {
    crate::ParkedRow {
        reason: "r".to_owned(),
        behind: None,
        subject: "s".to_owned(),
        ingestion: None,
    }
}

fn appends_add_up_within_and_across_commits(store: &impl ReadStore) {
    let at = || key::posting_chunk(&scope(3), "t", 0);
    for round in 0..50_u32 {
        let mut writes = WriteSet::default();
        for n in 0..4 {
            let posting = Posting {
                ordinal: round * 4 + n,
                tf: 1,
                terms: 2,
            };
            writes.append(at(), &posting.bytes());
        }
        store.commit(&writes).unwrap();
    }
    let value = store.snapshot().get(&at()).unwrap().unwrap();
    let ordinals: Vec<u32> = Posting::read(0, &value)
        .map(|posting| posting.ordinal)
        .collect();
    assert_eq!(
        ordinals,
        (0..200).collect::<Vec<_>>(),
        "in the order of the commits"
    );
}

fn summaries_become_one(store: &impl ReadStore) {
    let at = |chunk| key::summary(&scope(4), "t", chunk);
    let mut expected = Summary::NONE;
    for round in 0..50_u16 {
        let mut writes = WriteSet::default();
        for n in 0..4 {
            let posting = Posting {
                ordinal: u32::from(round * 4 + n),
                tf: 1 + n % 2,
                terms: 300 - round,
            };
            expected = expected.join(Summary::of(posting));
            writes.append(at(0), &Summary::of(posting).bytes());
        }
        expected = expected.join(Summary::of_ended());
        writes.append(at(0), &Summary::of_ended().bytes());
        store.commit(&writes).unwrap();
    }
    let keys = [at(1), at(0), at(0)];
    let found = store.snapshot().get_many(&keys).unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|v| v.as_deref().map(Summary::read))
        .collect();
    assert_eq!(found, [None, Some(expected), Some(expected)]);
    assert_eq!((expected.entries, expected.live()), (200, 150));
    assert_eq!((expected.once, expected.often, expected.tf), (251, 251, 2));
}

fn scans_stay_within_their_prefix_and_in_order(store: &impl ReadStore) {
    let mut writes = WriteSet::default();
    for byte in [0x00, 0x01, 0xfe, 0xff] {
        for term in ["a", "aa", "b"] {
            for chunk in [0, 1, u32::MAX] {
                writes.append(key::posting_chunk(&scope(byte), term, chunk), b"x");
            }
        }
        writes.put(key::stats(&scope(byte)), &stats(1));
    }
    store.commit(&writes).unwrap();
    for byte in [0x00, 0x01, 0xfe, 0xff] {
        let found = rests(&store.snapshot(), &key::postings(&scope(byte), "a"));
        let expected: Vec<Vec<u8>> = [0, 1, u32::MAX]
            .map(|chunk: u32| chunk.to_be_bytes().to_vec())
            .into();
        assert_eq!(
            found, expected,
            "term a of scope {byte:02x}, its chunks in order and nothing else"
        );
    }
    assert!(
        rests(&store.snapshot(), &key::postings(&scope(0x02), "a")).is_empty(),
        "an unknown scope is empty"
    );
}

fn scans_stop_when_told(store: &impl ReadStore) {
    let mut writes = WriteSet::default();
    (1..=9).for_each(|seq| writes.put(key::parked(Seq::new(seq)), &parked()));
    store.commit(&writes).unwrap();
    let mut shown = 0;
    let visit = &mut |_: &[u8], _: &[u8]| {
        shown += 1;
        if shown == 3 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    store.snapshot().scan(&key::all_parked(), visit).unwrap();
    assert_eq!(shown, 3, "after a break nothing more is shown");
}

fn scans_begin_and_end_within_a_prefix(store: &impl ReadStore) {
    let mut writes = WriteSet::default();
    for byte in [0x00, 0x01, 0x02] {
        for chunk in [3, 7, u32::MAX] {
            writes.append(key::posting_chunk(&scope(byte), "t", chunk), b"x");
        }
    }
    store.commit(&writes).unwrap();
    let rows = store.snapshot();
    let (prefix, at) = (key::postings(&scope(1), "t"), |chunk: u32| {
        chunk.to_be_bytes().to_vec()
    });
    for (from, expected) in [(0, 3), (3, 3), (4, 2), (7, 2), (u32::MAX, 1)] {
        let mut found = Vec::new();
        let visit = &mut |rest: &[u8], _: &[u8]| {
            found.push(rest.to_vec());
            ControlFlow::Continue(())
        };
        rows.scan_from(&prefix, &at(from), visit).unwrap();
        assert_eq!(found.len(), expected, "from {from}");
        assert_eq!(found.last(), Some(&at(u32::MAX)), "to the prefix's end");
    }
    let last = |chunk| rows.last_at(&prefix, &at(chunk)).unwrap();
    for (up_to, expected) in [
        (0, None),
        (2, None),
        (3, Some(3)),
        (6, Some(3)),
        (7, Some(7)),
        (u32::MAX, Some(u32::MAX)),
    ] {
        let expected = expected.map(|chunk| (at(chunk), b"x".to_vec()));
        assert_eq!(last(up_to), expected, "the last up to {up_to}");
    }
    let unknown = key::postings(&scope(3), "t");
    let last = rows.last_at(&unknown, &at(u32::MAX)).unwrap();
    assert_eq!(last, None, "an unknown scope has no last row");
}

fn what_is_cleared_goes_before_anything_is_written(store: &impl ReadStore) {
    let at = |byte: u8, chunk: u32| key::posting_chunk(&scope(byte), "t", chunk);
    let mut writes = WriteSet::default();
    for byte in [1, 2] {
        (0..3).for_each(|chunk| writes.append(at(byte, chunk), b"old"));
        writes.put(key::stats(&scope(byte)), &stats(byte.into()));
    }
    store.commit(&writes).unwrap();
    let mut writes = WriteSet::default();
    writes.append(at(1, 1), b"new");
    writes.clear(key::all_of(Kind::Posting, &scope(1)));
    store.commit(&writes).unwrap();
    let rows = store.snapshot();
    let of = |byte| rests(&rows, &key::postings(&scope(byte), "t")).len();
    assert_eq!(
        (of(1), of(2)),
        (1, 3),
        "one scope's are gone, but for what was written"
    );
    assert_eq!(rows.get(&at(1, 1)).unwrap(), Some(b"new".to_vec()));
    assert_eq!(rests(&rows, &key::all_stats()).len(), 2, "other kinds stay");
}

fn digests_depend_on_rows_and_not_on_how_they_came(a: &impl ReadStore, b: &impl ReadStore) {
    let chunk = |n: u32| -> Key { key::posting_chunk(&scope(1), "t", n) };
    let mut once = WriteSet::default();
    once.put(key::checkpoint(), &checkpoint(2));
    once.append(chunk(0), b"abcd");
    once.append(chunk(1), b"e");
    a.commit(&once).unwrap();
    for (seq, at, bytes) in [
        (1, chunk(0), &b"ab"[..]),
        (2, chunk(0), b"cd"),
        (2, chunk(1), b"e"),
    ] {
        let mut writes = WriteSet::default();
        writes.put(key::checkpoint(), &checkpoint(seq));
        writes.append(at, bytes);
        b.commit(&writes).unwrap();
    }
    assert_eq!(
        digest(&a.snapshot()).unwrap(),
        digest(&b.snapshot()).unwrap(),
        "the same rows"
    );
    assert_eq!(digest(&a.snapshot()).unwrap().rows, 3, "all tables count");
    let mut writes = WriteSet::default();
    writes.append(chunk(1), b"f");
    b.commit(&writes).unwrap();
    assert_ne!(
        digest(&a.snapshot()).unwrap(),
        digest(&b.snapshot()).unwrap(),
        "another value"
    );
    let found = compare(&a.snapshot(), &b.snapshot(), 9).unwrap();
    assert_eq!(found.len(), 1, "one row differs");
    assert!(
        found.iter().all(|d| d.table == Table::Postings),
        "and it is named"
    );
}
