//! What the adapter takes for granted of nats-server. A newer one that differs is found here first.

use crate::support::{HERE, Server};
use async_nats::HeaderMap;
use serde_json::Value;
use synap_log::EventLog as _;
use synap_log::contract::event;
use synap_types::Seq;

/// Publishes an event of `name` on a condition that never holds.
async fn ask(client: &async_nats::Client, name: &str) -> Value {
    let event = event(HERE, name);
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Msg-Id", event.id.to_string());
    headers.insert("Nats-Expected-Last-Msg-Id", "no-event");
    let answer = client
        .request_with_headers(event.subject.to_string(), headers, event.payload)
        .await
        .unwrap();
    serde_json::from_slice(&answer.payload).unwrap()
}

#[tokio::test]
async fn it_looks_at_the_id_before_the_expected_last_id() {
    let server = Server::new().await;
    let log = server.log().await;
    log.append(event(HERE, "other")).await.unwrap();
    log.append(event(HERE, "known")).await.unwrap();
    let stranger = server.stranger().await;
    let known = ask(&stranger, "known").await;
    assert_eq!(
        (&known["seq"], &known["duplicate"]),
        (&2.into(), &true.into())
    );
    let unknown = ask(&stranger, "unknown").await;
    assert_eq!(unknown["error"]["err_code"], 10_070, "{unknown}");
    assert_eq!(log.state(HERE).await.unwrap().last, Seq::new(2));
    let stored = log.append(event(HERE, "unknown")).await.unwrap();
    assert!(!stored.duplicate, "asking leaves no trace");
}

#[tokio::test]
async fn it_refuses_a_batch_that_holds_a_known_id_and_stores_nothing_of_it() {
    let server = Server::new().await;
    let log = server.log().await;
    log.append(event(HERE, "known")).await.unwrap();
    let stranger = server.stranger().await;
    for (sequence, name) in [(1, "fresh"), (2, "known"), (3, "last")] {
        let event = event(HERE, name);
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", event.id.to_string());
        headers.insert("Nats-Batch-Id", "b");
        headers.insert("Nats-Batch-Sequence", sequence.to_string());
        if sequence < 3 {
            let sent =
                stranger.publish_with_headers(event.subject.to_string(), headers, event.payload);
            sent.await.unwrap();
            continue;
        }
        headers.insert("Nats-Batch-Commit", "1");
        let answer = stranger
            .request_with_headers(event.subject.to_string(), headers, event.payload)
            .await
            .unwrap();
        let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
        assert!(answer["error"]["err_code"].is_number(), "{answer}");
    }
    assert_eq!(log.state(HERE).await.unwrap().last, Seq::new(1));
}
