//! Events: what happened, in a CloudEvents 1.0 envelope. They are for ever; see `schemas/README.md` before changing one.

mod changed;
mod conversation;
mod enriched;
mod ingested;
mod moved;

pub use self::changed::{
    DocumentErased, ErasureCompleted, MemoryForgotten, MemorySource, MemoryUpdated, MergeStrategy,
    ScopeErased,
};
pub use self::conversation::{
    CompactionStrategy, ConversationCompacted, MessageRecorded, Transcript, TranscriptIngested,
    TranscriptTurn, TurnDoor,
};
pub use self::enriched::{MemoriesEnriched, MemoryVector, QuantisedVector};
pub use self::ingested::{Author, Content, MemoryIngested};
pub use self::moved::{ChangeUndone, MemoryMoved, MemoryReceived, MoveOrigin};

use crate::{EventId, Scope, Timestamp, UPCASTERS, Upcaster, upcast};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

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

/// What the data of an event says of itself.
trait EventData {
    /// Whose memory it is about.
    fn scope(&self) -> &Scope;

    /// What it happened to, as CloudEvents `subject`.
    fn about(&self) -> String;

    /// Who wrote it, where somebody did.
    fn author(&self) -> Option<&Author> {
        None
    }

    /// The event that it compensates, where it undoes one.
    fn undoes(&self) -> Option<EventId> {
        None
    }

    /// The envelope's id, where the data repeats it.
    fn own_id(&self) -> Option<Uuid> {
        None
    }
}

macro_rules! event_bodies {
    ($($(#[$doc:meta])* $name:ident $event:literal v $version:literal, subject $token:literal, type $cloud_type:literal;)*) => {
        /// What happened. The latest shape of each event; older ones are lifted by the upcasters when they are read.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum EventBody { $($(#[$doc])* $name(Box<$name>),)* }

        /// Name and version of each body.
        const BODIES: &[(&str, u16)] = &[$(($event, $version),)*];

        impl EventBody {
            fn data(&self) -> &dyn EventData {
                match self { $(Self::$name(data) => data.as_ref(),)* }
            }

            fn write(&self, envelope: Envelope<()>) -> serde_json::Result<Vec<u8>> {
                match self { $(Self::$name(data) => serde_json::to_vec(&envelope.with(data)),)* }
            }

            fn type_token(&self) -> &'static str {
                match self { $(Self::$name(_) => $token,)* }
            }

            fn cloud_type(&self) -> &'static str {
                match self { $(Self::$name(_) => $cloud_type,)* }
            }

            /// The body of an event of this name and version; `None` where there is no such event.
            fn read(name: &str, version: u16, data: Value) -> Option<Result<Self, serde_json::Error>> {
                match (name, version) {
                    $(($event, $version) => Some(serde_json::from_value(data).map(|data| Self::$name(Box::new(data)))),)*
                    _ => None,
                }
            }
        }
    };
}

event_bodies! {
    /// `synap.memory.ingested.v1`
    MemoryIngested "memory.ingested" v 1, subject "memory-ingested", type "synap.memory.ingested.v1";
    /// `synap.message.recorded.v1`
    MessageRecorded "message.recorded" v 1, subject "message-recorded", type "synap.message.recorded.v1";
    /// `synap.transcript.ingested.v1`
    TranscriptIngested "transcript.ingested" v 1, subject "transcript-ingested", type "synap.transcript.ingested.v1";
    /// `synap.conversation.compacted.v1`
    ConversationCompacted "conversation.compacted" v 1, subject "conversation-compacted", type "synap.conversation.compacted.v1";
    /// `synap.memory.updated.v1`
    MemoryUpdated "memory.updated" v 1, subject "memory-updated", type "synap.memory.updated.v1";
    /// `synap.memory.forgotten.v1`
    MemoryForgotten "memory.forgotten" v 1, subject "memory-forgotten", type "synap.memory.forgotten.v1";
    /// `synap.memory.received.v1`
    MemoryReceived "memory.received" v 1, subject "memory-received", type "synap.memory.received.v1";
    /// `synap.memory.moved.v1`
    MemoryMoved "memory.moved" v 1, subject "memory-moved", type "synap.memory.moved.v1";
    /// `synap.change.undone.v1`
    ChangeUndone "change.undone" v 1, subject "change-undone", type "synap.change.undone.v1";
    /// `synap.scope.erased.v1`
    ScopeErased "scope.erased" v 1, subject "scope-erased", type "synap.scope.erased.v1";
    /// `synap.document.erased.v1`
    DocumentErased "document.erased" v 1, subject "document-erased", type "synap.document.erased.v1";
    /// `synap.erasure.completed.v1`
    ErasureCompleted "erasure.completed" v 1, subject "erasure-completed", type "synap.erasure.completed.v1";
    /// `synap.memories.enriched.v1`
    MemoriesEnriched "memories.enriched" v 1, subject "memories-enriched", type "synap.memories.enriched.v1";
}

/// Every CloudEvents `type` that this build reads, older versions with the latest, in the order of the alphabet.
pub fn event_types() -> Vec<String> {
    let older = UPCASTERS.iter().map(|step| (step.event, step.from));
    let read = older.filter(|(event, _)| BODIES.iter().any(|(name, _)| name == event));
    let all = BODIES.iter().copied().chain(read);
    let mut types: Vec<String> = all
        .map(|(name, version)| format!("{TYPE_PREFIX}{name}.v{version}"))
        .collect();
    types.sort();
    types.dedup();
    types
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

impl Envelope<()> {
    fn with<T>(self, data: T) -> Envelope<T> {
        Envelope {
            specversion: self.specversion,
            id: self.id,
            source: self.source,
            r#type: self.r#type,
            subject: self.subject,
            time: self.time,
            datacontenttype: self.datacontenttype,
            data,
        }
    }
}

impl Event {
    /// Whose memory the event is about.
    pub fn scope(&self) -> &Scope {
        self.body.data().scope()
    }

    /// Who wrote it, where somebody did: what a model computes has no author.
    pub fn author(&self) -> Option<&Author> {
        self.body.data().author()
    }

    /// The event that it compensates, where it undoes one.
    pub fn undoes(&self) -> Option<EventId> {
        self.body.data().undoes()
    }

    /// What the event happened to, as CloudEvents `subject`; later events of the same one wait behind a parked event.
    pub fn about(&self) -> String {
        self.body.data().about()
    }

    /// The name in subjects, such as `memory-ingested`.
    pub fn type_token(&self) -> &'static str {
        self.body.type_token()
    }

    /// CloudEvents `type`, such as `synap.memory.ingested.v1`.
    pub fn cloud_type(&self) -> &'static str {
        self.body.cloud_type()
    }

    /// The bytes that are stored: the envelope as compact JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let envelope = Envelope {
            specversion: SPEC_VERSION.to_owned(),
            id: self.id,
            source: format!("/synap/clients/{}", self.scope().client()),
            r#type: self.cloud_type().to_owned(),
            subject: self.about(),
            time: self.time,
            datacontenttype: CONTENT_TYPE.to_owned(),
            data: (),
        };
        #[expect(
            clippy::expect_used,
            reason = "string keys, no floats of ours: serde_json cannot refuse it"
        )]
        self.body
            .write(envelope)
            .expect("an envelope is representable as JSON")
    }

    /// Reads stored bytes, lifting older versions to the latest.
    pub fn from_json(bytes: &[u8]) -> Result<Self, EventParseError> {
        Self::from_json_with(UPCASTERS, bytes)
    }

    /// [`Event::from_json`] with other upcasters.
    fn from_json_with(upcasters: &[Upcaster], bytes: &[u8]) -> Result<Self, EventParseError> {
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
        let (version, data) = upcast(upcasters, name, version, envelope.data);
        let body = match EventBody::read(name, version, data) {
            Some(Ok(body)) => body,
            Some(Err(source)) => {
                return Err(EventParseError::Malformed {
                    at: envelope.r#type,
                    source,
                });
            }
            None => return Err(EventParseError::UnknownType(envelope.r#type)),
        };
        let event = Self {
            id: envelope.id,
            time: envelope.time,
            body,
        };
        let own_id = event.body.data().own_id();
        let attribute = if envelope.subject != event.about() {
            "subject"
        } else if own_id.is_some_and(|id| id != event.id.uuid()) {
            "id"
        } else {
            return Ok(event);
        };
        Err(EventParseError::Contradiction { attribute })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A made-up first shape of the event, which called the content something else and knew no format.
    fn text_to_content(mut data: Value) -> Value {
        if let Some(fields) = data.as_object_mut()
            && let Some(text) = fields.remove("text")
        {
            fields.insert(
                "content".to_owned(),
                serde_json::json!({"format": "text", "value": text}),
            );
        }
        data
    }

    #[test]
    fn a_stored_event_of_an_old_version_is_read_as_the_latest() {
        let sample =
            include_str!("../../../schemas/samples/memory_ingested/v1/client_minimal.json");
        let latest = Event::from_json(sample.as_bytes()).unwrap();
        let mut old: Value = serde_json::from_str(sample).unwrap();
        let text = old["data"]["content"]["value"].take();
        let data = old["data"].as_object_mut().unwrap();
        data.remove("content");
        data.insert("text".to_owned(), text);
        old["type"] = "synap.memory.ingested.v0".into();
        let old = old.to_string();
        let refused = Event::from_json(old.as_bytes()).unwrap_err();
        assert!(matches!(refused, EventParseError::UnknownType(_)));
        let upcasters = [Upcaster {
            event: "memory.ingested",
            from: 0,
            lift: text_to_content,
        }];
        let read = Event::from_json_with(&upcasters, old.as_bytes()).unwrap();
        assert_eq!(read, latest);
        assert_eq!(
            read.to_json(),
            latest.to_json(),
            "and is told as the latest"
        );
    }
}
