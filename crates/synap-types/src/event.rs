//! Events: what happened, in a CloudEvents 1.0 envelope. They are for ever; see `schemas/README.md` before changing one.

use crate::{DocumentId, DocumentType, EventId, IngestionId, InstanceId, Scope, Timestamp, upcast};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `specversion` of every envelope.
pub const SPEC_VERSION: &str = "1.0";
/// `type` of every event of ours: this, the name, a dot, `v` and the version.
const TYPE_PREFIX: &str = "synap.";
/// `datacontenttype` of every envelope.
const CONTENT_TYPE: &str = "application/json";

/// One event: the envelope's attributes and the body.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Hash of client, scope and idempotency key; the permanent guard against doing something twice.
    pub id: EventId,
    /// When it was accepted, by the clock of the process that accepted it.
    pub time: Timestamp,
    /// What happened.
    pub body: EventBody,
}

/// What happened. The latest shape of each event; older ones are lifted by the upcasters when they are read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum EventBody {
    /// `synap.memory.ingested.v1`
    MemoryIngested(Box<MemoryIngested>),
}

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

/// Why stored bytes are no event that this build can apply.
#[derive(Debug, thiserror::Error)]
pub enum EventParseError {
    /// Not JSON, or not of the shape that its type promises: this one event cannot be applied.
    #[error("malformed at {at}")]
    Malformed {
        /// Which part: `envelope` or the event's type.
        at: String,
        /// What was wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A type or version that this build does not know: a newer synap wrote it, so reading must stop, not skip.
    #[error("event type {0:?} is unknown to this version of synap")]
    UnknownType(String),
    /// The envelope contradicts its data.
    #[error("envelope attribute {attribute} contradicts the data")]
    Contradiction {
        /// Which attribute.
        attribute: &'static str,
    },
}

/// The envelope on the wire.
#[derive(Debug, Serialize, Deserialize)]
struct Envelope<T> {
    specversion: String,
    id: EventId,
    source: String,
    r#type: String,
    subject: String,
    time: Timestamp,
    datacontenttype: String,
    data: T,
}

impl Event {
    /// Whose memory the event is about.
    pub fn scope(&self) -> &Scope {
        match &self.body {
            EventBody::MemoryIngested(data) => &data.scope,
        }
    }

    /// What the event happened to, as CloudEvents `subject`; later events of the same one wait behind a parked event.
    pub fn about(&self) -> String {
        match &self.body {
            EventBody::MemoryIngested(data) => format!("documents/{}", data.document_id),
        }
    }

    /// The name in subjects, such as `memory-ingested`.
    pub fn type_token(&self) -> &'static str {
        match &self.body {
            EventBody::MemoryIngested(_) => "memory-ingested",
        }
    }

    /// CloudEvents `type`, such as `synap.memory.ingested.v1`.
    pub fn cloud_type(&self) -> &'static str {
        match &self.body {
            EventBody::MemoryIngested(_) => "synap.memory.ingested.v1",
        }
    }

    /// The bytes that are stored: the envelope as compact JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let EventBody::MemoryIngested(data) = &self.body;
        let envelope = Envelope {
            specversion: SPEC_VERSION.to_owned(),
            id: self.id,
            source: format!("/synap/clients/{}", self.scope().client()),
            r#type: self.cloud_type().to_owned(),
            subject: self.about(),
            time: self.time,
            datacontenttype: CONTENT_TYPE.to_owned(),
            data,
        };
        #[expect(
            clippy::expect_used,
            reason = "string keys, no floats of ours: serde_json cannot refuse it"
        )]
        serde_json::to_vec(&envelope).expect("an envelope is representable as JSON")
    }

    /// Reads stored bytes, lifting older versions to the latest.
    pub fn from_json(bytes: &[u8]) -> Result<Self, EventParseError> {
        let envelope: Envelope<Value> =
            serde_json::from_slice(bytes).map_err(|source| EventParseError::Malformed {
                at: "envelope".to_owned(),
                source,
            })?;
        let (name, version) = envelope
            .r#type
            .strip_prefix(TYPE_PREFIX)
            .and_then(|rest| rest.rsplit_once(".v"))
            .and_then(|(name, version)| Some((name, version.parse::<u16>().ok()?)))
            .ok_or_else(|| EventParseError::UnknownType(envelope.r#type.clone()))?;
        let (version, data) = upcast(name, version, envelope.data);
        let body = match (name, version) {
            ("memory.ingested", 1) => EventBody::MemoryIngested(Box::new(
                serde_json::from_value(data).map_err(|source| EventParseError::Malformed {
                    at: envelope.r#type.clone(),
                    source,
                })?,
            )),
            _ => return Err(EventParseError::UnknownType(envelope.r#type)),
        };
        let event = Self {
            id: envelope.id,
            time: envelope.time,
            body,
        };
        if envelope.subject != event.about() {
            return Err(EventParseError::Contradiction {
                attribute: "subject",
            });
        }
        let EventBody::MemoryIngested(data) = &event.body;
        if data.ingestion_id.uuid() != event.id.uuid() {
            return Err(EventParseError::Contradiction { attribute: "id" });
        }
        Ok(event)
    }
}
