//! Our own routes for whoever runs the server: status, rebuild, rollback, verify. They see no memory text.

use crate::app::App;
use crate::config::is_share;
use crate::http::answer::{Admin, Answer, Bounded, Segment};
use crate::http::schema::common::{Contradicts, Defect, Invalid, NoKey, Unknown, Unread};
use crate::http::schema::server::{
    Generations, Job, Parked, RebuildBody, RemoveGenerationBody, RemovedGeneration, RollbackBody,
    Status, VerifyBody,
};
use crate::jobs::{JobKind, Rebuild};
use crate::node::{Difference, Weights};
use axum::Json;
use axum::extract::State;
use std::sync::Arc;
use synap_log::EventLog;
use synap_query::Ranking;
use synap_readmodel::Sample;
use synap_text::Extractor;
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
        .routes(routes!(rollback))
        .routes(routes!(verify))
        .routes(routes!(generations))
        .routes(routes!(remove_generation))
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
    let options = Rebuild {
        accept_loss: fields.flag("accept_loss")?,
        accept_difference: fields.flag("accept_difference")?,
        cpu_share: share(&mut fields, "cpu_share")?.unwrap_or(app.cpu_share),
        named: fields.string("as", 64)?,
    };
    let difference = Difference {
        weights: weights(&mut fields)?,
        extractor: extractor(&mut fields)?,
    };
    fields.finish()?;
    if options.named.is_some() {
        if partition.is_some() {
            let problem = "goes without as: a name is a generation of every partition";
            return Err(ApiError::invalid("partition", problem).into());
        }
        return Ok(Json(app.start_named(options, &difference)?));
    }
    let alone = Difference::default();
    for (field, is_given) in [
        ("set", difference.weights != alone.weights),
        ("extractor", difference.extractor != alone.extractor),
    ] {
        if is_given {
            return Err(ApiError::invalid(field, "goes with as only").into());
        }
    }
    Ok(Json(app.start_job(&JobKind::Rebuild(options), partition)?))
}

/// Goes back to the rows from before the last rebuild
#[utoipa::path(post, path = "/v1/admin/rollback", tag = "admin", operation_id = "admin_rollback",
    request_body = RollbackBody,
    responses(
        (status = 200, description = "Work that goes on in the background", body = Job),
        Invalid, NoKey, Unknown, Unread, Defect,
    ))]
async fn rollback<L: EventLog>(_: Admin, State(app): Shared<L>, body: Bounded) -> Answer {
    let (fields, partition) = job_fields(&body)?;
    fields.finish()?;
    Ok(Json(app.start_job(&JobKind::Rollback, partition)?))
}

/// Folds the log again and compares the rows
#[utoipa::path(post, path = "/v1/admin/verify", tag = "admin", operation_id = "admin_verify",
    request_body = VerifyBody,
    responses(
        (status = 200, description = "Work that goes on in the background", body = Job),
        Invalid, NoKey, Unknown, Unread, Defect,
    ))]
async fn verify<L: EventLog>(_: Admin, State(app): Shared<L>, body: Bounded) -> Answer {
    let (mut fields, partition) = job_fields(&body)?;
    let sample = share(&mut fields, "sample")?.and_then(Sample::of_share);
    fields.finish()?;
    let kind = JobKind::Verify(sample.unwrap_or(Sample::ALL));
    Ok(Json(app.start_job(&kind, partition)?))
}

/// Shows the generations, also those with a name
#[utoipa::path(get, path = "/v1/admin/generations", tag = "admin", operation_id = "admin_generations",
    responses(
        (status = 200, description = "The generations", body = Generations),
        NoKey, Unknown, Defect,
    ))]
async fn generations<L: EventLog>(_: Admin, State(app): Shared<L>) -> Answer {
    Ok(Json(app.generations()?))
}

/// Removes a generation that has a name
#[utoipa::path(post, path = "/v1/admin/generations/remove", tag = "admin", operation_id = "admin_remove_generation",
    request_body = RemoveGenerationBody,
    responses(
        (status = 200, description = "It is gone", body = RemovedGeneration),
        Invalid, NoKey, Contradicts, Unknown, Unread, Defect,
    ))]
async fn remove_generation<L: EventLog>(
    _: Admin,
    State(app): Shared<L>,
    Bounded(body): Bounded,
) -> Answer {
    let mut fields = Fields::new(parse_object(&body)?);
    let name = fields.string("name", 64)?;
    fields.finish()?;
    let name = name.ok_or_else(|| ApiError::invalid("name", "is required"))?;
    Ok(Json(app.remove_named(&name).await?))
}

/// Weights by their names, such as `bm25` or `ranking.bm25`.
fn weights(fields: &mut Fields) -> Result<Weights, ApiError> {
    let mut weights = Weights::new();
    for (name, value) in fields.object("set")?.unwrap_or_default() {
        let field = format!("set.{name}");
        let Some(weight) = value.as_f64() else {
            return Err(ApiError::invalid(field, "must be a number"));
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "weights are in single precision, and their range is checked"
        )]
        let weight = weight as f32;
        let name = name.strip_prefix("ranking.").unwrap_or(&name);
        Ranking::default()
            .set(name, weight)
            .map_err(|problem| ApiError::invalid(field, problem))?;
        weights.insert(name.to_owned(), weight);
    }
    Ok(weights)
}

fn extractor(fields: &mut Fields) -> Result<Extractor, ApiError> {
    let Some(name) = fields.string("extractor", 64)? else {
        return Ok(Extractor::default());
    };
    let known = name.parse::<Extractor>();
    known.map_err(|problem| ApiError::invalid("extractor", problem))
}

/// A share of more than 0, up to 1.
fn share(fields: &mut Fields, name: &str) -> Result<Option<f64>, ApiError> {
    match fields.value(name) {
        None => Ok(None),
        Some(value) => match value.as_f64() {
            Some(share) if is_share(share) => Ok(Some(share)),
            _ => Err(ApiError::invalid(
                name,
                "must be a number of more than 0, up to 1",
            )),
        },
    }
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
