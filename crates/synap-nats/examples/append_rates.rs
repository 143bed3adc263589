//! Measures appends per second with `sync_interval: always`, 1 KiB: the bare client one by one, then the log with N
//! callers at the same time, as single publishes, as batches whenever two wait, and as it decides by itself.
//!
//! `cargo run --release -p synap-nats --example append_rates [SECONDS_PER_FIGURE] [FOLDER]`
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for people who measure"
)]

use async_nats::jetstream;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::join_all;
use std::path::PathBuf;
use std::time::Duration;
use synap_log::contract::event;
use synap_log::{EventLog as _, NewEvent};
use synap_nats::{
    ConnectSettings, Connection, EmbeddedOptions, EmbeddedServer, JetStreamLog, Launcher,
    LogOptions, ServerSearch, connect,
};
use synap_types::{Partition, PartitionCount, Seq};
use tokio::time::Instant;

const PAYLOAD_BYTES: usize = 1024;
const HERE: Partition = Partition::Numbered(0);

/// What one figure is made of.
#[derive(Default)]
struct Figure {
    took: Vec<Duration>,
}

impl Figure {
    fn print(mut self, what: &str, over: Duration) {
        self.took.sort_unstable();
        let count = self.took.len();
        let at = |part: usize| {
            let took = self
                .took
                .get((count * part / 100).min(count.saturating_sub(1)));
            took.map_or(0, Duration::as_micros)
        };
        let rate = u128::try_from(count).unwrap() * 1_000_000 / over.as_micros();
        println!(
            "{what:<38} {rate:>7}/s   p50 {:>7} us   p99 {:>7} us",
            at(50),
            at(99)
        );
    }
}

fn next_event(name: &str) -> NewEvent {
    let mut event = event(HERE, name);
    event.payload = Bytes::from(vec![b'x'; PAYLOAD_BYTES]);
    event
}

async fn bare(connection_url: &str, seconds: Duration) {
    let client = async_nats::connect(connection_url).await.unwrap();
    let context = jetstream::new(client);
    let stream = jetstream::stream::Config {
        name: "BARE".to_owned(),
        subjects: vec!["bare".to_owned()],
        num_replicas: 1,
        ..jetstream::stream::Config::default()
    };
    context.create_stream(stream).await.unwrap();
    let (start, mut figure) = (Instant::now(), Figure::default());
    while start.elapsed() < seconds {
        let asked = Instant::now();
        let payload = Bytes::from(vec![b'x'; PAYLOAD_BYTES]);
        context
            .publish("bare", payload)
            .await
            .unwrap()
            .await
            .unwrap();
        figure.took.push(asked.elapsed());
    }
    figure.print("bare async-nats, one by one", start.elapsed());
}

async fn callers(log: &JetStreamLog, what: &str, callers: usize, seconds: Duration) {
    let start = Instant::now();
    let all = join_all((0..callers).map(|caller| async move {
        let mut took = Vec::new();
        while start.elapsed() < seconds {
            let event = next_event(&format!("{what}-{callers}-{caller}-{}", took.len()));
            let asked = Instant::now();
            if log.append(event).await.is_ok() {
                took.push(asked.elapsed());
            }
        }
        took
    }))
    .await;
    let figure = Figure {
        took: all.into_iter().flatten().collect(),
    };
    figure.print(&format!("{what}, {callers} callers"), start.elapsed());
}

/// Reads all that was appended.
async fn replay(connection: &Connection) {
    let log = open(connection, None).await;
    let last = log.state(HERE).await.unwrap().last.get();
    let start = Instant::now();
    let events = log.read(HERE, Seq::new(1));
    let events = events.take(usize::try_from(last).unwrap());
    let count = events.map(Result::unwrap).count().await;
    let rate = u128::try_from(count).unwrap() * 1_000_000 / start.elapsed().as_micros();
    println!("replay of {count} events {rate:>20}/s");
    log.close().await;
}

async fn open(connection: &Connection, batch_from: Option<usize>) -> JetStreamLog {
    let options = LogOptions {
        assume_sync_always: true,
        batch_from,
        ..LogOptions::new(PartitionCount::ONE)
    };
    JetStreamLog::open(connection, options).await.unwrap()
}

#[tokio::main]
async fn main() {
    let mut words = std::env::args().skip(1);
    let seconds = words.next().map_or(3, |word| word.parse().unwrap());
    let seconds = Duration::from_secs(seconds);
    let folder = words.next().map_or_else(
        || std::env::temp_dir().join(format!("append_rates-{}", std::process::id())),
        PathBuf::from,
    );
    let server = EmbeddedServer::start(EmbeddedOptions {
        folder: folder.clone(),
        launcher: Launcher::Direct,
        search: ServerSearch::from_env(),
    })
    .await
    .unwrap();
    let connection = connect(&ConnectSettings::new(server.url(), "append_rates"))
        .await
        .unwrap();
    let modes = [
        ("singles", Some(usize::MAX)),
        ("batches", Some(2)),
        ("as decided", None),
    ];
    for (name, batch_from) in modes {
        let log = open(&connection, batch_from).await;
        bare(&server.url(), seconds).await;
        for count in [1, 4, 16, 20, 24, 32, 64, 256, 1_000] {
            callers(&log, name, count, seconds).await;
        }
        log.close().await;
    }
    replay(&connection).await;
    server.shutdown().await;
    std::fs::remove_dir_all(folder).unwrap();
}
