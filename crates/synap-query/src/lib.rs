//! Rows to a context: chain walk, candidates, one file per ranking signal, fusion, selection, budget, explain.
//!
//! ```text
//! FetchRequest ─► candidates: per query and scope, postings ─► signals ─► fused score
//!              ─► select: floor, reserved shares, relevance, filling (listing)
//!                 └─ budget: near-duplicates and contradictions (saying), tokens
//!              ─► items: rows and metadata ─► fence: text for a prompt ─► FetchResponse
//! ```
//!
//! It reads snapshots and nothing else; it never writes.

mod as_of;
mod budget;
mod cache;
mod candidate;
mod change;
mod conversation;
mod described;
mod error;
mod fence;
mod fetch;
mod history;
mod items;
mod left_out;
mod listing;
mod lookup;
mod passages;
mod prompt;
mod ranking;
mod saying;
mod select;
mod signal;
mod tokens;
mod view;

pub use as_of::{AsOfError, as_of};
pub use cache::ScopeCache;
pub use change::{LastChange, change, document_of, last_change, moved_from, received};
pub use conversation::{compaction, conversation, conversation_owners, conversations, turns};
pub use described::is_described;
pub use error::FetchError;
pub use fence::prompt_of;
pub use fetch::{Means, fetch};
pub use history::{Event, Version, events, versions};
pub use lookup::{
    IngestState, MemoryWithData, deletion, document_memories, event_of_key, forgetting,
    forgotten_at, ingest_state, ingestion_status, memory, profile,
};
pub use prompt::{PromptStyle, narrative, summary_text, turns_text};
pub use ranking::{Ranking, RankingError};
pub use signal::dense::QueryVectors;
pub use tokens::{Tokenizer, Tokens};
pub use view::{Part, ScopeView};
