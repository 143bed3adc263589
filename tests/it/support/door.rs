//! The operations that HTTP and NATS both offer, so that one test goes through either.

use serde_json::Value;
use std::fmt;

/// As much of a body as a failed test shows.
const SHOWN_CHARS: usize = 2_000;

/// An answer, or a refusal.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The HTTP status; over NATS what the error header says, else 200.
    pub(crate) status: u16,
    pub(crate) bytes: Vec<u8>,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.text().chars().take(SHOWN_CHARS).collect();
        write!(f, "{} {text}", self.status)
    }
}

impl Reply {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The body of an answer that must not be a refusal.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }

    /// The body of a refusal with this status.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// The code of a refusal.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        assert_ne!(self.status, 200, "{}", self.text());
        self.json()["code"].as_str().expect("a code").to_owned()
    }
}

/// Where requests go in.
pub(crate) trait Door {
    /// For messages.
    fn name(&self) -> &'static str;
    /// Ingests the document of `body`.
    fn ingest_bytes(&self, body: &[u8]) -> Reply;
    /// Fetches, at the level that the ids of `body` say.
    fn fetch_bytes(&self, level: &str, body: &[u8]) -> Reply;
    /// Asks for the status of an ingestion.
    fn status(&self, ingestion: &str) -> Reply;

    fn ingest(&self, body: &Value) -> Reply {
        self.ingest_bytes(body.to_string().as_bytes())
    }

    fn fetch(&self, body: &Value) -> Reply {
        self.fetch_bytes(level(body), body.to_string().as_bytes())
    }
}

/// The narrowest level that `body` names.
pub(crate) fn level(body: &Value) -> &'static str {
    let named = |name: &str| body.get(name).is_some_and(|id| !id.is_null());
    match (named("user_id"), named("customer_id")) {
        (true, _) => "user",
        (false, true) => "customer",
        (false, false) => "client",
    }
}
