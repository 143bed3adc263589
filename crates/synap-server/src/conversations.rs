//! Writing to conversations: turns one by one or many, transcripts, summaries. See [`crate::recall`] for reading them.

mod batch;
mod compaction;
mod transcript;

pub(crate) use batch::stream_turn;

use crate::engine::Rows;
use crate::identity::Identity;
use crate::ingest::{Ingest, Placed};
use crate::metrics;
use crate::operations::Operations;
use serde_json::Value;
use synap_log::EventLog;
use synap_query::{ScopeView, conversation, event_of_key, turns};
use synap_readmodel::{SeenRow, TurnRow};
use synap_types::json::parse_object;
use synap_types::limits::CONVERSATION_TURNS_MAX;
use synap_types::{
    ApiError, Author, ConversationName, ErrorCode, EventBody, EventId, IdempotencyKey, LevelName,
    MessageReceipt, MessageRecorded, RecordRequest, Scope, ScopeIds, Timestamp, TurnDoor,
};
use uuid::Uuid;

/// What the rows say of a turn before it is appended, or after.
struct TurnState {
    /// The id under which it is there, or can be stored.
    event: EventId,
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
        let what = format!("turn of {}", request.conversation.id);
        let first = event_id(request.key.as_ref(), &what, &request.scope);
        let before = self.turn_state(&request, first).await?;
        let id = before.event;
        let done = match before.turn {
            Some(turn) => Ok(self.receipt_of_turn(&request, id, None, Some(&turn))),
            None if before.count >= CONVERSATION_TURNS_MAX => Err(full()),
            None => self.append_turn(identity, &request, id).await,
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
        request: &RecordRequest,
        mut id: EventId,
    ) -> Result<MessageReceipt, ApiError> {
        let (mut placed, mut now) = self.place_turn(identity, request, id).await?;
        // The log had it before, and it was erased since: rows that were behind did not say so.
        let next = now.as_ref().map(|now| now.event);
        if let Some(next) = next.filter(|next| placed.duplicate && *next != id) {
            id = next;
            (placed, now) = self.place_turn(identity, request, id).await?;
        }
        let turn = now.and_then(|now| now.turn);
        Ok(self.receipt_of_turn(request, id, Some(placed), turn.as_ref()))
    }

    /// Appends a turn under this id; answers what the rows say of it then, if they can tell in time.
    async fn place_turn(
        &self,
        identity: &Identity,
        request: &RecordRequest,
        id: EventId,
    ) -> Result<(Placed, Option<TurnState>), ApiError> {
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
        if !self.engine.applied(placed.partition, placed.at).await {
            return Ok((placed, None));
        }
        // What cannot be told now must not make a stored turn look like a failure.
        Ok((placed, self.turn_state(request, id).await.ok()))
    }

    async fn turn_state(
        &self,
        request: &RecordRequest,
        first: EventId,
    ) -> Result<TurnState, ApiError> {
        let id = request.conversation.id;
        self.engine
            .read_as_is(
                request.scope.clone(),
                move |view: &ScopeView<'_, Rows<'_>>| {
                    let row = conversation(view, id)?;
                    let began = row.as_ref().map(|row| row.created_seq);
                    let is_there = |seen: &SeenRow| began.is_some_and(|began| began <= seen.seq);
                    let (event, seen) = event_of_key(view.snapshot, &view.scope, first, is_there)?;
                    let turn = match (&row, seen.and_then(|seen| seen.turn)) {
                        (Some(row), Some(number)) => turns(view, row, number, 1)?.pop(),
                        _ => None,
                    };
                    let count = row.map_or(0, |row| row.turns);
                    Ok(TurnState { event, turn, count })
                },
            )
            .await
    }

    fn receipt_of_turn(
        &self,
        request: &RecordRequest,
        id: EventId,
        placed: Option<Placed>,
        turn: Option<&(u32, TurnRow)>,
    ) -> MessageReceipt {
        let partition = self.engine.count.partition_of(&request.scope);
        let now = || placed.map_or_else(|| self.ingest.clock.now(), |placed| placed.time);
        let at = placed.map_or_else(|| self.engine.applied_at(partition), |placed| placed.at);
        MessageReceipt {
            message_id: turn.map_or(id, |(_, row)| row.message_id),
            conversation_id: request.conversation.id,
            session_id: request.session_id.clone(),
            recorded_at: turn.map_or_else(now, |(_, row)| Timestamp::from_micros(row.accepted_at)),
            conversation_message_count: turn.map(|(number, _)| *number),
            duplicate: placed.is_none_or(|placed| placed.duplicate),
            scope: request.scope.kind().to_owned(),
            scope_path: request.scope.path_json(),
            position: Ingest::<L>::position(&request.scope, partition, at),
            durability: self.ingest.log.durability().name(),
        }
    }

    /// The user whose conversation this is: whom `ids` name, else the one who has a conversation of this UUID and is not
    /// contradicted by them. `None` where there is nobody.
    pub(crate) async fn owner(
        &self,
        identity: &Identity,
        ids: &ScopeIds,
        name: &ConversationName,
    ) -> Result<Option<Scope>, ApiError> {
        let (client, isolation) = (&identity.client, &identity.isolation);
        isolation.accept(ids)?;
        if let Ok(user) = isolation.scope_at(client, ids, LevelName::USER) {
            return Ok(Some(user));
        }
        let Some(id) = name.uuid() else {
            return Ok(None);
        };
        let mut owners = self.engine.conversation_owners(client, id).await?;
        owners.retain(|owner| ids.agree_with(owner));
        if owners.len() > 1 {
            let problem =
                "is used by several users: name user_id, and customer_id where there are customers";
            return Err(ApiError::invalid("conversation_id", problem));
        }
        Ok(owners.pop())
    }
}

/// The id of an event under the caller's key for `what`; without one it is new.
pub(crate) fn event_id(key: Option<&IdempotencyKey>, what: &str, scope: &Scope) -> EventId {
    key.map_or_else(
        || EventId::new(Uuid::new_v4()),
        |key| key.of(what).event_id(scope),
    )
}

pub(crate) fn author(identity: &Identity) -> Author {
    Author {
        instance_id: identity.instance.clone(),
        key_id: identity.key_id.clone(),
    }
}

/// What serialises without fail: structs of ours with string keys.
pub(crate) fn value(answer: &impl serde::Serialize) -> Value {
    serde_json::to_value(answer).unwrap_or_default()
}

pub(crate) fn full() -> ApiError {
    let message =
        format!("the conversation has {CONVERSATION_TURNS_MAX} turns, which is the limit");
    ApiError::new(ErrorCode::Conflict, message)
}
