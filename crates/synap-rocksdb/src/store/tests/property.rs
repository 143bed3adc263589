//! Whatever is written and whatever happens in between, the store holds what a map would hold.

use super::*;
use proptest::prelude::*;
use synap_readmodel::{MemoryStore, compare};

#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<Change>),
    Flush,
    Compact,
    Restart,
}

#[derive(Debug, Clone)]
enum Change {
    Put {
        scope: u8,
        ordinal: u32,
    },
    Delete {
        scope: u8,
    },
    Park {
        seq: u64,
    },
    Unpark {
        seq: u64,
    },
    Append {
        scope: u8,
        term: String,
        chunk: u32,
        bytes: Vec<u8>,
    },
}

fn scope_of(byte: u8) -> Hash128 {
    Hash128::from_bytes([byte; 16])
}

fn change() -> impl Strategy<Value = Change> {
    let scope = || prop_oneof![Just(0), Just(1), Just(0xfe), Just(0xff)];
    let bytes = proptest::collection::vec(any::<u8>(), 0..20);
    prop_oneof![
        1 => (scope(), 0_u32..3).prop_map(|(scope, ordinal)| Change::Put { scope, ordinal }),
        1 => scope().prop_map(|scope| Change::Delete { scope }),
        1 => (0_u64..5).prop_map(|seq| Change::Park { seq }),
        1 => (0_u64..5).prop_map(|seq| Change::Unpark { seq }),
        3 => (scope(), "[ab]{1,2}", 0_u32..2, bytes).prop_map(|(scope, term, chunk, bytes)| {
            Change::Append { scope, term, chunk, bytes }
        }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => proptest::collection::vec(change(), 0..12).prop_map(Step::Commit),
        1 => Just(Step::Flush),
        1 => Just(Step::Compact),
        1 => Just(Step::Restart),
    ]
}

fn write_set(changes: &[Change]) -> WriteSet {
    let mut writes = WriteSet::default();
    for change in changes {
        match change {
            Change::Put { scope, ordinal } => {
                let mut stats = StatsRow::new(Scope::of_client("app".parse().unwrap()));
                stats.totals.next_ordinal = *ordinal;
                writes.put(key::stats(&scope_of(*scope)), &stats);
            }
            Change::Delete { scope } => writes.delete(key::stats(&scope_of(*scope))),
            Change::Park { seq } => {
                let parked = ParkedRow {
                    reason: String::new(),
                    behind: Some(*seq),
                    subject: String::new(),
                    ingestion: None,
                };
                writes.put(key::parked(Seq::new(*seq)), &parked);
            }
            Change::Unpark { seq } => writes.delete(key::parked(Seq::new(*seq))),
            Change::Append {
                scope,
                term,
                chunk,
                bytes,
            } => {
                writes.append(key::posting_chunk(&scope_of(*scope), term, *chunk), bytes);
            }
        }
    }
    writes
}

fn rows(snapshot: &impl Snapshot, prefix: &Prefix) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    let mut add = |key: &[u8], value: &[u8]| {
        rows.push((key.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    };
    snapshot.scan(prefix, &mut add).unwrap();
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn holds_what_a_map_would_hold(steps in proptest::collection::vec(step(), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        let (options, map) = (options(), MemoryStore::default());
        let mut store = open(dir.path());
        for step in &steps {
            match step {
                Step::Commit(changes) => {
                    store.commit(&write_set(changes)).unwrap();
                    map.commit(&write_set(changes)).unwrap();
                }
                Step::Flush => store.flush().unwrap(),
                Step::Compact => compact(&store),
                Step::Restart => {
                    drop(store);
                    store = RocksStore::open(dir.path(), &options).unwrap();
                }
            }
        }
        let (found, expected) = (store.snapshot(), map.snapshot());
        prop_assert_eq!(compare(&found, &expected, 9).unwrap(), []);
        prop_assert_eq!(digest(&found).unwrap(), digest(&expected).unwrap());
        for scope in [0, 1, 0xfe, 0xff].map(scope_of) {
            for term in ["a", "ab", "b"] {
                let prefix = key::postings(&scope, term);
                prop_assert_eq!(rows(&found, &prefix), rows(&expected, &prefix));
            }
            let at = key::stats(&scope).into_key();
            prop_assert_eq!(found.get(&at).unwrap(), expected.get(&at).unwrap());
        }
    }
}
