//! Many turns at once: in a batch, or as the events of a client's stream.

use crate::conversations::value;
use crate::identity::Identity;
use crate::operations::Operations;
use futures::future::join_all;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use synap_log::EventLog;
use synap_types::json::{Fields, kind, parse_object};
use synap_types::limits::BATCH_MESSAGES_MAX;
use synap_types::{ApiError, IdempotencyKey, MessageReceipt, RecordRequest, TurnDoor};

impl<L: EventLog> Operations<L> {
    /// Records many turns; those of one conversation in their order. Each succeeds or fails by itself.
    pub(crate) async fn record_batch(
        &self,
        identity: &Identity,
        body: &[u8],
        key: Option<&str>,
    ) -> Result<Value, ApiError> {
        let mut fields = Fields::new(parse_object(body)?);
        let messages = list(&mut fields, "messages", BATCH_MESSAGES_MAX)?;
        let total = messages.len();
        let parse = |(at, body): (usize, Value)| {
            let parent = format!("messages[{at}]");
            let mut request = object(&parent, body)
                .and_then(|body| {
                    let (client, isolation) = (&identity.client, &identity.isolation);
                    RecordRequest::parse(body, client, isolation, TurnDoor::Call)
                })
                .map_err(|refusal| refusal.within(&parent))?;
            let own = || key.map(|key| IdempotencyKey::Caller(format!("batch {key}#{at}")));
            request.key = request.key.or_else(own);
            Ok(request)
        };
        let parsed = messages.into_iter().enumerate().map(parse).collect();
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        for (at, done) in self
            .record_all(identity, parsed)
            .await
            .into_iter()
            .enumerate()
        {
            match done {
                Ok(receipt) => results.push(value(&receipt)),
                Err(refusal) => {
                    errors.push(
                        json!({"index": at, "error": refusal.message, "code": refusal.code.name()}),
                    );
                }
            }
        }
        Ok(
            json!({"total": total, "succeeded": results.len(), "failed": errors.len(), "results": results,
            "errors": errors}),
        )
    }

    /// Records turns in the order given, one conversation after the other; after a turn that could not be stored now, no
    /// later one of its conversation is stored either.
    pub(crate) async fn record_all(
        &self,
        identity: &Identity,
        parsed: Vec<Result<RecordRequest, ApiError>>,
    ) -> Vec<Result<MessageReceipt, ApiError>> {
        let mut by_conversation: BTreeMap<_, Vec<(usize, RecordRequest)>> = BTreeMap::new();
        let mut results = BTreeMap::new();
        for (at, entry) in parsed.into_iter().enumerate() {
            match entry {
                Err(refusal) => drop(results.insert(at, Err(refusal))),
                Ok(request) => by_conversation
                    .entry((request.scope.clone(), request.conversation.id))
                    .or_default()
                    .push((at, request)),
            }
        }
        let runs = by_conversation.into_values().map(|turns| async move {
            let (mut done, mut broken) = (Vec::with_capacity(turns.len()), None::<ApiError>);
            for (at, request) in turns {
                let result = match &broken {
                    Some(refusal) => Err(refusal.clone()),
                    None => self.record(identity, request).await,
                };
                if let Err(refusal) = &result
                    && refusal.code.is_retryable()
                {
                    broken = Some(refusal.clone());
                }
                done.push((at, result));
            }
            done
        });
        for done in join_all(runs).await {
            results.extend(done);
        }
        results.into_values().collect()
    }

    /// Records turns that come as events with an id of the client: what its gRPC stream sends, over HTTP.
    pub(crate) async fn record_events(
        &self,
        identity: &Identity,
        body: &[u8],
    ) -> Result<Value, ApiError> {
        let mut fields = Fields::new(parse_object(body)?);
        let events = list(&mut fields, "events", BATCH_MESSAGES_MAX)?;
        let (mut ids, mut turns, mut are_turns) = (Vec::new(), Vec::new(), Vec::new());
        for (at, event) in events.into_iter().enumerate() {
            let parent = format!("events[{at}]");
            let event = object(&parent, event)?;
            let id = event.get("event_id").and_then(Value::as_str);
            ids.push(id.unwrap_or_default().to_owned());
            let turn = stream_turn(identity, event).map_err(|refusal| refusal.within(&parent));
            are_turns.push(!matches!(turn, Ok(None)));
            turns.extend(turn.transpose());
        }
        let mut done = self.record_all(identity, turns).await.into_iter();
        let (mut accepted, mut results) = (0, Vec::new());
        for (id, is_turn) in ids.into_iter().zip(are_turns) {
            // What is no turn is accepted as a hint.
            let refusal = is_turn.then(|| done.next()).flatten().and_then(Result::err);
            results.push(match refusal {
                None => {
                    accepted += 1;
                    json!({"event_id": id, "status": "accepted"})
                }
                Some(refusal) => {
                    json!({"event_id": id, "status": "rejected", "reason": refusal.message})
                }
            });
        }
        Ok(json!({"accepted": accepted, "rejected": results.len() - accepted, "results": results}))
    }
}

/// The turn of a stream's event; `None` for events that are hints, not turns. `event_id` is its key: the stream sends an
/// event again until it is acked, and sometimes after.
pub(crate) fn stream_turn(
    identity: &Identity,
    mut event: Map<String, Value>,
) -> Result<Option<RecordRequest>, ApiError> {
    let text = |event: &Map<String, Value>, field: &str| {
        event
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let role = match text(&event, "event_type").as_str() {
        "user_message" => "user",
        "assistant_message" => "assistant",
        "" => return Err(ApiError::invalid("event_type", "is required")),
        _ => return Ok(None),
    };
    let key = text(&event, "event_id");
    event.insert("role".to_owned(), role.into());
    event.entry("content").or_insert_with(|| "".into());
    let (client, isolation) = (&identity.client, &identity.isolation);
    let mut request = RecordRequest::parse(event, client, isolation, TurnDoor::Stream)?;
    request.key = if key.is_empty() {
        None
    } else {
        IdempotencyKey::caller("event_id", &key)?;
        Some(IdempotencyKey::Caller(format!("event {key}")))
    };
    Ok(Some(request))
}

/// A list of 1 to `most` entries.
fn list(fields: &mut Fields, field: &str, most: usize) -> Result<Vec<Value>, ApiError> {
    match fields.value(field) {
        Some(Value::Array(entries)) if entries.is_empty() => {
            Err(ApiError::invalid(field, "must not be empty"))
        }
        Some(Value::Array(entries)) if entries.len() > most => {
            Err(ApiError::over_limit(field, "entries", entries.len(), most))
        }
        Some(Value::Array(entries)) => Ok(entries),
        Some(other) => Err(ApiError::invalid(
            field,
            format!("must be a list, not {}", kind(&other)),
        )),
        None => Err(ApiError::invalid(field, "is required")),
    }
}

fn object(field: &str, value: Value) -> Result<Map<String, Value>, ApiError> {
    let found = kind(&value);
    if let Value::Object(fields) = value {
        return Ok(fields);
    }
    let problem = format!("must be an object, not {found}");
    Err(ApiError::invalid(field, problem))
}
