//! The OpenAPI document of every route. It is made of the routes themselves: what is not described cannot be registered.
//! `GET /openapi.json` serves it, and `schemas/openapi.json` is the same, compared by a test.

pub(crate) mod common;
pub(crate) mod context;
pub(crate) mod conversations;
pub(crate) mod history;
pub(crate) mod memories;
pub(crate) mod moves;
pub(crate) mod server;
mod shape;

use crate::http::schema::common::Refusal;
use axum::Extension;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use bytes::Bytes;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder};

const ABOUT: &str = "A multi-tenant, event-sourced memory store for AI agents.

A write answers when it is in the log. Whose memory it is, the ids in the request say: `user_id` with `customer_id`, \
`customer_id` alone, or neither for the application's own. A fetch walks from there outward, narrowest scope first.

Every refusal has one envelope. Fields that are not known are ignored; `null` counts as absent. A body is JSON of at most \
8 MiB, 32 levels and 200,000 values, and is never compressed. A path that does not exist answers 404 `NOT_FOUND`, another \
method 405 `METHOD_NOT_ALLOWED`, and a request with over 100 headers or 64 KiB of them 431 without a body.";

/// The document without its routes.
pub(crate) fn frame() -> OpenApi {
    let info = InfoBuilder::new()
        .title("synap")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(
            LicenseBuilder::new()
                .name("Apache-2.0")
                .identifier(Some("Apache-2.0"))
                .build(),
        ));
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key. It says whose memories it opens."))
        .build();
    let components = ComponentsBuilder::new()
        .schema_from::<Refusal>()
        .security_scheme("key", SecurityScheme::Http(key));
    OpenApiBuilder::new()
        .info(info.build())
        .components(Some(components.build()))
        .security(Some([SecurityRequirement::new("key", [""; 0])]))
        .build()
}

/// The document as it is served.
pub(crate) fn text(document: &OpenApi) -> String {
    // Keys in the order of the alphabet, as everywhere: what `serde_json` makes of structs of ours does not fail.
    let document = serde_json::to_value(document).unwrap_or_default();
    format!("{document:#}\n")
}

/// The document, made once.
#[derive(Debug, Clone)]
pub(crate) struct Document(Bytes);

impl Document {
    pub(crate) fn new(document: &OpenApi) -> Self {
        Self(text(document).into())
    }
}

/// This document
#[utoipa::path(get, path = "/openapi.json", tag = "server", security(()), responses(
    (status = 200, description = "The document", body = server::OpenApiDocument),
))]
pub(crate) async fn openapi(Extension(Document(text)): Extension<Document>) -> impl IntoResponse {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], text)
}
