//! The write side: from a request to an event in the log, and its receipt.

use crate::engine::Engine;
use crate::identity::Identity;
use bytes::Bytes;
use std::sync::Arc;
use synap_log::{AppendError, Appended, EventLog, NewEvent};
use synap_types::{
    ApiError, Author, Clock, DocumentId, ErrorCode, Event, EventBody, EventId, EventSubject,
    IdempotencyKey, IngestReceipt, IngestRequest, IngestState, IngestionId, MemoryIngested,
    OnConflict, Partition, Position, Scope, Seq,
};
use tracing::{debug, warn};
use uuid::Uuid;

/// Turns requests into events.
#[derive(Debug)]
pub(crate) struct Ingest<L> {
    pub(crate) log: Arc<L>,
    pub(crate) engine: Arc<Engine<L>>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What the rows say about a request before it is appended.
enum Decision {
    /// It is new: append it under this id.
    Append(EventId),
    /// It is there already, as this event at this place.
    Known {
        event: EventId,
        seq: Seq,
        document: DocumentId,
    },
    /// Its document has other content, and the caller wants no replacement.
    Conflict,
}

impl<L: EventLog> Ingest<L> {
    /// Appends `request` unless it is there already. A receipt means: durable, as [`EventLog::durability`] says.
    pub(crate) async fn ingest(
        &self,
        identity: &Identity,
        request: IngestRequest,
    ) -> Result<IngestReceipt, ApiError> {
        let partition = self.engine.count.partition_of(&request.scope);
        let mut decision = self.decide(&request).await?;
        if !matches!(decision, Decision::Append(_)) {
            // The rows may be behind the log: "already there" must hold for everything that was acked before this call.
            self.engine.catch_up(partition).await?;
            decision = self.decide(&request).await?;
        }
        match decision {
            Decision::Append(id) => self.append(identity, partition, id, request).await,
            Decision::Known {
                event,
                seq,
                document,
            } => {
                let incarnation = self.engine.nodes.get(&partition).map_or(0, |node| {
                    let live = node.live();
                    let progress = live.progress.borrow();
                    progress.incarnation.0
                });
                let at = (incarnation, seq);
                Ok(self.receipt(
                    &request.scope,
                    partition,
                    event,
                    document,
                    IngestState::Completed,
                    true,
                    at,
                ))
            }
            Decision::Conflict => Err(ApiError::new(
                ErrorCode::Conflict,
                "document_id exists with other content, and on_conflict is reject",
            )),
        }
    }

    async fn decide(&self, request: &IngestRequest) -> Result<Decision, ApiError> {
        let content = IdempotencyKey::content_hash(&request.content);
        let by_caller = request.key.as_ref().map(|key| key.event_id(&request.scope));
        let unnamed = || IdempotencyKey::Content {
            document_id: None,
            content,
            replaces: None,
        };
        let first = match (&by_caller, &request.document_id) {
            (Some(id), _) => Some(*id),
            (None, None) => Some(unnamed().event_id(&request.scope)),
            (None, Some(_)) => None,
        };
        let state = self
            .engine
            .ingest_state(&request.scope, first, request.document_id.clone())
            .await?;
        if let (Some(event), Some(seen)) = (first, state.seen) {
            return Ok(Decision::Known {
                event,
                seq: Seq::new(seen.seq),
                document: seen.document_id,
            });
        }
        let replaces = match state.document {
            Some(same) if same.content == *content.bytes() => {
                let (event, seq) = (same.event_id, Seq::new(same.seq));
                return Ok(Decision::Known {
                    event,
                    seq,
                    document: same.document_id,
                });
            }
            Some(_) if request.on_conflict == OnConflict::Reject => return Ok(Decision::Conflict),
            other => other.map(|row| row.event_id),
        };
        let by_content = || {
            let document_id = request.document_id.clone();
            IdempotencyKey::Content {
                document_id,
                content,
                replaces,
            }
            .event_id(&request.scope)
        };
        Ok(Decision::Append(first.unwrap_or_else(by_content)))
    }

    async fn append(
        &self,
        identity: &Identity,
        partition: Partition,
        id: EventId,
        request: IngestRequest,
    ) -> Result<IngestReceipt, ApiError> {
        let minted = || {
            Uuid::new_v5(&id.uuid(), b"document")
                .to_string()
                .parse()
                .ok()
        };
        let document_id = request
            .document_id
            .or_else(minted)
            .ok_or_else(|| ApiError::invalid("document_id", "is required"))?;
        let data = MemoryIngested {
            ingestion_id: IngestionId::new(id.uuid()),
            scope: request.scope.clone(),
            document_id: document_id.clone(),
            document_type: request.document_type,
            content: request.content,
            document_created_at: request.document_created_at,
            metadata: request.metadata,
            author: Author {
                instance_id: identity.instance.clone(),
                key_id: identity.key_id.clone(),
            },
        };
        let event = Event {
            id,
            time: self.clock.now(),
            body: EventBody::MemoryIngested(Box::new(data)),
        };
        let subject = EventSubject::of(partition, &event);
        let new = NewEvent {
            id,
            partition,
            subject,
            payload: Bytes::from(event.to_json()),
        };
        let Appended {
            seq,
            incarnation,
            duplicate,
        } = self.log.append(new).await.map_err(|e| refusal(&e))?;
        debug!(%partition, %seq, duplicate, scope_kind = request.scope.kind(), "appended");
        let at = (incarnation.0, seq);
        Ok(self.receipt(
            &request.scope,
            partition,
            id,
            document_id,
            IngestState::Queued,
            duplicate,
            at,
        ))
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
        (incarnation, seq): (u64, Seq),
    ) -> IngestReceipt {
        IngestReceipt {
            ingestion_id: IngestionId::new(event.uuid()),
            document_id,
            status,
            duplicate,
            queued_at: self.clock.now(),
            scope: scope.kind().to_owned(),
            scope_path: scope.path_json(),
            position: Position {
                scope: scope.hash(),
                partition,
                incarnation,
                seq,
            },
            durability: self.log.durability().name(),
        }
    }
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
