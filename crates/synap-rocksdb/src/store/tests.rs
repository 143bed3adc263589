//! Tests of the store: the port's contract, and that flushes, compactions and restarts do not show in it.

mod damage;
mod merge;
mod property;

use super::*;
use crate::{MemoryLimits, SharedMemory};
use std::cell::Cell;
use std::ops::ControlFlow;
use std::process::Command;
use synap_readmodel::{
    CheckpointRow, ParkedRow, Posting, SnapshotExt as _, StatsRow, contract, digest, key,
};
use synap_types::limits::PARTITIONS_MAX;
use synap_types::{Hash128, Scope, Seq};

/// Names a folder for the copy of this program that a test starts.
const CHILD_DIR: &str = "SYNAP_ROCKSDB_TEST_DIR";

fn options() -> StoreOptions {
    StoreOptions::sharing(SharedMemory::default())
}

fn open(dir: &Path) -> RocksStore {
    RocksStore::open(dir, &options()).unwrap()
}

fn scope() -> Hash128 {
    Hash128::from_bytes([7; 16])
}

/// The `seq`-th commit: something in every kind of access, which [`check_commit_boundary`] knows again.
fn turn(seq: u64) -> WriteSet {
    let ordinal = u32::try_from(seq).unwrap();
    let mut writes = WriteSet::default();
    let checkpoint = CheckpointRow {
        incarnation: 1,
        seq,
        event: [0; 16],
        projection: 1,
    };
    writes.put(key::checkpoint(), &checkpoint);
    let mut stats = StatsRow::new(Scope::of_client("app".parse().unwrap()));
    stats.totals.next_ordinal = ordinal;
    writes.put(key::stats(&scope()), &stats);
    let parked = ParkedRow {
        reason: "a reason of some length".to_owned(),
        behind: None,
        subject: format!("subject {seq}"),
        ingestion: None,
    };
    writes.put(key::parked(Seq::new(seq)), &parked);
    let posting = Posting {
        ordinal,
        tf: 1,
        terms: 2,
    };
    writes.append(
        key::posting_chunk(&scope(), "term", posting.chunk()),
        &posting.bytes(),
    );
    writes
}

fn commit_turns(store: &RocksStore, seqs: std::ops::RangeInclusive<u64>) {
    seqs.for_each(|seq| store.commit(&turn(seq)).unwrap());
}

/// Checks that the store stands after some whole [`turn`], and says after which.
#[track_caller]
fn check_commit_boundary(store: &RocksStore) -> u64 {
    let snapshot = store.snapshot();
    let checkpoint = snapshot.row(&key::checkpoint()).unwrap();
    let seq = checkpoint.map_or(0, |row| row.seq);
    let stats = snapshot.row(&key::stats(&scope())).unwrap();
    assert_eq!(
        stats.map_or(0, |row| u64::from(row.totals.next_ordinal)),
        seq
    );
    let mut ordinals = Vec::new();
    let mut add = |rest: &[u8], chunk: &[u8]| {
        let postings = Posting::read(key::chunk_of(rest), chunk);
        ordinals.extend(postings.map(|posting| u64::from(posting.ordinal)));
        ControlFlow::Continue(())
    };
    snapshot
        .scan(&key::postings(&scope(), "term"), &mut add)
        .unwrap();
    assert_eq!(ordinals, (1..=seq).collect::<Vec<_>>());
    let mut parked = 0;
    let mut count = |_: &[u8], _: &[u8]| {
        parked += 1;
        ControlFlow::Continue(())
    };
    snapshot.scan(&key::all_parked(), &mut count).unwrap();
    assert_eq!(parked, seq);
    seq
}

fn compact(store: &RocksStore) {
    for table in Table::ALL {
        let table = store.column_family(table).unwrap();
        store
            .db
            .compact_range_cf(table, None::<&[u8]>, None::<&[u8]>);
    }
}

/// Runs the test `name` of this program once more, with [`CHILD_DIR`] set.
fn child(name: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", name, "--nocapture"])
        .env(CHILD_DIR, dir);
    command
}

#[test]
fn keeps_the_contract() {
    let (dir, made) = (tempfile::tempdir().unwrap(), Cell::new(0));
    contract::run(|| {
        made.set(made.get() + 1);
        open(&dir.path().join(made.get().to_string()))
    });
    assert!(made.get() > 5);
}

#[test]
fn keeps_the_contract_with_little_memory() {
    let (dir, made) = (tempfile::tempdir().unwrap(), Cell::new(0));
    let limits = MemoryLimits {
        cache_bytes: 64 * 1024,
        write_buffer_bytes: 64 * 1024,
    };
    let options = StoreOptions::sharing(SharedMemory::new(&limits));
    contract::run(|| {
        made.set(made.get() + 1);
        RocksStore::open(&dir.path().join(made.get().to_string()), &options).unwrap()
    });
}

#[test]
fn rows_outlive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit_turns(&store, 1..=20);
    let before = digest(&store.snapshot()).unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!(digest(&store.snapshot()).unwrap(), before);
    commit_turns(&store, 21..=40);
    store.flush().unwrap();
    compact(&store);
    drop(store);
    assert_eq!(check_commit_boundary(&open(dir.path())), 40);
}

#[test]
fn one_folder_is_opened_once() {
    let name = "store::tests::one_folder_is_opened_once";
    if let Some(dir) = std::env::var_os(CHILD_DIR) {
        let error = RocksStore::open(Path::new(&dir), &options()).unwrap_err();
        assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let error = RocksStore::open(dir.path(), &options()).unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    assert_eq!(
        error
            .to_string()
            .replace(dir.path().to_str().unwrap(), "DIR"),
        "the read model in DIR is in use: by another process, or opened twice in this one"
    );
    let other_process = child(name, dir.path()).output().unwrap();
    assert!(other_process.status.success(), "{other_process:?}");
    drop(store);
    open(dir.path());
}

#[test]
fn disk_bytes_grow_with_rows() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let empty = store.disk_bytes();
    commit_turns(&store, 1..=500);
    let logged = store.disk_bytes();
    assert!(logged > empty + 500 * 20, "{empty} {logged}");
    store.flush().unwrap();
    assert!(store.disk_bytes() > empty);
}

#[test]
fn a_snapshot_stays_as_it_was_through_flush_and_compaction() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit_turns(&store, 1..=600);
    let snapshot = store.snapshot();
    let before = digest(&snapshot).unwrap();
    commit_turns(&store, 601..=1_200);
    let mut writes = WriteSet::default();
    writes.delete(key::parked(Seq::new(1)));
    store.commit(&writes).unwrap();
    store.flush().unwrap();
    compact(&store);
    assert_eq!(digest(&snapshot).unwrap(), before);
    assert_ne!(digest(&store.snapshot()).unwrap(), before);
}

#[test]
fn stores_that_share_memory_hold_their_own_rows() {
    let dir = tempfile::tempdir().unwrap();
    let options = options();
    let stores = ["a", "b"].map(|name| RocksStore::open(&dir.path().join(name), &options).unwrap());
    commit_turns(&stores[0], 1..=10);
    assert_eq!(check_commit_boundary(&stores[0]), 10);
    assert_eq!(check_commit_boundary(&stores[1]), 0);
}

#[test]
fn as_many_stores_as_there_are_partitions_leave_room_for_rows() {
    let dir = tempfile::tempdir().unwrap();
    let options = options();
    let open =
        |number: u8| RocksStore::open(&dir.path().join(number.to_string()), &options).unwrap();
    let stores: Vec<_> = (0..4).map(open).collect();
    let each = options.memory.write_buffers_used_bytes() / stores.len();
    // SHARED apart, and half of them a second time while they are rebuilt.
    let most = (usize::from(PARTITIONS_MAX) + 1) * 3 / 2 * each;
    assert!(
        most < MemoryLimits::default().write_buffer_bytes / 2,
        "{most} of {each} each"
    );
}

#[test]
fn a_checkpoint_is_a_whole_store_of_one_moment() {
    let dir = tempfile::tempdir().unwrap();
    let (live, copy) = (dir.path().join("live"), dir.path().join("copy"));
    let store = open(&live);
    commit_turns(&store, 1..=300);
    store.flush().unwrap();
    commit_turns(&store, 301..=320);
    let before = digest(&store.snapshot()).unwrap();
    store.checkpoint(&copy).unwrap();
    commit_turns(&store, 321..=700);
    compact(&store);
    let names = || {
        let entries = fs::read_dir(&copy).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let files = names();
    let read = RocksStore::open_read_only(&copy, &options()).unwrap();
    assert_eq!(digest(&read.snapshot()).unwrap(), before);
    assert!(read.commit(&turn(321)).is_err(), "it only reads");
    drop(read);
    assert_eq!(names(), files, "reading leaves nothing behind");
    assert!(store.checkpoint(&copy).is_err(), "the folder is taken");
    let again = open(&copy);
    assert_eq!(check_commit_boundary(&again), 320);
    commit_turns(&again, 321..=330);
    assert_eq!(check_commit_boundary(&store), 700, "they are apart");
}

#[test]
fn after_a_compaction_no_file_holds_what_was_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let has = |word: &str| {
        let files = fs::read_dir(folder.path()).unwrap();
        let mut files = files.map(|file| fs::read(file.unwrap().path()).unwrap());
        files.any(|file| file.windows(word.len()).any(|part| part == word.as_bytes()))
    };
    let key = |word: &str| key::posting_chunk(&scope(), word, 0);
    let words = ["aardvark", "mongoose", "zebrafish"];
    let mut writes = WriteSet::default();
    for word in words {
        writes.append(key(word), &[1; 8]);
    }
    store.commit(&writes).unwrap();
    store.flush().unwrap();
    let before = store.snapshot();
    let mut writes = WriteSet::default();
    writes.delete_stored(key("aardvark"));
    writes.delete_stored(key("zebrafish"));
    store.commit(&writes).unwrap();
    assert!(words.into_iter().all(has), "also in the manifest");
    std::thread::scope(|scope| {
        let compacting = scope.spawn(|| store.compact());
        std::thread::sleep(Duration::from_millis(50));
        assert!(before.get(&key("aardvark")).unwrap().is_some());
        drop(before);
        compacting.join().unwrap().unwrap();
    });
    assert_eq!(words.map(has), [false, true, false]);
    drop(store);
    let store = open(folder.path());
    assert!(store.snapshot().get(&key("mongoose")).unwrap().is_some());
}
