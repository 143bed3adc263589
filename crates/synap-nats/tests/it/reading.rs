//! Reading: gaps show, replaced streams are refused, large events come through, and it is not slow.

use crate::support::{HERE, Server, append_all};
use futures::StreamExt as _;
use synap_log::contract::event;
use synap_log::{EventLog, ReadError};
use synap_types::Seq;
use synap_types::limits::EVENT_BYTES_MAX;
use tokio::time::{Duration, timeout};

async fn seqs(log: &impl EventLog, from: u64, count: usize) -> Vec<u64> {
    let events = log.read(HERE, Seq::new(from)).take(count);
    events.map(|event| event.unwrap().seq.get()).collect().await
}

#[tokio::test]
async fn deleted_events_show_as_gaps_and_only_they() {
    let server = Server::new().await;
    let log = server.log().await;
    append_all(&log, (0..6).map(|n| n.to_string())).await;
    let stream = server
        .jetstream()
        .await
        .get_stream("SYNAP_EVENTS_00")
        .await
        .unwrap();
    stream.delete_message(1).await.unwrap();
    stream.delete_message(4).await.unwrap();
    assert_eq!(seqs(&log, 1, 4).await, [2, 3, 5, 6]);
    assert_eq!(seqs(&log, 4, 2).await, [5, 6]);
    let state = log.state(HERE).await.unwrap();
    assert_eq!((state.first, state.last), (Seq::new(2), Seq::new(6)));
    stream.purge().await.unwrap();
    let state = log.state(HERE).await.unwrap();
    assert_eq!((state.first, state.last), (Seq::new(7), Seq::new(6)));
    log.append(event(HERE, "after the purge")).await.unwrap();
    assert_eq!(seqs(&log, 1, 1).await, [7]);
}

#[tokio::test]
async fn the_newest_event_is_one_that_is_there_however_large() {
    let server = Server::new().await;
    let log = server.log().await;
    let newest = || async { log.newest(HERE).await.unwrap().get() };
    assert_eq!(newest().await, 0, "of an empty log");
    append_all(&log, (0..3).map(|n| n.to_string())).await;
    let mut large = event(HERE, "large");
    large.payload = vec![b' '; EVENT_BYTES_MAX].into();
    log.append(large).await.unwrap();
    assert_eq!(newest().await, 4);
    let jetstream = server.jetstream().await;
    let stream = jetstream.get_stream("SYNAP_EVENTS_00").await.unwrap();
    for (deleted, left) in [(2, 4), (4, 3), (3, 1)] {
        stream.delete_message(deleted).await.unwrap();
        assert_eq!(newest().await, left);
    }
    stream.purge().await.unwrap();
    assert_eq!(newest().await, 0);
}

#[tokio::test]
async fn a_log_that_ends_before_the_reader_is_an_error() {
    let server = Server::new().await;
    let log = server.log().await;
    log.append(event(HERE, "a")).await.unwrap();
    let found = timeout(Duration::from_secs(2), log.read(HERE, Seq::new(3)).next()).await;
    assert!(matches!(found, Ok(Some(Err(ReadError::Unavailable(_))))));
}

#[tokio::test]
async fn a_stream_that_was_replaced_is_an_error_for_who_reads_it() {
    let server = Server::new().await;
    let log = server.log().await;
    let before = log.append(event(HERE, "a")).await.unwrap();
    let mut tail = log.read(HERE, Seq::new(1));
    tail.next().await.unwrap().unwrap();
    let jetstream = server.jetstream().await;
    let mut config = jetstream
        .get_stream("SYNAP_EVENTS_00")
        .await
        .unwrap()
        .cached_info()
        .config
        .clone();
    config.metadata.retain(|key, _| key.starts_with("synap."));
    jetstream.delete_stream("SYNAP_EVENTS_00").await.unwrap();
    jetstream.create_stream(config).await.unwrap();
    assert_ne!(
        log.state(HERE).await.unwrap().incarnation,
        before.incarnation
    );
    log.append(event(HERE, "b")).await.unwrap();
    log.append(event(HERE, "c")).await.unwrap();
    let found = timeout(Duration::from_secs(20), tail.next()).await.unwrap();
    assert!(
        matches!(found, Some(Err(ReadError::Unavailable(_)))),
        "{found:?}"
    );
    assert!(tail.next().await.is_none(), "after an error a stream ends");
}

#[tokio::test]
async fn a_thousand_events_and_more_come_through_in_order() {
    let server = Server::new().await;
    let log = server.log().await;
    append_all(&log, (0..2_500).map(|n| n.to_string())).await;
    let found = seqs(&log, 1, 2_500).await;
    assert!(found.into_iter().eq(1..=2_500));
}

#[tokio::test]
async fn large_events_come_through_in_order() {
    let server = Server::new().await;
    let log = server.log().await;
    for n in 0..8 {
        let mut large = event(HERE, &n.to_string());
        large.payload = vec![b'0' + n; 5 * 1024 * 1024].into();
        log.append(large).await.unwrap();
    }
    assert_eq!(seqs(&log, 1, 8).await, [1, 2, 3, 4, 5, 6, 7, 8]);
}
