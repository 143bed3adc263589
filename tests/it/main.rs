//! Integration tests: the real binary on a real nats-server, from outside; and tidy. One file per promise.
#![cfg(test)]

mod bad_input;
mod bad_requests;
mod hostile_ids;
mod idempotency;
mod read_your_writes;
mod scopes;
mod seed;
mod support;
mod tidy;
