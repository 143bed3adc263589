//! Request-reply over NATS: the same operations as HTTP, with the same bytes.

use crate::conversations::value;
use crate::operations::{Operations, Strictness};
use bytes::Bytes;
use serde_json::{Map, Value};
use std::sync::Arc;
use synap_log::EventLog;
use synap_nats::{Operation, Request, RequestHandler};
use synap_types::json::{Fields, parse_object};
use synap_types::limits::BODY_BYTES_MAX;
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
        let (body, key) = (&request.payload, || {
            caller_key(request.idempotency_key.clone())
        });
        let answer: Value = match request.operation {
            Operation::Ingest => {
                let own = Strictness::Own;
                value(&operations.create(&identity, body, key()?, own).await?)
            }
            Operation::Fetch => operations.fetch(&identity, body).await?,
            Operation::Status => operations.status_of(&identity, body).await?,
            Operation::Record => operations.record_body(&identity, body, key()?).await?,
            Operation::Transcript => operations.ingest_transcript(&identity, body).await?,
            Operation::FetchInConversation => {
                operations.fetch_in_conversation(&identity, body).await?
            }
            Operation::Messages => {
                let (id, rest) = named("conversation_id", body)?;
                operations.messages(&identity, &id, &rest).await?
            }
            Operation::Prompt => {
                let (id, rest) = named("conversation_id", body)?;
                operations.context_for_prompt(&identity, &id, &rest).await?
            }
            Operation::Compact => operations.compact(&identity, body, key()?).await?,
            Operation::Compacted => {
                let (id, rest) = named("conversation_id", body)?;
                operations.compacted(&identity, &id, &rest).await?
            }
            Operation::Profile => {
                let (id, rest) = named("user_id", body)?;
                operations.user_profile(&identity, &id, &rest).await?
            }
            Operation::Memory => {
                let (id, _) = named("memory_id", body)?;
                operations.memory(&identity, &id).await?
            }
            Operation::Update => {
                let (id, _) = named("memory_id", body)?;
                operations.update(&identity, &id, body, key()?).await?
            }
            Operation::ForgetOne => {
                let (id, _) = named("memory_id", body)?;
                operations.forget_one(&identity, &id).await?
            }
            Operation::Forget => operations.forget(&identity, body, key()?).await?,
            Operation::Delete => operations.delete_data(&identity, body, key()?).await?,
        };
        Ok(answer.to_string().into())
    }
}

/// The id in the field `field`, which HTTP has in its path, and the body, which has what HTTP has in its query.
fn named(field: &str, body: &[u8]) -> Result<(String, Map<String, Value>), ApiError> {
    let body = parse_object(body)?;
    let id = Fields::new(body.clone())
        .string(field, BODY_BYTES_MAX)?
        .filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| ApiError::invalid(field, "is required"))?;
    Ok((id, body))
}

fn caller_key(key: Option<String>) -> Result<Option<IdempotencyKey>, ApiError> {
    key.map(|key| IdempotencyKey::caller("Idempotency-Key", &key))
        .transpose()
}
