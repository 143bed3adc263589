//! Integration tests: the real binary on a real nats-server, from outside; and tidy. One file per promise.
#![cfg(test)]

mod bad_input;
mod bad_requests;
mod commands;
mod conversations;
mod crash;
mod diverged;
mod erasing;
mod hostile_ids;
mod idempotency;
mod importing;
mod inbox;
mod ingesting;
mod migrating;
mod nats_down;
mod read_your_writes;
mod rebuild;
mod restart;
mod scopes;
mod seed;
mod service;
mod serving;
mod silence;
mod support;
mod tidy;
mod uploading;
