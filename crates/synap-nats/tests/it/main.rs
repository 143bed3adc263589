//! Tests of the adapter against a real nats-server. Without one they fail and say what to do.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests: a panic is their verdict"
)]

mod connect;
mod contract;
mod damage;
mod embedded;
mod faults;
mod inbox;
mod parent;
mod reading;
mod scrub;
mod server;
mod service;
mod settings;
mod support;
