//! Replays of a log into fresh rows, beside their floors in the same run, and what the past costs:
//! `cargo bench -p synap-it --bench replay [-- EVENTS]`. A million events take about ten minutes.
//!
//! Floors: (a) the same messages by the client library's ordered consumer, and (b) that and RocksDB batches of as many rows
//! and bytes in the same tables as the replay wrote, batch by batch. Wants a nats-server, as the tests do. Asserts nothing
//! about time.

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
mod mix;
mod words;

use async_nats::jetstream::{self, consumer::pull::OrderedConfig};
use fetching::at;
use futures::{StreamExt as _, TryStreamExt as _};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use synap_log::{EventLog as _, Incarnation, NewEvent, Recorded};
use synap_nats::{
    ConnectSettings, EmbeddedOptions, EmbeddedServer, JetStreamLog, Launcher, LogOptions,
    ServerSearch, connect,
};
use synap_projection::{fold, turn};
use synap_query::{Means, Ranking, ScopeView, as_of, fetch};
use synap_readmodel::{Key, ReadStore, StoreError, Table, Write, WriteSet};
use synap_rocksdb::{RocksSnapshot, RocksStore, SharedMemory, StoreOptions};
use synap_types::{
    AsOf, Event, EventSubject, FetchRequest, IdempotencyKey, Partition, PartitionCount, Scope, Seq,
    Timestamp,
};
use words::Words;

const HERE: Partition = Partition::Numbered(0);
const STREAM: &str = "SYNAP_EVENTS_00";
const EVENTS: u64 = 200_000;
/// Appends that are under way at a time while the log is filled.
const FILL_AT_ONCE: usize = 4_000;
/// Memories of the scope whose past is asked for, and of how many one is superseded.
const PAST_MEMORIES: u64 = 100_000;
const SUPERSEDED: (u64, u64) = (3, 10);
/// Events of one turn there.
const TURN: u64 = 1_000;
/// Fetches of each kind; those before do not count.
const CALLS: u64 = 400;
const WARM_UP: u64 = 20;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    replays().await;
    past();
}

async fn replays() {
    let events = std::env::args().find_map(|argument| argument.parse().ok());
    let events: u64 = events.unwrap_or(EVENTS);
    let folder = tempfile::tempdir().unwrap();
    let (server, log) = open(&folder.path().join("nats")).await;
    let bytes = fill(&log, events).await;
    println!("{events} events, {} bytes each", bytes / events);
    println!(
        "{:<58} {:>10} {:>9} {:>9}",
        "", "events/s", "MB/s", "of cores"
    );

    let span = raw(&server.url(), events, |_| ()).await;
    let floor_a = span.print("floor (a): ordered consumer", events, bytes);
    let started = Span::start();
    let read = log.read(HERE, Seq::new(1)).take(events as usize);
    read.try_for_each(async |_| Ok(())).await.unwrap();
    started.end().print(
        "the log's own reader, which checks digests and gaps",
        events,
        bytes,
    );

    let store = |name: &str| {
        let options = StoreOptions::sharing(SharedMemory::default());
        RocksStore::open(&folder.path().join(name), &options).unwrap()
    };
    let rows = Arc::new(Counted::new(store("replay")));
    let mut resident = Vec::new();
    let bar = bar("replaying", events);
    let started = Span::start();
    let report = |at: Seq, _| {
        bar.set_position(at.get());
        if at.get() * 10 / events >= resident.len() as u64 {
            resident.push(resident_mb());
        }
    };
    fold(&log, &rows, HERE, Seq::new(events), report)
        .await
        .unwrap();
    let replay = started.end();
    bar.finish_and_clear();
    let commits = rows.commits.lock().unwrap().clone();
    let (written, volume) = sums(&commits);

    let floor = store("floor");
    let mut commits = Commits::new(&commits, events);
    let span = raw(&server.url(), events, |at| commits.upto(at, &floor)).await;
    let floor_b = span.print(
        "floor (b): (a), and RocksDB batches of the same rows",
        events,
        bytes,
    );
    let rate = replay.print("replay", events, bytes);
    println!(
        "\nreplay: {:.0} % of (a), {:.0} % of (b); {:.1} rows and {:.0} bytes of rows for an event; 10 million events: {:.0} min",
        100.0 * rate / floor_a,
        100.0 * rate / floor_b,
        written as f64 / events as f64,
        volume as f64 / events as f64,
        10e6 / rate / 60.0
    );
    println!("resident at each tenth, in MB: {resident:?}");
    log.close().await;
}

/// An empty log on a nats-server of its own.
async fn open(folder: &Path) -> (EmbeddedServer, JetStreamLog) {
    let dies_with_us = ["setpriv", "--pdeathsig", "KILL", "--"].map(Into::into);
    let server = EmbeddedServer::start(EmbeddedOptions {
        folder: folder.to_owned(),
        launcher: Launcher::Prefixed(dies_with_us.into()),
        search: ServerSearch::from_env(),
    });
    let server = server.await.unwrap();
    let settings = ConnectSettings::new(server.url(), "bench");
    let connection = connect(&settings).await.unwrap();
    let options = LogOptions {
        assume_sync_always: true,
        ..LogOptions::new(PartitionCount::ONE)
    };
    let log = JetStreamLog::open(&connection, options).await.unwrap();
    (server, log)
}

/// Appends the mix; answers its bytes.
async fn fill(log: &JetStreamLog, events: u64) -> u64 {
    let bar = bar("filling the log", events);
    let mut words = Words::new(7);
    let appends = (0..events).map(|number| {
        let event = mix::event(number, &mut words);
        let new = new_event(&event);
        let (log, bar, bytes) = (log.clone(), bar.clone(), new.payload.len() as u64);
        async move {
            log.append(new).await.unwrap();
            bar.inc(1);
            bytes
        }
    });
    // In order, so that versions and turns stand as they were said.
    let bytes = futures::stream::iter(appends).buffered(FILL_AT_ONCE);
    let bytes = bytes.fold(0, async |sum, bytes| sum + bytes).await;
    bar.finish_and_clear();
    bytes
}

fn new_event(event: &Event) -> NewEvent {
    NewEvent {
        id: event.id,
        partition: HERE,
        subject: EventSubject::of(HERE, event),
        payload: event.to_json().into(),
    }
}

/// Reads the stream by the library's ordered consumer, and shows every event's number to `work`.
async fn raw(url: &str, events: u64, mut work: impl FnMut(u64)) -> Span {
    let client = async_nats::connect(url).await.unwrap();
    let context = jetstream::new(client);
    let stream = context.get_stream(STREAM).await.unwrap();
    let started = Span::start();
    let consumer = stream
        .create_consumer(OrderedConfig::default())
        .await
        .unwrap();
    let mut messages = consumer.messages().await.unwrap();
    for number in 1..=events {
        let message = messages.next().await.unwrap().unwrap();
        std::hint::black_box(&message.payload);
        work(number);
    }
    started.end()
}

/// A stretch of time and what this process worked in it.
#[derive(Debug, Clone, Copy)]
struct Span {
    started: Instant,
    worked: f64,
    took: f64,
}

impl Span {
    fn start() -> Self {
        Self {
            started: Instant::now(),
            worked: processor_seconds(),
            took: 0.0,
        }
    }

    fn end(self) -> Self {
        Self {
            took: self.started.elapsed().as_secs_f64(),
            worked: processor_seconds() - self.worked,
            ..self
        }
    }

    /// Prints a line; answers the events a second.
    fn print(self, what: &str, events: u64, bytes: u64) -> f64 {
        let rate = events as f64 / self.took;
        println!(
            "{what:<58} {rate:>10.0} {:>9.1} {:>9.2}",
            bytes as f64 / self.took / 1e6,
            self.worked / self.took
        );
        rate
    }
}

/// Seconds that this process has run on any core, as Linux counts them, in hundredths.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

fn resident_mb() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096 / 1_000_000
}

fn bar(what: &str, events: u64) -> ProgressBar {
    let template = "{msg} {wide_bar} {percent} %, {per_sec}, {eta}";
    ProgressBar::new(events)
        .with_message(what.to_owned())
        .with_style(ProgressStyle::with_template(template).unwrap())
}

/// Rows, bytes of their keys, and bytes of their values.
type Volume = (u64, u64, u64);

/// A store that notes what is written to it, commit by commit and table by table.
struct Counted {
    store: RocksStore,
    commits: Mutex<Vec<BTreeMap<Table, Volume>>>,
}

impl Counted {
    fn new(store: RocksStore) -> Self {
        Self {
            store,
            commits: Mutex::default(),
        }
    }
}

impl ReadStore for Counted {
    type Snapshot<'a> = RocksSnapshot<'a>;

    fn snapshot(&self) -> RocksSnapshot<'_> {
        self.store.snapshot()
    }

    fn commit(&self, writes: &WriteSet) -> Result<(), StoreError> {
        let mut volumes: BTreeMap<Table, Volume> = BTreeMap::new();
        for (key, write) in writes.iter() {
            let (rows, keys, values) = volumes.entry(key.table()).or_default();
            let bytes = match write {
                Write::Put(bytes) | Write::Append(bytes) => bytes.len(),
                Write::Delete => 0,
            };
            (*rows, *keys, *values) = (
                *rows + 1,
                *keys + key.bytes().len() as u64,
                *values + bytes as u64,
            );
        }
        self.commits.lock().unwrap().push(volumes);
        self.store.commit(writes)
    }

    fn disk_bytes(&self) -> u64 {
        self.store.disk_bytes()
    }
}

fn sums(commits: &[BTreeMap<Table, Volume>]) -> (u64, u64) {
    let all = commits.iter().flat_map(BTreeMap::values);
    all.fold((0, 0), |(rows, bytes), (more, keys, values)| {
        (rows + more, bytes + keys + values)
    })
}

/// Commits of the same volume, spread evenly over the events.
struct Commits<'a> {
    volumes: &'a [BTreeMap<Table, Volume>],
    events: u64,
    done: usize,
    keys: Words,
}

impl<'a> Commits<'a> {
    fn new(volumes: &'a [BTreeMap<Table, Volume>], events: u64) -> Self {
        Self {
            volumes,
            events,
            done: 0,
            keys: Words::new(3),
        }
    }

    fn upto(&mut self, event: u64, store: &RocksStore) {
        while (self.done as u64) < event * self.volumes.len() as u64 / self.events {
            let mut writes = WriteSet::default();
            for (table, (rows, keys, values)) in &self.volumes[self.done] {
                for _ in 0..*rows {
                    let mut key = vec![0; ((keys / rows) as usize).max(24)];
                    for part in key.chunks_mut(8) {
                        let random = self.keys.next().to_be_bytes();
                        part.copy_from_slice(&random[..part.len()]);
                    }
                    writes.put_stored(Key::stored(*table, &key), vec![7; (values / rows) as usize]);
                }
            }
            store.commit(&writes).unwrap();
            self.done += 1;
        }
    }
}

/// A fetch as of a past event beside the same one now, in a scope of many memories of which some are superseded.
fn past() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions::sharing(SharedMemory::default());
    let store = RocksStore::open(folder.path(), &options).unwrap();
    let scope = Scope::of_client("app".parse().unwrap());
    let mut words = Words::new(1);
    let (again, of) = SUPERSEDED;
    // Every memory is a document; then the first ones get a second version.
    let all = PAST_MEMORIES * (of - again) / of;
    for first in (0..PAST_MEMORIES).step_by(TURN as usize) {
        let events: Vec<Recorded> = (first..(first + TURN).min(PAST_MEMORIES))
            .map(|number| version(&scope, number, all, &mut words))
            .collect();
        let turn = turn(HERE, Incarnation(1), &store.snapshot(), &events).unwrap();
        store.commit(&turn.writes).unwrap();
    }
    println!(
        "\n{PAST_MEMORIES} memories in one scope, {} of them superseded\n{:<34} {:>12} {:>12} {:>8} {:>12} {:>12} {:>8}",
        PAST_MEMORIES - all,
        "",
        "live p50",
        "as of p50",
        "ratio",
        "live p99",
        "as of p99",
        "ratio"
    );
    let then = AsOf::Time(Timestamp::from_micros(time_of(all)));
    for (name, ranks) in [
        ("a rare word", &[3_500][..]),
        ("the most common word", &[1]),
        ("three common words", &[1, 2, 3]),
        ("eight words", &[1, 5, 20, 80, 300, 900, 2_000, 3_900]),
    ] {
        let query = ranks.iter().copied().map(Words::named);
        let query = query.collect::<Vec<_>>().join(" ");
        let (live, past) = (
            fetches(&store, &request(&scope, &query, None)),
            fetches(&store, &request(&scope, &query, Some(then))),
        );
        let (live, past) = (
            [at(&live, 50), at(&live, 99)],
            [at(&past, 50), at(&past, 99)],
        );
        println!(
            "{name:<34} {:>9.0} µs {:>9.0} µs {:>8.2} {:>9.0} µs {:>9.0} µs {:>8.2}",
            live[0],
            past[0],
            past[0] / live[0],
            live[1],
            past[1],
            past[1] / live[1]
        );
    }
}

/// Microseconds since 1970 at which the event of this number was accepted.
const fn time_of(number: u64) -> i64 {
    1_750_000_000_000_000 + number.cast_signed() * 1_000
}

fn version(scope: &Scope, number: u64, documents: u64, words: &mut Words) -> Recorded {
    let id = IdempotencyKey::Caller(number.to_string()).event_id(scope);
    let name = format!("doc-{}", number % documents);
    let text = words.sentence(6 + (number * 7 % 15) as usize);
    let event = Event {
        id,
        time: Timestamp::from_micros(time_of(number)),
        body: mix::document(scope, id, &name, text),
    };
    Recorded {
        seq: Seq::new(number + 1),
        subject: EventSubject::of(HERE, &event).to_string(),
        payload: event.to_json().into(),
    }
}

/// Microseconds of each fetch, sorted.
fn fetches(store: &RocksStore, request: &FetchRequest) -> Vec<f64> {
    let mut took = Vec::new();
    for call in 0..WARM_UP + CALLS {
        let started = Instant::now();
        let rows = store.snapshot();
        let current = ScopeView::new(request.scope.clone(), &rows).unwrap();
        let views = match request.as_of {
            Some(then) => {
                let now = Timestamp::from_micros(time_of(PAST_MEMORIES));
                as_of(then, now, vec![(HERE, current)]).unwrap()
            }
            None => vec![current],
        };
        let answer = fetch(request, &views, Means::of(&Ranking::default()), false).unwrap();
        assert!(!answer.items.is_empty());
        if call >= WARM_UP {
            took.push(started.elapsed().as_secs_f64() * 1e6);
        }
    }
    took.sort_by(f64::total_cmp);
    took
}

fn request(scope: &Scope, query: &str, as_of: Option<AsOf>) -> FetchRequest {
    FetchRequest {
        as_of,
        ..fetching::request(scope, query)
    }
}
