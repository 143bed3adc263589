//! The inbox: accepted, refused, put off; and nothing vanishes.

use crate::support::{Server, wait_until};
use async_nats::HeaderMap;
use bytes::Bytes;
use nix::sys::signal::Signal;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use synap_nats::{Inbox, InboxMessage, InboxVerdict};
use synap_types::{ErrorCode, names};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// What the handler saw, in order.
type Seen = Arc<Mutex<Vec<InboxMessage>>>;

struct Draining {
    seen: Seen,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Draining {
    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// Drains with a handler that obeys the payload: `no` is refused, `later` is put off once.
async fn drain(server: &Server) -> Draining {
    let inbox = Inbox::open(&server.connection, 1).await.unwrap();
    let (seen, stop) = (Seen::default(), CancellationToken::new());
    let handler = {
        let seen = Arc::clone(&seen);
        move |message: InboxMessage| {
            let mut seen = seen.lock().unwrap();
            let again = seen.iter().any(|earlier| earlier.seq == message.seq);
            seen.push(message.clone());
            async move {
                match &message.payload[..] {
                    b"no" => InboxVerdict::Rejected {
                        code: ErrorCode::InvalidInput,
                        reason: "document is\r\nempty".to_owned(),
                    },
                    b"later" if !again => InboxVerdict::RetryLater,
                    b"slow" => {
                        sleep(Duration::from_secs(7)).await;
                        InboxVerdict::Accepted
                    }
                    _ => InboxVerdict::Accepted,
                }
            }
        }
    };
    let task = tokio::spawn(inbox.run(handler, stop.clone()));
    Draining { seen, stop, task }
}

async fn leave(server: &Server, payloads: &[&'static str]) {
    let jetstream = server.jetstream().await;
    for payload in payloads {
        let mut headers = HeaderMap::new();
        headers.insert("Authorization", "Bearer secret");
        headers.insert("Idempotency-Key", "k1");
        headers.insert("Trace-Id", "t1");
        let left = jetstream.publish_with_headers(
            names::INBOX,
            headers,
            Bytes::from_static(payload.as_bytes()),
        );
        left.await.unwrap().await.unwrap();
    }
}

async fn messages(server: &Server, stream: &str) -> u64 {
    let jetstream = server.jetstream().await;
    jetstream
        .get_stream(stream)
        .await
        .unwrap()
        .cached_info()
        .state
        .messages
}

async fn wait_until_empty(server: &Server) {
    wait_until("the inbox is empty", async || {
        messages(server, names::INBOX_STREAM).await == 0
    })
    .await;
}

#[tokio::test]
async fn what_was_left_before_synap_ran_is_drained() {
    let server = Server::new().await;
    Inbox::open(&server.connection, 1).await.unwrap();
    leave(&server, &["a", "b", "c"]).await;
    let draining = drain(&server).await;
    wait_until_empty(&server).await;
    let seen = Arc::clone(&draining.seen);
    draining.stop().await;
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 3, "each is seen once");
    let first = seen.iter().find(|message| message.seq == 1).unwrap();
    assert_eq!(first.payload, "a");
    assert_eq!(first.authorization.as_deref(), Some("Bearer secret"));
    assert_eq!(first.idempotency_key.as_deref(), Some("k1"));
    assert!(first.received.micros() > 0);
    assert_eq!(messages(&server, names::REJECTED_STREAM).await, 0);
}

#[tokio::test]
async fn what_is_refused_is_kept_with_the_reason_and_without_the_key() {
    let server = Server::new().await;
    let draining = drain(&server).await;
    leave(&server, &["a", "no", "b"]).await;
    wait_until_empty(&server).await;
    let stream = server
        .jetstream()
        .await
        .get_stream(names::REJECTED_STREAM)
        .await
        .unwrap();
    assert_eq!(stream.cached_info().state.messages, 1);
    let kept = stream.get_raw_message(1).await.unwrap();
    assert_eq!(kept.payload, "no");
    let header = |name: &str| kept.headers.get(name).map(async_nats::HeaderValue::as_str);
    assert_eq!(header("Synap-Rejected-Code"), Some("INVALID_INPUT"));
    assert_eq!(header("Synap-Rejected-Reason"), Some("document is  empty"));
    assert_eq!(header("Trace-Id"), Some("t1"));
    assert_eq!(header("Authorization"), None);
    draining.stop().await;
}

#[tokio::test]
async fn what_is_put_off_comes_again() {
    let server = Server::new().await;
    let draining = drain(&server).await;
    leave(&server, &["later"]).await;
    wait_until_empty(&server).await;
    assert_eq!(draining.seen.lock().unwrap().len(), 2);
    draining.stop().await;
}

#[tokio::test]
async fn what_takes_longer_than_the_ack_wait_is_not_delivered_again() {
    let server = Server::new().await;
    let draining = drain(&server).await;
    leave(&server, &["slow"]).await;
    wait_until_empty(&server).await;
    assert_eq!(draining.seen.lock().unwrap().len(), 1);
    draining.stop().await;
}

#[tokio::test]
async fn many_are_drained_over_a_restart_of_the_server() {
    let server = Server::new().await;
    let draining = drain(&server).await;
    let mut stranger = server.jetstream().await;
    for n in 0..600 {
        if n == 300 {
            let before = server.child.pid();
            server.signal(Signal::SIGKILL);
            wait_until("the server runs again", async || {
                let url = server.child.url();
                server.child.pid() != before && async_nats::connect(url).await.is_ok()
            })
            .await;
            stranger = server.jetstream().await;
        }
        let payload = Bytes::from(format!("m{n}"));
        let left = stranger.publish(names::INBOX, payload).await.unwrap();
        left.await.unwrap();
    }
    wait_until_empty(&server).await;
    let mut times: HashMap<Bytes, u32> = HashMap::new();
    for message in draining.seen.lock().unwrap().iter() {
        *times.entry(message.payload.clone()).or_default() += 1;
    }
    assert_eq!(times.len(), 600, "every message was seen");
    draining.stop().await;
}

#[tokio::test]
async fn a_message_as_large_as_the_server_takes_can_be_refused() {
    let server = Server::new().await;
    Inbox::open(&server.connection, 1).await.unwrap();
    let jetstream = server.jetstream().await;
    let large = vec![b'x'; jetstream.client().max_payload()];
    jetstream
        .publish(names::INBOX, large.into())
        .await
        .unwrap()
        .await
        .unwrap();
    let inbox = Inbox::open(&server.connection, 1).await.unwrap();
    let stop = CancellationToken::new();
    let handler = |_| async {
        InboxVerdict::Rejected {
            code: ErrorCode::InvalidInput,
            reason: "too long".to_owned(),
        }
    };
    let task = tokio::spawn(inbox.run(handler, stop.clone()));
    wait_until_empty(&server).await;
    let mut stream = jetstream.get_stream(names::REJECTED_STREAM).await.unwrap();
    let kept = stream.get_raw_message(1).await.unwrap();
    assert!(
        kept.headers
            .get("Synap-Rejected-Truncated-From-Bytes")
            .is_some()
    );
    assert_eq!(stream.info().await.unwrap().state.messages, 1);
    stop.cancel();
    task.await.unwrap();
}
