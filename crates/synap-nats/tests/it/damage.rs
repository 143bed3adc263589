//! What is stored and is not what was appended.

use crate::support::{HERE, Server};
use async_nats::HeaderMap;
use bytes::Bytes;
use futures::StreamExt as _;
use synap_log::contract::event;
use synap_log::{EventLog as _, ReadError};
use synap_types::Seq;

async fn check(digest: Option<&str>) {
    let server = Server::new().await;
    let log = server.log().await;
    let first = event(HERE, "a");
    log.append(first.clone()).await.unwrap();
    let mut headers = HeaderMap::new();
    if let Some(digest) = digest {
        headers.insert("Synap-Digest", digest);
    }
    let stranger = server.jetstream().await;
    let published = stranger.publish_with_headers(
        first.subject.to_string(),
        headers,
        Bytes::from_static(b"{}"),
    );
    published.await.unwrap().await.unwrap();
    let mut events = log.read(HERE, Seq::new(1));
    assert_eq!(events.next().await.unwrap().unwrap().payload, first.payload);
    let damaged = events.next().await.unwrap();
    let seq_2 = Seq::new(2);
    assert!(
        matches!(damaged, Err(ReadError::Damaged { seq }) if seq == seq_2),
        "{damaged:?}"
    );
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_wrong_digest_is_damage() {
    check(Some("00000000000000000000000000000000")).await;
}

#[tokio::test]
async fn no_digest_is_damage() {
    check(None).await;
}
