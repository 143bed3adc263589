//! What is within rows.

use serde::{Deserialize, Serialize};
use synap_types::{ConversationId, MemoryId, Scope};

/// Where a memory was moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedTo {
    /// Whose it is now.
    pub scope: Scope,
    /// Its id there.
    pub memory_id: MemoryId,
}

/// What of a scope a fetch counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// The erasure that the counts begin after; 0 if there was none.
    pub erased: u64,
    /// The ordinal of the first memory after the last erasure: what has a lower one is gone.
    pub first_ordinal: u32,
    /// The ordinal of the next memory; never used twice.
    pub next_ordinal: u32,
    /// Memories that a fetch can return.
    pub live: u32,
    /// Terms of all of those.
    pub live_terms: u64,
    /// Passages that have any of those.
    pub live_passages: u32,
    /// Terms of those passages.
    pub live_passage_terms: u64,
}

/// That an erasure's events are not in the log any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletedErasure {
    /// When that was recorded, in microseconds since 1970.
    pub at: i64,
    /// Events that were taken out.
    pub events: u64,
    /// Bytes that were searched for what they held.
    pub searched_bytes: u64,
    /// Places where something of it was found nevertheless.
    pub found: u64,
}

/// Attributes of one profile. The oldest one goes when another comes.
pub const PROFILE_ATTRIBUTES_MAX: usize = 64;

/// One sentence of a summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompactedSentence {
    /// The turn that it was said in.
    pub turn: u32,
    /// By whom.
    pub speaker: String,
    /// What was said.
    pub text: String,
    /// What it is: `decision`, `preference`, `fact`, `event`, `other`.
    pub section: String,
}

/// One thing that is known of a user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProfileAttribute {
    /// What is known.
    pub value: String,
    /// How sure the rule is.
    pub confidence: f32,
    /// When it was said or accepted, in microseconds since 1970.
    pub updated_at: i64,
    /// The memory that says so.
    pub memory_id: MemoryId,
    /// The conversation that it was said in.
    pub conversation: Option<ConversationId>,
    /// Place of the event.
    pub seq: u64,
}
