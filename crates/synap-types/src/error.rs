//! The one table of error codes, shared by HTTP, NATS and the clients.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::fmt;

/// What a caller can do about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum ErrorCode {
    /// The request is wrong; the message names the field. Do not repeat it unchanged.
    InvalidInput,
    /// No key, or not one of ours.
    Unauthorized,
    /// No such thing, or somebody else's: the two are not told apart.
    NotFound,
    /// No such method on this route.
    MethodNotAllowed,
    /// Contradicts what is stored.
    Conflict,
    /// The conversation was ingested with another transcript.
    TranscriptConflict,
    /// A body or a file of a kind that is not read; the message lists the kinds that are.
    UnsupportedMediaType,
    /// The read model has not applied the position that was asked for. Repeat later.
    NotYetApplied,
    /// The log or the read model does not answer now. Repeat later.
    Unavailable,
    /// A defect of ours; the cause is in the log only.
    Internal,
}

impl ErrorCode {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::InvalidInput,
        Self::Unauthorized,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::TranscriptConflict,
        Self::UnsupportedMediaType,
        Self::NotYetApplied,
        Self::Unavailable,
        Self::Internal,
    ];

    /// HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidInput => 400,
            Self::Unauthorized => 401,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict | Self::TranscriptConflict => 409,
            Self::UnsupportedMediaType => 415,
            Self::NotYetApplied | Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }

    /// Name on the wire, such as `INVALID_INPUT`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidInput => "INVALID_INPUT",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::NotFound => "NOT_FOUND",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::Conflict => "CONFLICT",
            Self::TranscriptConflict => "TRANSCRIPT_CONFLICT",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::NotYetApplied => "NOT_YET_APPLIED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }

    /// Whether the same request can succeed later.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::NotYetApplied | Self::Unavailable)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A refusal as every interface answers it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// What the caller can do.
    pub code: ErrorCode,
    /// A sentence for a person. Never holds memory text.
    pub message: String,
    /// The same in parts: `field`, `limit`, `value`.
    pub details: Map<String, Value>,
}

impl ApiError {
    /// A refusal without parts.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Map::new(),
        }
    }

    /// `field` is wrong: `problem` reads on after its name.
    pub fn invalid(field: impl Into<String>, problem: impl fmt::Display) -> Self {
        let field = field.into();
        let mut refusal = Self::new(ErrorCode::InvalidInput, format!("{field} {problem}"));
        refusal.details.insert("field".to_owned(), field.into());
        refusal
    }

    /// `field` is over its limit.
    pub fn over_limit(field: impl Into<String>, unit: &str, value: usize, limit: usize) -> Self {
        let problem = format!("has {value} {unit}, the limit is {limit}");
        let mut refusal = Self::invalid(field, problem);
        refusal.details.insert("limit".to_owned(), limit.into());
        refusal.details.insert("value".to_owned(), value.into());
        refusal
    }

    /// No such thing, or somebody else's. Always the same bytes.
    pub fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "not found")
    }

    /// No key, or not one of ours. Always the same bytes.
    pub fn unauthorized() -> Self {
        Self::new(
            ErrorCode::Unauthorized,
            "a valid API key is required: Authorization: Bearer <key>",
        )
    }

    /// The same refusal, its field inside `parent`: `documents[3].document`.
    #[must_use]
    pub fn within(mut self, parent: &str) -> Self {
        if let Some(Value::String(field)) = self.details.get_mut("field") {
            self.message = format!("{parent}.{}", self.message);
            *field = format!("{parent}.{field}");
        }
        self
    }

    /// The body of the answer. `detail` repeats the message because the vendor's SDK shows that; of one conflict it reads
    /// a code there.
    pub fn to_json(&self) -> Value {
        let detail = if self.code == ErrorCode::TranscriptConflict {
            json!({"code": "transcript_conflict", "message": self.message})
        } else {
            json!(self.message)
        };
        json!({
            "error": self.code.name(),
            "code": self.code.name(),
            "message": self.message,
            "detail": detail,
            "details": self.details,
        })
    }
}
