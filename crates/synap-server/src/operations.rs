//! What the server can do, once for every interface: HTTP, NATS and the inbox call the same functions with the same
//! bytes and get the same answers.

use crate::audit::Audit;
use crate::engine::Engine;
use crate::identity::{Identity, Keyring};
use crate::ingest::Ingest;
use crate::metrics;
use crate::recall::generation;
use futures::future::join_all;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use synap_log::EventLog;
use synap_types::json::{Fields, kind, parse_object};
use synap_types::limits::BATCH_DOCUMENTS_MAX;
use synap_types::{
    ApiError, DocumentId, FetchRequest, IdempotencyKey, IngestReceipt, IngestRequest, IngestionId,
    Scope,
};
use uuid::Uuid;

/// Every operation, with what it needs.
#[derive(Debug)]
pub(crate) struct Operations<L> {
    pub(crate) keys: Keyring,
    pub(crate) ingest: Ingest<L>,
    pub(crate) engine: Arc<Engine<L>>,
    pub(crate) audit: Audit,
}

/// Whether fields that are not known are refused (our own doors) or ignored (the vendor's routes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strictness {
    Vendor,
    Own,
}

impl<L: EventLog> Operations<L> {
    /// Ingests one document. `key` is an idempotency key from outside the body.
    pub(crate) async fn create(
        &self,
        identity: &Identity,
        body: &[u8],
        key: Option<IdempotencyKey>,
        strictness: Strictness,
    ) -> Result<IngestReceipt, ApiError> {
        self.create_from(identity, parse_object(body)?, key, strictness)
            .await
    }

    /// [`Self::create`] with a body that is parsed already.
    pub(crate) async fn create_from(
        &self,
        identity: &Identity,
        body: Map<String, Value>,
        key: Option<IdempotencyKey>,
        strictness: Strictness,
    ) -> Result<IngestReceipt, ApiError> {
        let parse = match strictness {
            Strictness::Vendor => IngestRequest::parse,
            Strictness::Own => IngestRequest::parse_strict,
        };
        let mut request = parse(body, &identity.client, &identity.isolation)?;
        request.key = request.key.or(key);
        let done = self.ingest.ingest(identity, request).await;
        metrics::ingested(&done);
        done
    }

    /// Ingests many documents. Each succeeds or fails by itself, unless `fail_fast`: then one bad document refuses all,
    /// before anything is written.
    pub(crate) async fn create_batch(
        &self,
        identity: &Identity,
        body: &[u8],
        key: Option<&str>,
    ) -> Result<Value, ApiError> {
        let mut fields = Fields::new(parse_object(body)?);
        let fail_fast = fields.flag("fail_fast")?;
        let documents = match fields.value("documents") {
            Some(Value::Array(documents)) => documents,
            Some(other) => {
                return Err(ApiError::invalid(
                    "documents",
                    format!("must be a list, not {}", kind(&other)),
                ));
            }
            None => return Err(ApiError::invalid("documents", "is required")),
        };
        if documents.is_empty() {
            return Err(ApiError::invalid("documents", "must not be empty"));
        }
        if documents.len() > BATCH_DOCUMENTS_MAX {
            return Err(ApiError::over_limit(
                "documents",
                "entries",
                documents.len(),
                BATCH_DOCUMENTS_MAX,
            ));
        }
        let parsed: Vec<Result<IngestRequest, ApiError>> = documents
            .into_iter()
            .enumerate()
            .map(|(at, body)| parse_entry(identity, at, body, key))
            .collect();
        if fail_fast && let Some(refusal) = parsed.iter().find_map(|entry| entry.as_ref().err()) {
            return Err(refusal.clone());
        }
        let results = self.ingest_all(identity, parsed).await;
        let failed = results.iter().filter(|result| result.is_err()).count();
        let total = results.len();
        let now = self.ingest.clock.now().to_string();
        let results: Vec<Value> = results
            .into_iter()
            .map(|result| batch_entry(result, &now))
            .collect();
        Ok(
            json!({"batch_id": Uuid::new_v4(), "total": total, "succeeded": total - failed, "failed": failed,
            "results": results}),
        )
    }

    /// Ingests all at the same time, in their order: what stands side by side in a batch does so in the log. Versions of one
    /// document are ingested one after the other.
    async fn ingest_all(
        &self,
        identity: &Identity,
        parsed: Vec<Result<IngestRequest, ApiError>>,
    ) -> Vec<Result<IngestReceipt, ApiError>> {
        let mut waves: BTreeMap<usize, Vec<(usize, IngestRequest)>> = BTreeMap::new();
        let mut versions: BTreeMap<(Scope, DocumentId), usize> = BTreeMap::new();
        let mut results = BTreeMap::new();
        for (at, entry) in parsed.into_iter().enumerate() {
            match entry {
                Err(refusal) => drop(results.insert(at, Err(refusal))),
                Ok(request) => {
                    let version = request.document_id.as_ref().map_or(0, |id| {
                        let count = versions
                            .entry((request.scope.clone(), id.clone()))
                            .or_default();
                        std::mem::replace(count, *count + 1)
                    });
                    waves.entry(version).or_default().push((at, request));
                }
            }
        }
        for wave in waves.into_values() {
            let decided = wave.into_iter().map(|(at, request)| async move {
                let decision = self.ingest.decided(&request).await;
                (at, request, decision)
            });
            let ingests = join_all(decided).await.into_iter();
            let ingests = ingests.map(|(at, request, decision)| async move {
                let done = match decision {
                    Ok(decision) => self.ingest.carry_out(identity, request, decision).await,
                    Err(refusal) => Err(refusal),
                };
                metrics::ingested(&done);
                (at, done)
            });
            results.extend(join_all(ingests).await);
        }
        results.into_values().collect()
    }

    /// What became of an ingestion. An id that is no UUID is unknown like any other.
    pub(crate) async fn status(
        &self,
        identity: &Identity,
        ingestion: &str,
    ) -> Result<Value, ApiError> {
        let ingestion: IngestionId = ingestion.parse().map_err(|_| ApiError::not_found())?;
        let status = self.engine.status(&identity.client, ingestion).await?;
        Ok(serde_json::to_value(status).unwrap_or_default())
    }

    /// [`Self::status`] with the id in a body: `{"ingestion_id": …}`.
    pub(crate) async fn status_of(
        &self,
        identity: &Identity,
        body: &[u8],
    ) -> Result<Value, ApiError> {
        let mut fields = Fields::new(parse_object(body)?);
        let ingestion = fields
            .string("ingestion_id", 64)?
            .ok_or_else(|| ApiError::invalid("ingestion_id", "is required"))?;
        fields.finish()?;
        self.status(identity, &ingestion).await
    }

    /// Answers a fetch of our own doors: the ids say the scope.
    pub(crate) async fn fetch(&self, identity: &Identity, body: &[u8]) -> Result<Value, ApiError> {
        let mut body = parse_object(body)?;
        let generation = generation(&mut body)?;
        let request = FetchRequest::parse_strict(body, &identity.client, &identity.isolation)?;
        self.fetch_of(identity, request, generation).await
    }

    /// Who the key is.
    pub(crate) fn whoami(identity: &Identity) -> Value {
        json!({"client_id": identity.client, "instance_id": identity.instance,
            "user_context_isolation": identity.isolation.name(), "levels": identity.isolation.ladder(),
            "key_id": identity.key_id})
    }
}

fn parse_entry(
    identity: &Identity,
    at: usize,
    body: Value,
    key: Option<&str>,
) -> Result<IngestRequest, ApiError> {
    let parent = format!("documents[{at}]");
    let Value::Object(body) = body else {
        return Err(ApiError::invalid(
            parent,
            format!("must be an object, not {}", kind(&body)),
        ));
    };
    let parsed = IngestRequest::parse(body, &identity.client, &identity.isolation);
    let mut request = parsed.map_err(|refusal| refusal.within(&parent))?;
    // The key's length was checked at the door, as the caller sent it.
    let own = || key.map(|key| IdempotencyKey::Caller(format!("batch {key}#{at}")));
    request.key = request.key.or_else(own);
    Ok(request)
}

/// A batch result; the vendor's SDK wants ids and a time in failed entries too.
fn batch_entry(result: Result<IngestReceipt, ApiError>, now: &str) -> Value {
    match result {
        Ok(receipt) => serde_json::to_value(receipt).unwrap_or_default(),
        Err(refusal) => {
            json!({"ingestion_id": Uuid::nil(), "document_id": "", "status": "failed", "queued_at": now,
            "error_message": refusal.message, "error": refusal.to_json()})
        }
    }
}
