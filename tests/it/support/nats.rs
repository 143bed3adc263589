//! The NATS door, and a foreign client's look into the streams.

use crate::support::door::{Door, Reply};
use async_nats::jetstream::{self, message::StreamMessage};
use async_nats::{Client, HeaderMap, Message};
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;
use std::time::Duration;
use synap_types::names;
use tokio::runtime::Runtime;

/// How long the answers to a question to everyone are gathered.
const GATHER: Duration = Duration::from_millis(500);

/// A client with one API key, or none. It blocks, so that tests read from top to bottom.
#[derive(Debug)]
pub(crate) struct Nats {
    runtime: Runtime,
    client: Client,
    key: Option<String>,
}

impl Nats {
    #[track_caller]
    pub(crate) fn new(url: &str, key: Option<&str>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let client = runtime
            .block_on(async_nats::connect(url))
            .expect("a connection");
        Self {
            runtime,
            client,
            key: key.map(str::to_owned),
        }
    }

    /// The headers that show the key, with others.
    pub(crate) fn headers(&self, more: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(key) = &self.key {
            headers.insert("Authorization", format!("Bearer {key}"));
        }
        for (name, value) in more {
            headers.insert(*name, *value);
        }
        headers
    }

    #[track_caller]
    pub(crate) fn request(&self, subject: &str, headers: &[(&str, &str)], body: &[u8]) -> Message {
        let headers = self.headers(headers);
        let payload = bytes::Bytes::copy_from_slice(body);
        let asked = self
            .client
            .request_with_headers(subject.to_owned(), headers, payload);
        self.runtime.block_on(asked).expect("an answer")
    }

    #[track_caller]
    pub(crate) fn ask(&self, subject: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let message = self.request(subject, headers, body);
        let header = |name: &str| Some(message.headers.as_ref()?.get(name)?.as_str().to_owned());
        let status = header("Nats-Service-Error-Code").map(|code| code.parse().expect("a code"));
        if status.is_some() {
            let refusal: Value = serde_json::from_slice(&message.payload).expect("a refusal");
            let shown = header("Nats-Service-Error").expect("a message");
            assert_eq!(refusal["message"], shown, "header and body say the same");
        }
        Reply {
            status: status.unwrap_or(200),
            bytes: message.payload.to_vec(),
        }
    }

    fn jetstream(&self) -> jetstream::Context {
        // Making one needs to be inside of a runtime.
        let _inside = self.runtime.enter();
        jetstream::new(self.client.clone())
    }

    /// What everyone answers who hears `subject`.
    #[track_caller]
    pub(crate) fn gather(&self, subject: &str) -> Vec<Value> {
        self.runtime.block_on(async {
            let inbox = self.client.new_inbox();
            let mut answers = self
                .client
                .subscribe(inbox.clone())
                .await
                .expect("subscribed");
            let asked =
                self.client
                    .publish_with_reply(subject.to_owned(), inbox, bytes::Bytes::new());
            asked.await.expect("published");
            let mut found = Vec::new();
            while let Ok(Some(answer)) = tokio::time::timeout(GATHER, answers.next()).await {
                found.push(serde_json::from_slice(&answer.payload).expect("JSON"));
            }
            found
        })
    }

    /// Publishes into a stream and waits for its ack.
    #[track_caller]
    pub(crate) fn publish(&self, subject: &str, headers: HeaderMap, body: &[u8]) {
        let context = self.jetstream();
        let payload = bytes::Bytes::copy_from_slice(body);
        self.runtime.block_on(async {
            let ack = context
                .publish_with_headers(subject.to_owned(), headers, payload)
                .await
                .expect("published");
            ack.await.expect("an ack");
        });
    }

    /// The streams that there are.
    #[track_caller]
    pub(crate) fn streams(&self) -> Vec<String> {
        let context = self.jetstream();
        self.runtime
            .block_on(context.stream_names().try_collect())
            .expect("names")
    }

    /// All messages that a stream holds, one by one.
    #[track_caller]
    pub(crate) fn messages(&self, stream: &str) -> Vec<StreamMessage> {
        let context = self.jetstream();
        self.runtime.block_on(async {
            let stream = context.get_stream(stream).await.expect("the stream");
            let state = stream.cached_info().state.clone();
            let mut found = Vec::new();
            for seq in state.first_sequence.max(1)..=state.last_sequence {
                if let Ok(message) = stream.get_raw_message(seq).await {
                    found.push(message);
                }
            }
            found
        })
    }

    /// How many messages a stream holds.
    #[track_caller]
    pub(crate) fn count(&self, stream: &str) -> u64 {
        let context = self.jetstream();
        self.runtime.block_on(async {
            let stream = context.get_stream(stream).await.expect("the stream");
            stream.cached_info().state.messages
        })
    }

    /// Changes for how long the log's streams know the ids of their messages.
    #[track_caller]
    pub(crate) fn set_duplicate_window(&self, window: Duration) {
        let context = self.jetstream();
        for name in self.event_streams() {
            self.runtime.block_on(async {
                let stream = context.get_stream(name).await.expect("the stream");
                let mut config = stream.cached_info().config.clone();
                config.duplicate_window = window;
                context.update_stream(config).await.expect("updated");
            });
        }
    }

    fn event_streams(&self) -> Vec<String> {
        let mut streams = self.streams();
        streams.retain(|name| name.starts_with("SYNAP_EVENTS_"));
        streams.sort();
        assert!(!streams.is_empty(), "the log is there");
        streams
    }

    /// All events of the log, in the order of partitions and seqs.
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<StreamMessage> {
        let streams = self.event_streams();
        streams
            .iter()
            .flat_map(|name| self.messages(name))
            .collect()
    }
}

impl Door for Nats {
    fn name(&self) -> &'static str {
        "NATS"
    }

    fn ingest_bytes(&self, body: &[u8]) -> Reply {
        self.ask(names::INGEST, &[], body)
    }

    fn fetch_bytes(&self, _level: &str, body: &[u8]) -> Reply {
        self.ask(names::FETCH, &[], body)
    }

    fn status(&self, ingestion: &str) -> Reply {
        let body = serde_json::json!({"ingestion_id": ingestion});
        self.ask(names::STATUS, &[], body.to_string().as_bytes())
    }
}
