//! Drains the inbox: the durable stream where other services leave documents even while synap is down.
//!
//! A message leaves the inbox only when it was accepted, or when a copy of it is safe in `SYNAP_REJECTED`; whatever
//! goes wrong in between, it is delivered again. There is no number of deliveries after which it would vanish.

use crate::connect::{Connection, jetstream};
use crate::headers::{self, AUTHORIZATION, IDEMPOTENCY_KEY};
use crate::reject;
use crate::streams::{self, OpenError};
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::{AckKind, Context, Message};
use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _};
use std::sync::Arc;
use std::time::Duration;
use synap_log::Incarnation;
use synap_types::{ErrorCode, Timestamp, names};
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Messages that are handled at the same time: enough for appends to go in groups.
const MESSAGES_MAX: usize = 256;
/// Messages that are fetched ahead.
const PULL_MESSAGES_MAX: usize = 64;
/// Messages that are delivered and not answered.
const ACK_PENDING_MAX: i64 = 1_024;
/// A message that nobody answered for so long is delivered again.
const ACK_WAIT: Duration = Duration::from_secs(5);
/// While a message is handled, the server is told every so often.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);
/// Pause before a message is delivered again that could not be handled now.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Pause before the inbox is opened again after a failure.
const REOPEN_AFTER: Duration = Duration::from_millis(250);
/// While a pull waits, the server says every so often that it is there.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// One message, as a service left it.
#[derive(Debug, Clone)]
pub struct InboxMessage {
    /// Its place in the inbox's stream; the same when it is delivered again.
    pub seq: u64,
    /// Which life of that stream.
    pub incarnation: Incarnation,
    /// When the server took it.
    pub received: Timestamp,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The header `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// The body.
    pub payload: Bytes,
}

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboxVerdict {
    /// It is in the log.
    Accepted,
    /// It never will be: it goes to `SYNAP_REJECTED`.
    Rejected {
        /// What was wrong, as a code.
        code: ErrorCode,
        /// What was wrong, as a sentence without the sender's text.
        reason: String,
    },
    /// The log does not answer now: it stays where it is.
    RetryLater,
}

/// The inbox. [`Inbox::run`] drains it.
#[derive(Debug)]
pub struct Inbox {
    context: Context,
    incarnation: Incarnation,
}

impl Inbox {
    /// Opens the inbox and what it rejects: makes the streams, or checks that they are as they have to be.
    pub async fn open(connection: &Connection, replicas: usize) -> Result<Self, OpenError> {
        let context = jetstream(connection.client());
        let incarnation = streams::open_inbox(&context, replicas).await?;
        Ok(Self {
            context,
            incarnation,
        })
    }

    /// Drains until `stop` is cancelled; then finishes what is being handled.
    ///
    /// `handler` is called in the order of the inbox; the futures that it returns run at the same time.
    pub async fn run<F, T>(self, handler: F, stop: CancellationToken)
    where
        F: Fn(InboxMessage) -> T + Send + Sync + 'static,
        T: Future<Output = InboxVerdict> + Send + 'static,
    {
        let drain = Arc::new(Drain {
            context: self.context,
            incarnation: self.incarnation,
            handler,
        });
        let tasks = TaskTracker::new();
        let turns = Arc::new(Semaphore::new(MESSAGES_MAX));
        while !stop.is_cancelled() {
            match open(&drain.context).await {
                Ok(messages) => distribute(&drain, messages, &turns, &tasks, &stop).await,
                Err(error) => tracing::warn!(%error, "the inbox cannot be read"),
            }
            tokio::select! {
                () = sleep(REOPEN_AFTER) => {}
                () = stop.cancelled() => {}
            }
        }
        tasks.close();
        tasks.wait().await;
    }
}

async fn open(context: &Context) -> Result<pull::Stream, async_nats::Error> {
    let config = pull::Config {
        durable_name: Some(names::INBOX_CONSUMER.to_owned()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        max_ack_pending: ACK_PENDING_MAX,
        ..pull::Config::default()
    };
    let consumer = context
        .create_consumer_on_stream(config, names::INBOX_STREAM)
        .await?;
    let bytes_max = context.client().max_payload().saturating_mul(2);
    let messages = consumer
        .stream()
        .max_messages_per_batch(PULL_MESSAGES_MAX)
        .max_bytes_per_batch(bytes_max)
        .heartbeat(HEARTBEAT);
    Ok(messages.messages().await?)
}

/// Hands messages to tasks until told to stop, or until the consumer has to be opened again.
async fn distribute<F, T>(
    drain: &Arc<Drain<F>>,
    mut messages: pull::Stream,
    turns: &Arc<Semaphore>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) where
    F: Fn(InboxMessage) -> T + Send + Sync + 'static,
    T: Future<Output = InboxVerdict> + Send + 'static,
{
    loop {
        let next = async {
            let turn = Arc::clone(turns).acquire_owned().await.ok()?;
            Some((turn, messages.next().await?))
        };
        let next = tokio::select! {
            next = next => next,
            () = stop.cancelled() => break,
        };
        match next {
            Some((turn, Ok(message))) => {
                // The handler is called here and not in the task, so that it sees messages in the order of the inbox.
                let Some(inbox) = drain.read(&message) else {
                    tracing::error!("a message of the inbox has no place in its stream");
                    continue;
                };
                let (drain, seq) = (Arc::clone(drain), inbox.seq);
                let verdict = (drain.handler)(inbox);
                tasks.spawn(async move {
                    drain.settle(message, seq, verdict).await;
                    drop(turn);
                });
            }
            Some((_, Err(error))) => {
                tracing::debug!(%error, "the inbox is opened again");
                break;
            }
            None => break,
        }
    }
    // What was fetched ahead goes back at once, instead of after the ack wait.
    while let Some(Some(Ok(message))) = messages.next().now_or_never() {
        answer(&message, AckKind::Nak(None)).await;
    }
}

struct Drain<F> {
    context: Context,
    incarnation: Incarnation,
    handler: F,
}

impl<F, T> Drain<F>
where
    F: Fn(InboxMessage) -> T + Send + Sync,
    T: Future<Output = InboxVerdict> + Send,
{
    async fn settle(&self, message: Message, seq: u64, verdict: T) {
        let verdict = while_progressing(&message, verdict).await;
        match verdict {
            InboxVerdict::Accepted => settle(&message, seq).await,
            InboxVerdict::Rejected { code, reason } => {
                let id = format!("inbox-{}-{seq}", self.incarnation.0);
                let client = self.context.client();
                let moved = reject::publish(&client, &message, &id, code, &reason).await;
                match moved {
                    Ok(_) => {
                        tracing::info!(seq, code = code.name(), "inbox message rejected");
                        settle(&message, seq).await;
                    }
                    Err(error) => {
                        tracing::warn!(seq, %error, "inbox message not rejected yet");
                        answer(&message, AckKind::Nak(Some(RETRY_AFTER))).await;
                    }
                }
            }
            InboxVerdict::RetryLater => {
                tracing::debug!(seq, "inbox message waits");
                answer(&message, AckKind::Nak(Some(RETRY_AFTER))).await;
            }
        }
    }

    fn read(&self, message: &Message) -> Option<InboxMessage> {
        let info = message.info().ok()?;
        let micros = info.published.unix_timestamp_nanos() / 1_000;
        let find = |name| headers::find(message.headers.as_ref(), name);
        Some(InboxMessage {
            seq: info.stream_sequence,
            incarnation: self.incarnation,
            received: Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX)),
            authorization: find(AUTHORIZATION),
            idempotency_key: find(IDEMPOTENCY_KEY),
            payload: message.payload.clone(),
        })
    }
}

/// Awaits `verdict`, and tells the server meanwhile that the message is not forgotten.
async fn while_progressing(
    message: &Message,
    verdict: impl Future<Output = InboxVerdict>,
) -> InboxVerdict {
    let mut verdict = std::pin::pin!(verdict);
    let mut progress = interval(PROGRESS_EVERY);
    progress.set_missed_tick_behavior(MissedTickBehavior::Delay);
    progress.reset();
    loop {
        tokio::select! {
            verdict = &mut verdict => return verdict,
            _ = progress.tick() => answer(message, AckKind::Progress).await,
        }
    }
}

/// Takes the message out of the inbox, and makes sure that the server knows. If it does not, the message comes again.
async fn settle(message: &Message, seq: u64) {
    if let Err(error) = message.double_ack().await {
        tracing::debug!(seq, %error, "inbox message comes again");
    }
}

async fn answer(message: &Message, kind: AckKind) {
    if let Err(error) = message.ack_with(kind).await {
        tracing::debug!(%error, "inbox message comes again");
    }
}
