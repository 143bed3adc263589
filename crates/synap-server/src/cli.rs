//! The command line. Names, flags and variables here are contracts: scripts use them.

mod moves;

pub(crate) use moves::{DemoteArgs, PromoteArgs, UndoArgs};

use crate::cmd;
use crate::cmd::import::mem0::WithoutUser;
use crate::config::ServeArgs;
use crate::serve;
use crate::upload::{self, Format};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use synap_text::Extractor;

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
    /// Bring memories over: an export of synap, or another store's
    ///
    /// `synap import FILE` is `synap import events FILE`.
    Import(ImportArgs),
    /// Write the events of the log, or of one customer or user, to a file
    ///
    /// One JSON value a line: a header, the events byte for byte as they were stored, and a last line by which a file that
    /// was cut or changed is known. The server serves on meanwhile. See docs/backup.md.
    Export(ExportArgs),
    /// Let the server write a backup of its read model into a folder of its machine
    ///
    /// The log is not in it: a backup makes restoring fast, an export makes it possible. See docs/backup.md.
    Backup(BackupArgs),
    /// Put a backup back, while no server runs; the next one catches up from the log
    ///
    /// Takes the settings of the server that it is for: the same file, flags and variables as serve.
    Restore(RestoreArgs),
    /// Ask for context
    Fetch(FetchArgs),
    /// Measure how well memories are found again, over sets of texts and questions
    ///
    /// Without --remote everything happens in this process: texts are read, projected and ranked as by a server, and nothing
    /// is stored. With it a running server is asked; its texts stay there, under customers of this run.
    Eval(EvalArgs),
    /// Erase a customer, a user, a document or a conversation for good, and print the receipt
    ///
    /// Hidden at once; then its events are overwritten in the log, its rows and their files rewritten, and the data folder is
    /// searched for what they held.
    Erase(EraseArgs),
    /// Move a memory to a wider scope of its own chain: its customer's, or the application's
    ///
    /// It has another id there, and is not told where it was. `synap undo` with the event that is printed moves it back.
    Promote(PromoteArgs),
    /// Move a memory to a narrower scope below its own: a customer's, or a user's
    Demote(DemoteArgs),
    /// Undo an update, forgetting, a promotion or demotion, a new version of a document, or what undid one of these
    ///
    /// By the event, which trace, history and the answers name. It has to be the last change of its memory or document; an
    /// erasure cannot be undone. The history keeps both.
    Undo(UndoArgs),
    /// Show what happened in a scope, event by event
    History(HistoryArgs),
    /// Show where a memory comes from, and every version of it
    Trace(TraceArgs),
    /// Show every partition: log, applied, lag, parked, generation, disk
    Status(StatusArgs),
    /// Build a new generation of the read model from the log, and switch to it while serving
    ///
    /// A rebuild that was interrupted is gone on with, also by the next start of the server itself. Rows of the same
    /// version are compared before the switch; where they differ, the new ones stay out.
    Rebuild(RebuildArgs),
    /// Fold the log into a scratch store and compare it with the read model, byte for byte
    ///
    /// A row that differs is named: its key, its kind, its scope, the event that made it.
    Verify(VerifyArgs),
    /// Go back to the generation from before the last rebuild, while serving; the same again goes forward
    Rollback(JobArgs),
    /// Show the generations, also those with a name; or remove one of these
    Generations(GenerationsArgs),
    /// Show side by side how two generations answer the same queries
    Compare(CompareArgs),
    /// Check this machine and, if one runs, the server
    Doctor(DoctorArgs),
    /// Become nats-server, and end with the parent (used by serve)
    #[command(hide = true)]
    ExecNatsServer {
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        args: Vec<OsString>,
    },
    /// Read a file on standard input, write its text as JSON (used by serve, within hard limits)
    #[command(hide = true)]
    ExtractText { format: Format },
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
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Only this customer's, with all its users'
    // An empty id is none for the server, and none is everything.
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) customer: Option<String>,
    /// Only this user's
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) user: Option<String>,
    /// Where to; compressed if the name ends in .zst; - for standard output
    #[arg(long, value_name = "FILE|-")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// A folder on the server's machine: an empty one, or none
    pub(crate) dir: PathBuf,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct ImportArgs {
    #[command(subcommand)]
    from: Option<ImportFrom>,
    #[command(flatten)]
    events: ImportEventsArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ImportEventsArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// What synap export wrote, compressed or not; - for standard input
    #[arg(required = true, value_name = "FILE|-")]
    pub(crate) file: Option<PathBuf>,
    /// Print what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
enum ImportFrom {
    /// Append the events of a synap export, each once
    ///
    /// Into the same installation or another, with any number of partitions. Every event keeps its id and its bytes; what
    /// is there already is left alone, so after a failure the same command goes on.
    Events(ImportEventsArgs),
    /// Import memories that mem0 exported
    ///
    /// Reads JSON Lines with one memory a line, as a stream; or a file that is one JSON value of up to 128 MiB, as
    /// its `get_all` answers: {"results": […]}, {"memories": […]}, or a list. A memory keeps its text, its user, its
    /// time and its metadata; what else mem0 knew of it is in the metadata, below mem0. Doing it again stores only
    /// what has changed. At the end stands what was read, stored, unchanged, failed and skipped, and what was not
    /// mapped; the exit code is not 0 if something failed. See docs/migrate.md.
    Mem0(ImportMem0Args),
}

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags of a command line are independent"
)]
pub(crate) struct ImportMem0Args {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// The customer of all memories; a strict instance wants one
    // An empty id is none for the server, and none is wider.
    #[arg(long, value_name = "ID", conflicts_with = "customer_from", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) customer: Option<String>,
    /// The field that names a memory's customer, such as `app_id` or `metadata.org`; those without it are skipped
    #[arg(long, value_name = "FIELD", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) customer_from: Option<String>,
    /// What becomes of memories that name no user
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = WithoutUser::Skip)]
    pub(crate) without_user: WithoutUser,
    /// Read and report, send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Stop at the first memory that fails; what came before it is stored
    #[arg(long)]
    pub(crate) strict: bool,
    /// Return when the memories can be fetched, not only when they are stored
    #[arg(long)]
    pub(crate) wait: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Files, or - for standard input
    #[arg(required = true, value_name = "FILE|-")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags of a command line are independent"
)]
pub(crate) struct FetchArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) whose: WhoseArgs,
    /// What is wanted; may be repeated. Without it, or without a word to search by: the newest memories
    #[arg(long = "query", short = 'q', value_name = "Q")]
    pub(crate) queries: Vec<String>,
    /// At most this many items
    #[arg(long, value_name = "N")]
    pub(crate) max_results: Option<usize>,
    /// At most this many tokens; with --prompt, of the whole text
    #[arg(long, value_name = "N")]
    pub(crate) max_tokens: Option<usize>,
    /// Relevance, 0 to 1, that an item has at least
    ///
    /// Without it 0.05, which keeps out what shares only common words with the queries. 0 turns it off, and fills the
    /// room that is left with the newest memories.
    #[arg(long, value_name = "SHARE")]
    pub(crate) min_relevance: Option<f64>,
    /// Show what a narrower or newer memory contradicts as well, marked so
    #[arg(long)]
    pub(crate) include_shadowed: bool,
    /// Print one text for a prompt, with the memories fenced as data
    #[arg(long)]
    pub(crate) prompt: bool,
    /// Say why each item is there, and what was left out
    #[arg(long)]
    pub(crate) explain: bool,
    /// What a fetch would have told then: an RFC 3339 time, or a position from a receipt
    #[arg(long, value_name = "TIME|TOKEN")]
    pub(crate) as_of: Option<String>,
    /// Answer from the generation of this name
    #[arg(long, value_name = "NAME")]
    pub(crate) generation: Option<String>,
    /// Wait for the write that a receipt's position names
    #[arg(long, value_name = "TOKEN")]
    pub(crate) position: Option<String>,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EraseArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) whose: WhoseArgs,
    /// Every version of this document, of the user, of the customer, or of the application where neither is named
    #[arg(long, value_name = "ID", conflicts_with = "conversation")]
    pub(crate) document: Option<String>,
    /// This conversation of the user
    #[arg(long, value_name = "ID")]
    pub(crate) conversation: Option<String>,
    /// What this memory was derived from, if nothing else was; else it is said what to erase
    #[arg(long, value_name = "ID", conflicts_with_all = ["conversation", "document"])]
    pub(crate) memory: Option<String>,
    /// Only count
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Really do it
    #[arg(long)]
    pub(crate) yes: bool,
    /// How long to wait for the receipt, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) wait: u64,
    /// Print the receipt as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) whose: WhoseArgs,
    /// Only what came after a position, such as a receipt's
    #[arg(long, value_name = "TOKEN")]
    pub(crate) after: Option<String>,
    /// At most this many events
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Go on with the events that come
    #[arg(long)]
    pub(crate) follow: bool,
    /// Print each event as JSON, one a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Id of the memory
    pub(crate) memory_id: String,
    /// Print as JSON
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
    /// Take the new rows although they differ from the live ones
    #[arg(long)]
    pub(crate) accept_difference: bool,
    /// Share of one processor that it takes at most, more than 0; 1 is as fast as it goes, on several [default: as the
    /// server is configured, 0.5]
    #[arg(long, value_name = "SHARE")]
    pub(crate) cpu_share: Option<f64>,
    /// Fill a generation of this name beside the live one, to be asked by its name
    #[arg(long = "as", value_name = "NAME", conflicts_with = "partition")]
    pub(crate) named: Option<String>,
    /// With --as: a weight that it answers with, such as ranking.answer=0.3; may be repeated
    #[arg(long, value_name = "SIGNAL=WEIGHT", requires = "named", value_parser = cmd::eval::named_value)]
    pub(crate) set: Vec<(String, f32)>,
    /// With --as: how its texts are cut into memories: sentences, or passages of up to 1,000 bytes [default: sentences]
    #[arg(long, value_name = "NAME", requires = "named")]
    pub(crate) extractor: Option<Extractor>,
}

#[derive(Debug, Args)]
pub(crate) struct GenerationsArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(subcommand)]
    pub(crate) what: Option<GenerationsWhat>,
    /// Print as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GenerationsWhat {
    /// Remove a generation that has a name
    Remove {
        #[arg(value_name = "NAME")]
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) whose: WhoseArgs,
    /// A generation's name, or live
    #[arg(value_name = "A")]
    pub(crate) a: String,
    /// Another one
    #[arg(value_name = "B")]
    pub(crate) b: String,
    /// Queries, one a line; a line that is a JSON object has query, `customer_id` and `user_id`
    #[arg(long, value_name = "FILE")]
    pub(crate) queries: PathBuf,
    /// At most this many items of each answer
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) max_results: usize,
    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) job: JobArgs,
    /// Compare only about this share of the rows, the same ones each time
    #[arg(long, value_name = "N%", value_parser = cmd::job::percent)]
    pub(crate) sample: Option<f64>,
}

#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Sets: {"name", "scopes": [{"id", "docs": [{"id", "text", "speaker"?, "ts"?, "session"?, "scope"?}],
    /// "queries": [{"id", "text", "cat"?, "gold": [doc ids]}]}]}
    #[arg(value_name = "DATA")]
    pub(crate) data: Vec<PathBuf>,
    /// Also a set made here: three users with this many unrelated turns each, a handbook of each one's customer, a manual
    #[arg(long, value_name = "TURNS", num_args = 0..=1, default_missing_value = "10000")]
    pub(crate) crowding: Option<usize>,
    /// Ask the server at --base-url instead
    #[arg(long)]
    pub(crate) remote: bool,
    /// Name of this run on the server: the same again asks again, of the same texts
    #[arg(long, value_name = "NAME", requires = "remote")]
    pub(crate) run: Option<String>,
    /// fast, or accurate: with --models, or on a server that has a model
    #[arg(long, value_name = "MODE", default_value = "fast", value_parser = ["fast", "accurate"])]
    pub(crate) mode: String,
    /// Folder of model files, for evaluations in this process
    #[arg(long, value_name = "DIR", conflicts_with = "remote")]
    pub(crate) models: Option<PathBuf>,
    /// Keep what the model computed of texts in this file, and take it from there the next time
    #[arg(long, value_name = "FILE", requires = "models")]
    pub(crate) vectors: Option<PathBuf>,
    /// Items of each answer
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
    /// Turn a signal off; may be repeated
    #[arg(long, value_name = "SIGNAL")]
    pub(crate) without: Vec<String>,
    /// Weigh a signal otherwise, such as ranking.answer=0.3; may be repeated
    #[arg(long, value_name = "SIGNAL=WEIGHT", value_parser = cmd::eval::named_value)]
    pub(crate) set: Vec<(String, f32)>,
    /// Show each category as well
    #[arg(long, value_name = "category", value_parser = ["category"])]
    pub(crate) by: Option<String>,
    /// Fail below this, such as r10=0.9; may be repeated
    #[arg(long, value_name = "FIGURE=SHARE", value_parser = cmd::eval::named_floor)]
    pub(crate) floor: Vec<(String, f64)>,

    /// Show each question of which an answer is not among the first ten texts, and what stands there
    #[arg(long)]
    pub(crate) misses: bool,
    /// Only the first scopes of each set
    #[arg(long, value_name = "N")]
    pub(crate) max_scopes: Option<usize>,
    /// Write the figures as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
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
            Command::Import(ImportArgs { from, events }) => match from {
                None => cmd::import::events::run(&events),
                Some(ImportFrom::Events(args)) => cmd::import::events::run(&args),
                Some(ImportFrom::Mem0(args)) => cmd::import::mem0(&args),
            },
            Command::Export(args) => cmd::export::run(&args),
            Command::Backup(args) => cmd::backup::run(&args),
            Command::Restore(args) => cmd::restore::run(&args),
            Command::Fetch(args) => cmd::fetch::run(&args),
            Command::Eval(args) => cmd::eval::run(&args),
            Command::Erase(args) => cmd::erase::run(&args),
            Command::Promote(args) => cmd::moves::promote(&args),
            Command::Demote(args) => cmd::moves::demote(&args),
            Command::Undo(args) => cmd::moves::undo(&args),
            Command::History(args) => cmd::history::run(&args),
            Command::Trace(args) => cmd::history::trace(&args),
            Command::Status(args) => cmd::status::run(&args),
            Command::Rebuild(args) => cmd::job::rebuild(&args),
            Command::Verify(args) => cmd::job::verify(&args),
            Command::Rollback(args) => cmd::job::rollback(&args),
            Command::Generations(args) => cmd::generations::run(&args),
            Command::Compare(args) => cmd::compare::run(&args),
            Command::Doctor(args) => Ok(cmd::doctor::run(&args)),
            Command::ExecNatsServer { args } => Err(synap_nats::exec_child(args).into()),
            Command::ExtractText { format } => upload::extract(format).map(|()| ExitCode::SUCCESS),
        }
    }
}
