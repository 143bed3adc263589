//! Summaries of conversations.

use crate::conversations::{author, event_id};
use crate::engine::Rows;
use crate::identity::Identity;
use crate::operations::Operations;
use serde_json::{Value, json};
use synap_log::EventLog;
use synap_query::{ScopeView, compaction, conversation, event_of_key};
use synap_readmodel::{CompactionRow, ConversationRow};
use synap_types::json::parse_object;
use synap_types::{
    ApiError, CompactRequest, ConversationCompacted, ConversationId, EventBody, EventId,
    IdempotencyKey, Scope, Timestamp,
};

impl<L: EventLog> Operations<L> {
    /// Makes a summary of the turns so far, unless nothing was said since the last one.
    pub(crate) async fn compact(
        &self,
        identity: &Identity,
        body: &[u8],
        key: Option<IdempotencyKey>,
    ) -> Result<Value, ApiError> {
        let body = parse_object(body)?;
        let request = CompactRequest::parse(body)?;
        let scope = self
            .owner(identity, &request.ids, &request.conversation)
            .await?
            .ok_or_else(ApiError::not_found)?;
        let (row, last) = self
            .with_compaction(&scope, request.conversation.of(&scope).id)
            .await?
            .filter(|(row, _)| row.turns > 0)
            .ok_or_else(ApiError::not_found)?;
        let is_current = last
            .as_ref()
            .is_some_and(|last| last.turns == row.turns && last.strategy == request.strategy);
        if let Some(last) = last.as_ref().filter(|_| is_current && !request.force) {
            return Ok(compaction_answer(row.id, last.id, last.accepted_at, None));
        }
        let what = format!("compaction of {}", row.id);
        let id = event_id(key.as_ref(), &what, &scope);
        // What it made before the conversation was deleted is gone with it.
        let began = row.created_seq;
        let read = move |view: &ScopeView<'_, Rows<'_>>| {
            Ok(event_of_key(view.snapshot, &view.scope, id, |seen| began <= seen.seq)?.0)
        };
        let id = self.engine.read_as_is(scope.clone(), read).await?;
        self.engine
            .check_log(self.engine.count.partition_of(&scope))?;
        let data = ConversationCompacted {
            compaction_id: id,
            scope: scope.clone(),
            conversation_id: row.id,
            strategy: request.strategy,
            target_tokens: request.target_tokens,
            author: author(identity),
        };
        let body = EventBody::ConversationCompacted(Box::new(data));
        let placed = self.ingest.append_event(id, body).await?;
        let is_done = self.engine.applied(placed.partition, placed.at).await;
        let accepted_at = placed.time.micros();
        let mut answer = compaction_answer(row.id, id, accepted_at, last.as_ref());
        if let (Value::Object(fields), false) = (&mut answer, is_done) {
            fields.insert("status".to_owned(), "in_progress".into());
            fields.insert("estimated_completion_seconds".to_owned(), 1.into());
        }
        Ok(answer)
    }

    /// A conversation and its last summary.
    pub(crate) async fn with_compaction(
        &self,
        scope: &Scope,
        id: ConversationId,
    ) -> Result<Option<(ConversationRow, Option<CompactionRow>)>, ApiError> {
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
}

fn compaction_answer(
    conversation_id: ConversationId,
    id: EventId,
    accepted_at: i64,
    previous: Option<&CompactionRow>,
) -> Value {
    let mut answer = json!({"compaction_id": id, "conversation_id": conversation_id, "status": "completed",
        "trigger_type": "manual_api", "initiated_at": Timestamp::from_micros(accepted_at),
        "estimated_completion_seconds": 0});
    if let (Value::Object(fields), Some(previous)) = (&mut answer, previous) {
        let age = (accepted_at - previous.accepted_at).max(0) / 1_000_000;
        fields.insert("previous_compaction_id".to_owned(), json!(previous.id));
        fields.insert("previous_context_age_seconds".to_owned(), age.into());
    }
    answer
}
