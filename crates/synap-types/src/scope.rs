//! Whose memory: an ordered path below a client, and the chain of scopes that a read walks outward.

use crate::limits::{LEVEL_NAME_BYTES_MAX, SCOPE_LEVELS_MAX};
use crate::{ClientId, Hash128, Id};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::str::FromStr;

/// Name of one level of a path, such as `customer`, `team` or `user`.
///
/// Invariant: a lower-case ASCII letter, then up to 31 lower-case letters, digits and `_`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String", extend("pattern" = "^[a-z][a-z0-9_]{0,31}$")))]
pub struct LevelName(String);

impl LevelName {
    /// The level that every customer's scope has.
    pub const CUSTOMER: &'static str = "customer";
    /// The level that every user's scope ends with.
    pub const USER: &'static str = "user";

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LevelName {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if text.len() <= LEVEL_NAME_BYTES_MAX
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(plain)
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(ScopeError::LevelName)
        }
    }
}

impl TryFrom<String> for LevelName {
    type Error = ScopeError;

    fn try_from(text: String) -> Result<Self, ScopeError> {
        text.parse()
    }
}

impl From<LevelName> for String {
    fn from(name: LevelName) -> Self {
        name.0
    }
}

impl fmt::Display for LevelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for LevelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why levels make no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// Not a level's name.
    #[error("a level's name is a lower-case letter and up to 31 lower-case letters, digits and _")]
    LevelName,
    /// The same level twice.
    #[error("level {0} occurs twice")]
    Repeated(LevelName),
    /// More than [`SCOPE_LEVELS_MAX`].
    #[error("has {levels} levels, the limit is {SCOPE_LEVELS_MAX}")]
    TooDeep {
        /// Levels found.
        levels: usize,
    },
}

/// One level of a path and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScopeLevel {
    /// Which level.
    pub level: LevelName,
    /// Who, unique below the levels before it.
    pub id: Id,
}

/// Whose memory: a client, and below it an ordered path. An empty path is the client's own scope.
///
/// Invariant: at most [`SCOPE_LEVELS_MAX`] levels, no level twice.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawScope", into = "RawScope")]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(with = "RawScope")
)]
pub struct Scope {
    client: ClientId,
    path: Vec<ScopeLevel>,
}

/// A scope before its invariant is checked.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "Scope")
)]
struct RawScope {
    /// The application.
    client: ClientId,
    /// Levels below it, widest first; none for the client's own scope.
    path: Vec<ScopeLevel>,
}

impl Scope {
    /// The scope at the end of `path` below `client`.
    pub fn new(client: ClientId, path: Vec<ScopeLevel>) -> Result<Self, ScopeError> {
        if path.len() > SCOPE_LEVELS_MAX {
            return Err(ScopeError::TooDeep { levels: path.len() });
        }
        for (at, level) in path.iter().enumerate() {
            if path.iter().take(at).any(|other| other.level == level.level) {
                return Err(ScopeError::Repeated(level.level.clone()));
            }
        }
        Ok(Self { client, path })
    }

    /// The client's own scope, seen by all its customers and users.
    pub const fn of_client(client: ClientId) -> Self {
        Self {
            client,
            path: Vec::new(),
        }
    }

    /// The application.
    pub const fn client(&self) -> &ClientId {
        &self.client
    }

    /// Levels below the client, widest first.
    pub fn path(&self) -> &[ScopeLevel] {
        &self.path
    }

    /// What kind of scope it is: the name of its last level, or `client`.
    pub fn kind(&self) -> &str {
        self.path
            .last()
            .map_or("client", |last| last.level.as_str())
    }

    /// `{"customer":"acme_corp","user":"alice"}`: the levels as receipts and items echo them.
    pub fn path_json(&self) -> Map<String, Value> {
        self.path
            .iter()
            .map(|level| (level.level.to_string(), Value::from(level.id.as_str())))
            .collect()
    }

    /// The scopes that a read from here sees: this one, then each wider one, the client's own last.
    pub fn chain(&self) -> impl Iterator<Item = Self> + use<> {
        let (client, path) = (self.client.clone(), self.path.clone());
        (0..=path.len()).rev().map(move |levels| Self {
            client: client.clone(),
            path: path.iter().take(levels).cloned().collect(),
        })
    }

    /// Whether a read of `self` may see what belongs to `owner`: whether `owner` is in the chain.
    pub fn sees(&self, owner: &Self) -> bool {
        self.client == owner.client && self.path.starts_with(&owner.path)
    }

    /// The fixed-width name of exactly this scope in keys: no other scope's key range contains it.
    pub fn hash(&self) -> Hash128 {
        let levels = self
            .path
            .iter()
            .flat_map(|level| [level.level.as_str(), level.id.as_str()]);
        let parts = std::iter::once(self.client.as_str()).chain(levels);
        Hash128::of("synap.scope.v1", parts.map(str::as_bytes))
    }
}

impl TryFrom<RawScope> for Scope {
    type Error = ScopeError;

    fn try_from(raw: RawScope) -> Result<Self, ScopeError> {
        Self::new(raw.client, raw.path)
    }
}

impl From<Scope> for RawScope {
    fn from(scope: Scope) -> Self {
        Self {
            client: scope.client,
            path: scope.path,
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.client)?;
        self.path
            .iter()
            .try_for_each(|level| write!(f, "/{}:{:?}", level.level, level.id))
    }
}
