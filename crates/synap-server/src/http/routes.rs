//! The vendor's routes, health and metrics.

use crate::app::App;
use crate::http::answer::{Answer, Bounded, Caller, Segment, idempotency_key};
use crate::http::schema::common::{
    Contradicts, Defect, Idempotency, Invalid, NoKey, Unavailable, Unknown, Unread,
};
use crate::http::schema::context::{Context, FetchClientBody, FetchCustomerBody, FetchUserBody};
use crate::http::schema::memories::{
    BatchReceipt, CreateBatchBody, CreateBody, DeleteBody, Deletion, ForgetAnswer, ForgetBody,
    Forgotten, IngestionStatus, Memory, Receipt, UpdateBody, UploadBody, UploadTextBody,
};
use crate::http::schema::server::{Health, Live, Whoami};
use crate::operations::{Operations, Strictness};
use crate::upload;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use serde_json::{Value, json};
use std::sync::Arc;
use synap_log::EventLog;
use synap_types::IdempotencyKey;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

type Shared<L> = State<Arc<App<L>>>;

pub(crate) fn routes<L: EventLog>() -> OpenApiRouter<Arc<App<L>>> {
    OpenApiRouter::new()
        .routes(routes!(whoami))
        .routes(routes!(create))
        .routes(routes!(batch))
        .routes(routes!(upload))
        .routes(routes!(status))
        .routes(routes!(forget))
        .routes(routes!(memory, update, forget_one))
        .routes(routes!(delete_data))
        .routes(routes!(deletion_status))
        .routes(routes!(fetch_user))
        .routes(routes!(fetch_customer))
        .routes(routes!(fetch_client))
        .routes(routes!(health))
        .routes(routes!(live))
        .routes(routes!(ready))
        .routes(routes!(metrics))
}

/// Says whom the key stands for
#[utoipa::path(get, path = "/api/v1/auth/whoami", tag = "server", operation_id = "whoami",
    responses(
        (status = 200, description = "The application and its instance", body = Whoami),
        NoKey, Defect,
    ))]
async fn whoami<L: EventLog>(_: Shared<L>, Caller(identity): Caller) -> Json<Value> {
    Json(Operations::<L>::whoami(&identity))
}

/// Remembers a document
#[utoipa::path(post, path = "/api/v1/memories/create", tag = "memories", operation_id = "create_memory",
    params(Idempotency), request_body = CreateBody,
    responses(
        (status = 200, description = "It is in the log and will not be lost", body = Receipt),
        Invalid, NoKey, Contradicts, Unread, Defect, Unavailable,
    ))]
async fn create<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    headers: HeaderMap,
    Bounded(body): Bounded,
) -> Answer {
    let key =
        idempotency_key(&headers, "POST /api/v1/memories/create")?.map(IdempotencyKey::Caller);
    let receipt = app
        .operations
        .create(&identity, &body, key, Strictness::Vendor)
        .await?;
    Ok(Json(serde_json::to_value(receipt).unwrap_or_default()))
}

/// Remembers many documents
#[utoipa::path(post, path = "/api/v1/memories/batch", tag = "memories", operation_id = "create_memories",
    params(Idempotency), request_body = CreateBatchBody,
    responses(
        (status = 200, description = "What became of each", body = BatchReceipt),
        Invalid, NoKey, Unread, Defect,
    ))]
async fn batch<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    headers: HeaderMap,
    Bounded(body): Bounded,
) -> Answer {
    let key = idempotency_key(&headers, "POST /api/v1/memories/batch")?;
    Ok(Json(
        app.operations
            .create_batch(&identity, &body, key.as_deref())
            .await?,
    ))
}

/// Remembers a file or a text
#[utoipa::path(post, path = "/api/v1/memories/upload", tag = "memories", operation_id = "upload_memory",
    params(Idempotency),
    request_body(content((UploadBody = "multipart/form-data"), (UploadTextBody = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "It is in the log and will not be lost", body = Receipt),
        Invalid, NoKey, Contradicts, Unread, Defect, Unavailable,
    ))]
async fn upload<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    headers: HeaderMap,
    Bounded(body): Bounded,
) -> Answer {
    let key =
        idempotency_key(&headers, "POST /api/v1/memories/upload")?.map(IdempotencyKey::Caller);
    let document = upload::document(&headers, body, &app.reader).await?;
    let receipt = app
        .operations
        .create_from(&identity, document, key, Strictness::Vendor)
        .await?;
    Ok(Json(serde_json::to_value(receipt).unwrap_or_default()))
}

/// Says how far an ingestion is
#[utoipa::path(get, path = "/api/v1/memories/status/{ingestion_id}", tag = "memories", operation_id = "ingestion_status",
    params(("ingestion_id" = String, Path, description = "The ingestion")),
    responses(
        (status = 200, description = "How far it is", body = IngestionStatus),
        NoKey, Unknown, Defect, Unavailable,
    ))]
async fn status<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(ingestion): Segment,
) -> Answer {
    Ok(Json(app.operations.status(&identity, &ingestion).await?))
}

/// Shows a memory
#[utoipa::path(get, path = "/api/v1/memories/{memory_id}", tag = "memories", operation_id = "get_memory",
    params(("memory_id" = String, Path, description = "The memory")),
    responses(
        (status = 200, description = "The memory", body = Memory),
        NoKey, Unknown, Defect, Unavailable,
    ))]
async fn memory<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(id): Segment,
) -> Answer {
    Ok(Json(app.operations.memory(&identity, &id).await?))
}

/// Changes a memory
#[utoipa::path(patch, path = "/api/v1/memories/{memory_id}", tag = "memories", operation_id = "update_memory",
    params(("memory_id" = String, Path, description = "The memory"), Idempotency), request_body = UpdateBody,
    responses(
        (status = 200, description = "The memory as it is then", body = Memory),
        Invalid, NoKey, Unknown, Contradicts, Unread, Defect, Unavailable,
    ))]
async fn update<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(id): Segment,
    headers: HeaderMap,
    Bounded(body): Bounded,
) -> Answer {
    let operation = format!("PATCH /api/v1/memories/{id}");
    let key = idempotency_key(&headers, &operation)?.map(IdempotencyKey::Caller);
    let answer = app.operations.update(&identity, &id, &body, key);
    Ok(Json(answer.await?))
}

/// Forgets a memory
///
/// It does not come back with a later version of its document. Asked again, it is still forgotten.
#[utoipa::path(delete, path = "/api/v1/memories/{memory_id}", tag = "memories", operation_id = "delete_memory",
    params(("memory_id" = String, Path, description = "The memory")),
    responses(
        (status = 200, description = "It is not told any more", body = Forgotten),
        NoKey, Unknown, Defect, Unavailable,
    ))]
async fn forget_one<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(id): Segment,
) -> Answer {
    Ok(Json(app.operations.forget_one(&identity, &id).await?))
}

/// Forgets what a description means, or says what it would
#[utoipa::path(post, path = "/api/v1/memories/forget", tag = "memories", operation_id = "forget_memories",
    request_body = ForgetBody,
    responses(
        (status = 200, description = "What was forgotten, or would be", body = ForgetAnswer),
        Invalid, NoKey, Unread, Defect, Unavailable,
    ))]
async fn forget<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    headers: HeaderMap,
    Bounded(body): Bounded,
) -> Answer {
    let key =
        idempotency_key(&headers, "POST /api/v1/memories/forget")?.map(IdempotencyKey::Caller);
    Ok(Json(app.operations.forget(&identity, &body, key).await?))
}

/// Deletes what is remembered of a user, a customer or a conversation
#[utoipa::path(post, path = "/v1/data/delete", tag = "memories", operation_id = "delete_data",
    params(Idempotency), request_body = DeleteBody,
    responses(
        (status = 200, description = "What was deleted, or would be", body = Deletion),
        Invalid, NoKey, Contradicts, Unread, Defect, Unavailable,
    ))]
async fn delete_data<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    headers: HeaderMap,
    Bounded(body): Bounded,
) -> Answer {
    let key = idempotency_key(&headers, "POST /v1/data/delete")?.map(IdempotencyKey::Caller);
    let answer = app.operations.delete_data(&identity, &body, key);
    Ok(Json(answer.await?))
}

/// Shows a deletion
#[utoipa::path(get, path = "/v1/data/delete/{deletion_id}", tag = "memories", operation_id = "deletion_status",
    params(("deletion_id" = String, Path, description = "The deletion")),
    responses(
        (status = 200, description = "What was deleted", body = Deletion),
        NoKey, Unknown, Defect, Unavailable,
    ))]
async fn deletion_status<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(id): Segment,
) -> Answer {
    Ok(Json(app.operations.deletion_status(&identity, &id).await?))
}

/// Fetches the context of a user
#[utoipa::path(post, path = "/v1/context/user/fetch", tag = "context", operation_id = "fetch_user_context",
    request_body = FetchUserBody,
    responses(
        (status = 200, description = "What was found; nothing is an empty answer", body = Context),
        Invalid, NoKey, Unread, Defect, Unavailable,
    ))]
async fn fetch_user<L: EventLog>(app: Shared<L>, caller: Caller, body: Bounded) -> Answer {
    fetch(app, caller, "user", body).await
}

/// Fetches the context of a customer
#[utoipa::path(post, path = "/v1/context/customer/fetch", tag = "context", operation_id = "fetch_customer_context",
    request_body = FetchCustomerBody,
    responses(
        (status = 200, description = "What was found; nothing is an empty answer", body = Context),
        Invalid, NoKey, Unread, Defect, Unavailable,
    ))]
async fn fetch_customer<L: EventLog>(app: Shared<L>, caller: Caller, body: Bounded) -> Answer {
    fetch(app, caller, "customer", body).await
}

/// Fetches the context of the application
#[utoipa::path(post, path = "/v1/context/client/fetch", tag = "context", operation_id = "fetch_client_context",
    request_body = FetchClientBody,
    responses(
        (status = 200, description = "What was found; nothing is an empty answer", body = Context),
        Invalid, NoKey, Unread, Defect, Unavailable,
    ))]
async fn fetch_client<L: EventLog>(app: Shared<L>, caller: Caller, body: Bounded) -> Answer {
    fetch(app, caller, "client", body).await
}

async fn fetch<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    level: &str,
    Bounded(body): Bounded,
) -> Answer {
    Ok(Json(
        app.operations.fetch_at(&identity, level, &body).await?,
    ))
}

/// Says how the server is
#[utoipa::path(get, path = "/health", tag = "server", operation_id = "health",
    security(()),
    responses(
        (status = 200, description = "How it is", body = Health),
        Defect,
    ))]
async fn health<L: EventLog>(State(app): Shared<L>) -> Json<Value> {
    Json(app.health())
}

/// Says that the process runs
#[utoipa::path(get, path = "/health/live", tag = "server", operation_id = "live",
    security(()),
    responses(
        (status = 200, description = "It runs", body = Live),
    ))]
async fn live() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// Says whether answers are up to date
#[utoipa::path(get, path = "/health/ready", tag = "server", operation_id = "ready",
    security(()),
    responses(
        (status = 200, description = "They are", body = Health),
        (status = 503, description = "Some may be stale", body = Health),
        Defect,
    ))]
async fn ready<L: EventLog>(State(app): Shared<L>) -> impl IntoResponse {
    let health = app.health();
    let ready = health.get("status").and_then(Value::as_str) == Some("ok");
    (
        if ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        },
        Json(health),
    )
}

/// Metrics for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "server", operation_id = "metrics",
    security(()),
    responses(
        (status = 200, description = "Metrics", body = String, content_type = "text/plain; charset=utf-8"),
        Defect,
    ))]
async fn metrics<L: EventLog>(State(app): Shared<L>) -> String {
    app.metrics.render()
}
