//! Draining the inbox: what services published, maybe while synap was down, becomes events.
//!
//! Messages are handled at the same time, so that appends go in groups, but those about one document in the order in
//! which they came: the last version published is the one that stays. After a crash, or when the log has not answered for
//! long, that order can be lost between a message that was being handled and a newer one; nothing else is.

use crate::metrics;
use crate::operations::{Operations, Strictness};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use synap_log::EventLog;
use synap_nats::{InboxMessage, InboxVerdict};
use synap_types::json::parse_object;
use synap_types::{ApiError, ErrorCode, Hash128, IdempotencyKey};
use tokio_util::sync::CancellationToken;

/// Pause before a message is tried again while the log does not answer.
const RETRY: Duration = Duration::from_millis(500);
/// Times that a message is tried before it goes back into the inbox: one partition that has halted must not keep the
/// messages of the others waiting.
const TRIES_MAX: u32 = 20;

/// Handles inbox messages.
#[derive(Debug)]
pub(crate) struct InboxDrain<L> {
    operations: Arc<Operations<L>>,
    order: Order,
    stop: CancellationToken,
}

impl<L: EventLog> InboxDrain<L> {
    pub(crate) fn new(operations: Arc<Operations<L>>, stop: CancellationToken) -> Self {
        Self {
            operations,
            order: Order::default(),
            stop,
        }
    }

    /// Takes the message's turn at once, and answers what will handle it when its turn has come.
    pub(crate) fn take(
        self: &Arc<Self>,
        message: InboxMessage,
    ) -> impl Future<Output = InboxVerdict> + Send + use<L> {
        let this = Arc::clone(self);
        let document = document_of(&message);
        let turn = document.map(|document| this.order.take(document));
        async move {
            if let Some(turn) = &turn {
                turn.come().await;
            }
            let verdict = this.handle(&message, document.is_some()).await;
            drop(turn);
            verdict
        }
    }

    /// Tries until there is a verdict, for some seconds: a message that waits keeps its successors waiting.
    async fn handle(&self, message: &InboxMessage, has_document: bool) -> InboxVerdict {
        for _ in 0..TRIES_MAX {
            let Err(refusal) = self.ingest(message, has_document).await else {
                metrics::inbox("accepted");
                return InboxVerdict::Accepted;
            };
            if !refusal.code.is_retryable() && refusal.code != ErrorCode::Internal {
                metrics::inbox("rejected");
                return InboxVerdict::Rejected {
                    code: refusal.code,
                    reason: refusal.message,
                };
            }
            metrics::inbox("retried");
            tokio::select! {
                () = self.stop.cancelled() => return InboxVerdict::RetryLater,
                () = tokio::time::sleep(RETRY) => {}
            }
        }
        InboxVerdict::RetryLater
    }

    async fn ingest(&self, message: &InboxMessage, has_document: bool) -> Result<(), ApiError> {
        let identity = self
            .operations
            .keys
            .authenticate(message.authorization.as_deref())?;
        let key = match &message.idempotency_key {
            Some(key) => Some(IdempotencyKey::caller("Idempotency-Key", key)?),
            // Delivered again after a newer version, this one must be known as old. Without a document id, equal content
            // is the same document, which its hash says.
            None if has_document => {
                let place = format!("inbox {} {}", message.incarnation.0, message.seq);
                Some(IdempotencyKey::caller("inbox", &place)?)
            }
            None => None,
        };
        self.operations
            .create(&identity, &message.payload, key, Strictness::Own)
            .await
            .map(drop)
    }
}

/// Which document a message is about, as far as it says so: who sent it, the ids of the scope, the document id.
fn document_of(message: &InboxMessage) -> Option<Hash128> {
    let body: Map<String, Value> = parse_object(&message.payload).ok()?;
    body.get("document_id")
        .filter(|id| id.as_str().is_some_and(|id| !id.is_empty()))?;
    let fields = ["customer_id", "user_id", "scope", "document_id"].map(|field| body.get(field));
    let fields = fields.map(|field| field.map_or_else(String::new, ToString::to_string));
    let sender = message.authorization.as_deref().unwrap_or_default();
    let parts = std::iter::once(sender).chain(fields.iter().map(String::as_str));
    Some(Hash128::of("synap.inbox.v1", parts.map(str::as_bytes)))
}

/// Who comes after whom, per document.
#[derive(Debug, Clone, Default)]
struct Order(Arc<Mutex<Queues>>);

#[derive(Debug, Default)]
struct Queues {
    taken: u64,
    /// The last one in each queue: its number, and what tells that it is done.
    last: HashMap<Hash128, (u64, CancellationToken)>,
}

/// A place in a queue, until it is dropped.
#[derive(Debug)]
struct Turn {
    order: Order,
    document: Hash128,
    number: u64,
    before: Option<CancellationToken>,
    done: CancellationToken,
}

impl Order {
    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, document: Hash128) -> Turn {
        let mut queues = self.lock();
        queues.taken += 1;
        let (number, done) = (queues.taken, CancellationToken::new());
        let before = queues
            .last
            .insert(document, (number, done.clone()))
            .map(|(_, done)| done);
        Turn {
            order: self.clone(),
            document,
            number,
            before,
            done,
        }
    }
}

impl Turn {
    /// Waits until the one before is done.
    async fn come(&self) {
        if let Some(before) = &self.before {
            before.cancelled().await;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.done.cancel();
        let mut queues = self.order.lock();
        if queues
            .last
            .get(&self.document)
            .is_some_and(|(number, _)| *number == self.number)
        {
            queues.last.remove(&self.document);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(name: &str) -> Hash128 {
        Hash128::of("test", [name.as_bytes()])
    }

    #[tokio::test]
    async fn messages_about_one_document_come_one_after_the_other() {
        let order = Order::default();
        let (first, second, other) = (
            order.take(document("a")),
            order.take(document("a")),
            order.take(document("b")),
        );
        first.come().await;
        other.come().await;
        let mut waiting = Box::pin(second.come());
        assert!(
            futures::FutureExt::now_or_never(&mut waiting).is_none(),
            "the second waits for the first"
        );
        drop(first);
        waiting.as_mut().await;
        drop(waiting);
        drop((second, other));
        assert!(order.lock().last.is_empty(), "nothing is left behind");
    }
}
