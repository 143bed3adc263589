//! Moving a memory to another scope, and undoing the last change of a memory.
//!
//! ```text
//! promote, demote: MemoryReceived (the scope that it goes to) ─► seen there? ─► MemoryMoved (where it comes from)
//! undo:            ChangeUndone where the memory is told again ─► ChangeUndone of the other half, if there is one
//! ```
//!
//! What is told comes first and what is not told any more comes last, each time. So a crash in between leaves a memory in
//! both places and never in none; the ids of the events are made of what is there, so that the same call finishes it.

use crate::conversations::{author, value};
use crate::engine::Rows;
use crate::identity::Identity;
use crate::operations::Operations;
use crate::recall::set;
use serde_json::{Value, json};
use synap_log::EventLog;
use synap_query::{
    LastChange, ScopeView, change, deletion, ingestion_status, last_change, received,
};
use synap_readmodel::{ChangeRow, ReceivedRow};
use synap_types::json::parse_object;
use synap_types::limits::MOVES_MAX;
use synap_types::{
    ApiError, ChangeUndone, Content, DocumentErased, ErrorCode, EventBody, EventId, IdempotencyKey,
    IngestionId, MemoryId, MemoryMoved, MemoryReceived, MoveOrigin, MoveRequest, MoveTo, Scope,
    Timestamp,
};

/// A memory and whose it is, as answers tell it.
pub(crate) fn place(id: MemoryId, scope: &Scope) -> Value {
    json!({"memory_id": id, "scope": scope.kind(), "scope_path": scope.path_json()})
}

/// The same, and whether it is told there after a change was undone.
pub(crate) fn place_after(id: MemoryId, scope: &Scope, is_told: bool) -> Value {
    let mut told = place(id, scope);
    set(&mut told, "is_told", is_told.into());
    told
}

/// One memory on its way to another scope.
struct Move {
    from: LastChange,
    target: Scope,
    moved_to: MemoryId,
    /// The event by which `from`'s scope tells it no more.
    moved: EventId,
}

impl Move {
    fn new(from: LastChange, target: Scope) -> Self {
        let row = &from.row;
        let key = IdempotencyKey::Caller(format!("move {} of {}", row.id, row.event_id));
        Self {
            moved: key.event_id(&row.scope),
            moved_to: MemoryReceived::id_in(&target, row.id),
            target,
            from,
        }
    }

    /// The first id of the event by which the target receives it. What stands there by then makes it another: what was
    /// received and taken away again can be received once more.
    fn received(&self, there: Option<&LastChange>) -> EventId {
        let row = &self.from.row;
        let after = there.map_or_else(String::new, |there| there.event_id.to_string());
        let key = format!("receive {} of {} after {after}", row.id, row.event_id);
        IdempotencyKey::Caller(key).event_id(&self.target)
    }

    /// Whether the target has received what is to be moved.
    fn is_received(&self, row: &ReceivedRow) -> bool {
        let last = row.origins.last();
        last.is_some_and(|last| {
            last.memory_id == self.from.row.id && last.event_id == self.from.row.event_id
        })
    }

    fn answer(&self) -> Value {
        let row = &self.from.row;
        let mut told = place(self.moved_to, &self.target);
        set(&mut told, "moved_from", place(row.id, &row.scope));
        set(&mut told, "event_id", value(&self.moved));
        told
    }
}

impl<L: EventLog> Operations<L> {
    /// Moves a memory to a wider scope of its own chain, or to a narrower one below its own.
    pub(crate) async fn move_memory(
        &self,
        identity: &Identity,
        id: &str,
        body: &[u8],
        way: MoveTo,
    ) -> Result<Value, ApiError> {
        let request = MoveRequest::parse(parse_object(body)?, way)?;
        let id: MemoryId = id.parse().map_err(|_| ApiError::not_found())?;
        let from = self.memory_state(identity, id).await?;
        let target = request.target(&identity.isolation, &from.row.scope)?;
        let is_told = from.row.is_live();
        if !is_told {
            // Asked again, it is moved already: its answer was lost.
            let moved_to = from.moved_to.clone().filter(|to| to.scope == target);
            if moved_to.is_none() || from.event_type != "memory-moved" {
                return Err(ApiError::not_found());
            }
        }
        let going = Move::new(from, target);
        if is_told {
            for scope in [&going.target, &going.from.row.scope] {
                let partition = self.engine.count.partition_of(scope);
                self.engine.check_log(partition)?;
                self.engine.catch_up(partition).await?;
            }
            let received = self.receive(identity, &going).await?;
            self.take_out(identity, &going, received).await?;
        }
        Ok(going.answer())
    }

    /// Lets the target tell the memory, unless it does already; answers the event by which it received it.
    async fn receive(&self, identity: &Identity, going: &Move) -> Result<EventId, ApiError> {
        let (target, moved_to) = (&going.target, going.moved_to);
        let there = self.state_in(identity, target, moved_to).await?;
        let known = self.received(identity, target, moved_to).await?;
        let is_told = there.as_ref().is_some_and(|there| there.row.is_live());
        if let Some(known) = known.filter(|known| is_told && going.is_received(known)) {
            return Ok(known.event_id);
        }
        let from = &going.from;
        let before = self.received(identity, &from.row.scope, from.row.id);
        let mut origins = before.await?.map_or_else(Vec::new, |row| row.origins);
        if origins.len() >= MOVES_MAX {
            let message = format!("the memory was moved {MOVES_MAX} times, which is the limit");
            return Err(ApiError::new(ErrorCode::Conflict, message));
        }
        origins.push(MoveOrigin {
            scope: from.row.scope.clone(),
            memory_id: from.row.id,
            source: from.row.source.clone(),
            event_id: from.row.event_id,
        });
        let first = going.received(there.as_ref());
        let state = self.engine.ingest_state(target, Some(first), None).await?;
        let event = state.event.unwrap_or(first);
        let body = received_body(identity, going, origins);
        self.change(target, event, body).await?;
        // Only what is seen there may go here.
        match self.received(identity, target, moved_to).await? {
            Some(row) if row.event_id == event => Ok(event),
            _ => Err(behind()),
        }
    }

    /// Lets the scope that the memory comes from tell it no more.
    async fn take_out(
        &self,
        identity: &Identity,
        going: &Move,
        received: EventId,
    ) -> Result<(), ApiError> {
        let row = &going.from.row;
        let now = self.state_in(identity, &row.scope, row.id).await?;
        let is_same = now.is_some_and(|now| now.row.is_live() && now.row.event_id == row.event_id);
        if !is_same {
            // Somebody changed or erased it meanwhile: what was received may not outlive that.
            self.erase_copy(identity, &going.target, going.moved_to, received)
                .await?;
            return Err(changed_meanwhile());
        }
        let data = MemoryMoved {
            scope: row.scope.clone(),
            memory_id: row.id,
            source: row.source.clone(),
            event_id: row.event_id,
            span: row.span,
            to: going.target.clone(),
            moved_to: going.moved_to,
            counterpart: received,
            author: author(identity),
        };
        let body = EventBody::MemoryMoved(Box::new(data));
        self.change(&row.scope, going.moved, body).await?;
        match self.state_in(identity, &row.scope, row.id).await? {
            Some(now) if now.event_id == going.moved => Ok(()),
            Some(now) if now.row.event_id == row.event_id => Err(behind()),
            _ => Err(changed_meanwhile()),
        }
    }

    async fn erase_copy(
        &self,
        identity: &Identity,
        scope: &Scope,
        copy: MemoryId,
        received: EventId,
    ) -> Result<(), ApiError> {
        let Some(document_id) = MemoryReceived::document_of(copy) else {
            return Ok(());
        };
        let key = IdempotencyKey::Caller(format!("take back {received}"));
        let deletion_id = key.event_id(scope);
        let data = DocumentErased {
            deletion_id,
            scope: scope.clone(),
            document_id,
            author: author(identity),
        };
        let body = EventBody::DocumentErased(Box::new(data));
        self.change(scope, deletion_id, body).await.map(drop)
    }

    /// Undoes a change, if it is the last one of its memory; of a move, both halves. Or the last version of a document.
    pub(crate) async fn undo(&self, identity: &Identity, event: &str) -> Result<Value, ApiError> {
        let event: EventId = event.parse().map_err(|_| ApiError::not_found())?;
        let Some(change) = self.change_of(identity, event).await? else {
            return match self.undo_version(identity, event).await? {
                Some(told) => Ok(told),
                None => Err(self.why_not(identity, event).await?),
            };
        };
        let mut halves = vec![self.half(identity, event, &change).await?];
        if let Some(counterpart) = change.counterpart
            && let Some(other) = self.change_of(identity, counterpart).await?
        {
            halves.push(self.half(identity, counterpart, &other).await?);
        }
        for half in &halves {
            half.check()?;
        }
        let undone: Vec<EventId> = halves.iter().map(|half| half.undone).collect();
        // What is told again comes first.
        halves.sort_by_key(|half| half.last.row.is_live());
        let mut memories = Vec::with_capacity(halves.len());
        for half in &halves {
            let counterpart = undone.iter().copied().find(|id| *id != half.undone);
            let is_told = self.undo_half(identity, half, counterpart).await?;
            let row = &half.last.row;
            let told = place_after(row.id, &row.scope, is_told);
            memories.push((half.event != event, told));
        }
        // The memory that was asked about, then the other one: the same answer when asked again.
        memories.sort_by_key(|(is_other, _)| *is_other);
        let memories: Vec<Value> = memories.into_iter().map(|(_, told)| told).collect();
        Ok(json!({"event_id": undone.first(), "undoes": event, "memories": memories}))
    }

    /// Answers whether the memory is told then.
    async fn undo_half(
        &self,
        identity: &Identity,
        half: &Half,
        counterpart: Option<EventId>,
    ) -> Result<bool, ApiError> {
        let row = &half.last.row;
        if half.last.event_id == half.undone {
            return Ok(row.is_live());
        }
        let data = ChangeUndone {
            scope: row.scope.clone(),
            memory_id: row.id,
            source: row.source.clone(),
            undoes: half.event,
            counterpart,
            author: author(identity),
        };
        let body = EventBody::ChangeUndone(Box::new(data));
        self.change(&row.scope, half.undone, body).await?;
        match self.state_in(identity, &row.scope, row.id).await? {
            Some(now) if now.event_id == half.undone => Ok(now.row.is_live()),
            Some(now) if now.event_id == half.event => Err(behind()),
            _ => Err(changed_meanwhile()),
        }
    }

    async fn half(
        &self,
        identity: &Identity,
        event: EventId,
        change: &ChangeRow,
    ) -> Result<Half, ApiError> {
        self.engine
            .check_log(self.engine.count.partition_of(&change.scope))?;
        let last = self.state_in(identity, &change.scope, change.memory_id);
        let key = IdempotencyKey::Caller(format!("undo {event}"));
        Ok(Half {
            event,
            undone: key.event_id(&change.scope),
            last: last.await?.ok_or_else(ApiError::not_found)?,
        })
    }

    /// Why what is no change of a memory cannot be undone.
    async fn why_not(&self, identity: &Identity, event: EventId) -> Result<ApiError, ApiError> {
        let client = identity.client.clone();
        let found = self.engine.find(move |rows| {
            if deletion(rows, &client, event)?.is_some() {
                return Ok(Some("an erasure cannot be undone"));
            }
            let ingestion = IngestionId::new(event.uuid());
            let ingested = ingestion_status(rows, &client, ingestion)?;
            Ok(ingested.map(
                |_| "nothing was there before this ingestion: forget its memories, or delete its document",
            ))
        });
        let found = found.await?;
        Ok(found.map_or_else(ApiError::not_found, |message| {
            ApiError::new(ErrorCode::Conflict, message)
        }))
    }

    async fn change_of(
        &self,
        identity: &Identity,
        event: EventId,
    ) -> Result<Option<ChangeRow>, ApiError> {
        let client = identity.client.clone();
        let found = self.engine.find(move |rows| change(rows, &client, event));
        found.await
    }

    /// The memory of this id, told or not, in whatever scope it is.
    pub(crate) async fn memory_state(
        &self,
        identity: &Identity,
        id: MemoryId,
    ) -> Result<LastChange, ApiError> {
        let client = identity.client.clone();
        let found = self.engine.find(move |rows| last_change(rows, &client, id));
        found.await?.ok_or_else(ApiError::not_found)
    }

    /// The memory of this id, told or not, in a scope that is known.
    pub(crate) async fn state_in(
        &self,
        identity: &Identity,
        scope: &Scope,
        id: MemoryId,
    ) -> Result<Option<LastChange>, ApiError> {
        let client = identity.client.clone();
        let read = move |view: &ScopeView<'_, Rows<'_>>| last_change(view.snapshot, &client, id);
        self.engine.read_as_is(scope.clone(), read).await
    }

    /// Where a memory of `scope` was before, if it was moved there.
    pub(crate) async fn received(
        &self,
        identity: &Identity,
        scope: &Scope,
        id: MemoryId,
    ) -> Result<Option<ReceivedRow>, ApiError> {
        let client = identity.client.clone();
        let read = move |view: &ScopeView<'_, Rows<'_>>| {
            let row = received(view.snapshot, &client, id)?;
            Ok(row.filter(|row| row.scope == view.scope && view.holds(row.seq)))
        };
        self.engine.read_as_is(scope.clone(), read).await
    }
}

/// One change that is to be undone.
struct Half {
    event: EventId,
    /// The event that undoes it: made of it, so that it is undone once.
    undone: EventId,
    last: LastChange,
}

impl Half {
    fn check(&self) -> Result<(), ApiError> {
        let last = &self.last;
        if last.event_id == self.undone {
            return Ok(());
        }
        if last.event_id != self.event {
            let message = format!(
                "event {} is not the last change of memory {}: {} ({}) is",
                self.event,
                last.row.id,
                last.event_id,
                last.event_type.replace('-', ".")
            );
            return Err(ApiError::new(ErrorCode::Conflict, message));
        }
        if !last.is_owned {
            let message = format!(
                "memory {} cannot be told again: its document or conversation was replaced or deleted since",
                last.row.id
            );
            return Err(ApiError::new(ErrorCode::Conflict, message));
        }
        Ok(())
    }
}

fn received_body(identity: &Identity, going: &Move, origins: Vec<MoveOrigin>) -> EventBody {
    let row = going.from.row.clone();
    // A turn was said when it was accepted, if nobody knows better.
    let accepted = row.turn.map(|_| row.accepted_at);
    EventBody::MemoryReceived(Box::new(MemoryReceived {
        scope: going.target.clone(),
        memory_id: going.moved_to,
        origins,
        counterpart: going.moved,
        content: Content::Text(row.text),
        memory_type: row.kind,
        category: row.category,
        confidence: row.confidence,
        speaker: row.speaker,
        said_at: row.said_at.or(accepted).map(Timestamp::from_micros),
        event_time: row.time,
        entities: row.entities,
        metadata: going.from.metadata.clone(),
        author: author(identity),
    }))
}

pub(crate) fn behind() -> ApiError {
    ApiError::new(
        ErrorCode::NotYetApplied,
        "the change is in the log, and the read model is behind it: ask again",
    )
}

pub(crate) fn changed_meanwhile() -> ApiError {
    ApiError::new(
        ErrorCode::Conflict,
        "the memory was changed meanwhile: look at it, and ask again",
    )
}
