//! A memory was moved to another scope, and a change of a memory was undone.
//!
//! A move is two events, since its scopes may stand in different partitions and a scope's rows depend on its own events
//! only: the scope that it goes to receives all that is to be told, and then the scope that it comes from tells it no more.

use crate::event::{Author, Content, EventData, MemorySource};
use crate::{DocumentId, EventId, EventTime, MemoryId, MemoryType, Scope, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Where a memory was before it was moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MoveOrigin {
    /// Whose memory it was.
    pub scope: Scope,
    /// Its id there.
    pub memory_id: MemoryId,
    /// What it was derived from there.
    pub source: MemorySource,
    /// The event that made what was moved.
    pub event_id: EventId,
}

/// A scope tells a memory of another scope from now on: all that there is to tell is here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryReceived {
    /// Whose memory it is now.
    pub scope: Scope,
    /// Its id here: see [`MemoryReceived::id_in`].
    pub memory_id: MemoryId,
    /// Where it was, the first place first, the last one last.
    pub origins: Vec<MoveOrigin>,
    /// The event by which the last of these tells it no more.
    pub counterpart: EventId,
    /// What it says.
    pub content: Content,
    /// What it is.
    pub memory_type: MemoryType,
    /// Finer than the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How sure the type is.
    pub confidence: f32,
    /// Who said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<String>,
    /// When it was said or written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_at: Option<Timestamp>,
    /// What its time expressions say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_time: Option<EventTime>,
    /// The names in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<String>,
    /// The caller's own data.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// Who moved it.
    pub author: Author,
}

/// A scope tells a memory no more: another scope does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryMoved {
    /// Whose memory it was.
    pub scope: Scope,
    /// Which memory.
    pub memory_id: MemoryId,
    /// What it was derived from.
    pub source: MemorySource,
    /// The event that it came from, and
    pub event_id: EventId,
    /// the bytes of the document or turn: a later extractor that cuts otherwise must not bring it back.
    pub span: [u32; 2],
    /// Whose memory it is now.
    pub to: Scope,
    /// Its id there.
    pub moved_to: MemoryId,
    /// The event by which that scope received it.
    pub counterpart: EventId,
    /// Who moved it.
    pub author: Author,
}

/// The last change of a memory was undone: it is as it was before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangeUndone {
    /// Whose memory it is.
    pub scope: Scope,
    /// Which memory.
    pub memory_id: MemoryId,
    /// What it was derived from.
    pub source: MemorySource,
    /// The event that is compensated.
    pub undoes: EventId,
    /// Of a move: the event that undoes its other half, in the other scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterpart: Option<EventId>,
    /// Who undid it.
    pub author: Author,
}

impl MemoryReceived {
    /// The id that a memory has in another scope: moved there again, it is the same.
    pub fn id_in(scope: &Scope, memory: MemoryId) -> MemoryId {
        let space = scope.hash().to_uuid();
        MemoryId::new(Uuid::new_v5(&space, memory.uuid().as_bytes()))
    }

    /// The document that a received memory is: changed, forgotten and deleted like any other.
    ///
    /// It names nothing of where the memory comes from: who sees the wider scope need not know whose words they were.
    pub fn document_of(memory: MemoryId) -> Option<DocumentId> {
        format!("memory:{memory}").parse().ok()
    }

    /// The memory as a source.
    pub fn source(&self) -> Option<MemorySource> {
        Self::document_of(self.memory_id).map(MemorySource::Document)
    }
}

impl EventData for MemoryReceived {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn author(&self) -> Option<&Author> {
        Some(&self.author)
    }

    fn about(&self) -> String {
        format!("documents/memory:{}", self.memory_id)
    }
}

impl EventData for MemoryMoved {
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

impl EventData for ChangeUndone {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn author(&self) -> Option<&Author> {
        Some(&self.author)
    }

    fn about(&self) -> String {
        self.source.about()
    }

    fn undoes(&self) -> Option<EventId> {
        Some(self.undoes)
    }
}
