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
mod error;
mod fetch;
mod items;
mod lookup;
mod saying;
mod select;
mod signal;
mod view;

pub use error::FetchError;
pub use fetch::fetch;
pub use lookup::{IngestState, ingest_state, ingestion_status};
pub use view::ScopeView;
