//! The vendor's routes, health and metrics.

use crate::app::App;
use crate::http::answer::{Answer, Bounded, Caller, Segment, idempotency_key};
use crate::operations::{Operations, Strictness};
use crate::upload;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::Arc;
use synap_log::EventLog;
use synap_types::IdempotencyKey;

type Shared<L> = State<Arc<App<L>>>;

pub(crate) fn routes<L: EventLog>() -> Router<Arc<App<L>>> {
    Router::new()
        .route("/api/v1/auth/whoami", get(whoami::<L>))
        .route("/api/v1/memories/create", post(create))
        .route("/api/v1/memories/batch", post(batch))
        .route("/api/v1/memories/upload", post(upload))
        .route("/api/v1/memories/status/{ingestion_id}", get(status))
        .route("/api/v1/memories/forget", post(forget))
        .route(
            "/api/v1/memories/{memory_id}",
            get(memory).patch(update).delete(forget_one),
        )
        .route("/v1/data/delete", post(delete_data))
        .route("/v1/data/delete/{deletion_id}", get(deletion_status))
        .route("/v1/context/user/fetch", post(fetch_user))
        .route("/v1/context/customer/fetch", post(fetch_customer))
        .route("/v1/context/client/fetch", post(fetch_client))
        .route("/health", get(health))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
}

async fn whoami<L: EventLog>(Caller(identity): Caller) -> Json<Value> {
    Json(Operations::<L>::whoami(&identity))
}

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

async fn status<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(ingestion): Segment,
) -> Answer {
    Ok(Json(app.operations.status(&identity, &ingestion).await?))
}

async fn memory<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(id): Segment,
) -> Answer {
    Ok(Json(app.operations.memory(&identity, &id).await?))
}

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

async fn forget_one<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(id): Segment,
) -> Answer {
    Ok(Json(app.operations.forget_one(&identity, &id).await?))
}

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

async fn deletion_status<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(id): Segment,
) -> Answer {
    Ok(Json(app.operations.deletion_status(&identity, &id).await?))
}

async fn fetch_user<L: EventLog>(app: Shared<L>, caller: Caller, body: Bounded) -> Answer {
    fetch(app, caller, "user", body).await
}

async fn fetch_customer<L: EventLog>(app: Shared<L>, caller: Caller, body: Bounded) -> Answer {
    fetch(app, caller, "customer", body).await
}

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

async fn health<L: EventLog>(State(app): Shared<L>) -> Json<Value> {
    Json(app.health())
}

async fn live() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

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

async fn metrics<L: EventLog>(State(app): Shared<L>) -> String {
    app.metrics.render()
}
