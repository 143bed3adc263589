//! Streams that are not as they have to be are refused, and say why.

use crate::support::{Server, log_options};
use async_nats::jetstream::stream::Config;
use std::time::Duration;
use synap_log::{Durability, EventLog as _};
use synap_nats::{Inbox, JetStreamLog, LogOptions, OpenError};
use synap_types::PartitionCount;

async fn open(server: &Server, partitions: u8) -> Result<JetStreamLog, OpenError> {
    let options = LogOptions {
        partitions: partitions.try_into().unwrap(),
        ..log_options()
    };
    JetStreamLog::open(&server.connection, options).await
}

async fn change(server: &Server, stream: &str, change: impl FnOnce(&mut Config)) {
    let jetstream = server.jetstream().await;
    let mut config = jetstream
        .get_stream(stream)
        .await
        .unwrap()
        .cached_info()
        .config
        .clone();
    change(&mut config);
    jetstream.update_stream(config).await.unwrap();
}

#[track_caller]
fn check(answer: Result<JetStreamLog, OpenError>, expected: &str) {
    assert_eq!(answer.unwrap_err().to_string(), expected);
}

#[tokio::test]
async fn a_log_opens_again_as_it_was_made() {
    let server = Server::new().await;
    open(&server, 3).await.unwrap().close().await;
    open(&server, 3).await.unwrap().close().await;
    let jetstream = server.jetstream().await;
    for name in ["00", "01", "02", "SHARED"] {
        let stream = jetstream
            .get_stream(format!("SYNAP_EVENTS_{name}"))
            .await
            .unwrap();
        assert_eq!(
            stream.cached_info().config.metadata["synap.partitions"],
            "3"
        );
    }
}

#[tokio::test]
async fn another_number_of_partitions_is_refused() {
    let server = Server::new().await;
    open(&server, 1).await.unwrap();
    check(
        open(&server, 4).await,
        "the log has 1 partitions, 4 were asked for; export and import moves a log",
    );
    let server = Server::new().await;
    open(&server, 4).await.unwrap();
    check(
        open(&server, 1).await,
        "the log has 4 partitions, 1 were asked for; export and import moves a log",
    );
}

#[tokio::test]
async fn a_stream_that_forgets_is_refused() {
    let server = Server::new().await;
    open(&server, 1).await.unwrap();
    change(&server, "SYNAP_EVENTS_00", |config| {
        config.max_age = Duration::from_secs(3600);
    })
    .await;
    check(
        open(&server, 1).await,
        "stream SYNAP_EVENTS_00 is not as synap needs it: max_age is 3600s, 0ns is wanted",
    );
}

#[tokio::test]
async fn a_stream_that_discards_is_refused() {
    let server = Server::new().await;
    open(&server, 1).await.unwrap();
    change(&server, "SYNAP_EVENTS_SHARED", |config| {
        config.max_messages = 10;
        config.discard = async_nats::jetstream::stream::DiscardPolicy::Old;
    })
    .await;
    check(
        open(&server, 1).await,
        "stream SYNAP_EVENTS_SHARED is not as synap needs it: \
         discard is Old, New is wanted; max_msgs is 10, 0 is wanted",
    );
}

#[tokio::test]
async fn a_stream_of_somebody_else_is_refused() {
    let server = Server::new().await;
    let foreign = Config {
        name: "SYNAP_EVENTS_00".to_owned(),
        subjects: vec!["foreign.>".to_owned()],
        num_replicas: 1,
        ..Config::default()
    };
    server
        .jetstream()
        .await
        .create_stream(foreign)
        .await
        .unwrap();
    let refusal = open(&server, 1).await.unwrap_err().to_string();
    assert!(refusal.contains("subjects is [\"foreign.>\"]"), "{refusal}");
    assert!(
        refusal.contains("metadata synap.format is \"absent\""),
        "{refusal}"
    );
}

#[tokio::test]
async fn a_stream_that_went_missing_is_not_made_again() {
    let server = Server::new().await;
    open(&server, 2).await.unwrap();
    server
        .jetstream()
        .await
        .delete_stream("SYNAP_EVENTS_01")
        .await
        .unwrap();
    check(
        open(&server, 2).await,
        "stream SYNAP_EVENTS_01 is missing from a log that was complete; restore it from a backup",
    );
}

#[tokio::test]
async fn an_inbox_that_forgets_is_refused() {
    let server = Server::new().await;
    Inbox::open(&server.connection, 1).await.unwrap();
    Inbox::open(&server.connection, 1).await.unwrap();
    change(&server, "SYNAP_INBOX", |config| {
        config.max_age = Duration::from_secs(3600);
    })
    .await;
    let refusal = Inbox::open(&server.connection, 1).await.unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "stream SYNAP_INBOX is not as synap needs it: max_age is 3600s, 0ns is wanted"
    );
}

#[tokio::test]
async fn durability_is_relaxed_unless_somebody_vouches_for_it() {
    let server = Server::new().await;
    let options = LogOptions::new(PartitionCount::ONE);
    let log = JetStreamLog::open(&server.connection, options)
        .await
        .unwrap();
    assert_eq!(log.durability(), Durability::Relaxed);
    assert_eq!(server.log().await.durability(), Durability::PowerSafe);
}
