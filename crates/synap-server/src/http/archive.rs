//! Our own routes for taking the log out and in, and for backups of the read model. An export holds memory text.

use crate::app::App;
use crate::archive::{backup, export};
use crate::http::answer::{Admin, Answer, Bounded, Params, Refusal};
use crate::http::schema::common::{
    Contradicts, Defect, ExportQuery, Invalid, NoKey, Unavailable, Unknown, Unread,
};
use crate::http::schema::server::{Backup, BackupBody, Imported};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use std::path::PathBuf;
use std::sync::Arc;
use synap_log::EventLog;
use synap_types::json::{Fields, parse_object};
use synap_types::{ApiError, ErrorCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

type Shared<L> = State<Arc<App<L>>>;

/// What an export is: JSON values, one a line.
const LINES: &str = "application/x-ndjson";
/// Longest path of a folder.
const PATH_BYTES_MAX: usize = 4096;

pub(crate) fn routes<L: EventLog>() -> OpenApiRouter<Arc<App<L>>> {
    OpenApiRouter::new()
        .routes(routes!(export_events))
        .routes(routes!(import_events))
        .routes(routes!(back_up))
}

/// Exports the events of a scope and of what lies below it
///
/// Without ids: all events of the application. One JSON value a line: a header, the events as they stand in the log, and
/// a last line with their number and hash. It ends where the log ended when it was asked for.
#[utoipa::path(get, path = "/v1/admin/export", tag = "admin", operation_id = "admin_export",
    params(ExportQuery),
    responses(
        (status = 200, description = "The lines, as they are read", body = String, content_type = "application/x-ndjson"),
        Invalid, NoKey, Unknown, Defect, Unavailable,
    ))]
async fn export_events<L: EventLog>(
    Admin(identity): Admin,
    State(app): Shared<L>,
    Params(given): Params,
) -> Result<Response, Refusal> {
    if let Some((field, _)) = given.iter().find(|(_, id)| id.as_str() == Some("")) {
        return Err(ApiError::invalid(field.as_str(), "is empty").into());
    }
    let mut fields = Fields::new(given);
    // What is misspelt or empty would else mean: everything.
    let ids = fields.scope_ids()?;
    fields.finish()?;
    let scope = identity.isolation.scope(&identity.client, &ids)?;
    let count = app.operations.engine.count;
    let lines = export::export(Arc::clone(&app.log), count, scope).await;
    let lines = lines.map_err(|e| ApiError::new(ErrorCode::Unavailable, format!("{e:#}")))?;
    Ok(([(header::CONTENT_TYPE, LINES)], Body::from_stream(lines)).into_response())
}

/// Appends events of an export
///
/// The body is the export's header and up to 1,000 of its events, one a line. Each is appended under its own id to the
/// partition that its scope has here, unless it is there already.
#[utoipa::path(post, path = "/v1/admin/import", tag = "admin", operation_id = "admin_import",
    request_body(content = String, content_type = "application/x-ndjson"),
    responses(
        (status = 200, description = "What was new is in the log and will not be lost", body = Imported),
        Invalid, NoKey, Unknown, Unread, Defect, Unavailable,
    ))]
async fn import_events<L: EventLog>(
    Admin(identity): Admin,
    State(app): Shared<L>,
    Bounded(body): Bounded,
) -> Answer {
    Ok(Json(app.import(&identity, &body).await?))
}

/// Writes a backup of the read model
///
/// Into a folder of the server's machine, which must be empty or not there yet. It answers when the backup is whole.
#[utoipa::path(post, path = "/v1/admin/backup", tag = "admin", operation_id = "admin_backup",
    request_body = BackupBody,
    responses(
        (status = 200, description = "What the backup holds", body = Backup),
        Invalid, NoKey, Unknown, Contradicts, Unread, Defect,
    ))]
async fn back_up<L: EventLog>(
    Admin(identity): Admin,
    State(app): Shared<L>,
    Bounded(body): Bounded,
) -> Answer {
    let mut fields = Fields::new(parse_object(&body)?);
    let dir = fields.string("dir", PATH_BYTES_MAX)?;
    fields.finish()?;
    let dir = dir.ok_or_else(|| ApiError::invalid("dir", "is required"))?;
    Ok(Json(
        backup::back_up(&app, &identity, PathBuf::from(dir)).await?,
    ))
}
