//! NATS adapter: the JetStream log, the inbox, request-reply, and the embedded nats-server child.
//!
//! ```text
//!   ServerSearch ─▶ EmbeddedServer ─ url ─▶ connect ─▶ Connection
//!                                                        │
//!            ┌──────────────────────┬────────────────────┤
//!            ▼                      ▼                    ▼
//!      JetStreamLog               Inbox               Service
//!   SYNAP_EVENTS_00 …          SYNAP_INBOX       synap.v1.ingest …
//!   one task per partition     SYNAP_REJECTED    $SRV.PING/INFO/STATS
//! ```
//!
//! Nothing above this crate names `async-nats`. Payloads never get into logs, subjects or error texts.

mod ack;
mod append;
mod atomic;
mod audit;
mod binary;
mod connect;
mod durability;
mod embedded;
mod erase;
mod group;
mod headers;
mod inbox;
mod launch;
mod link;
mod log;
mod probe;
mod publish;
mod pull;
mod read;
mod reject;
mod scrub;
mod serve;
mod service;
mod streams;
mod supervisor;
mod verify;

pub use audit::AuditStream;
pub use binary::{FindError, SERVER_VERSION_MIN, ServerBinary, ServerSearch, ServerVersion};
pub use connect::{ConnectError, ConnectSettings, Connection, Credentials, Tls, connect};
pub use embedded::{EmbeddedError, EmbeddedOptions, EmbeddedServer};
pub use headers::{AUTHORIZATION, DIGEST, IDEMPOTENCY_KEY, REJECTED_CODE, REJECTED_REASON};
pub use inbox::{Inbox, InboxMessage, InboxVerdict};
pub use launch::{Launcher, exec_child};
pub use log::{JetStreamLog, LogOptions};
pub use serve::{Operation, Request, RequestHandler};
pub use service::{Service, ServiceError};
pub use streams::OpenError;
