//! The transcript of a whole conversation.

use crate::conversations::{author, full, value};
use crate::engine::Rows;
use crate::identity::Identity;
use crate::ingest::{Ingest, Placed};
use crate::operations::Operations;
use serde_json::Value;
use synap_log::EventLog;
use synap_query::{ScopeView, conversation, event_of_key};
use synap_readmodel::{ConversationRow, SeenRow};
use synap_text::transcript_turns;
use synap_types::json::parse_object;
use synap_types::limits::{CONVERSATION_TURNS_MAX, TRANSCRIPT_TURNS_MAX};
use synap_types::{
    ApiError, ErrorCode, EventBody, EventId, IngestionId, Transcript, TranscriptIngested,
    TranscriptReceipt, TranscriptRequest,
};

impl<L: EventLog> Operations<L> {
    /// Ingests the transcript of a whole conversation: once, and another one is a conflict.
    pub(crate) async fn ingest_transcript(
        &self,
        identity: &Identity,
        body: &[u8],
    ) -> Result<Value, ApiError> {
        let body = parse_object(body)?;
        let request = TranscriptRequest::parse(body, &identity.client, &identity.isolation)?;
        let turns = turns_of(&request.transcript)?;
        let partition = self.engine.count.partition_of(&request.scope);
        self.engine.catch_up(partition).await?;
        let hash = *request.transcript.content_hash().bytes();
        // The key is the conversation's: of two transcripts at the same time, one is in the log.
        let (id, before) = self.transcript_state(&request).await?;
        let known = before.as_ref().and_then(|row| row.transcript);
        if let Some(known) = known {
            return self.repeated_transcript(&request, id, before, known == hash);
        }
        let recorded = before.map_or(0, |row| row.turns);
        if recorded.saturating_add(turns) > CONVERSATION_TURNS_MAX {
            return Err(full());
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
            row = self.transcript_state(&request).await?.1;
        }
        match row.as_ref().and_then(|row| row.transcript) {
            Some(applied) if applied != hash => return Err(transcript_conflict()),
            // The log had one before, and the rows do not say yet which.
            None if placed.duplicate => return Err(not_yet_applied()),
            Some(_) | None => {}
        }
        Ok(self.transcript_answer(&request, id, placed, row))
    }

    fn repeated_transcript(
        &self,
        request: &TranscriptRequest,
        id: EventId,
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

    /// The conversation, and the id under which its transcript is there or can be stored: another one after each time
    /// that the conversation was erased.
    async fn transcript_state(
        &self,
        request: &TranscriptRequest,
    ) -> Result<(EventId, Option<ConversationRow>), ApiError> {
        let conversation_id = request.conversation.id;
        let first = request.key().event_id(&request.scope);
        let read = move |view: &ScopeView<'_, Rows<'_>>| {
            let row = conversation(view, conversation_id)?;
            let began = row.as_ref().map(|row| row.created_seq);
            let is_there = |seen: &SeenRow| began.is_some_and(|began| began <= seen.seq);
            let (id, _) = event_of_key(view.snapshot, &view.scope, first, is_there)?;
            Ok((id, row))
        };
        self.engine.read_as_is(request.scope.clone(), read).await
    }
}

/// How many turns a transcript has, if it may have so many.
fn turns_of(transcript: &Transcript) -> Result<u32, ApiError> {
    let turns = match transcript {
        Transcript::Text(text) => transcript_turns(text).len(),
        Transcript::Turns(turns) => turns.len(),
    };
    if turns > TRANSCRIPT_TURNS_MAX {
        let (field, unit) = ("transcript", "turns");
        return Err(ApiError::over_limit(
            field,
            unit,
            turns,
            TRANSCRIPT_TURNS_MAX,
        ));
    }
    Ok(u32::try_from(turns).unwrap_or(u32::MAX))
}

fn not_yet_applied() -> ApiError {
    let message = "the read model is behind the log";
    ApiError::new(ErrorCode::NotYetApplied, message)
}

fn transcript_conflict() -> ApiError {
    let message = "the conversation was ingested with another transcript";
    ApiError::new(ErrorCode::TranscriptConflict, message)
}
