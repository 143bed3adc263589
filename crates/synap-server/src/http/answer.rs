//! Answers and bodies: every refusal is the one envelope of [`ApiError`].

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;
use synap_log::EventLog;
use synap_types::limits::{BODY_BYTES_MAX, BODY_TIMEOUT_MS};
use synap_types::{ApiError, ErrorCode, IdempotencyKey};
use tokio::time::timeout;

use crate::app::App;
use crate::identity::Identity;

/// Seconds after which a caller may try again.
const RETRY_AFTER_SECONDS: &str = "1";

/// A refusal on its way out.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) ApiError);

impl From<ApiError> for Refusal {
    fn from(refusal: ApiError) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.0.to_json())).into_response();
        if self.0.code.is_retryable() {
            let value = HeaderValue::from_static(RETRY_AFTER_SECONDS);
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response
    }
}

/// What every handler answers.
pub(crate) type Answer = Result<Json<Value>, Refusal>;

/// A body within the limit.
#[derive(Debug)]
pub(crate) struct Bounded(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Bounded {
    type Rejection = Refusal;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refusal> {
        if is_encoded(request.headers()) {
            let message = "a body is sent as it is: without Content-Encoding";
            return Err(ApiError::new(ErrorCode::UnsupportedMediaType, message).into());
        }
        let declared = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        if let Some(bytes) = declared.filter(|bytes: &usize| *bytes > BODY_BYTES_MAX) {
            return Err(ApiError::over_limit("body", "bytes", bytes, BODY_BYTES_MAX).into());
        }
        let within = Duration::from_millis(BODY_TIMEOUT_MS);
        match timeout(within, to_bytes(request.into_body(), BODY_BYTES_MAX)).await {
            Ok(Ok(bytes)) => Ok(Self(bytes)),
            Ok(Err(_)) => {
                let problem = format!("was cut short, or has over {BODY_BYTES_MAX} bytes");
                Err(limited(problem, BODY_BYTES_MAX.into()))
            }
            Err(_) => {
                let problem = format!("did not come in within {BODY_TIMEOUT_MS} ms");
                Err(limited(problem, BODY_TIMEOUT_MS.into()))
            }
        }
    }
}

/// Whether the body is compressed. It is never inflated: a few bytes of it could be many.
fn is_encoded(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    encodings.any(|encoding| {
        let encoding = encoding.as_bytes().trim_ascii();
        !encoding.is_empty() && !encoding.eq_ignore_ascii_case(b"identity")
    })
}

/// A body over a limit, by how much is not known.
fn limited(problem: String, limit: Value) -> Refusal {
    let mut refusal = ApiError::invalid("body", problem);
    refusal.details.insert("limit".to_owned(), limit);
    refusal.into()
}

/// The one part of the path that a caller fills in. What is no text names nothing that exists.
#[derive(Debug)]
pub(crate) struct Segment(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(text)) => Ok(Self(text)),
            Err(_) => Err(ApiError::not_found().into()),
        }
    }
}

/// The parameters after the `?`, as strings. Each may be given once.
#[derive(Debug)]
pub(crate) struct Params(pub(crate) Map<String, Value>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        // What is no text must not become one: two such ids would be the same.
        let query = parts.uri.query().unwrap_or_default();
        if percent_decode_str(query).decode_utf8().is_err() {
            return Err(ApiError::invalid("query", "is not UTF-8").into());
        }
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| ApiError::invalid("query", "is malformed"))?;
        let mut given = Map::new();
        for (name, text) in pairs.0 {
            if given.insert(name, text.into()).is_some() {
                return Err(ApiError::invalid("query", "names a parameter twice").into());
            }
        }
        Ok(Self(given))
    }
}

/// Whom the request's key stands for.
#[derive(Debug)]
pub(crate) struct Caller(pub(crate) Arc<Identity>);

impl<L: EventLog> FromRequestParts<Arc<App<L>>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App<L>>) -> Result<Self, Refusal> {
        let header = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        Ok(Self(app.operations.keys.authenticate(header)?))
    }
}

/// A caller that may steer the server as a whole.
#[derive(Debug)]
pub(crate) struct Admin(pub(crate) Arc<Identity>);

impl<L: EventLog> FromRequestParts<Arc<App<L>>> for Admin {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App<L>>) -> Result<Self, Refusal> {
        let Caller(identity) = Caller::from_request_parts(parts, app).await?;
        // A key that may not know of these routes sees what it would see if there were none.
        if identity.admin {
            Ok(Self(identity))
        } else {
            Err(ApiError::not_found().into())
        }
    }
}

/// `Idempotency-Key`, which is the same key at every door; else the vendor's `X-Correlation-ID`, which its SDK repeats on
/// every retry of one call, and which says nothing beyond that call.
pub(crate) fn idempotency_key(
    headers: &HeaderMap,
    operation: &str,
) -> Result<Option<String>, ApiError> {
    for (name, names_a_call) in [("Idempotency-Key", false), ("X-Correlation-ID", true)] {
        let Some(value) = headers.get(name) else {
            continue;
        };
        let text = value
            .to_str()
            .map_err(|_| ApiError::invalid(name, "must be printable ASCII"))?;
        if text.is_empty() {
            continue;
        }
        // Checked alone, so that the refusal speaks of what the caller sent.
        IdempotencyKey::caller(name, text)?;
        return Ok(Some(if names_a_call {
            format!("{operation} {name} {text}")
        } else {
            text.to_owned()
        }));
    }
    Ok(None)
}

/// No such route.
pub(crate) async fn unknown_route() -> Refusal {
    ApiError::not_found().into()
}

/// The route exists, but not with this method.
pub(crate) async fn method_not_allowed() -> Refusal {
    ApiError::new(ErrorCode::MethodNotAllowed, "this route has no such method").into()
}

/// A handler panicked: the text of the panic may hold anything, so it stays here.
pub(crate) fn panicked(_cause: Box<dyn Any + Send + 'static>) -> Response<Body> {
    tracing::error!("a request handler panicked");
    Refusal(ApiError::new(
        ErrorCode::Internal,
        "a defect of the server; see its log",
    ))
    .into_response()
}
