//! Our own routes for whoever runs the server: status, rebuild, verify. They see no memory text.

use crate::app::App;
use crate::http::answer::{Admin, Answer, Bounded, Segment};
use crate::jobs::JobKind;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use std::sync::Arc;
use synap_log::EventLog;
use synap_types::json::{Fields, parse_object};
use synap_types::{ApiError, Partition};

type Shared<L> = State<Arc<App<L>>>;

pub(crate) fn routes<L: EventLog>() -> Router<Arc<App<L>>> {
    Router::new()
        .route("/v1/admin/status", get(status))
        .route("/v1/admin/parked", get(parked))
        .route("/v1/admin/rebuild", post(rebuild))
        .route("/v1/admin/verify", post(verify))
        .route("/v1/admin/jobs/{job}", get(job))
}

async fn status<L: EventLog>(_: Admin, State(app): Shared<L>) -> Answer {
    Ok(Json(app.status().await))
}

async fn parked<L: EventLog>(_: Admin, State(app): Shared<L>) -> Answer {
    Ok(Json(app.parked()?))
}

async fn rebuild<L: EventLog>(_: Admin, State(app): Shared<L>, body: Bounded) -> Answer {
    let (mut fields, partition) = job_fields(&body)?;
    let accept_loss = fields.flag("accept_loss")?;
    fields.finish()?;
    Ok(Json(
        app.start_job(JobKind::Rebuild { accept_loss }, partition)?,
    ))
}

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

async fn job<L: EventLog>(_: Admin, State(app): Shared<L>, Segment(job): Segment) -> Answer {
    app.jobs
        .show(&job)
        .map(Json)
        .ok_or_else(|| ApiError::not_found().into())
}
