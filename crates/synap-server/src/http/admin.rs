//! Our own routes for whoever runs the server: status, rebuild, verify. They see no memory text.

use crate::app::App;
use crate::http::answer::{Admin, Answer, Bounded, Segment};
use crate::http::schema::common::{Defect, Invalid, NoKey, Unknown, Unread};
use crate::http::schema::server::{Job, Parked, RebuildBody, Status, VerifyBody};
use crate::jobs::JobKind;
use axum::Json;
use axum::extract::State;
use std::sync::Arc;
use synap_log::EventLog;
use synap_types::json::{Fields, parse_object};
use synap_types::{ApiError, Partition};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

type Shared<L> = State<Arc<App<L>>>;

pub(crate) fn routes<L: EventLog>() -> OpenApiRouter<Arc<App<L>>> {
    OpenApiRouter::new()
        .routes(routes!(status))
        .routes(routes!(parked))
        .routes(routes!(rebuild))
        .routes(routes!(verify))
        .routes(routes!(job))
}

/// Shows every partition
#[utoipa::path(get, path = "/v1/admin/status", tag = "admin", operation_id = "admin_status",
    responses(
        (status = 200, description = "The partitions", body = Status),
        NoKey, Unknown, Defect,
    ))]
async fn status<L: EventLog>(_: Admin, State(app): Shared<L>) -> Answer {
    Ok(Json(app.status().await))
}

/// Shows the events that were set aside
#[utoipa::path(get, path = "/v1/admin/parked", tag = "admin", operation_id = "admin_parked",
    responses(
        (status = 200, description = "The events", body = Parked),
        NoKey, Unknown, Defect,
    ))]
async fn parked<L: EventLog>(_: Admin, State(app): Shared<L>) -> Answer {
    Ok(Json(app.parked()?))
}

/// Builds the rows anew while the old ones serve
#[utoipa::path(post, path = "/v1/admin/rebuild", tag = "admin", operation_id = "admin_rebuild",
    request_body = RebuildBody,
    responses(
        (status = 200, description = "Work that goes on in the background", body = Job),
        Invalid, NoKey, Unknown, Unread, Defect,
    ))]
async fn rebuild<L: EventLog>(_: Admin, State(app): Shared<L>, body: Bounded) -> Answer {
    let (mut fields, partition) = job_fields(&body)?;
    let accept_loss = fields.flag("accept_loss")?;
    fields.finish()?;
    Ok(Json(
        app.start_job(JobKind::Rebuild { accept_loss }, partition)?,
    ))
}

/// Folds the log again and compares the rows
#[utoipa::path(post, path = "/v1/admin/verify", tag = "admin", operation_id = "admin_verify",
    request_body = VerifyBody,
    responses(
        (status = 200, description = "Work that goes on in the background", body = Job),
        Invalid, NoKey, Unknown, Unread, Defect,
    ))]
async fn verify<L: EventLog>(_: Admin, State(app): Shared<L>, body: Bounded) -> Answer {
    let (fields, partition) = job_fields(&body)?;
    fields.finish()?;
    Ok(Json(app.start_job(JobKind::Verify, partition)?))
}

/// The fields of a job, and the partition that it is limited to. An empty body means: every partition.
fn job_fields(Bounded(body): &Bounded) -> Result<(Fields, Option<Partition>), ApiError> {
    let body = if body.is_empty() { &b"{}"[..] } else { body };
    let mut fields = Fields::new(parse_object(body)?);
    let partition = fields.parsed("partition")?;
    Ok((fields, partition))
}

/// Shows how far work is
#[utoipa::path(get, path = "/v1/admin/jobs/{job}", tag = "admin", operation_id = "admin_job",
    params(("job" = String, Path, description = "The job")),
    responses(
        (status = 200, description = "How far it is", body = Job),
        NoKey, Unknown, Defect,
    ))]
async fn job<L: EventLog>(_: Admin, State(app): Shared<L>, Segment(job): Segment) -> Answer {
    app.jobs
        .show(&job)
        .map(Json)
        .ok_or_else(|| ApiError::not_found().into())
}
