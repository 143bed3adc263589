//! HTTP: the vendor's routes exactly as `protocol.md` has them, and our own under `/v1/admin`.

mod admin;
mod answer;
mod archive;
mod connections;
mod conversations;
mod history;
mod moves;
mod routes;
mod schema;
mod unread;
mod vendor;

pub(crate) use connections::serve;

use crate::app::App;
use axum::{Extension, Router, middleware};
use schema::Document;
use std::sync::Arc;
use synap_log::EventLog;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Every route with its description. There is no other way in.
fn described<L: EventLog>() -> OpenApiRouter<Arc<App<L>>> {
    OpenApiRouter::with_openapi(schema::frame())
        .merge(routes::routes())
        .merge(conversations::routes())
        .merge(history::routes())
        .merge(moves::routes())
        .merge(vendor::routes())
        .merge(admin::routes())
        .merge(archive::routes())
        .routes(routes!(schema::openapi))
}

/// Every route. A panic in one answers 500 and leaves the others alone.
pub(crate) fn router<L: EventLog>(app: Arc<App<L>>) -> Router {
    let (routes, document) = described().split_for_parts();
    routes
        .fallback(answer::unknown_route)
        .method_not_allowed_fallback(answer::method_not_allowed)
        .layer(Extension(Document::new(&document)))
        .layer(CatchPanicLayer::custom(answer::panicked))
        .layer(middleware::from_fn(unread::discard))
        .with_state(app)
}

#[cfg(test)]
mod tests {
    use super::{described, schema};
    use std::path::Path;
    use std::{env, fs};
    use synap_nats::JetStreamLog;

    #[test]
    fn the_committed_document_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/openapi.json");
        let actual = schema::text(&described::<JetStreamLog>().into_openapi());
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &actual).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            committed,
            actual,
            "{} is stale: run with UPDATE_GOLDEN=1",
            path.display()
        );
    }
}
