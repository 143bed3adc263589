//! Our own routes for what happened: versions of a memory, events of a scope.

use crate::app::App;
use crate::history::Feed;
use crate::http::answer::{Answer, Caller, Params, Refusal, Segment};
use crate::http::schema::common::{Defect, Invalid, NoKey, Unavailable, Unknown};
use crate::http::schema::history::{Events, EventsQuery, History};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::stream::{self, Stream, StreamExt as _};
use serde_json::Value;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use synap_log::EventLog;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

type Shared<L> = State<Arc<App<L>>>;

/// How long one look of a stream waits for the next event.
const LOOK: Duration = Duration::from_secs(15);

pub(crate) fn routes<L: EventLog>() -> OpenApiRouter<Arc<App<L>>> {
    OpenApiRouter::new()
        .routes(routes!(history))
        .routes(routes!(events))
}

/// Shows what became of a memory
///
/// Versions that were superseded or forgotten are among them; what was erased is a 404.
#[utoipa::path(get, path = "/v1/memories/{memory_id}/history", tag = "history", operation_id = "memory_history",
    params(("memory_id" = String, Path, description = "The memory")),
    responses(
        (status = 200, description = "Its versions, oldest first", body = History),
        NoKey, Unknown, Defect, Unavailable,
    ))]
async fn history<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(memory): Segment,
) -> Answer {
    Ok(Json(app.operations.history(&identity, &memory).await?))
}

/// Lists the events of a scope, and follows them
///
/// A page of what came after a position; with `wait_ms`, a page that would be empty waits for the next event. With `Accept:
/// text/event-stream`, a stream that goes on: its ids are positions, and `Last-Event-ID` resumes it.
#[utoipa::path(get, path = "/v1/scopes/{level}/events", tag = "history", operation_id = "scope_events",
    params(("level" = String, Path, description = "`user`, `customer` or `client`"), EventsQuery),
    responses(
        (status = 200, description = "The events, oldest first", body = Events),
        Invalid, NoKey, Unknown, Defect, Unavailable,
    ))]
async fn events<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(level): Segment,
    headers: HeaderMap,
    Params(mut query): Params,
) -> Result<Response, Refusal> {
    let accept = headers.get(header::ACCEPT);
    let accept = accept.and_then(|accept| accept.to_str().ok());
    let is_stream = accept.is_some_and(|accept| accept.contains("text/event-stream"));
    let last = headers.get("last-event-id").filter(|_| is_stream);
    if let Some(last) = last.and_then(|last| last.to_str().ok()) {
        query.insert("after".to_owned(), last.into());
    }
    let feed = Feed::take(&identity, &level, &query)?;
    if !is_stream {
        return Ok(Json(app.operations.events(feed).await?).into_response());
    }
    // What is wrong with the request is a refusal, before the stream begins.
    let first = app.operations.events(feed.clone()).await?;
    let feed = Feed { wait: LOOK, ..feed };
    let stream = Sse::new(follow(app, feed, first)).keep_alive(KeepAlive::default());
    Ok(stream.into_response())
}

/// The events of `first`, and then those that come, until the caller goes away or the log cannot be read.
fn follow<L: EventLog>(
    app: Arc<App<L>>,
    feed: Feed,
    first: Value,
) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    let pages = stream::unfold(Some((app, feed, Some(first))), |state| async {
        let (app, mut feed, first) = state?;
        let page = match first {
            Some(page) => page,
            None => app.operations.events(feed.clone()).await.ok()?,
        };
        let next = page.get("next").and_then(Value::as_str);
        feed.after = next.and_then(|next| next.parse().ok());
        let events = page.get("events").and_then(Value::as_array).cloned();
        Some((events.unwrap_or_default(), Some((app, feed, None))))
    });
    pages.flat_map(stream::iter).map(|event| {
        let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
        let told = sse::Event::default()
            .id(text("position"))
            .event(text("type"));
        Ok(told.data(event.to_string()))
    })
}
