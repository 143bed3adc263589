//! Our own routes for changes of a memory's place, and for undoing changes.

use crate::app::App;
use crate::http::answer::{Answer, Bounded, Caller, Segment};
use crate::http::schema::common::{
    Contradicts, Defect, Invalid, NoKey, Unavailable, Unknown, Unread,
};
use crate::http::schema::moves::{DemoteBody, Moved, PromoteBody, Undone};
use axum::Json;
use axum::extract::State;
use std::sync::Arc;
use synap_log::EventLog;
use synap_types::MoveTo;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

type Shared<L> = State<Arc<App<L>>>;

pub(crate) fn routes<L: EventLog>() -> OpenApiRouter<Arc<App<L>>> {
    OpenApiRouter::new()
        .routes(routes!(promote))
        .routes(routes!(demote))
        .routes(routes!(undo))
}

/// Moves a memory to a wider scope of its own chain
///
/// From a user to the customer or to the application. It has another id there, and is not told where it was. Asked again,
/// the answer is the same. What was moved is erased with what it came from.
#[utoipa::path(post, path = "/v1/memories/{memory_id}/promote", tag = "history", operation_id = "promote_memory",
    params(("memory_id" = String, Path, description = "The memory")), request_body = PromoteBody,
    responses(
        (status = 200, description = "Where it is told now", body = Moved),
        Invalid, NoKey, Unknown, Contradicts, Unread, Defect, Unavailable,
    ))]
async fn promote<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(memory): Segment,
    Bounded(body): Bounded,
) -> Answer {
    let moved = app
        .operations
        .move_memory(&identity, &memory, &body, MoveTo::Wider);
    Ok(Json(moved.await?))
}

/// Moves a memory to a narrower scope below its own
///
/// From the application to one customer or one user, or from a customer to one of its users. It has another id there, and is
/// not told where it was. Asked again, the answer is the same.
#[utoipa::path(post, path = "/v1/memories/{memory_id}/demote", tag = "history", operation_id = "demote_memory",
    params(("memory_id" = String, Path, description = "The memory")), request_body = DemoteBody,
    responses(
        (status = 200, description = "Where it is told now", body = Moved),
        Invalid, NoKey, Unknown, Contradicts, Unread, Defect, Unavailable,
    ))]
async fn demote<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(memory): Segment,
    Bounded(body): Bounded,
) -> Answer {
    let moved = app
        .operations
        .move_memory(&identity, &memory, &body, MoveTo::Narrower);
    Ok(Json(moved.await?))
}

/// Undoes the last change of a memory or of a document
///
/// The event of an update, of forgetting, of a move, or of what undid one of these: the memory is as it was before, and the
/// history has both. Of a move, both halves are undone. The event of a document's new version: what it said before is stored
/// again. What is not the last change is a 409 that names the last one; so is an erasure. Asked again, the answer is the same.
#[utoipa::path(post, path = "/v1/events/{event_id}/undo", tag = "history", operation_id = "undo_change",
    params(("event_id" = String, Path, description = "The event of the change")),
    responses(
        (status = 200, description = "It is undone", body = Undone),
        NoKey, Unknown, Contradicts, Defect, Unavailable,
    ))]
async fn undo<L: EventLog>(
    State(app): Shared<L>,
    Caller(identity): Caller,
    Segment(event): Segment,
) -> Answer {
    Ok(Json(app.operations.undo(&identity, &event).await?))
}
