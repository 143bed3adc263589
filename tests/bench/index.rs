//! Fetches from one growing scope, and turns that grow it, in RocksDB and without a server:
//! `cargo bench -p synap-it --bench index [-- MEMORIES_MAX]`.
//!
//! Each fetch stands beside its floor in the same run: a scan of all postings of its words. On a machine that does other
//! things as well, processor time says more than p50 and p99. Asserts nothing about time.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a measuring program: it reads the clock, prints, and stops at the first surprise"
)]

mod fetching;
mod words;

use fetching::{at, request};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};
use synap_log::{Incarnation, Recorded};
use synap_projection::turn;
use synap_query::{Means, Ranking, ScopeView, fetch};
use synap_readmodel::{ReadStore as _, Snapshot as _, key};
use synap_rocksdb::{RocksStore, SharedMemory, StoreOptions};
use synap_text::terms;
use synap_types::{
    Author, Content, DocumentType, Event, EventBody, EventSubject, IdempotencyKey, IngestionId,
    MemoryIngested, Partition, Scope, Seq, Timestamp,
};
use words::Words;

const HERE: Partition = Partition::Numbered(0);
/// Memories at which it is measured.
const SIZES: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// Events of one turn, as when a log is caught up with.
const TURN: u64 = 1_000;
/// Fetches of one kind; those before do not count.
const CALLS: usize = 400;
const WARM_UP: usize = 20;

fn main() {
    let most = std::env::args().find_map(|argument| argument.parse().ok());
    let most: u64 = most.unwrap_or(u64::MAX);
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions::sharing(SharedMemory::default());
    let store = RocksStore::open(dir.path(), &options).unwrap();
    let scope = Scope::of_client("app".parse().unwrap());
    let (mut words, mut done) = (Words::new(1), 0);
    for size in SIZES.into_iter().filter(|size| *size <= most) {
        // Generating the events does not count.
        let (mut took, before) = (Duration::ZERO, done);
        while done < size {
            let events = (done..done + TURN).map(|number| event(&scope, number, &mut words));
            let events: Vec<Recorded> = events.collect();
            let started = Instant::now();
            let turn = turn(HERE, Incarnation(1), &store.snapshot(), &events).unwrap();
            store.commit(&turn.writes).unwrap();
            took += started.elapsed();
            done += TURN;
        }
        println!(
            "\n{size} memories, {:.0} MB on disk; {:.0} events/s since {before}",
            store.disk_bytes() as f64 / 1e6,
            (done - before) as f64 / took.as_secs_f64()
        );
        println!(
            "{:<34} {:>9} {:>10} {:>10} {:>10} {:>12} {:>10}",
            "", "matches", "p50", "p99", "processor", "floor p50", "floor"
        );
        for (name, ranks) in [
            ("a rare word", &[3_500][..]),
            ("the most common word", &[1]),
            ("three common words", &[1, 2, 3]),
            ("a rare and two common words", &[3_500, 1, 2]),
            ("eight words", &[1, 5, 20, 80, 300, 900, 2_000, 3_900]),
            ("no query", &[]),
        ] {
            report(name, &store, &scope, ranks);
        }
    }
}

/// One memory of six to twenty words.
fn event(scope: &Scope, number: u64, words: &mut Words) -> Recorded {
    let text = words.sentence(6 + (number * 7 % 15) as usize);
    let id = IdempotencyKey::Caller(number.to_string()).event_id(scope);
    let body = MemoryIngested {
        ingestion_id: IngestionId::new(id.uuid()),
        scope: scope.clone(),
        document_id: format!("doc-{number}").parse().unwrap(),
        document_type: DocumentType::DOCUMENT.parse().unwrap(),
        content: Content::Text(text),
        document_created_at: None,
        metadata: serde_json::Map::new(),
        author: Author {
            instance_id: "inst".parse().unwrap(),
            key_id: "key".to_owned(),
        },
    };
    let event = Event {
        id,
        time: Timestamp::from_micros(1_000_000),
        body: EventBody::MemoryIngested(Box::new(body)),
    };
    Recorded {
        seq: Seq::new(number + 1),
        subject: EventSubject::of(HERE, &event).to_string(),
        payload: event.to_json().into(),
    }
}

fn report(name: &str, store: &RocksStore, scope: &Scope, ranks: &[u64]) {
    let query = ranks.iter().copied().map(Words::named);
    let query = query.collect::<Vec<_>>().join(" ");
    let asked = request(scope, &query);
    let (mut matches, before) = (0, processor_time());
    let fetched = times(|| {
        let rows = store.snapshot();
        let views = [ScopeView::new(scope.clone(), &rows).unwrap()];
        let answer = fetch(&asked, &views, Means::of(&Ranking::default()), false).unwrap();
        matches = answer.scopes.iter().map(|scope| scope.candidates).sum();
    });
    let mean = (processor_time() - before) / (WARM_UP + CALLS) as f64;
    let (mut bytes, mut sum) = (0, 0_u8);
    let floor = times(|| {
        let rows = store.snapshot();
        bytes = 0;
        for term in terms(&query) {
            let mut read = |_: &[u8], value: &[u8]| {
                bytes += value.len();
                sum = value.iter().fold(sum, |sum, byte| sum ^ byte);
                ControlFlow::Continue(())
            };
            rows.scan(&key::postings(&scope.hash(), &term), &mut read)
                .unwrap();
        }
    });
    std::hint::black_box(sum);
    println!(
        "{name:<34} {matches:>9} {:>7.0} µs {:>7.0} µs {mean:>7.0} µs {:>9.0} µs {:>7} kB",
        at(&fetched, 50),
        at(&fetched, 99),
        at(&floor, 50),
        bytes / 1_000
    );
}

/// Microseconds that this thread has run, as Linux counts them.
fn processor_time() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos: Option<f64> = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    nanos.unwrap_or_default() / 1e3
}

/// Microseconds of each call, sorted.
fn times(mut call: impl FnMut()) -> Vec<f64> {
    (0..WARM_UP).for_each(|_| call());
    let mut took: Vec<f64> = (0..CALLS)
        .map(|_| {
            let started = Instant::now();
            call();
            started.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    took.sort_by(f64::total_cmp);
    took
}
