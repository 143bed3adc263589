//! Who spoke in a turn of a conversation.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Whose turn it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum TurnRole {
    /// The person.
    User,
    /// The agent.
    Assistant,
}

impl TurnRole {
    /// As on the wire: `user` or `assistant`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

impl fmt::Display for TurnRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
