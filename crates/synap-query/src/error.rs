//! Why there is no answer.

use synap_readmodel::StoreError;
use synap_types::{ApiError, ErrorCode};

/// Why a fetch failed. Reads well after "could not fetch context: ".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The store failed; the cause is in the source chain, for the log only.
    #[error("the read model cannot be read")]
    Store(#[from] StoreError),
    /// A row stands under a scope that is not its own. Nothing of it may be told.
    #[error("a row belongs to another scope than its key")]
    ForeignRow,
}

impl From<FetchError> for ApiError {
    fn from(_: FetchError) -> Self {
        Self::new(
            ErrorCode::Internal,
            "the read model cannot be read; see the server's log",
        )
    }
}
