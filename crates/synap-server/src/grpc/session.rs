//! One stream: events in, acks out.
//!
//! Turns are recorded one after the other, so they stand in the log in the order in which the client sent them. An event is
//! acked when its turn is durable, or when it is no turn. A turn that cannot be stored now ends the stream: the client sends
//! it again, and whatever it had sent after it, in its order.

use crate::app::App;
use crate::conversations::stream_turn;
use crate::identity::Identity;
use crate::metrics;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use synap_log::EventLog;
use synap_proto::stream_event::Payload as Sent;
use synap_proto::stream_response::Payload as Answer;
use synap_proto::{
    ConversationEvent, ConversationState, EventAck, HeartbeatPong, StreamEvent, StreamResponse,
    StreamSignal,
};
use synap_types::{ApiError, MessageReceipt, Timestamp};
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

/// How long an ack waits for others.
const ACK_WITHIN: Duration = Duration::from_millis(100);
/// Acks that go out together at most.
const ACKS_MAX: usize = 64;
/// How long the stream stays open when the client has closed its side: one that sees it end before it has noted that it
/// closed it would open another, and send everything again.
const LINGER: Duration = Duration::from_millis(250);

/// Why a stream ends before the client closes it.
enum End {
    /// The client does not listen any more.
    Gone,
    /// It is told why.
    Refused(Status),
}

/// One open stream.
pub(super) struct Session<L> {
    app: Arc<App<L>>,
    identity: Arc<Identity>,
    answers: Sender<Result<StreamResponse, Status>>,
    /// Events to ack, and when they must have gone out.
    acks: Vec<String>,
    ack_by: Option<Instant>,
}

impl<L: EventLog> Session<L> {
    pub(super) const fn new(
        app: Arc<App<L>>,
        identity: Arc<Identity>,
        answers: Sender<Result<StreamResponse, Status>>,
    ) -> Self {
        Self {
            app,
            identity,
            answers,
            acks: Vec::new(),
            ack_by: None,
        }
    }

    /// Answers until the client closes its side, or the server stops.
    pub(super) async fn run(mut self, mut events: Streaming<StreamEvent>, stop: CancellationToken) {
        let end = self.answer(&mut events, &stop).await;
        // What is durable is said to be, whatever ended the stream.
        let flushed = self.flush().await;
        match (end, flushed) {
            (Err(End::Refused(status)), Ok(())) => drop(self.answers.send(Err(status)).await),
            (Ok(()), Ok(())) => sleep(LINGER).await,
            (Err(_), _) | (_, Err(_)) => {}
        }
    }

    async fn answer(
        &mut self,
        events: &mut Streaming<StreamEvent>,
        stop: &CancellationToken,
    ) -> Result<(), End> {
        loop {
            let ack_by = self.ack_by;
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.signal("closing", "the server stops", HashMap::new()).await?;
                    return Ok(());
                }
                () = sleep_until(ack_by.unwrap_or_else(Instant::now)), if ack_by.is_some() => self.flush().await?,
                event = events.message() => match event {
                    Ok(Some(event)) => self.handle(event).await?,
                    Ok(None) => return Ok(()),
                    Err(status) => return Err(End::Refused(status)),
                },
            }
        }
    }

    async fn handle(&mut self, event: StreamEvent) -> Result<(), End> {
        match event.payload {
            Some(Sent::ConversationEvent(event)) => self.conversation_event(event).await,
            Some(Sent::HeartbeatPing(_)) => {
                metrics::stream_event("ping");
                let timestamp_ms = self.now_ms();
                self.send(Answer::HeartbeatPong(HeartbeatPong { timestamp_ms }))
                    .await
            }
            // What follows is only counted.
            other => {
                metrics::stream_event(match other {
                    Some(Sent::SessionControl(_)) => "session_control",
                    Some(Sent::ContextUsed(_)) => "context_used",
                    Some(Sent::ContextAssembled(_)) => "context_assembled",
                    None | Some(Sent::ConversationEvent(_) | Sent::HeartbeatPing(_)) => "empty",
                });
                Ok(())
            }
        }
    }

    async fn conversation_event(&mut self, event: ConversationEvent) -> Result<(), End> {
        let (event_id, conversation_id) = (event.event_id.clone(), event.conversation_id.clone());
        match self.record(event).await {
            Ok(None) => metrics::stream_event("hint"),
            Ok(Some(receipt)) => {
                metrics::stream_event("turn");
                if let Some(count) = receipt.conversation_message_count {
                    let state = ConversationState {
                        conversation_id,
                        message_count: i64::from(count),
                    };
                    self.send(Answer::ConversationState(state)).await?;
                }
            }
            Err(refusal) if refusal.code.is_retryable() => {
                let metadata = about(&event_id, &refusal);
                self.signal("throttle", &refusal.message, metadata).await?;
                return Err(End::Refused(Status::unavailable(refusal.message)));
            }
            // Acked all the same: sent again, it would be refused again, for ever.
            Err(refusal) => {
                metrics::stream_event("refused");
                let metadata = about(&event_id, &refusal);
                self.signal("error", &refusal.message, metadata).await?;
            }
        }
        self.ack(event_id).await
    }

    async fn record(&self, event: ConversationEvent) -> Result<Option<MessageReceipt>, ApiError> {
        // Clients report what no conversation or nobody said as well: a hint, whatever it is called.
        let nobodys = event.user_id.is_empty() && event.scope.is_empty();
        if event.conversation_id.is_empty() || nobodys {
            return Ok(None);
        }
        let Some(turn) = stream_turn(&self.identity, as_json(event))? else {
            return Ok(None);
        };
        let receipt = self.app.operations.record(&self.identity, turn).await?;
        Ok(Some(receipt))
    }

    async fn ack(&mut self, event_id: String) -> Result<(), End> {
        if event_id.is_empty() {
            return Ok(());
        }
        self.acks.push(event_id);
        self.ack_by
            .get_or_insert_with(|| Instant::now() + ACK_WITHIN);
        if self.acks.len() >= ACKS_MAX {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), End> {
        self.ack_by = None;
        if self.acks.is_empty() {
            return Ok(());
        }
        let ack = EventAck {
            event_ids: std::mem::take(&mut self.acks),
            timestamp_ms: self.now_ms(),
        };
        self.send(Answer::EventAck(ack)).await
    }

    async fn signal(
        &self,
        signal_type: &str,
        reason: &str,
        metadata: HashMap<String, String>,
    ) -> Result<(), End> {
        let signal = StreamSignal {
            signal_type: signal_type.to_owned(),
            reason: reason.to_owned(),
            metadata,
        };
        self.send(Answer::Signal(signal)).await
    }

    async fn send(&self, payload: Answer) -> Result<(), End> {
        let answer = StreamResponse {
            payload: Some(payload),
        };
        self.answers.send(Ok(answer)).await.map_err(|_| End::Gone)
    }

    fn now_ms(&self) -> i64 {
        self.app.operations.ingest.clock.now().micros() / 1_000
    }
}

fn about(event_id: &str, refusal: &ApiError) -> HashMap<String, String> {
    [("event_id", event_id), ("code", refusal.code.name())]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The event as it comes over HTTP. When it was sent first is when it was said.
fn as_json(event: ConversationEvent) -> Map<String, Value> {
    let said_ms = if event.sent_at_ms > 0 {
        event.sent_at_ms
    } else {
        event.timestamp_ms
    };
    let mut fields = Map::new();
    for (name, text) in [
        ("event_type", event.event_type),
        ("conversation_id", event.conversation_id),
        ("user_id", event.user_id),
        ("customer_id", event.customer_id),
        ("session_id", event.session_id),
        ("content", event.content),
        ("event_id", event.event_id),
    ] {
        fields.insert(name.to_owned(), text.into());
    }
    fields.insert("metadata".to_owned(), json!(event.metadata));
    fields.insert("scope".to_owned(), json!(event.scope));
    if said_ms > 0 {
        let said_at = Timestamp::from_micros(said_ms.saturating_mul(1_000));
        fields.insert("said_at".to_owned(), said_at.to_string().into());
    }
    fields
}
