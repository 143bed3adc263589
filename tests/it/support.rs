//! What every test of the running program needs: the real binary on a folder of its own, its two doors (HTTP and
//! NATS), its command line, a nats-server that is not its own, and waiting without sleeping blindly.
//!
//! ```text
//! Home     a temporary folder: data, config file, log       outlives a server that is killed
//! Server   `synap serve` on a Home, in a process group      ends, with its nats-server, when it is dropped
//! Http     requests with an API key      ┐
//! Nats     the same over request-reply   ┴ Door: the same operations over either
//! Cli      the other commands
//! ```

pub(crate) mod cli;
pub(crate) mod context;
pub(crate) mod door;
pub(crate) mod external;
pub(crate) mod http;
pub(crate) mod nats;
pub(crate) mod process;
pub(crate) mod random;
pub(crate) mod server;
pub(crate) mod wait;

pub(crate) use cli::{Cli, Run, shell};
pub(crate) use context::{contents, ids, items, scopes};
pub(crate) use door::{Door, Reply};
pub(crate) use external::ExternalNats;
pub(crate) use http::Http;
pub(crate) use nats::Nats;
pub(crate) use random::Random;
pub(crate) use server::{Home, KEY, Server};
pub(crate) use wait::{until, value};
