//! The vendor's routes of conversations and users.

use crate::app::App;
use crate::http::answer::{Answer, Bounded, Caller, Params, Segment, idempotency_key};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Json, Router};
use std::sync::Arc;
use synap_log::EventLog;
use synap_types::IdempotencyKey;

type Shared<L> = State<Arc<App<L>>>;

pub(crate) fn routes<L: EventLog>() -> Router<Arc<App<L>>> {
    Router::new()
        .route("/v1/conversations/messages", post(record))
        .route("/v1/conversations/messages/batch", post(record_batch))
        .route("/v1/conversations/ingest", post(ingest))
        .route("/v1/conversations/compact", post(compact))
        .route(
            "/v1/conversations/{conversation_id}/messages",
            get(messages),
        )
        .route(
            "/v1/conversations/{conversation_id}/context-for-prompt",
            get(context_for_prompt),
        )
        .route(
            "/v1/conversations/{conversation_id}/compacted",
            get(compacted),
        )
        .route(
            "/v1/conversations/{conversation_id}/compaction/status",
            get(compaction_status),
        )
        .route("/v1/context/conversation/fetch", post(fetch))
        .route("/v1/events/batch", post(record_events))
        .route("/v1/users/{user_id}/profile", get(profile))
}

async fn record<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    headers: HeaderMap,
    Bounded(body): Bounded,
) -> Answer {
    let key = idempotency_key(&headers, "POST /v1/conversations/messages")?;
    let key = key.map(IdempotencyKey::Caller);
    Ok(Json(
        app.operations.record_body(&identity, &body, key).await?,
    ))
}

async fn record_batch<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    headers: HeaderMap,
    Bounded(body): Bounded,
) -> Answer {
    let key = idempotency_key(&headers, "POST /v1/conversations/messages/batch")?;
    let answer = app
        .operations
        .record_batch(&identity, &body, key.as_deref());
    Ok(Json(answer.await?))
}

async fn record_events<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Bounded(body): Bounded,
) -> Answer {
    Ok(Json(app.operations.record_events(&identity, &body).await?))
}

async fn ingest<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    headers: HeaderMap,
    Bounded(body): Bounded,
) -> Answer {
    // A conversation has one transcript: no key is needed, but one that is no key is refused here as everywhere.
    idempotency_key(&headers, "POST /v1/conversations/ingest")?;
    let answer = app.operations.ingest_transcript(&identity, &body);
    Ok(Json(answer.await?))
}

async fn compact<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    headers: HeaderMap,
    Bounded(body): Bounded,
) -> Answer {
    let key = idempotency_key(&headers, "POST /v1/conversations/compact")?;
    let key = key.map(IdempotencyKey::Caller);
    Ok(Json(app.operations.compact(&identity, &body, key).await?))
}

async fn messages<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(id): Segment,
    Params(query): Params,
) -> Answer {
    Ok(Json(app.operations.messages(&identity, &id, &query).await?))
}

async fn context_for_prompt<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(id): Segment,
    Params(query): Params,
) -> Answer {
    let answer = app.operations.context_for_prompt(&identity, &id, &query);
    Ok(Json(answer.await?))
}

async fn compacted<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(id): Segment,
    Params(query): Params,
) -> Answer {
    Ok(Json(
        app.operations.compacted(&identity, &id, &query).await?,
    ))
}

async fn compaction_status<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(id): Segment,
    Params(query): Params,
) -> Answer {
    let answer = app.operations.compaction_status(&identity, &id, &query);
    Ok(Json(answer.await?))
}

async fn fetch<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Bounded(body): Bounded,
) -> Answer {
    Ok(Json(
        app.operations
            .fetch_in_conversation(&identity, &body)
            .await?,
    ))
}

async fn profile<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(user_id): Segment,
    Params(query): Params,
) -> Answer {
    let answer = app.operations.user_profile(&identity, &user_id, &query);
    Ok(Json(answer.await?))
}
