//! From an idempotency key to the id that an event keeps through every retry.

use crate::limits::IDEMPOTENCY_KEY_BYTES_MAX;
use crate::{ApiError, Content, DocumentId, EventId, Hash128, Scope};

/// What makes two ingests the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdempotencyKey {
    /// The caller's own key, within one scope.
    Caller(String),
    /// The same content of the same document, replacing the same version of it. Going back to earlier content is new.
    Content {
        /// The document, if the caller named one.
        document_id: Option<DocumentId>,
        /// Hash of the content.
        content: Hash128,
        /// The event of the version that is replaced.
        replaces: Option<EventId>,
    },
}

impl IdempotencyKey {
    /// A key that a caller sent in `field`.
    pub fn caller(field: &str, key: &str) -> Result<Self, ApiError> {
        if key.is_empty() {
            return Err(ApiError::invalid(field, "must not be empty"));
        }
        if key.len() > IDEMPOTENCY_KEY_BYTES_MAX {
            return Err(ApiError::over_limit(
                field,
                "bytes",
                key.len(),
                IDEMPOTENCY_KEY_BYTES_MAX,
            ));
        }
        Ok(Self::Caller(key.to_owned()))
    }

    /// The same key, for one kind of request about one thing: callers count the turns of each conversation from 1, or
    /// make ids from what was said, and what another request made must not be taken for what this one asks.
    #[must_use]
    pub fn of(&self, what: &str) -> Self {
        match self {
            Self::Caller(key) => Self::Caller(format!("{what} {key}")),
            Self::Content { .. } => self.clone(),
        }
    }

    /// The hash of a document's content that tells versions apart.
    pub fn content_hash(content: &Content) -> Hash128 {
        let format = match content {
            Content::Text(_) => "text",
            Content::Json(_) => "json",
        };
        let text = content.to_text();
        Hash128::of("synap.content.v1", [format.as_bytes(), text.as_bytes()])
    }

    /// The id of the event that this key makes in `scope`. Equal keys of other scopes make other ids, so nobody can
    /// suppress somebody else's event.
    pub fn event_id(&self, scope: &Scope) -> EventId {
        let scope = scope.hash();
        let hash = match self {
            Self::Caller(key) => Hash128::of(
                "synap.event.caller.v1",
                [scope.bytes().as_slice(), key.as_bytes()],
            ),
            Self::Content {
                document_id,
                content,
                replaces,
            } => {
                let document = document_id.as_ref().map_or("", DocumentId::as_str);
                let replaces = replaces.map(|event| *event.uuid().as_bytes());
                let parts = [
                    scope.bytes().as_slice(),
                    document.as_bytes(),
                    content.bytes(),
                    replaces.as_ref().map_or(&[][..], |bytes| bytes.as_slice()),
                ];
                Hash128::of("synap.event.content.v1", parts)
            }
        };
        EventId::new(hash.to_uuid())
    }
}
