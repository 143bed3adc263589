//! Routes that the vendor's clients call and that mean little on a server of one's own: telemetry and credits.

use crate::app::App;
use crate::http::answer::{Answer, Bounded, Caller, Params};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::Arc;
use synap_log::EventLog;
use synap_types::ApiError;
use synap_types::json::{Fields, parse_object};

/// What `balance_credits` says where nothing is paid for: clients compare it with what they need.
const UNLIMITED_CREDITS: u64 = 1_000_000_000;
/// Entries of a page of the empty ledger, when the caller does not say.
const LEDGER_LIMIT: usize = 50;

pub(crate) fn routes<L: EventLog>() -> Router<Arc<App<L>>> {
    Router::new()
        .route("/v1/telemetry/batch", post(telemetry))
        .route("/v1/credits/balance", get(balance))
        .route("/v1/credits/ledger", get(ledger))
        .route("/v1/credits/estimate", post(estimate))
        .route("/v1/credits/redeem", post(redeem))
}

/// Counted, and not kept: what clients report names users and conversations.
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

async fn balance(Caller(identity): Caller) -> Json<Value> {
    Json(
        json!({"client_id": identity.client, "balance_credits": UNLIMITED_CREDITS, "unlimited": true,
        "warning_low": false, "buckets": []}),
    )
}

async fn ledger(_caller: Caller, Params(query): Params) -> Json<Value> {
    let number = |field: &str| query.get(field)?.as_str()?.parse::<usize>().ok();
    Json(
        json!({"entries": [], "total": 0, "limit": number("limit").unwrap_or(LEDGER_LIMIT),
        "offset": number("offset").unwrap_or(0)}),
    )
}

async fn estimate(_caller: Caller, Bounded(body): Bounded) -> Answer {
    parse_object(&body)?;
    Ok(Json(json!({"credits_estimate": 0, "unlimited": true})))
}

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
