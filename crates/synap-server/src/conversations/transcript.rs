//! The transcript of a whole conversation.

use crate::conversations::{author, value};
use crate::engine::Rows;
use crate::identity::Identity;
use crate::ingest::{Ingest, Placed};
use crate::operations::Operations;
use serde_json::Value;
use synap_log::EventLog;
use synap_query::{ScopeView, conversation};
use synap_readmodel::ConversationRow;
use synap_types::json::parse_object;
use synap_types::{
    ApiError, ConversationRef, ErrorCode, EventBody, EventId, IdempotencyKey, IngestionId, Scope,
    TranscriptIngested, TranscriptReceipt, TranscriptRequest,
};
use uuid::Uuid;

impl<L: EventLog> Operations<L> {
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

    async fn conversation_row(
        &self,
        scope: &Scope,
        conversation_ref: &ConversationRef,
    ) -> Result<Option<ConversationRow>, ApiError> {
        let id = conversation_ref.id;
        let read = move |view: &ScopeView<'_, Rows<'_>>| conversation(view, id);
        self.engine.read_as_is(scope.clone(), read).await
    }

    async fn is_seen(&self, scope: &Scope, event: EventId) -> Result<bool, ApiError> {
        let state = self.engine.ingest_state(scope, Some(event), None).await?;
        Ok(state.seen.is_some())
    }
}

fn transcript_conflict() -> ApiError {
    let message = "the conversation was ingested with another transcript";
    ApiError::new(ErrorCode::TranscriptConflict, message)
}
