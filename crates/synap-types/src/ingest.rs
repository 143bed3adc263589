//! Asking for something to be remembered, and the receipt for it.

use crate::json::{Fields, kind};
use crate::limits::DOCUMENT_BYTES_MAX;
use crate::{
    ApiError, ClientId, Content, DocumentId, DocumentType, IdempotencyKey, IngestionId, Isolation,
    MemoryId, Position, Scope, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What to do when the document exists with other content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// A new version supersedes the old one.
    #[default]
    Replace,
    /// Refuse.
    Reject,
}

/// One document to remember, with its scope decided.
#[derive(Debug, Clone, PartialEq)]
pub struct IngestRequest {
    /// Whose memory it becomes.
    pub scope: Scope,
    /// The document.
    pub content: Content,
    /// How to read it.
    pub document_type: DocumentType,
    /// The caller's id for it.
    pub document_id: Option<DocumentId>,
    /// When it was written.
    pub document_created_at: Option<Timestamp>,
    /// The caller's own data.
    pub metadata: Map<String, Value>,
    /// What to do when the document exists with other content.
    pub on_conflict: OnConflict,
    /// The caller's idempotency key.
    pub key: Option<IdempotencyKey>,
}

impl IngestRequest {
    /// Reads a create body. Fields that are not known are ignored, so that newer clients of the vendor keep working.
    pub fn parse(
        body: Map<String, Value>,
        client: &ClientId,
        isolation: &Isolation,
    ) -> Result<Self, ApiError> {
        Self::take(&mut Fields::new(body), client, isolation)
    }

    /// Reads a create body of our own doors; fields that are not known are refused.
    pub fn parse_strict(
        body: Map<String, Value>,
        client: &ClientId,
        isolation: &Isolation,
    ) -> Result<Self, ApiError> {
        let mut fields = Fields::new(body);
        let request = Self::take(&mut fields, client, isolation)?;
        fields.finish()?;
        Ok(request)
    }

    fn take(
        fields: &mut Fields,
        client: &ClientId,
        isolation: &Isolation,
    ) -> Result<Self, ApiError> {
        let ids = fields.scope_ids()?;
        let scope = isolation.scope(client, &ids)?;
        let content = content(fields)?;
        let document_type = fields.parsed("document_type")?;
        // The vendor's "fast" and "long-range" are about its own pipeline; here there is one.
        let _mode = fields.string("mode", 64)?;
        let metadata = fields.metadata()?;
        let on_conflict = match fields.string("on_conflict", 64)?.as_deref() {
            None | Some("replace") => OnConflict::Replace,
            Some("reject") => OnConflict::Reject,
            Some(_) => {
                return Err(ApiError::invalid(
                    "on_conflict",
                    "must be replace or reject",
                ));
            }
        };
        let key = fields.string("idempotency_key", crate::limits::BODY_BYTES_MAX)?;
        Ok(Self {
            scope,
            content,
            document_type: match document_type {
                Some(given) => given,
                None => DocumentType::CHAT
                    .parse()
                    .map_err(|e| ApiError::invalid("document_type", e))?,
            },
            document_id: fields.id("document_id")?,
            document_created_at: fields.parsed("document_created_at")?,
            metadata,
            on_conflict,
            key: key
                .map(|key| IdempotencyKey::caller("idempotency_key", &key))
                .transpose()?,
        })
    }
}

/// Takes `document`, which must be there.
pub(crate) fn content(fields: &mut Fields) -> Result<Content, ApiError> {
    let content = match fields.value("document") {
        None => return Err(ApiError::invalid("document", "is required")),
        Some(Value::String(text)) => Content::Text(text),
        Some(json @ (Value::Object(_) | Value::Array(_))) => Content::Json(json),
        Some(other) => {
            return Err(ApiError::invalid(
                "document",
                format!("must be a string or an object, not {}", kind(&other)),
            ));
        }
    };
    let text = content.to_text();
    if text.len() > DOCUMENT_BYTES_MAX {
        return Err(ApiError::over_limit(
            "document",
            "bytes",
            text.len(),
            DOCUMENT_BYTES_MAX,
        ));
    }
    let empty_json = matches!(&content, Content::Json(Value::Object(o)) if o.is_empty())
        || matches!(&content, Content::Json(Value::Array(a)) if a.is_empty());
    if empty_json || text.chars().all(|c| c.is_whitespace() || c.is_control()) {
        return Err(ApiError::invalid("document", "must not be empty"));
    }
    drop(text);
    Ok(content)
}

/// How far an ingestion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IngestState {
    /// In the log, not yet in the read model.
    Queued,
    /// In the read model.
    Completed,
    /// The event could not be applied; it is parked.
    Failed,
}

/// The answer to an accepted write: it is in the log and will not be lost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IngestReceipt {
    /// To ask for its status.
    pub ingestion_id: IngestionId,
    /// The caller's, or minted.
    pub document_id: DocumentId,
    /// `queued`, or `completed` for a duplicate of something that is already there.
    pub status: IngestState,
    /// Whether the same thing was there before; nothing was written then.
    pub duplicate: bool,
    /// When it was accepted.
    pub queued_at: Timestamp,
    /// Kind of the scope that was written: `user`, `customer`, `client`, or a level of the ladder.
    pub scope: String,
    /// Ids of that scope.
    pub scope_path: Map<String, Value>,
    /// Where the write stands; give it to a fetch to read it back.
    pub position: Position,
    /// `power-safe`, or `relaxed` where a power cut may lose the write.
    pub durability: &'static str,
}

/// What became of an ingestion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IngestStatus {
    /// Which.
    pub ingestion_id: IngestionId,
    /// The document.
    pub document_id: DocumentId,
    /// How far.
    pub status: IngestState,
    /// When it was accepted.
    pub queued_at: Timestamp,
    /// When the read model had it. The event's own time: a projection has no clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// How many memories it made.
    pub memories_created: usize,
    /// Which.
    pub memory_ids: Vec<MemoryId>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// Kind of the scope that was written.
    pub scope: String,
    /// Ids of that scope.
    pub scope_path: Map<String, Value>,
}
