//! What kinds of memories and documents there are.

use crate::{Id, IdError};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a memory is, decided by rules when it is derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum MemoryType {
    /// Something that holds: "PostgreSQL is the primary database".
    Fact,
    /// What somebody likes, wants or avoids: "I prefer dark mode".
    Preference,
    /// Something that happened: "Alice deployed the billing service".
    Episode,
    /// What somebody feels: "Alice is frustrated with the delay".
    Emotion,
    /// Something tied to a date or a recurring time: "The renewal deadline is 1 December".
    TemporalEvent,
}

impl MemoryType {
    /// All of them, in the order of the wire.
    pub const ALL: [Self; 5] = [
        Self::Fact,
        Self::Preference,
        Self::Episode,
        Self::Emotion,
        Self::TemporalEvent,
    ];

    /// Singular, as `memory_type` on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fact => "fact",
            Self::Preference => "preference",
            Self::Episode => "episode",
            Self::Emotion => "emotion",
            Self::TemporalEvent => "temporal_event",
        }
    }

    /// Plural, as the keys of `context` on the wire.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Fact => "facts",
            Self::Preference => "preferences",
            Self::Episode => "episodes",
            Self::Emotion => "emotions",
            Self::TemporalEvent => "temporal_events",
        }
    }
}

impl fmt::Display for MemoryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a caller said that a document is. Any name is accepted and kept; unknown ones are read as prose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DocumentType(Id);

impl DocumentType {
    /// A transcript: `User: …` lines or a list of messages. What a request without a type means.
    pub const CHAT: &'static str = "ai-chat-conversation";
    /// Markdown or prose.
    pub const DOCUMENT: &'static str = "document";

    /// The name as the caller wrote it.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether the text is a transcript of turns.
    pub fn is_chat(&self) -> bool {
        matches!(
            self.as_str(),
            Self::CHAT | "human-chat-conversation" | "meeting-transcript"
        )
    }
}

impl FromStr for DocumentType {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for DocumentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
