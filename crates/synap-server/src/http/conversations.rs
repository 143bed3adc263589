//! The vendor's routes of conversations and users.

use crate::app::App;
use crate::http::answer::{Answer, Bounded, Caller, Params, Segment, idempotency_key};
use crate::http::schema::common::{
    Contradicts, CustomerQuery, Defect, Idempotency, Invalid, NoKey, ScopeQuery, Unavailable,
    Unknown, Unread,
};
use crate::http::schema::context::{Context, FetchConversationBody};
use crate::http::schema::conversations::{
    CompactAnswer, CompactBody, Compacted, CompactedQuery, CompactionStatus, EventsAnswer,
    EventsBody, MessageBatchBody, MessageBatchReceipt, MessageBody, MessageReceipt, ProfileAnswer,
    PromptContext, StyleQuery, TranscriptBody, TranscriptReceipt, Turns, TurnsQuery,
};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use std::sync::Arc;
use synap_log::EventLog;
use synap_types::IdempotencyKey;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

type Shared<L> = State<Arc<App<L>>>;

pub(crate) fn routes<L: EventLog>() -> OpenApiRouter<Arc<App<L>>> {
    OpenApiRouter::new()
        .routes(routes!(record))
        .routes(routes!(record_batch))
        .routes(routes!(ingest))
        .routes(routes!(compact))
        .routes(routes!(messages))
        .routes(routes!(context_for_prompt))
        .routes(routes!(compacted))
        .routes(routes!(compaction_status))
        .routes(routes!(fetch))
        .routes(routes!(record_events))
        .routes(routes!(profile))
}

/// Records a turn
#[utoipa::path(post, path = "/v1/conversations/messages", tag = "conversations", operation_id = "record_message",
    params(Idempotency), request_body = MessageBody,
    responses(
        (status = 200, description = "It is in the log and will not be lost", body = MessageReceipt),
        Invalid, NoKey, Contradicts, Unread, Defect, Unavailable,
    ))]
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

/// Records many turns
#[utoipa::path(post, path = "/v1/conversations/messages/batch", tag = "conversations", operation_id = "record_messages",
    params(Idempotency), request_body = MessageBatchBody,
    responses(
        (status = 200, description = "What became of each", body = MessageBatchReceipt),
        Invalid, NoKey, Unread, Defect,
    ))]
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

/// Takes the events of a client's stream
#[utoipa::path(post, path = "/v1/events/batch", tag = "conversations", operation_id = "record_events",
    request_body = EventsBody,
    responses(
        (status = 200, description = "What became of each", body = EventsAnswer),
        Invalid, NoKey, Unread, Defect,
    ))]
async fn record_events<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Bounded(body): Bounded,
) -> Answer {
    Ok(Json(app.operations.record_events(&identity, &body).await?))
}

/// Takes the transcript of a whole conversation
///
/// The same transcript again is a duplicate; another one of the same conversation is a `TRANSCRIPT_CONFLICT`.
#[utoipa::path(post, path = "/v1/conversations/ingest", tag = "conversations", operation_id = "ingest_transcript",
    params(Idempotency), request_body = TranscriptBody,
    responses(
        (status = 200, description = "It is in the log and will not be lost", body = TranscriptReceipt),
        Invalid, NoKey, Contradicts, Unread, Defect, Unavailable,
    ))]
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

/// Summarises a conversation
///
/// Sentences are taken from it as they stand; no language model is asked.
#[utoipa::path(post, path = "/v1/conversations/compact", tag = "conversations", operation_id = "compact",
    params(Idempotency), request_body = CompactBody,
    responses(
        (status = 200, description = "The summary is there", body = CompactAnswer),
        Invalid, NoKey, Unknown, Unread, Defect, Unavailable,
    ))]
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

/// Lists the turns of a conversation
#[utoipa::path(get, path = "/v1/conversations/{conversation_id}/messages", tag = "conversations", operation_id = "messages",
    params(("conversation_id" = String, Path, description = "A UUID, or what you call the conversation; percent-encoded"), TurnsQuery, ScopeQuery),
    responses(
        (status = 200, description = "The turns, in order", body = Turns),
        Invalid, NoKey, Unknown, Defect, Unavailable,
    ))]
async fn messages<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(id): Segment,
    Params(query): Params,
) -> Answer {
    Ok(Json(app.operations.messages(&identity, &id, &query).await?))
}

/// Writes a conversation for a prompt
#[utoipa::path(get, path = "/v1/conversations/{conversation_id}/context-for-prompt", tag = "conversations", operation_id = "context_for_prompt",
    params(("conversation_id" = String, Path, description = "A UUID, or what you call the conversation; percent-encoded"), StyleQuery, ScopeQuery),
    responses(
        (status = 200, description = "Its last summary and the turns since", body = PromptContext),
        Invalid, NoKey, Defect, Unavailable,
    ))]
async fn context_for_prompt<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(id): Segment,
    Params(query): Params,
) -> Answer {
    let answer = app.operations.context_for_prompt(&identity, &id, &query);
    Ok(Json(answer.await?))
}

/// Shows a summary of a conversation
#[utoipa::path(get, path = "/v1/conversations/{conversation_id}/compacted", tag = "conversations", operation_id = "compacted",
    params(("conversation_id" = String, Path, description = "A UUID, or what you call the conversation; percent-encoded"), CompactedQuery, ScopeQuery),
    responses(
        (status = 200, description = "The summary", body = Compacted),
        Invalid, NoKey, Unknown, Defect, Unavailable,
    ))]
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

/// Says how far the summary of a conversation is
#[utoipa::path(get, path = "/v1/conversations/{conversation_id}/compaction/status", tag = "conversations", operation_id = "compaction_status",
    params(("conversation_id" = String, Path, description = "A UUID, or what you call the conversation; percent-encoded"), ScopeQuery),
    responses(
        (status = 200, description = "How far it is", body = CompactionStatus),
        Invalid, NoKey, Unknown, Defect, Unavailable,
    ))]
async fn compaction_status<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(id): Segment,
    Params(query): Params,
) -> Answer {
    let answer = app.operations.compaction_status(&identity, &id, &query);
    Ok(Json(answer.await?))
}

/// Fetches the context of a conversation
#[utoipa::path(post, path = "/v1/context/conversation/fetch", tag = "context", operation_id = "fetch_conversation_context",
    request_body = FetchConversationBody,
    responses(
        (status = 200, description = "What was found; nothing is an empty answer", body = Context),
        Invalid, NoKey, Unread, Defect, Unavailable,
    ))]
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

/// Shows what is known of a user
///
/// A user of whom nothing is known is a 404.
#[utoipa::path(get, path = "/v1/users/{user_id}/profile", tag = "context", operation_id = "user_profile",
    params(("user_id" = String, Path, description = "The user; percent-encoded"), CustomerQuery),
    responses(
        (status = 200, description = "The profile", body = ProfileAnswer),
        Invalid, NoKey, Unknown, Defect, Unavailable,
    ))]
async fn profile<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(user_id): Segment,
    Params(query): Params,
) -> Answer {
    let answer = app.operations.user_profile(&identity, &user_id, &query);
    Ok(Json(answer.await?))
}
