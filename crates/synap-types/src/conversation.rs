//! Asking for turns to be recorded, transcripts to be ingested and conversations to be compacted, and the receipts.

mod compaction;
mod message;
mod transcript;

pub use self::compaction::CompactRequest;
pub use self::message::{MessageReceipt, RecordRequest};
pub use self::transcript::{TranscriptReceipt, TranscriptRequest};

use crate::json::Fields;
use crate::{ApiError, ClientId, ConversationId, Id};

/// A conversation as a caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationName {
    /// Which conversation.
    pub id: ConversationId,
    /// What the caller calls it, where that is no UUID.
    pub external: Option<Id>,
}

impl ConversationName {
    /// The conversation that `client` calls `name`.
    pub fn of(client: &ClientId, name: Id) -> Self {
        let is_uuid = name.as_str().parse::<ConversationId>().is_ok();
        Self {
            id: ConversationId::of(client, &name),
            external: (!is_uuid).then_some(name),
        }
    }

    /// Takes `conversation_id`; an empty string counts as absent.
    pub fn take(fields: &mut Fields, client: &ClientId) -> Result<Option<Self>, ApiError> {
        let name = fields.id::<Id>("conversation_id")?;
        Ok(name.map(|name| Self::of(client, name)))
    }

    /// Takes `conversation_id`, which must be there.
    pub(crate) fn required(fields: &mut Fields, client: &ClientId) -> Result<Self, ApiError> {
        Self::take(fields, client)?
            .ok_or_else(|| ApiError::invalid("conversation_id", "is required"))
    }
}
