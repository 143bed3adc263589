//! The command line. Names, flags and variables here are contracts: scripts use them.

use crate::cmd;
use crate::config::ServeArgs;
use crate::serve;
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// A multi-tenant, event-sourced memory store for AI agents.
#[derive(Debug, Parser)]
#[command(name = "synap", version, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server: HTTP, NATS doors, projectors and queries in one process
    ///
    /// When everything serves, one JSON line appears on standard output:
    /// {"ready":true,"http":…,"nats":…,"durability":…}. Without any API key configured, one is made and shown once on
    /// standard error. SIGTERM drains and exits with 0.
    Serve(ServeArgs),
    /// Store files as documents
    Ingest(IngestArgs),
    /// Ask for context
    Fetch(FetchArgs),
    /// Show every partition: log, applied, lag, parked, generation, disk
    Status(StatusArgs),
    /// Build a new generation of the read model from the log, and switch to it while serving
    Rebuild(RebuildArgs),
    /// Fold the log into a scratch store and compare it with the read model, byte for byte
    Verify(JobArgs),
    /// Check this machine and, if one runs, the server
    Doctor(DoctorArgs),
    /// Become nats-server, and end with the parent (used by serve)
    #[command(hide = true)]
    ExecNatsServer {
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        args: Vec<OsString>,
    },
}

/// Which server to talk to.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServerArgs {
    /// Where the server is
    #[arg(
        long,
        env = "SYNAP_BASE_URL",
        default_value = "http://127.0.0.1:7117",
        value_name = "URL",
        global = true
    )]
    pub(crate) base_url: String,
    /// The key to show it
    #[arg(
        long,
        env = "SYNAP_API_KEY",
        hide_env_values = true,
        value_name = "KEY",
        global = true
    )]
    pub(crate) api_key: Option<String>,
}

/// Whose memory.
#[derive(Debug, Clone, Args)]
pub(crate) struct WhoseArgs {
    /// Customer; without it: the application's own scope
    #[arg(long, value_name = "ID")]
    pub(crate) customer: Option<String>,
    /// User of that customer
    #[arg(long, value_name = "ID")]
    pub(crate) user: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct IngestArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) whose: WhoseArgs,
    /// How to read the documents, such as document or ai-chat-conversation
    #[arg(long = "type", value_name = "T", default_value = "document")]
    pub(crate) document_type: String,
    /// Return when the documents can be fetched, not only when they are stored
    #[arg(long)]
    pub(crate) wait: bool,
    /// Print receipts as JSON, one a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Files, folders (every file below them), or - for standard input
    ///
    /// A file's path becomes its document id, so that doing it again stores only what has changed.
    #[arg(required = true, value_name = "FILES|DIR|-")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) whose: WhoseArgs,
    /// What is wanted; may be repeated. Without it: the newest memories
    #[arg(long = "query", short = 'q', value_name = "Q")]
    pub(crate) queries: Vec<String>,
    /// At most this many items
    #[arg(long, value_name = "N")]
    pub(crate) max_results: Option<usize>,
    /// At most this many tokens
    #[arg(long, value_name = "N")]
    pub(crate) max_tokens: Option<usize>,
    /// Say why each item is there
    #[arg(long)]
    pub(crate) explain: bool,
    /// Wait for the write that a receipt's position names
    #[arg(long, value_name = "TOKEN")]
    pub(crate) position: Option<String>,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct JobArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// This partition only: 00, 01, … or shared
    #[arg(long, value_name = "P")]
    pub(crate) partition: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RebuildArgs {
    #[command(flatten)]
    pub(crate) job: JobArgs,
    /// Give up rows whose events the log has lost (a halted partition says so)
    #[arg(long)]
    pub(crate) accept_loss: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl Cli {
    /// Does what was asked for.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Serve(args) => serve::run(&args).map(|()| ExitCode::SUCCESS),
            Command::Ingest(args) => cmd::ingest::run(&args),
            Command::Fetch(args) => cmd::fetch::run(&args),
            Command::Status(args) => cmd::status::run(&args),
            Command::Rebuild(args) => cmd::job::run(&args.job, "rebuild", args.accept_loss),
            Command::Verify(args) => cmd::job::run(&args, "verify", false),
            Command::Doctor(args) => Ok(cmd::doctor::run(&args)),
            Command::ExecNatsServer { args } => Err(synap_nats::exec_child(args).into()),
        }
    }
}
