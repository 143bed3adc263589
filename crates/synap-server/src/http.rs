//! HTTP: the vendor's routes exactly as `protocol.md` has them, and our own under `/v1/admin`.

mod admin;
mod answer;
mod conversations;
mod routes;
mod unread;
mod vendor;

use crate::app::App;
use axum::{Router, middleware};
use std::sync::Arc;
use synap_log::EventLog;
use tower_http::catch_panic::CatchPanicLayer;

/// Every route. A panic in one answers 500 and leaves the others alone.
pub(crate) fn router<L: EventLog>(app: Arc<App<L>>) -> Router {
    Router::new()
        .merge(routes::routes())
        .merge(conversations::routes())
        .merge(vendor::routes())
        .merge(admin::routes())
        .fallback(answer::unknown_route)
        .method_not_allowed_fallback(answer::method_not_allowed)
        .layer(CatchPanicLayer::custom(answer::panicked))
        .layer(middleware::from_fn(unread::discard))
        .with_state(app)
}
