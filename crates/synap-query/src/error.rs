//! Why there is no answer.

use crate::AsOfError;
use synap_readmodel::StoreError;
use synap_types::limits::ANSWER_BYTES_MAX;
use synap_types::{ApiError, ErrorCode};

/// Why a fetch failed. Reads well after "could not fetch context: ".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The store failed; the cause is in the source chain, for the log only.
    #[error("the read model cannot be read")]
    Store(#[from] StoreError),
    /// The answer would be larger than [`ANSWER_BYTES_MAX`].
    #[error("the answer has over {ANSWER_BYTES_MAX} bytes")]
    AnswerTooLarge,
    /// A past state is asked for that there is none of.
    #[error(transparent)]
    AsOf(#[from] AsOfError),
    /// A row stands under a scope that is not its own. Nothing of it may be told.
    #[error("a row belongs to another scope than its key")]
    ForeignRow,
}

impl From<FetchError> for ApiError {
    fn from(e: FetchError) -> Self {
        match e {
            FetchError::AnswerTooLarge => {
                let problem = format!(
                    "is too high: the items have over {ANSWER_BYTES_MAX} bytes of text and metadata"
                );
                let mut refusal = Self::invalid("max_results", problem);
                refusal
                    .details
                    .insert("limit".to_owned(), ANSWER_BYTES_MAX.into());
                refusal
            }
            FetchError::AsOf(e) => Self::invalid("as_of", e),
            FetchError::Store(_) | FetchError::ForeignRow => Self::new(
                ErrorCode::Internal,
                "the read model cannot be read; see the server's log",
            ),
        }
    }
}
