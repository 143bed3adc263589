//! Arguments of `synap promote`, `synap demote` and `synap undo`.

use super::ServerArgs;
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct PromoteArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Id of the memory
    pub(crate) memory_id: String,
    /// The scope that it goes to: customer, client, or a level between
    #[arg(long, value_name = "LEVEL")]
    pub(crate) to: String,
    /// The memory's customer, to be sure of it
    #[arg(long, value_name = "ID")]
    pub(crate) customer: Option<String>,
    /// The memory's user, to be sure of it
    #[arg(long, value_name = "ID")]
    pub(crate) user: Option<String>,
    /// Needed for --to client: every customer and every user is told it then
    #[arg(long)]
    pub(crate) yes: bool,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DemoteArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Id of the memory
    pub(crate) memory_id: String,
    /// The scope that it goes to: user, customer, or a level between
    #[arg(long, value_name = "LEVEL")]
    pub(crate) to: String,
    /// Which customer; a customer's memory stays with its own
    #[arg(long, value_name = "ID")]
    pub(crate) customer: Option<String>,
    /// Which user
    #[arg(long, value_name = "ID")]
    pub(crate) user: Option<String>,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UndoArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Id of the event
    pub(crate) event_id: String,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
