//! Something was ingested: a document.

use crate::event::EventData;
use crate::{DocumentId, DocumentType, IngestionId, InstanceId, Scope, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// A document or transcript as it was received. What is derived from it is not in the event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryIngested {
    /// What the receipt named; equal to the envelope's `id`.
    pub ingestion_id: IngestionId,
    /// Whose memory this is.
    pub scope: Scope,
    /// The caller's, or minted from the event's id.
    pub document_id: DocumentId,
    /// How the content is to be read.
    pub document_type: DocumentType,
    /// The document itself.
    pub content: Content,
    /// When the document was written, if the caller said so; relative dates count from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_created_at: Option<Timestamp>,
    /// The caller's own data, given back with every memory.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// Who wrote it.
    pub author: Author,
}

/// A document's content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "format", content = "value", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Content {
    /// Markdown, prose or a transcript.
    Text(String),
    /// A JSON document.
    Json(Value),
}

impl Content {
    /// Text as it stands, JSON in its compact form: what is hashed and measured.
    pub fn to_text(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Text(text) => text.into(),
            Self::Json(value) => value.to_string().into(),
        }
    }
}

/// Through which instance and with which key something was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Author {
    /// The instance that the key belongs to.
    pub instance_id: InstanceId,
    /// Which key: its public id, never the key.
    pub key_id: String,
}

impl EventData for MemoryIngested {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn author(&self) -> Option<&Author> {
        Some(&self.author)
    }

    fn about(&self) -> String {
        format!("documents/{}", self.document_id)
    }

    fn own_id(&self) -> Option<Uuid> {
        Some(self.ingestion_id.uuid())
    }
}
