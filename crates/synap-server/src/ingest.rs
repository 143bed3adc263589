//! The write side: from a request to an event in the log, and its receipt.

mod acked;

pub(crate) use self::acked::Acked;
use crate::engine::Engine;
use crate::identity::Identity;
use bytes::Bytes;
use std::sync::Arc;
use synap_log::{AppendError, Appended, EventLog, NewEvent};
use synap_types::{
    ApiError, Author, Clock, DocumentId, ErrorCode, Event, EventBody, EventId, EventSubject,
    Hash128, IdempotencyKey, IngestReceipt, IngestRequest, IngestState, IngestionId,
    MemoryIngested, OnConflict, Partition, Position, Scope, Seq, Timestamp,
};
use tokio::time::Instant;
use tracing::{debug, warn};
use uuid::Uuid;

/// Turns requests into events.
#[derive(Debug)]
pub(crate) struct Ingest<L> {
    pub(crate) log: Arc<L>,
    pub(crate) engine: Arc<Engine<L>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) acked: Acked,
}

/// What the rows say about a request before it is appended.
pub(crate) enum Decision {
    /// It is new: append it under this id.
    Append(EventId),
    /// It is there already, as this event at this place.
    Known(Known),
    /// Its document has other content, and the caller wants no replacement.
    Conflict,
}

/// Where an event stands in the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) partition: Partition,
    /// Incarnation of the log, and place in it.
    pub(crate) at: (u64, Seq),
    /// The log had it before.
    pub(crate) duplicate: bool,
    /// When it was accepted, unless it is a duplicate.
    pub(crate) time: Timestamp,
}

/// An event that makes a request a repetition.
pub(crate) struct Known {
    event: EventId,
    seq: Seq,
    document: DocumentId,
    /// Nothing that happens later changes it: the caller's key was used.
    for_ever: bool,
}

/// Times that content without a document id is looked for again because its document was changed since.
const UNNAMED_MAX: usize = 16;

impl<L: EventLog> Ingest<L> {
    /// Appends `request` unless it is there already. A receipt means: durable, as [`EventLog::durability`] says.
    pub(crate) async fn ingest(
        &self,
        identity: &Identity,
        request: IngestRequest,
    ) -> Result<IngestReceipt, ApiError> {
        let decision = self.decided(&request).await?;
        self.carry_out(identity, request, decision).await
    }

    /// The first half of an ingest: whether `request` is to be appended.
    pub(crate) async fn decided(&self, request: &IngestRequest) -> Result<Decision, ApiError> {
        let partition = self.engine.count.partition_of(&request.scope);
        if request.on_conflict == OnConflict::Reject && request.document_id.is_some() {
            // Whether it is there is the question, so the rows must hold everything that was acked before this call.
            self.engine.catch_up(partition).await?;
        }
        match self.decide(request).await? {
            Decision::Known(known) if known.for_ever => Ok(Decision::Known(known)),
            Decision::Append(id) if !replaces(request) => Ok(Decision::Append(id)),
            // The id says which version is replaced, and these rows may not know the last one.
            Decision::Append(_) if self.is_behind(partition) => {
                self.decide_again(partition, request).await
            }
            Decision::Append(id) => Ok(Decision::Append(id)),
            // The rows may be behind the log: "already there" must hold for everything that was acked before this call.
            Decision::Known(_) | Decision::Conflict => {
                self.engine.catch_up(partition).await?;
                self.decide(request).await
            }
        }
    }

    /// The second half. What is appended is on its way to the log when this is first polled: calls that are polled in order
    /// append in order.
    pub(crate) async fn carry_out(
        &self,
        identity: &Identity,
        request: IngestRequest,
        decision: Decision,
    ) -> Result<IngestReceipt, ApiError> {
        let partition = self.engine.count.partition_of(&request.scope);
        let Decision::Append(id) = decision else {
            return self.repetition(partition, &request, decision);
        };
        self.engine.check_log(partition)?;
        let receipt = self.append(identity, partition, id, &request).await?;
        if !receipt.duplicate || !replaces(&request) {
            return Ok(receipt);
        }
        // The log had this version before; a newer one that the rows did not show yet may stand on top of it.
        match self.decide_again(partition, &request).await? {
            Decision::Append(other) if other != id => {
                self.append(identity, partition, other, &request).await
            }
            Decision::Append(_) => Ok(receipt),
            decision @ (Decision::Known(_) | Decision::Conflict) => {
                self.repetition(partition, &request, decision)
            }
        }
    }

    /// Whether the rows are further behind than JetStream's window for repetitions, as far as is known.
    fn is_behind(&self, partition: Partition) -> bool {
        let held = self.acked.long_ago(partition, Instant::now());
        self.engine.is_behind(partition, held)
    }

    /// Decides by rows that hold everything that was acked before this call. Where they cannot be had in time, the
    /// document is appended under an id that nothing else has: the projection folds it if it turns out to be the same.
    async fn decide_again(
        &self,
        partition: Partition,
        request: &IngestRequest,
    ) -> Result<Decision, ApiError> {
        match self.engine.catch_up(partition).await {
            Ok(()) => self.decide(request).await,
            Err(e) if e.code == ErrorCode::NotYetApplied => {
                let unknown = EventId::new(Uuid::new_v4());
                Ok(Decision::Append(content_id(request, Some(unknown))))
            }
            Err(e) => Err(e),
        }
    }

    /// The answer to a request that appends nothing.
    fn repetition(
        &self,
        partition: Partition,
        request: &IngestRequest,
        decision: Decision,
    ) -> Result<IngestReceipt, ApiError> {
        let Decision::Known(known) = decision else {
            return Err(ApiError::new(
                ErrorCode::Conflict,
                "document_id exists with other content, and on_conflict is reject",
            ));
        };
        let (incarnation, _) = self.engine.applied_at(partition);
        Ok(self.receipt(
            &request.scope,
            partition,
            known.event,
            known.document,
            IngestState::Completed,
            true,
            (incarnation, known.seq),
        ))
    }

    async fn decide(&self, request: &IngestRequest) -> Result<Decision, ApiError> {
        match (&request.key, &request.document_id) {
            (None, None) => self.decide_unnamed(request).await,
            (key, document) => {
                let by_caller = key.as_ref().map(|key| key.event_id(&request.scope));
                let scope = &request.scope;
                let state = self
                    .engine
                    .ingest_state(scope, by_caller, document.clone())
                    .await?;
                if let (Some(event), Some(seen)) = (state.event, state.seen) {
                    let Some(document) = seen.document_id else {
                        return Err(key_of_something_else());
                    };
                    return Ok(Decision::Known(Known {
                        event,
                        seq: Seq::new(seen.seq),
                        document,
                        for_ever: true,
                    }));
                }
                let by_caller = by_caller.and(state.event);
                let replaces = match state.document {
                    Some(row) if row.content == *content_hash(request).bytes() => {
                        return Ok(Decision::Known(Known {
                            event: row.event_id,
                            seq: Seq::new(row.seq),
                            document: row.document_id,
                            for_ever: false,
                        }));
                    }
                    Some(row) if request.on_conflict == OnConflict::Reject && row.version > 0 => {
                        return Ok(Decision::Conflict);
                    }
                    Some(row) => Some(row.event_id),
                    // After an erasure the same content is new again.
                    None => state.erased.map(|row| row.event_id),
                };
                Ok(Decision::Append(
                    by_caller.unwrap_or_else(|| content_id(request, replaces)),
                ))
            }
        }
    }

    /// Content is its own document then. It is there if that document still has it: the caller knows the document's id
    /// from the receipt, and may have changed it since.
    async fn decide_unnamed(&self, request: &IngestRequest) -> Result<Decision, ApiError> {
        let mut replaces = None;
        for _ in 0..UNNAMED_MAX {
            let event = content_id(request, replaces);
            let scope = &request.scope;
            let state = self.engine.ingest_state(scope, Some(event), None).await?;
            let event = state.event.unwrap_or(event);
            let Some(seen) = state.seen else {
                return Ok(Decision::Append(event));
            };
            let Some(document) = seen.document_id else {
                return Err(key_of_something_else());
            };
            let now = self
                .engine
                .ingest_state(scope, None, Some(document.clone()))
                .await?;
            match now.document {
                Some(row) if row.content != *content_hash(request).bytes() => {
                    replaces = Some(row.event_id);
                }
                Some(_) | None => {
                    return Ok(Decision::Known(Known {
                        event,
                        seq: Seq::new(seen.seq),
                        document,
                        for_ever: false,
                    }));
                }
            }
        }
        let unknown = EventId::new(Uuid::new_v4());
        Ok(Decision::Append(content_id(request, Some(unknown))))
    }

    async fn append(
        &self,
        identity: &Identity,
        partition: Partition,
        id: EventId,
        request: &IngestRequest,
    ) -> Result<IngestReceipt, ApiError> {
        let minted = || {
            Uuid::new_v5(&id.uuid(), b"document")
                .to_string()
                .parse()
                .ok()
        };
        let document_id = request
            .document_id
            .clone()
            .or_else(minted)
            .ok_or_else(|| ApiError::invalid("document_id", "is required"))?;
        let data = MemoryIngested {
            ingestion_id: IngestionId::new(id.uuid()),
            scope: request.scope.clone(),
            document_id: document_id.clone(),
            document_type: request.document_type.clone(),
            content: request.content.clone(),
            document_created_at: request.document_created_at,
            metadata: request.metadata.clone(),
            author: Author {
                instance_id: identity.instance.clone(),
                key_id: identity.key_id.clone(),
            },
        };
        let body = EventBody::MemoryIngested(Box::new(data));
        let done = self.append_event(id, body).await?;
        Ok(self.receipt(
            &request.scope,
            partition,
            id,
            document_id,
            IngestState::Queued,
            done.duplicate,
            done.at,
        ))
    }

    /// Appends one event. An answer means: durable, as [`EventLog::durability`] says.
    pub(crate) async fn append_event(
        &self,
        id: EventId,
        body: EventBody,
    ) -> Result<Placed, ApiError> {
        let time = self.clock.now();
        let event = Event { id, time, body };
        let partition = self.engine.count.partition_of(event.scope());
        let new = NewEvent {
            id,
            partition,
            subject: EventSubject::of(partition, &event),
            payload: Bytes::from(event.to_json()),
        };
        let Appended {
            seq,
            incarnation,
            duplicate,
        } = self.log.append(new).await.map_err(|e| refusal(&e))?;
        self.acked.note(partition, seq, Instant::now());
        let event_type = event.type_token();
        debug!(%partition, %seq, duplicate, event_type, scope_kind = event.scope().kind(), "appended");
        Ok(Placed {
            partition,
            at: (incarnation.0, seq),
            duplicate,
            time,
        })
    }

    /// What a caller gives to a fetch to read back what stands `at` incarnation and seq.
    pub(crate) fn position(scope: &Scope, partition: Partition, at: (u64, Seq)) -> Position {
        let (incarnation, seq) = at;
        Position {
            scope: scope.hash(),
            partition,
            incarnation,
            seq,
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of a receipt, each once"
    )]
    fn receipt(
        &self,
        scope: &Scope,
        partition: Partition,
        event: EventId,
        document_id: DocumentId,
        status: IngestState,
        duplicate: bool,
        at: (u64, Seq),
    ) -> IngestReceipt {
        IngestReceipt {
            ingestion_id: IngestionId::new(event.uuid()),
            document_id,
            status,
            duplicate,
            queued_at: self.clock.now(),
            scope: scope.kind().to_owned(),
            scope_path: scope.path_json(),
            position: Self::position(scope, partition, at),
            durability: self.log.durability().name(),
        }
    }
}

/// Whether `request` writes a version of a document, and its event's id says which version it replaces.
fn replaces(request: &IngestRequest) -> bool {
    request.key.is_none() && request.document_id.is_some()
}

fn content_hash(request: &IngestRequest) -> Hash128 {
    IdempotencyKey::content_hash(&request.content)
}

/// The id of `request` as a version on top of `replaces`.
fn content_id(request: &IngestRequest, replaces: Option<EventId>) -> EventId {
    let key = IdempotencyKey::Content {
        document_id: request.document_id.clone(),
        content: content_hash(request),
        replaces,
    };
    key.event_id(&request.scope)
}

/// The caller's key was used for something that is no document: a turn, a change.
fn key_of_something_else() -> ApiError {
    ApiError::new(
        ErrorCode::Conflict,
        "the idempotency key was used for another kind of request",
    )
}

/// What a caller is told about a failed append.
fn refusal(e: &AppendError) -> ApiError {
    if let AppendError::TooLarge { bytes, bytes_max } = e {
        return ApiError::over_limit("document", "bytes", *bytes, *bytes_max);
    }
    warn!(error = %e, source = ?std::error::Error::source(e), "an append failed");
    ApiError::new(
        ErrorCode::Unavailable,
        format!("not stored: {e}; try again"),
    )
}

#[cfg(test)]
pub(crate) mod tests;
