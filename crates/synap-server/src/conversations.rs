//! Writing to conversations: turns, transcripts, summaries. See [`crate::recall`] for reading them.

use crate::engine::Rows;
use crate::identity::Identity;
use crate::ingest::{Ingest, Placed};
use crate::metrics;
use crate::operations::Operations;
use futures::future::join_all;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use synap_log::EventLog;
use synap_query::{ScopeView, compaction, conversation, turn_of, turns};
use synap_readmodel::{CompactionRow, ConversationRow, TurnRow};
use synap_types::json::{Fields, kind, parse_object};
use synap_types::limits::{BATCH_MESSAGES_MAX, CONVERSATION_TURNS_MAX};
use synap_types::{
    ApiError, Author, CompactRequest, ConversationCompacted, ConversationName, ErrorCode,
    EventBody, EventId, IdempotencyKey, IngestionId, MessageReceipt, MessageRecorded,
    RecordRequest, Scope, Timestamp, TranscriptIngested, TranscriptReceipt, TranscriptRequest,
    TurnDoor,
};
use uuid::Uuid;

/// What the rows say of a turn before it is appended, or after.
struct TurnState {
    /// The turn that the event recorded, or repeated.
    turn: Option<(u32, TurnRow)>,
    /// Turns of its conversation.
    count: u32,
}

impl<L: EventLog> Operations<L> {
    /// Records one turn. An answer means: durable, and in order after every turn of the conversation answered before.
    pub(crate) async fn record(
        &self,
        identity: &Identity,
        request: RecordRequest,
    ) -> Result<MessageReceipt, ApiError> {
        let id = event_id(request.key.as_ref(), &request.scope);
        let before = self.turn_state(&request, id).await?;
        let done = match before.turn {
            Some(turn) => Ok(self.receipt_of_turn(&request, id, None, Some(turn))),
            None if before.count >= CONVERSATION_TURNS_MAX => Err(full()),
            None => self.append_turn(identity, request, id).await,
        };
        metrics::recorded(&done);
        done
    }

    /// Records one turn from its body. `key` is an idempotency key from outside the body.
    pub(crate) async fn record_body(
        &self,
        identity: &Identity,
        body: &[u8],
        key: Option<IdempotencyKey>,
    ) -> Result<Value, ApiError> {
        let body = parse_object(body)?;
        let door = TurnDoor::Call;
        let mut request = RecordRequest::parse(body, &identity.client, &identity.isolation, door)?;
        request.key = request.key.or(key);
        Ok(value(&self.record(identity, request).await?))
    }

    async fn append_turn(
        &self,
        identity: &Identity,
        request: RecordRequest,
        id: EventId,
    ) -> Result<MessageReceipt, ApiError> {
        let partition = self.engine.count.partition_of(&request.scope);
        self.engine.check_log(partition)?;
        let data = MessageRecorded {
            message_id: id,
            scope: request.scope.clone(),
            conversation_id: request.conversation.id,
            external_conversation_id: request.conversation.external.clone(),
            session_id: request.session_id.clone(),
            door: request.door,
            role: request.role,
            content: request.content.clone(),
            said_at: request.said_at,
            metadata: request.metadata.clone(),
            author: author(identity),
        };
        let body = EventBody::MessageRecorded(Box::new(data));
        let placed = self.ingest.append_event(id, body).await?;
        let mut turn = None;
        if self.engine.applied(placed.partition, placed.at).await {
            // What cannot be told now must not make a stored turn look like a failure.
            turn = self
                .turn_state(&request, id)
                .await
                .ok()
                .and_then(|now| now.turn);
        }
        Ok(self.receipt_of_turn(&request, id, Some(placed), turn))
    }

    async fn turn_state(
        &self,
        request: &RecordRequest,
        event: EventId,
    ) -> Result<TurnState, ApiError> {
        let (scope, id) = (request.scope.clone(), request.conversation.id);
        let has_key = request.key.is_some();
        self.engine
            .read_as_is(
                request.scope.clone(),
                move |view: &ScopeView<'_, Rows<'_>>| {
                    let row = conversation(view, id)?;
                    // Without a key the id is new, and was never seen before the append.
                    let number = if has_key || row.is_some() {
                        turn_of(view.snapshot, &scope, event)?
                    } else {
                        None
                    };
                    let turn = match (&row, number) {
                        (Some(row), Some(number)) => turns(view, row, number, 1)?.pop(),
                        _ => None,
                    };
                    let count = row.map_or(0, |row| row.turns);
                    Ok(TurnState { turn, count })
                },
            )
            .await
    }

    fn receipt_of_turn(
        &self,
        request: &RecordRequest,
        id: EventId,
        placed: Option<Placed>,
        turn: Option<(u32, TurnRow)>,
    ) -> MessageReceipt {
        let partition = self.engine.count.partition_of(&request.scope);
        let now = || placed.map_or_else(|| self.ingest.clock.now(), |placed| placed.time);
        let at = placed.map_or_else(|| self.engine.applied_at(partition), |placed| placed.at);
        MessageReceipt {
            message_id: turn.as_ref().map_or(id, |(_, row)| row.message_id),
            conversation_id: request.conversation.id,
            session_id: request.session_id.clone(),
            recorded_at: turn
                .as_ref()
                .map_or_else(now, |(_, row)| Timestamp::from_micros(row.accepted_at)),
            conversation_message_count: turn.as_ref().map(|(number, _)| *number),
            duplicate: placed.is_none_or(|placed| placed.duplicate),
            scope: request.scope.kind().to_owned(),
            scope_path: request.scope.path_json(),
            position: Ingest::<L>::position(&request.scope, partition, at),
            durability: self.ingest.log.durability().name(),
        }
    }

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
        let mut ids = Vec::with_capacity(events.len());
        let mut parsed = Vec::new();
        for (at, event) in events.into_iter().enumerate() {
            let parent = format!("events[{at}]");
            let event = object(&parent, event)?;
            let id = event
                .get("event_id")
                .and_then(Value::as_str)
                .unwrap_or_default();
            ids.push(id.to_owned());
            parsed.push(stream_turn(identity, event).map_err(|refusal| refusal.within(&parent)));
        }
        let turns: Vec<_> = parsed
            .iter_mut()
            .map(|entry| match entry {
                Ok(turn) => turn.take().map(Ok),
                Err(refusal) => Some(Err(refusal.clone())),
            })
            .collect();
        let are_turns: Vec<bool> = turns.iter().map(Option::is_some).collect();
        let done = self
            .record_all(identity, turns.into_iter().flatten().collect())
            .await;
        let mut done = done.into_iter();
        let (mut accepted, mut results) = (0, Vec::new());
        for (id, is_turn) in ids.into_iter().zip(are_turns) {
            let refusal = if is_turn {
                done.next().and_then(Result::err)
            } else {
                None
            };
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

    /// Ingests the transcript of a whole conversation: once, and another one is a conflict.
    pub(crate) async fn ingest_transcript(
        &self,
        identity: &Identity,
        body: &[u8],
        key: Option<&str>,
    ) -> Result<Value, ApiError> {
        let body = parse_object(body)?;
        let request = TranscriptRequest::parse(body, &identity.client, &identity.isolation)?;
        let partition = self.engine.count.partition_of(&request.scope);
        self.engine.catch_up(partition).await?;
        let hash = *request.transcript.content_hash().bytes();
        let before = self
            .conversation_row(&request.scope, &request.conversation)
            .await?;
        let known = before.as_ref().and_then(|row| row.transcript);
        if let Some(known) = known {
            return self.repeated_transcript(&request, before, known == hash);
        }
        // The key is the conversation's: of two transcripts at the same time, one is in the log. It is used up if the
        // conversation was erased since.
        let mut id = request.key().event_id(&request.scope);
        if self.is_seen(&request.scope, id).await? {
            let again = key.map_or_else(|| Uuid::new_v4().to_string(), ToOwned::to_owned);
            id = IdempotencyKey::Caller(format!("{:?} {again}", request.key()))
                .event_id(&request.scope);
        }
        self.engine.check_log(partition)?;
        let data = TranscriptIngested {
            ingestion_id: IngestionId::new(id.uuid()),
            scope: request.scope.clone(),
            conversation_id: request.conversation.id,
            external_conversation_id: request.conversation.external.clone(),
            transcript: request.transcript.clone(),
            conversation_type: request.conversation_type.clone(),
            analysis: request.analysis.clone(),
            metadata: request.metadata.clone(),
            started_at: request.started_at,
            ended_at: request.ended_at,
            author: author(identity),
        };
        let body = EventBody::TranscriptIngested(Box::new(data));
        let placed = self.ingest.append_event(id, body).await?;
        let mut row = None;
        if self.engine.applied(placed.partition, placed.at).await {
            row = self
                .conversation_row(&request.scope, &request.conversation)
                .await?;
        }
        let applied = row.as_ref().and_then(|row| row.transcript);
        if applied.is_some_and(|applied| applied != hash) {
            return Err(transcript_conflict());
        }
        Ok(self.transcript_answer(&request, id, placed, row))
    }

    fn repeated_transcript(
        &self,
        request: &TranscriptRequest,
        row: Option<ConversationRow>,
        is_same: bool,
    ) -> Result<Value, ApiError> {
        if !is_same {
            return Err(transcript_conflict());
        }
        let partition = self.engine.count.partition_of(&request.scope);
        let placed = Placed {
            partition,
            at: self.engine.applied_at(partition),
            duplicate: true,
            time: self.ingest.clock.now(),
        };
        let id = request.key().event_id(&request.scope);
        Ok(self.transcript_answer(request, id, placed, row))
    }

    fn transcript_answer(
        &self,
        request: &TranscriptRequest,
        id: EventId,
        placed: Placed,
        row: Option<ConversationRow>,
    ) -> Value {
        let conversation = &request.conversation;
        let external = conversation.external.as_ref();
        let compacted = row.as_ref().is_some_and(|row| row.compactions > 0);
        value(&TranscriptReceipt {
            conversation_id: conversation.id,
            external_conversation_id: external
                .map_or_else(|| conversation.id.to_string(), ToString::to_string),
            ingestion_id: IngestionId::new(id.uuid()),
            status: if placed.duplicate {
                "duplicate"
            } else {
                "queued"
            },
            summary_status: if compacted {
                "already_compacted"
            } else {
                "skipped"
            },
            turns_recorded: row.map_or(0, |row| row.turns),
            queued_at: placed.time,
            warnings: Vec::new(),
            scope: request.scope.kind().to_owned(),
            scope_path: request.scope.path_json(),
            position: Ingest::<L>::position(&request.scope, placed.partition, placed.at),
            durability: self.ingest.log.durability().name(),
        })
    }

    /// Makes a summary of the turns so far, unless nothing was said since the last one.
    pub(crate) async fn compact(
        &self,
        identity: &Identity,
        body: &[u8],
        key: Option<IdempotencyKey>,
    ) -> Result<Value, ApiError> {
        let body = parse_object(body)?;
        let request = CompactRequest::parse(body, &identity.client, &identity.isolation)?;
        let scope = self
            .owner(identity, request.scope.clone(), &request.conversation)
            .await?
            .ok_or_else(ApiError::not_found)?;
        let (row, last) = self
            .with_compaction(&scope, &request.conversation)
            .await?
            .filter(|(row, _)| row.turns > 0)
            .ok_or_else(ApiError::not_found)?;
        let is_current = last
            .as_ref()
            .is_some_and(|last| last.turns == row.turns && last.strategy == request.strategy);
        if let Some(last) = last.as_ref().filter(|_| is_current && !request.force) {
            return Ok(compaction_answer(&request, last.id, last.accepted_at, None));
        }
        let id = event_id(key.as_ref(), &scope);
        self.engine
            .check_log(self.engine.count.partition_of(&scope))?;
        let data = ConversationCompacted {
            compaction_id: id,
            scope: scope.clone(),
            conversation_id: request.conversation.id,
            strategy: request.strategy,
            target_tokens: request.target_tokens,
            author: author(identity),
        };
        let body = EventBody::ConversationCompacted(Box::new(data));
        let placed = self.ingest.append_event(id, body).await?;
        self.engine.applied(placed.partition, placed.at).await;
        let accepted_at = placed.time.micros();
        Ok(compaction_answer(&request, id, accepted_at, last.as_ref()))
    }

    /// A conversation and its last summary.
    pub(crate) async fn with_compaction(
        &self,
        scope: &Scope,
        name: &ConversationName,
    ) -> Result<Option<(ConversationRow, Option<CompactionRow>)>, ApiError> {
        let id = name.id;
        self.engine
            .read(scope.clone(), move |view: &ScopeView<'_, Rows<'_>>| {
                let Some(row) = conversation(view, id)? else {
                    return Ok(None);
                };
                let last = compaction(view, &row, None)?;
                Ok(Some((row, last)))
            })
            .await
    }

    async fn conversation_row(
        &self,
        scope: &Scope,
        name: &ConversationName,
    ) -> Result<Option<ConversationRow>, ApiError> {
        let id = name.id;
        let read = move |view: &ScopeView<'_, Rows<'_>>| conversation(view, id);
        self.engine.read_as_is(scope.clone(), read).await
    }

    async fn is_seen(&self, scope: &Scope, event: EventId) -> Result<bool, ApiError> {
        let state = self.engine.ingest_state(scope, Some(event), None).await?;
        Ok(state.seen.is_some())
    }

    /// The user whose conversation this is: as the caller says, else as the conversation itself says. `None` where nobody
    /// has such a conversation.
    pub(crate) async fn owner(
        &self,
        identity: &Identity,
        given: Option<Scope>,
        name: &ConversationName,
    ) -> Result<Option<Scope>, ApiError> {
        if given.is_some() {
            return Ok(given);
        }
        let mut owners = self
            .engine
            .conversation_owners(&identity.client, name.id)
            .await?;
        if owners.len() > 1 {
            let problem =
                "is used by several users: name user_id, and customer_id where there are customers";
            return Err(ApiError::invalid("conversation_id", problem));
        }
        Ok(owners.pop())
    }
}

/// The turn of a stream's event; `None` for events that are hints. `event_id` is its key: the stream sends an event again
/// until it is acked, and sometimes after.
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
    // What no conversation or nobody said is a hint as well.
    if text(&event, "conversation_id").is_empty() || text(&event, "user_id").is_empty() {
        return Ok(None);
    }
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

fn compaction_answer(
    request: &CompactRequest,
    id: EventId,
    accepted_at: i64,
    previous: Option<&CompactionRow>,
) -> Value {
    let mut answer = json!({"compaction_id": id, "conversation_id": request.conversation.id, "status": "completed",
        "trigger_type": "manual_api", "initiated_at": Timestamp::from_micros(accepted_at),
        "estimated_completion_seconds": 0});
    if let (Value::Object(fields), Some(previous)) = (&mut answer, previous) {
        let age = (accepted_at - previous.accepted_at).max(0) / 1_000_000;
        fields.insert("previous_compaction_id".to_owned(), json!(previous.id));
        fields.insert("previous_context_age_seconds".to_owned(), age.into());
    }
    answer
}

/// The id of an event under the caller's key; without one it is new.
pub(crate) fn event_id(key: Option<&IdempotencyKey>, scope: &Scope) -> EventId {
    key.map_or_else(|| EventId::new(Uuid::new_v4()), |key| key.event_id(scope))
}

pub(crate) fn author(identity: &Identity) -> Author {
    Author {
        instance_id: identity.instance.clone(),
        key_id: identity.key_id.clone(),
    }
}

/// A list of 1 to `most` entries.
pub(crate) fn list(fields: &mut Fields, field: &str, most: usize) -> Result<Vec<Value>, ApiError> {
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

pub(crate) fn object(field: &str, value: Value) -> Result<Map<String, Value>, ApiError> {
    match value {
        Value::Object(fields) => Ok(fields),
        other => {
            let problem = format!("must be an object, not {}", kind(&other));
            Err(ApiError::invalid(field, problem))
        }
    }
}

/// What serialises without fail: structs of ours with string keys.
pub(crate) fn value(answer: &impl serde::Serialize) -> Value {
    serde_json::to_value(answer).unwrap_or_default()
}

fn full() -> ApiError {
    let message =
        format!("the conversation has {CONVERSATION_TURNS_MAX} turns, which is the limit");
    ApiError::new(ErrorCode::Conflict, message)
}

fn transcript_conflict() -> ApiError {
    let message = "the conversation was ingested with another transcript";
    ApiError::new(ErrorCode::TranscriptConflict, message)
}
