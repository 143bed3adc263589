//! Undoing a version of a document: what it said before is stored again, as another version.

use crate::conversations::author;
use crate::engine::unavailable;
use crate::identity::Identity;
use crate::moves::{behind, changed_meanwhile, place_after};
use crate::operations::Operations;
use serde_json::{Value, json};
use std::time::Duration;
use synap_log::EventLog;
use synap_query::{document_of, ingestion_status};
use synap_readmodel::DocumentRow;
use synap_types::limits::APPEND_TIMEOUT_MS;
use synap_types::{
    ApiError, ErrorCode, EventBody, EventId, IdempotencyKey, IngestionId, MemoryIngested, Scope,
    Seq,
};
use tokio::time::timeout;

impl<L: EventLog> Operations<L> {
    /// Undoes the last version of a document. None where the event wrote no version that took the place of another.
    pub(crate) async fn undo_version(
        &self,
        identity: &Identity,
        event: EventId,
    ) -> Result<Option<Value>, ApiError> {
        let Some(document) = self.document_now(identity, event).await? else {
            return Ok(None);
        };
        let scope = document.scope;
        let key = IdempotencyKey::Caller(format!("undo {event}"));
        let undone = key.event_id(&scope);
        if document.event_id == event {
            let Some(previous) = document.previous else {
                return Ok(None);
            };
            let said = self.said_at(&scope, Seq::new(previous)).await?;
            let data = MemoryIngested {
                ingestion_id: IngestionId::new(undone.uuid()),
                author: author(identity),
                ..said
            };
            let body = EventBody::MemoryIngested(Box::new(data));
            self.change(&scope, undone, body).await?;
        } else if document.event_id != undone {
            let message = format!(
                "event {event} is not the last version of document {}: {} is",
                document.document_id, document.event_id
            );
            return Err(ApiError::new(ErrorCode::Conflict, message));
        }
        let memories = match self.document_now(identity, event).await? {
            Some(now) if now.event_id == undone => self.told_by(identity, undone, &scope).await?,
            Some(now) if now.event_id == event => return Err(behind()),
            _ => return Err(changed_meanwhile()),
        };
        Ok(Some(
            json!({"event_id": undone, "undoes": event, "memories": memories}),
        ))
    }

    async fn document_now(
        &self,
        identity: &Identity,
        event: EventId,
    ) -> Result<Option<DocumentRow>, ApiError> {
        let client = identity.client.clone();
        let found = self
            .engine
            .find(move |rows| document_of(rows, &client, event));
        found.await
    }

    /// The version that stands at a place of the log.
    async fn said_at(&self, scope: &Scope, seq: Seq) -> Result<MemoryIngested, ApiError> {
        let partition = self.engine.count.partition_of(scope);
        self.engine.check_log(partition)?;
        let node = self.engine.node(partition)?;
        let wait = Duration::from_millis(APPEND_TIMEOUT_MS);
        let Ok(found) = timeout(wait, node.event_at(seq)).await else {
            return Err(unavailable("the log does not answer"));
        };
        match found.map(|event| event.body) {
            Some(EventBody::MemoryIngested(data)) if data.scope == *scope => Ok(*data),
            _ => Err(ApiError::new(
                ErrorCode::Conflict,
                "what the document said before is not in the log any more",
            )),
        }
    }

    /// The memories of an ingestion, as an undone change names them.
    async fn told_by(
        &self,
        identity: &Identity,
        event: EventId,
        scope: &Scope,
    ) -> Result<Vec<Value>, ApiError> {
        let (client, ingestion) = (identity.client.clone(), IngestionId::new(event.uuid()));
        let found = self
            .engine
            .find(move |rows| ingestion_status(rows, &client, ingestion));
        let ids = found
            .await?
            .map_or_else(Vec::new, |status| status.memory_ids);
        let told = |id| place_after(id, scope, true);
        Ok(ids.into_iter().map(told).collect())
    }
}
