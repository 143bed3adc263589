//! Rows to a context: chain walk, candidates, one file per ranking signal, fusion, selection, budget, explain.
//!
//! ```text
//! FetchRequest ─► candidates: per query and scope, postings ─► signals ─► fused score
//!              ─► select: scope order, reserved shares, near-duplicates, budget
//!              ─► items: rows and metadata ─► FetchResponse
//! ```
//!
//! It reads snapshots and nothing else; it never writes.

mod candidate;
mod conversation;
mod described;
mod error;
mod fetch;
mod items;
mod lookup;
mod prompt;
mod saying;
mod select;
mod signal;
mod view;

pub use conversation::{compaction, conversation, conversation_owners, conversations, turns};
pub use described::is_described;
pub use error::FetchError;
pub use fetch::{fetch, fetch_with};
pub use lookup::{
    IngestState, MemoryWithData, deletion, event_of_key, forgetting, forgotten_at, ingest_state,
    ingestion_status, memory, profile,
};
pub use prompt::{PromptStyle, narrative, summary_text, turns_text};
pub use signal::dense::QueryVectors;
pub use view::{Part, ScopeView};
