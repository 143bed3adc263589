//! Asking for turns to be recorded, transcripts to be ingested and conversations to be compacted, and the receipts.

mod compaction;
mod message;
mod transcript;

pub use self::compaction::CompactRequest;
pub use self::message::{MessageReceipt, RecordRequest};
pub use self::transcript::{TranscriptReceipt, TranscriptRequest};

use crate::json::Fields;
use crate::{ApiError, ConversationId, Id, Scope};

/// A conversation as a caller names it: by a UUID, or otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationName(Id);

/// A conversation of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationRef {
    /// Which conversation.
    pub id: ConversationId,
    /// What the caller calls it, where that is no UUID.
    pub external: Option<Id>,
}

impl ConversationName {
    /// The conversation called `name`.
    pub const fn new(name: Id) -> Self {
        Self(name)
    }

    /// Takes `conversation_id`; an empty string counts as absent.
    pub fn take(fields: &mut Fields) -> Result<Option<Self>, ApiError> {
        Ok(fields.id::<Id>("conversation_id")?.map(Self))
    }

    /// Takes `conversation_id`, which must be there.
    pub fn required(fields: &mut Fields) -> Result<Self, ApiError> {
        Self::take(fields)?.ok_or_else(|| ApiError::invalid("conversation_id", "is required"))
    }

    /// The conversation's id, where the name is one: then it is the same whoever asks.
    pub fn uuid(&self) -> Option<ConversationId> {
        self.0.as_str().parse().ok()
    }

    /// The conversation that the user whose scope this is calls so.
    pub fn of(&self, scope: &Scope) -> ConversationRef {
        self.uuid().map_or_else(
            || ConversationRef {
                id: ConversationId::named(scope, &self.0),
                external: Some(self.0.clone()),
            },
            |id| ConversationRef { id, external: None },
        )
    }
}
