//! Integration tests: the real binary on a real nats-server, from outside; and tidy. One file per promise.
#![cfg(test)]

mod archive;
mod bad_input;
mod bad_requests;
mod commands;
mod conversations;
mod crash;
mod crash_turns;
mod diverged;
mod erasing;
mod foreign;
mod hostile_http;
mod hostile_ids;
mod idempotency;
mod importing;
mod inbox;
mod ingesting;
mod migrating;
mod models;
mod nats_down;
mod parking;
mod read_your_writes;
mod rebuild;
mod restart;
mod routes;
mod scopes;
mod seed;
mod selecting;
mod service;
mod serving;
mod silence;
mod streaming;
mod support;
mod tidy;
mod uploading;
