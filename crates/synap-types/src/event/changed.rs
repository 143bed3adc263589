//! Something that was remembered was changed or taken away.

use crate::event::{Author, Content, EventData};
use crate::{ConversationId, DocumentId, DocumentType, EventId, Hash128, MemoryId, Scope};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use uuid::Uuid;

/// What a memory was derived from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum MemorySource {
    /// A document.
    Document(DocumentId),
    /// A turn of a conversation.
    Conversation(ConversationId),
}

impl MemorySource {
    /// As CloudEvents `subject`.
    pub fn about(&self) -> String {
        match self {
            Self::Document(id) => format!("documents/{id}"),
            Self::Conversation(id) => id.about(),
        }
    }
}

impl fmt::Display for MemorySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(id) => id.fmt(f),
            Self::Conversation(id) => id.fmt(f),
        }
    }
}

/// How new content goes together with what a memory says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum MergeStrategy {
    /// It takes the old one's place.
    Replace,
    /// It comes after the old one.
    Append,
    /// Sentence by sentence: what says the same is dropped, what says it otherwise takes the old one's place, the rest
    /// comes after it.
    #[default]
    SmartMerge,
}

/// A memory says something else now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryUpdated {
    /// Whose memory it is.
    pub scope: Scope,
    /// Which memory; it keeps its id.
    pub memory_id: MemoryId,
    /// What it was derived from.
    pub source: MemorySource,
    /// The new content.
    pub content: Content,
    /// How it goes together with what is there.
    pub merge: MergeStrategy,
    /// How the content is to be read, if the caller said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_type: Option<DocumentType>,
    /// The caller's own data, if it is to be replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Who wrote it.
    pub author: Author,
}

/// A memory may not be told any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryForgotten {
    /// Whose memory it is.
    pub scope: Scope,
    /// Which memory.
    pub memory_id: MemoryId,
    /// What it was derived from.
    pub source: MemorySource,
    /// The event that it came from, and
    pub event_id: EventId,
    /// the bytes of the document or turn: a later extractor that cuts otherwise must not bring it back.
    pub span: [u32; 2],
    /// The call that forgot it, if that may forget several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<EventId>,
    /// Who asked.
    pub author: Author,
}

/// Everything that was remembered in a scope and below it, or of one conversation, may not be told any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScopeErased {
    /// What the receipt named; equal to the envelope's `id`.
    pub deletion_id: EventId,
    /// Whose memory: a customer's or a user's scope.
    pub scope: Scope,
    /// Only this conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// Who asked.
    pub author: Author,
}

/// Every version of a document, and what was changed in its memories, may not be told any more. What comes later under the
/// same id is a document of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DocumentErased {
    /// What the receipt named; equal to the envelope's `id`.
    pub deletion_id: EventId,
    /// Whose document.
    pub scope: Scope,
    /// Which.
    pub document_id: DocumentId,
    /// Who asked.
    pub author: Author,
}

/// What an erasure took away is not in the log any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErasureCompleted {
    /// Which erasure: what its receipt named.
    pub deletion_id: EventId,
    /// Whose memory.
    pub scope: Scope,
    /// Memories that could be told until then.
    pub memories: u32,
    /// Turns, where it was a conversation.
    pub turns: u32,
    /// Events that were taken out of the log.
    pub events: u64,
    /// Bytes of the data folder that were searched for what the events held, afterwards.
    pub searched_bytes: u64,
    /// Places where something of it was found nevertheless.
    pub found: u64,
}

impl EventData for MemoryUpdated {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn author(&self) -> Option<&Author> {
        Some(&self.author)
    }

    fn about(&self) -> String {
        self.source.about()
    }
}

impl EventData for MemoryForgotten {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn author(&self) -> Option<&Author> {
        Some(&self.author)
    }

    fn about(&self) -> String {
        self.source.about()
    }
}

impl EventData for ScopeErased {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn author(&self) -> Option<&Author> {
        Some(&self.author)
    }

    fn about(&self) -> String {
        self.conversation_id
            .map_or_else(|| "scope".to_owned(), ConversationId::about)
    }

    fn own_id(&self) -> Option<Uuid> {
        Some(self.deletion_id.uuid())
    }
}

impl EventData for DocumentErased {
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
        Some(self.deletion_id.uuid())
    }
}

impl EventData for ErasureCompleted {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn about(&self) -> String {
        format!("erasures/{}", self.deletion_id)
    }
}

impl ErasureCompleted {
    /// The id of the event that says so: told again, it is the same.
    pub fn event_id(deletion: EventId) -> EventId {
        let hash = Hash128::of(
            "synap.erasure.completed.v1",
            [deletion.uuid().as_bytes().as_slice()],
        );
        EventId::new(hash.to_uuid())
    }
}
