//! Something happened in a conversation: a turn, a whole transcript, a compaction.

use crate::event::{Author, EventData};
use crate::{ConversationId, EventId, Id, IngestionId, Scope, Timestamp, TurnRole};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// One turn of a conversation, as it was reported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MessageRecorded {
    /// What the receipt named; equal to the envelope's `id`.
    pub message_id: EventId,
    /// Whose conversation it is: a user's scope.
    pub scope: Scope,
    /// Which conversation.
    pub conversation_id: ConversationId,
    /// What the caller calls the conversation, where that is no UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_conversation_id: Option<Id>,
    /// The caller's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Id>,
    /// Through which door it came.
    pub door: TurnDoor,
    /// Who spoke.
    pub role: TurnRole,
    /// What was said; may be empty.
    pub content: String,
    /// When it was said, if the caller said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_at: Option<Timestamp>,
    /// The caller's own data, given back with every memory.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// Who wrote it.
    pub author: Author,
}

/// How a turn was reported. A client whose stream breaks may report the turn again by a call, with another id: the same
/// turn of two doors is one turn, two equal turns of one door are two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum TurnDoor {
    /// By a call, alone or in a batch.
    Call,
    /// As an event with an id of the client: the gRPC stream, and batches of such events.
    Stream,
    /// Within a transcript of the whole conversation.
    Transcript,
}

/// A whole conversation, as it was received after its end. What is derived from it is not in the event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TranscriptIngested {
    /// What the receipt named; equal to the envelope's `id`.
    pub ingestion_id: IngestionId,
    /// Whose conversation it is: a user's scope.
    pub scope: Scope,
    /// Which conversation.
    pub conversation_id: ConversationId,
    /// What the caller calls the conversation, where that is no UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_conversation_id: Option<Id>,
    /// The transcript itself.
    pub transcript: Transcript,
    /// The caller's word for it, such as `voice`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_type: Option<Id>,
    /// What the caller found out about it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub analysis: Map<String, Value>,
    /// The caller's own data, given back with every memory.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// When it began, if the caller said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended, if the caller said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Who wrote it.
    pub author: Author,
}

/// A transcript.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "format", content = "value", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Transcript {
    /// `User: …` lines.
    Text(String),
    /// Turn by turn.
    Turns(Vec<TranscriptTurn>),
}

/// One turn of a transcript.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TranscriptTurn {
    /// Who spoke.
    pub role: TurnRole,
    /// Their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<String>,
    /// What was said; may be empty.
    pub content: String,
    /// When it was said, if the caller said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_at: Option<Timestamp>,
    /// The caller's own data, given back with every memory of the turn.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

/// Somebody asked for a summary of the turns so far. The summary is derived: it is not in the event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConversationCompacted {
    /// What the receipt named; equal to the envelope's `id`.
    pub compaction_id: EventId,
    /// Whose conversation it is: a user's scope.
    pub scope: Scope,
    /// Which conversation.
    pub conversation_id: ConversationId,
    /// How much of it stays.
    pub strategy: CompactionStrategy,
    /// How many tokens stay, if the caller said so; it outranks the strategy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_tokens: Option<u32>,
    /// Who asked.
    pub author: Author,
}

/// How much of a conversation a compaction keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum CompactionStrategy {
    /// About 70 % of the tokens.
    Conservative,
    /// About 40 %.
    Balanced,
    /// About 15 %.
    Aggressive,
    /// The longer the conversation, the smaller the share.
    #[default]
    Adaptive,
}

impl EventData for MessageRecorded {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn author(&self) -> Option<&Author> {
        Some(&self.author)
    }

    fn about(&self) -> String {
        self.conversation_id.about()
    }

    fn own_id(&self) -> Option<Uuid> {
        Some(self.message_id.uuid())
    }
}

impl EventData for TranscriptIngested {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn author(&self) -> Option<&Author> {
        Some(&self.author)
    }

    fn about(&self) -> String {
        self.conversation_id.about()
    }

    fn own_id(&self) -> Option<Uuid> {
        Some(self.ingestion_id.uuid())
    }
}

impl EventData for ConversationCompacted {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn author(&self) -> Option<&Author> {
        Some(&self.author)
    }

    fn about(&self) -> String {
        self.conversation_id.about()
    }

    fn own_id(&self) -> Option<Uuid> {
        Some(self.compaction_id.uuid())
    }
}
