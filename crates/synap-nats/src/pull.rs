//! One ephemeral consumer of a stream, pulled by hand.
//!
//! The client library's ordered consumer asks for messages by count only, so a slow reader of large events would hold
//! hundreds of megabytes, and it notices a restarted server after half a minute. Here every pull is bounded in bytes,
//! and whatever looks wrong (a reconnect, silence, a deleted consumer) is said at once: the reader opens another.

use crate::link::{Life, Link};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::{Context, Message};
use async_nats::{StatusCode, Subscriber};
use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _};
use std::time::Duration;
use synap_types::Seq;
use tokio::time::timeout;

/// Messages of one pull.
const PULL_MESSAGES_MAX: u64 = 1_000;
/// Bytes of one pull; twice what a server of ours takes as one message.
const PULL_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How long a pull waits for messages before it has to be made again.
const PULL_EXPIRES: Duration = Duration::from_secs(30);
/// While a pull waits, the server says every so often that it is there.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// A server that says nothing for so long is not there.
const SILENCE: Duration = Duration::from_secs(11);
/// The server forgets a consumer that nobody pulls from.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

/// Why no more messages come from this consumer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PullError {
    #[error("the connection was renewed")]
    Renewed,
    #[error("the server is silent")]
    Silent,
    #[error("the consumer is gone: {0}")]
    Gone(String),
    #[error("the server cannot be asked")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl PullError {
    fn client(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Client(source.into())
    }
}

/// A consumer and the subscription that its messages come to.
#[derive(Debug)]
pub(crate) struct Pull {
    link: Link,
    context: Context,
    /// The connection over which the consumer was made.
    life: Life,
    subject: String,
    /// Messages that were there for it when it was made.
    waiting: u64,
    inbox: String,
    messages: Subscriber,
    /// Messages that the open pull still owes.
    owed: u64,
    /// The open pull has brought something.
    fruitful: bool,
    /// The next message is larger than a pull: ask for it alone.
    oversized: bool,
}

impl Pull {
    /// Makes a consumer of `stream` that starts at `from`, and has the messages of `filters` only, if there are any.
    pub(crate) async fn open(
        link: Link,
        context: Context,
        stream: &str,
        from: Seq,
        filters: Vec<String>,
    ) -> Result<Self, PullError> {
        let life = link.life();
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: from.get().max(1),
            },
            filter_subjects: filters,
            ack_policy: AckPolicy::None,
            inactive_threshold: FORGOTTEN_AFTER,
            num_replicas: 1,
            memory_storage: true,
            ..pull::Config::default()
        };
        let consumer = context
            .create_consumer_on_stream(config, stream)
            .await
            .map_err(PullError::client)?;
        let inbox = link.client().new_inbox();
        let messages = link
            .client()
            .subscribe(inbox.clone())
            .await
            .map_err(PullError::client)?;
        let info = consumer.cached_info();
        let name = &info.name;
        Ok(Self {
            subject: format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}"),
            waiting: info.num_pending,
            link,
            context,
            life,
            inbox,
            messages,
            owed: 0,
            fruitful: true,
            oversized: false,
        })
    }

    /// How many messages were there for it when it was made.
    pub(crate) const fn waiting(&self) -> u64 {
        self.waiting
    }

    /// The next message; waits for it.
    pub(crate) async fn next(&mut self) -> Result<Message, PullError> {
        loop {
            if self.owed == 0 {
                self.ask().await?;
            }
            let message = self.receive().await?;
            match message.status {
                None | Some(StatusCode::OK) => {
                    self.owed = self.owed.saturating_sub(1);
                    self.fruitful = true;
                    let context = self.context.clone();
                    return Ok(Message { message, context });
                }
                Some(StatusCode::IDLE_HEARTBEAT) => {}
                Some(status) => {
                    let text = message.description.as_deref().unwrap_or_default();
                    self.ended(status, text)?;
                }
            }
        }
    }

    async fn receive(&mut self) -> Result<async_nats::Message, PullError> {
        // In a replay the next message is there already; timers are for waiting.
        let received = if let Some(received) = self.messages.next().now_or_never() {
            received
        } else {
            tokio::select! {
                received = timeout(SILENCE, self.messages.next()) => {
                    received.map_err(|_| PullError::Silent)?
                }
                () = self.link.renewed(self.life) => return Err(PullError::Renewed),
            }
        };
        received.ok_or_else(|| PullError::Gone("the connection is closed".to_owned()))
    }

    async fn ask(&mut self) -> Result<(), PullError> {
        if self.link.life() != self.life {
            return Err(PullError::Renewed);
        }
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let mut request = serde_json::json!({
            "batch": PULL_MESSAGES_MAX,
            "max_bytes": PULL_BYTES_MAX,
            "expires": nanos(PULL_EXPIRES),
            "idle_heartbeat": nanos(HEARTBEAT),
        });
        self.owed = PULL_MESSAGES_MAX;
        if std::mem::take(&mut self.oversized)
            && let Some(request) = request.as_object_mut()
        {
            request.remove("max_bytes");
            request.insert("batch".to_owned(), 1.into());
            self.owed = 1;
        }
        self.fruitful = false;
        self.link
            .client()
            .publish_with_reply(
                self.subject.clone(),
                self.inbox.clone(),
                Bytes::from(request.to_string()),
            )
            .await
            .map_err(PullError::client)
    }

    /// The open pull is over; whether another makes sense.
    fn ended(&mut self, status: StatusCode, text: &str) -> Result<(), PullError> {
        self.owed = 0;
        let too_large = text.eq_ignore_ascii_case("Message Size Exceeds MaxBytes");
        self.oversized = too_large && !self.fruitful;
        let usual = too_large || text.eq_ignore_ascii_case("Batch Completed");
        match status {
            StatusCode::NOT_FOUND | StatusCode::TIMEOUT => Ok(()),
            StatusCode::REQUEST_TERMINATED if usual => Ok(()),
            other => Err(PullError::Gone(format!("{other} {text}"))),
        }
    }
}
