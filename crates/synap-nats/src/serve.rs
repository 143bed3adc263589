//! What the NATS micro service asks of the program that it is part of. No NATS here.

use bytes::Bytes;
use synap_types::{ApiError, names};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Ingest one document.
    Ingest,
    /// Fetch context.
    Fetch,
    /// The status of one ingestion.
    Status,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 3] = [Self::Ingest, Self::Fetch, Self::Status];

    /// Name of its endpoint.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Fetch => "fetch",
            Self::Status => "status",
        }
    }

    /// Subject of its endpoint.
    pub const fn subject(self) -> &'static str {
        match self {
            Self::Ingest => names::INGEST,
            Self::Fetch => names::FETCH,
            Self::Status => names::STATUS,
        }
    }
}

/// One request, as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is asked for.
    pub operation: Operation,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The header `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// The body.
    pub payload: Bytes,
}

/// What answers requests. One instance serves all, many at a time.
pub trait RequestHandler: Send + Sync + 'static {
    /// Answers one request: a JSON body, or a refusal.
    fn call(&self, request: Request) -> impl Future<Output = Result<Bytes, ApiError>> + Send;
}
