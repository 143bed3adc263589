//! Request-reply over NATS: the same operations as HTTP, with the same bytes.

use crate::operations::{Operations, Strictness};
use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;
use synap_log::EventLog;
use synap_nats::{Operation, Request, RequestHandler};
use synap_types::{ApiError, IdempotencyKey};

/// Answers requests over NATS.
#[derive(Debug)]
pub(crate) struct NatsDoors<L>(pub(crate) Arc<Operations<L>>);

impl<L: EventLog> RequestHandler for NatsDoors<L> {
    async fn call(&self, request: Request) -> Result<Bytes, ApiError> {
        let operations = &self.0;
        let identity = operations
            .keys
            .authenticate(request.authorization.as_deref())?;
        let answer: Value = match request.operation {
            Operation::Ingest => {
                let key = caller_key(request.idempotency_key)?;
                let receipt = operations
                    .create(&identity, &request.payload, key, Strictness::Own)
                    .await?;
                serde_json::to_value(receipt).unwrap_or_default()
            }
            Operation::Fetch => operations.fetch(&identity, &request.payload).await?,
            Operation::Status => operations.status_of(&identity, &request.payload).await?,
        };
        Ok(answer.to_string().into())
    }
}

fn caller_key(key: Option<String>) -> Result<Option<IdempotencyKey>, ApiError> {
    key.map(|key| IdempotencyKey::caller("Idempotency-Key", &key))
        .transpose()
}
