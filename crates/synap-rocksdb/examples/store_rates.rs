//! Rates of the store: `cargo run --release -p synap-rocksdb --example store_rates`.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "it measures and prints"
)]

use std::error::Error;
use std::ops::ControlFlow;
use std::time::Instant;
use synap_readmodel::{
    ParkedRow, Posting, Prefix, ReadStore as _, Snapshot as _, SnapshotExt as _, WriteSet, key,
};
use synap_rocksdb::{RocksStore, SharedMemory, StoreOptions};
use synap_types::{Hash128, Seq};

const ROWS: u64 = 1_000_000;
const BATCH: u64 = 1_000;
const APPENDS: u32 = 10_000;
const READS: usize = 5_000;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let dir = tempfile::tempdir()?;
    let store = RocksStore::open(dir.path(), &StoreOptions::sharing(SharedMemory::default()))?;
    fill(&store)?;
    let mut spread = 0;
    measure("get one of 1,000,000 rows", || {
        spread = (spread + 611_953) % ROWS;
        store.snapshot().row(&key::parked(Seq::new(spread)))?;
        Ok(())
    })?;
    for rows in [20, 1_000] {
        let name = format!("scan {rows} rows of 200 bytes");
        measure(&name, || scan(&store, &key::all_parked(), rows))?;
    }
    append(&store)?;
    let hot = || key::posting_chunk(&scope(), "hot", 0);
    let read = |name: &str| {
        measure(name, || {
            store.snapshot().get(&hot())?;
            Ok(())
        })
    };
    read("get 10,000 appends of 8 bytes, in memory")?;
    store.flush()?;
    read("get 10,000 appends of 8 bytes, flushed")
}

fn scope() -> Hash128 {
    Hash128::from_bytes([7; 16])
}

fn fill(store: &RocksStore) -> Outcome<()> {
    let row = ParkedRow {
        reason: "0123456789abcdef".repeat(10),
        behind: Some(1),
        subject: "0123456789".to_owned(),
        ingestion: None,
    };
    let (start, mut next) = (Instant::now(), 0);
    let mut commits = Vec::new();
    while next < ROWS {
        let mut writes = WriteSet::default();
        (next..next + BATCH).for_each(|seq| writes.put(key::parked(Seq::new(seq)), &row));
        let begun = Instant::now();
        store.commit(&writes)?;
        commits.push(begun.elapsed().as_secs_f64() * 1e6);
        next += BATCH;
    }
    let rate = ROWS as f64 / start.elapsed().as_secs_f64();
    println!("{rate:8.0} rows/s in commits of {BATCH}");
    report("commit 1,000 puts", commits);
    Ok(())
}

fn append(store: &RocksStore) -> Outcome<()> {
    let mut commits = Vec::new();
    for ordinal in 0..APPENDS {
        let mut writes = WriteSet::default();
        let posting = Posting {
            ordinal,
            tf: 1,
            terms: 9,
        };
        let at = key::posting_chunk(&scope(), "hot", 0);
        writes.append(at, &posting.bytes());
        let begun = Instant::now();
        store.commit(&writes)?;
        commits.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    report("commit 8 bytes to one value", commits);
    Ok(())
}

fn scan(store: &RocksStore, prefix: &Prefix, mut rows: u32) -> Outcome<()> {
    store.snapshot().scan(prefix, &mut |_, _| {
        rows -= 1;
        if rows == 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    Ok(())
}

fn measure(name: &str, mut operation: impl FnMut() -> Outcome<()>) -> Outcome<()> {
    let mut took = Vec::with_capacity(READS);
    for _ in 0..READS {
        let begun = Instant::now();
        operation()?;
        took.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    report(name, took);
    Ok(())
}

fn report(name: &str, mut took_us: Vec<f64>) {
    took_us.sort_unstable_by(f64::total_cmp);
    let at = |share: usize| took_us.get(took_us.len() * share / 100).unwrap_or(&0.0);
    println!("{:8.1} µs p50 {:8.1} µs p99  {name}", at(50), at(99));
}
