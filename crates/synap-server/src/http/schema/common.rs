//! What many routes share: the envelope of refusals, headers, ids of scopes.

use super::shape::{Kind, Shape, a, anything, fields, flag, one_of, shapes, text, text_of, uuid};
use std::collections::BTreeMap;
use synap_types::ErrorCode;
use synap_types::limits::{ID_BYTES_MAX, IDEMPOTENCY_KEY_BYTES_MAX};
use utoipa::IntoResponses;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Header, Ref, RefOr};

shapes! {
    /// A refusal, the same on every route and every interface.
    Refusal = Shape::new()
        .has("error", code(), "What the caller can do, by name")
        .has("code", code(), "The same as `error`")
        .has("message", text(), "A sentence for a person. Never holds memory text")
        .has("detail", anything(), "The same as `message`; of a `TRANSCRIPT_CONFLICT` an object with `code` and `message`")
        .has("details", fields(), "The refusal in parts: `field`, and `limit` and `value` where a limit was broken");
    /// The scope of a write or of a memory, as ids by level.
    ScopePath = Shape::new();
}

fn code() -> Kind {
    one_of(&ErrorCode::ALL.map(ErrorCode::name))
}

/// An id as callers make them.
pub(super) fn id() -> Kind {
    text_of(ID_BYTES_MAX)
}

/// Kind of a scope, and its ids.
pub(super) fn scoped(shape: Shape) -> Shape {
    shape
        .has(
            "scope",
            text(),
            "Kind of the scope: `user`, `customer`, `client`, or a level of the instance's ladder",
        )
        .has("scope_path", a::<ScopePath>(), "Ids of the scope, by level")
}

/// What the receipt of every write says.
pub(super) fn receipt(shape: Shape) -> Shape {
    placed(shape).has(
        "duplicate",
        flag(),
        "The same was there before; nothing was written",
    )
}

/// Where a write stands.
pub(super) fn placed(shape: Shape) -> Shape {
    scoped(shape)
        .has(
            "position",
            text(),
            "Where the write stands: give it to a fetch to read it back",
        )
        .has(
            "durability",
            one_of(&["power-safe", "relaxed"]),
            "`relaxed` where a power cut may lose the write",
        )
}

/// The ids that say whose memory it is. All are `null` for the client's own.
pub(super) fn scope_ids(shape: Shape) -> Shape {
    named_ids(shape).takes(
        "scope",
        fields(),
        "The same ids by level, for instances with levels between customer and user: `{\"customer\": …, \"team\": …, \"user\": …}`",
    )
}

/// [`scope_ids`] without the levels between.
pub(super) fn named_ids(shape: Shape) -> Shape {
    shape
        .takes("customer_id", id(), "The customer. Required with `user_id`, unless every user is a customer of his own: then it is refused. An empty text counts as absent")
        .takes("user_id", id(), "The user, unique within the customer. An empty text counts as absent")
}

/// Which conversation: a UUID, or what the caller calls it.
pub(super) fn conversation_id() -> Kind {
    id()
}

/// `ingestion_id` and `document_id`, which both answers to a document have.
pub(super) fn ingestion(shape: Shape) -> Shape {
    shape
        .has("ingestion_id", uuid(), "To ask for its status")
        .has(
            "document_id",
            text(),
            "The caller's id of the document, or the one that it was given",
        )
}

fn refused(about: &str) -> ResponseBuilder {
    let refusal = Ref::from_schema_name("Refusal");
    ResponseBuilder::new().description(about).content(
        "application/json",
        ContentBuilder::new().schema(Some(refusal)).build(),
    )
}

fn one(code: ErrorCode, response: ResponseBuilder) -> Responses {
    let status = code.status().to_string();
    BTreeMap::from([(status, RefOr::T(response.build()))])
}

type Responses = BTreeMap<String, RefOr<Response>>;

/// Groups of refusals that a route may answer.
macro_rules! refusals {
    ($($(#[doc = $about:literal])+ $name:ident = $code:expr, $build:expr;)+) => {$(
        $(#[doc = $about])+
        #[derive(Debug)]
        pub(crate) enum $name {}

        impl IntoResponses for $name {
            fn responses() -> Responses {
                let build: fn(ResponseBuilder) -> ResponseBuilder = $build;
                one($code, build(refused(concat!($($about),+).trim())))
            }
        }
    )+};
}

refusals! {
    /// Something in the request is wrong, or over its limit: `details.field` names it. Do not repeat it unchanged.
    Invalid = ErrorCode::InvalidInput, |response| response;
    /// No API key, or not one of this server's.
    NoKey = ErrorCode::Unauthorized, |response| response;
    /// No such thing, or somebody else's: the two are not told apart.
    Unknown = ErrorCode::NotFound, |response| response;
    /// Contradicts what is stored.
    Contradicts = ErrorCode::Conflict, |response| response;
    /// A body or a file of a kind that is not read: compressed bodies, for one. The message says what is.
    Unread = ErrorCode::UnsupportedMediaType, |response| response;
    /// A defect of the server; its log has the cause.
    Defect = ErrorCode::Internal, |response| response;
    /// The log or the read model does not answer now, or has not got to the position that was asked for. Repeat it later.
    Unavailable = ErrorCode::Unavailable, |response| {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer);
        response.header("Retry-After", Header::new(seconds.build()))
    };
}

/// Groups of parameters, none of which is required.
macro_rules! parameters {
    ($($(#[doc = $about:literal])+ $name:ident in $place:ident { $($field:literal: $kind:expr, $what:literal;)+ })+) => {$(
        $(#[doc = $about])+
        #[derive(Debug)]
        pub(crate) enum $name {}

        impl utoipa::IntoParams for $name {
            fn into_params(
                _: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
            ) -> Vec<utoipa::openapi::path::Parameter> {
                vec![$(
                    utoipa::openapi::path::ParameterBuilder::new()
                        .name($field)
                        .parameter_in(utoipa::openapi::path::ParameterIn::$place)
                        .required(utoipa::openapi::Required::False)
                        .description(Some($what))
                        .schema(Some($kind.alone()))
                        .build(),
                )+]
            }
        }
    )+};
}

pub(super) use parameters;

parameters! {
    /// The headers by which a repeated write is known.
    Idempotency in Header {
        "Idempotency-Key": text_of(IDEMPOTENCY_KEY_BYTES_MAX), "Names this write: repeated with the same key in the same scope, it is done once, whatever the interface";
        "X-Correlation-ID": text_of(IDEMPOTENCY_KEY_BYTES_MAX), "Names this call: repeated with the same id, method and path, it is done once. `Idempotency-Key` wins over it";
    }
    /// The ids that say whose conversation it is.
    ScopeQuery in Query {
        "customer_id": id(), "The customer; needed where several users have a conversation of this name";
        "user_id": id(), "The user; needed where several users have a conversation of this name";
    }
    /// The ids that say whose events are wanted. Without any: the application's, with all its customers and users.
    ExportQuery in Query {
        "customer_id": id(), "The customer, with all its users. Required with `user_id`, unless every user is a customer of his own";
        "user_id": id(), "The user, unique within the customer";
    }
    /// The customer of the user in the path.
    CustomerQuery in Query {
        "customer_id": id(), "The customer. Required, unless every user is a customer of his own: then it is refused";
    }
}
