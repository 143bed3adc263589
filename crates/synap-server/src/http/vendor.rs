//! Routes that the vendor's clients call and that mean little on a server of one's own: telemetry and credits.

use crate::app::App;
use crate::http::answer::{Answer, Bounded, Caller, Params};
use crate::http::schema::common::{Defect, Invalid, NoKey, Unread};
use crate::http::schema::server::{
    Balance, Estimate, EstimateBody, Ledger, LedgerQuery, RedeemBody, Redeemed, TelemetryAnswer,
    TelemetryBody,
};
use axum::Json;
use serde_json::{Value, json};
use std::sync::Arc;
use synap_log::EventLog;
use synap_types::ApiError;
use synap_types::json::{Fields, parse_object};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What `balance_credits` says where nothing is paid for: clients compare it with what they need.
const UNLIMITED_CREDITS: u64 = 1_000_000_000;
/// Entries of a page of the empty ledger, when the caller does not say.
const LEDGER_LIMIT: usize = 50;

pub(crate) fn routes<L: EventLog>() -> OpenApiRouter<Arc<App<L>>> {
    OpenApiRouter::new()
        .routes(routes!(telemetry))
        .routes(routes!(balance))
        .routes(routes!(ledger))
        .routes(routes!(estimate))
        .routes(routes!(redeem))
}

/// Takes what a client measured, and keeps nothing
///
/// Counted, and not kept: what clients report names users and conversations.
#[utoipa::path(post, path = "/v1/telemetry/batch", tag = "server", operation_id = "telemetry",
    request_body = TelemetryBody,
    responses(
        (status = 200, description = "How much was counted", body = TelemetryAnswer),
        Invalid, NoKey, Unread, Defect,
    ))]
async fn telemetry(_caller: Caller, Bounded(body): Bounded) -> Answer {
    let mut fields = Fields::new(parse_object(&body)?);
    let received = match fields.value("events") {
        None => 0,
        Some(Value::Array(events)) => events.len(),
        Some(_) => return Err(ApiError::invalid("events", "must be a list").into()),
    };
    Ok(Json(
        json!({"status": "accepted", "events_received": received}),
    ))
}

/// Says that credits are unlimited
#[utoipa::path(get, path = "/v1/credits/balance", tag = "credits", operation_id = "credits_balance",
    responses(
        (status = 200, description = "Unlimited", body = Balance),
        NoKey, Defect,
    ))]
async fn balance(Caller(identity): Caller) -> Json<Value> {
    Json(
        json!({"client_id": identity.client, "balance_credits": UNLIMITED_CREDITS, "unlimited": true,
        "warning_low": false, "buckets": []}),
    )
}

/// Shows that nothing is booked
#[utoipa::path(get, path = "/v1/credits/ledger", tag = "credits", operation_id = "credits_ledger",
    params(LedgerQuery),
    responses(
        (status = 200, description = "An empty page", body = Ledger),
        Invalid, NoKey, Defect,
    ))]
async fn ledger(_caller: Caller, Params(query): Params) -> Json<Value> {
    let number = |field: &str| query.get(field)?.as_str()?.parse::<usize>().ok();
    Json(
        json!({"entries": [], "total": 0, "limit": number("limit").unwrap_or(LEDGER_LIMIT),
        "offset": number("offset").unwrap_or(0)}),
    )
}

/// Says that nothing costs anything
#[utoipa::path(post, path = "/v1/credits/estimate", tag = "credits", operation_id = "credits_estimate",
    request_body = EstimateBody,
    responses(
        (status = 200, description = "Nothing", body = Estimate),
        Invalid, NoKey, Unread, Defect,
    ))]
async fn estimate(_caller: Caller, Bounded(body): Bounded) -> Answer {
    parse_object(&body)?;
    Ok(Json(json!({"credits_estimate": 0, "unlimited": true})))
}

/// Takes a code, and grants nothing
#[utoipa::path(post, path = "/v1/credits/redeem", tag = "credits", operation_id = "credits_redeem",
    request_body = RedeemBody,
    responses(
        (status = 200, description = "Nothing was granted", body = Redeemed),
        Invalid, NoKey, Unread, Defect,
    ))]
async fn redeem(_caller: Caller, Bounded(body): Bounded) -> Answer {
    let mut fields = Fields::new(parse_object(&body)?);
    let code = fields.string("code", 256)?;
    if code.is_none_or(|code| code.is_empty()) {
        return Err(ApiError::invalid("code", "is required").into());
    }
    Ok(Json(
        json!({"redemption_id": uuid::Uuid::new_v4(), "credits_granted": 0,
        "new_balance_credits": UNLIMITED_CREDITS, "unlimited": true}),
    ))
}
