//! The `synap` binary: `synap serve` runs everything in one process; every other command talks to a running server.

mod app;
mod archive;
mod audit;
mod changes;
mod cli;
mod cmd;
mod config;
mod conversations;
mod engine;
mod enrich;
mod erase;
mod grpc;
mod history;
mod http;
mod identity;
mod inbox;
mod ingest;
mod jobs;
mod metrics;
mod models;
mod moves;
mod nats_doors;
mod node;
mod operations;
mod recall;
mod remote;
mod retention;
mod serve;
mod upload;
mod versions;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match cli.run() {
        Ok(code) => code,
        Err(e) => {
            let causes: Vec<String> = e.chain().map(ToString::to_string).collect();
            cmd::complain(&format!("synap: {}", causes.join(": ")));
            ExitCode::FAILURE
        }
    }
}
