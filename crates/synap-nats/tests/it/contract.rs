//! The port's contract over real streams, in each way of appending; and what the contract leaves to the adapter.

use crate::support::{HERE, Server, append_all, log_options};
use futures::{StreamExt as _, future};
use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;
use synap_log::contract::{self, event};
use synap_log::{
    AppendError, Appended, Durability, Erasure, EventLog, LogState, NewEvent, ReadError,
    RecordedStream,
};
use synap_nats::JetStreamLog;
use synap_types::{Partition, Seq};

/// A log and the server that it is on.
struct Fresh {
    log: JetStreamLog,
    _server: Server,
}

impl Deref for Fresh {
    type Target = JetStreamLog;

    fn deref(&self) -> &JetStreamLog {
        &self.log
    }
}

impl EventLog for Fresh {
    async fn append(&self, event: NewEvent) -> Result<Appended, AppendError> {
        self.log.append(event).await
    }

    fn read(&self, partition: Partition, from: Seq) -> RecordedStream {
        self.log.read(partition, from)
    }

    async fn state(&self, partition: Partition) -> Result<LogState, ReadError> {
        self.log.state(partition).await
    }

    fn select(&self, partition: Partition, filters: Vec<String>) -> RecordedStream {
        self.log.select(partition, filters)
    }

    async fn erase(&self, partition: Partition, erasure: Erasure) -> Result<(), AppendError> {
        self.log.erase(partition, erasure).await
    }

    async fn erasures(&self, partition: Partition) -> Result<Vec<Erasure>, ReadError> {
        self.log.erasures(partition).await
    }

    fn durability(&self) -> Durability {
        self.log.durability()
    }
}

async fn fresh(batch_from: Option<usize>) -> Fresh {
    let server = Server::new().await;
    let mut options = log_options();
    options.batch_from = batch_from;
    Fresh {
        log: JetStreamLog::open(&server.connection, options)
            .await
            .unwrap(),
        _server: server,
    }
}

#[tokio::test]
async fn keeps_the_contract() {
    contract::run(|| fresh(None)).await;
}

#[tokio::test]
async fn keeps_the_contract_with_batches_of_two() {
    contract::run(|| fresh(Some(2))).await;
}

#[tokio::test]
async fn keeps_the_contract_without_batches() {
    contract::run(|| fresh(Some(usize::MAX))).await;
}

#[tokio::test]
async fn keeps_the_contract_on_two_threads() {
    tokio::task::spawn_blocking(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(contract::run(|| fresh(None)));
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_group_with_known_events_stores_the_others_and_names_every_place() {
    let log = fresh(Some(2)).await;
    let before = append_all(&log, (0..10).map(|n| format!("e{n}"))).await;
    let seqs = |acks: &[Appended]| acks.iter().map(|ack| ack.seq).collect::<Vec<_>>();
    // Keeps the task busy, so that the next ones are one group.
    let (_, after) = future::join(
        log.append(event(HERE, "first")),
        append_all(&log, (0..300).map(|n| format!("e{n}"))),
    )
    .await;
    assert_eq!(
        seqs(&after[..10]),
        seqs(&before),
        "known events keep their places"
    );
    assert!(after[..10].iter().all(|ack| ack.duplicate));
    assert!(after[10..].iter().all(|ack| !ack.duplicate));
    let places: BTreeSet<Seq> = after.iter().map(|ack| ack.seq).collect();
    assert_eq!(places.len(), 300, "no two events share a place");
    assert_eq!(log.state(HERE).await.unwrap().last, Seq::new(301));
    let found: Vec<_> = log.read(HERE, Seq::new(1)).take(301).collect().await;
    for (n, ack) in after.iter().enumerate() {
        let at = usize::try_from(ack.seq.get()).unwrap() - 1;
        let found = found[at].as_ref().unwrap();
        assert_eq!(found.payload, event(HERE, &format!("e{n}")).payload);
    }
}

#[tokio::test]
async fn an_append_goes_on_when_its_caller_goes_away() {
    let log = fresh(None).await;
    let log = Arc::new(log);
    let task = tokio::spawn({
        let log = Arc::clone(&log);
        async move { log.append(event(HERE, "gone")).await }
    });
    tokio::task::yield_now().await;
    task.abort();
    let next = log.append(event(HERE, "next")).await.unwrap();
    let again = log.append(event(HERE, "gone")).await.unwrap();
    assert!(again.duplicate, "it was stored before");
    assert!(again.seq < next.seq);
}

#[tokio::test]
async fn an_event_over_the_servers_limit_is_too_large() {
    let log = fresh(None).await;
    let mut large = event(HERE, "large");
    large.payload = vec![b' '; 8 * 1024 * 1024].into();
    let answer = log.append(large.clone()).await;
    assert!(
        matches!(answer, Err(AppendError::TooLarge { .. })),
        "{answer:?}"
    );
    large.payload = vec![b' '; 7 * 1024 * 1024].into();
    let seq = log.append(large.clone()).await.unwrap().seq;
    let found = log.read(HERE, seq).next().await.unwrap().unwrap();
    assert_eq!(found.payload, large.payload);
}

#[tokio::test]
async fn a_closed_log_answers_what_it_took_and_takes_no_more() {
    let log = fresh(None).await;
    let appends = append_all(&log, (0..50).map(|n| n.to_string()));
    let closing = async {
        tokio::task::yield_now().await;
        log.close().await;
    };
    assert_eq!(future::join(appends, closing).await.0.len(), 50);
    let late = log.append(event(HERE, "late")).await;
    assert!(matches!(late, Err(AppendError::Unavailable(_))), "{late:?}");
    assert_eq!(log.state(HERE).await.unwrap().last, Seq::new(50));
}

#[tokio::test]
async fn a_batch_of_large_events_is_stored_whole() {
    let log = fresh(Some(2)).await;
    let events: Vec<NewEvent> = (0..40_u8)
        .map(|n| NewEvent {
            payload: vec![b'0' + n; 400 * 1024].into(),
            ..event(HERE, &n.to_string())
        })
        .collect();
    let acks = future::join_all(events.iter().map(|event| log.append(event.clone()))).await;
    for (event, ack) in events.iter().zip(acks) {
        let found = log.read(HERE, ack.unwrap().seq).next().await;
        assert!(found.unwrap().unwrap().payload == event.payload);
    }
}
