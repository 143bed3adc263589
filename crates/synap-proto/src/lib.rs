//! The gRPC wire: messages, client and server of `schemas/proto/synap/v1/synap.proto`. Nothing here is written by hand.

#[expect(
    missing_docs,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated"
)]
mod generated;

pub use generated::*;
