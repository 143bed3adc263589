//! Finds a nats-server that is new enough. It starts none of them beyond asking for the version.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// The oldest nats-server that knows atomic batches.
pub const SERVER_VERSION_MIN: ServerVersion = ServerVersion(2, 12, 0);
/// The version that `scripts/setup.sh` brings; names the folder in the cache.
const SETUP_VERSION: &str = "2.15.1";
/// How long a binary may take to say its version.
const VERSION_TIMEOUT: Duration = Duration::from_secs(10);

/// A version of nats-server: major, minor, patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerVersion(pub u32, pub u32, pub u32);

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(major, minor, patch) = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

impl FromStr for ServerVersion {
    type Err = ();

    /// Reads `2.15.1`, `v2.15.1`, `2.14.0-RC.1` and `nats-server: v2.9.10`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let word = text.split_whitespace().last().ok_or(())?;
        let word = word.strip_prefix('v').unwrap_or(word);
        let numbers = word.split(['-', '+']).next().unwrap_or(word);
        let mut numbers = numbers.split('.').map(str::parse::<u32>);
        let mut next = || numbers.next().and_then(Result::ok).ok_or(());
        Ok(Self(next()?, next()?, next()?))
    }
}

/// Where to look, in this order. A field that is `None` is not looked at.
#[derive(Debug, Clone, Default)]
pub struct ServerSearch {
    /// `SYNAP_NATS_SERVER`: this one or none.
    pub explicit: Option<PathBuf>,
    /// `PATH`: one that is too old is passed over when the cache has a good one.
    pub path: Option<OsString>,
    /// `SYNAP_CACHE`, else `synap` below `XDG_CACHE_HOME` or `~/.cache`: where the set-up script puts it.
    pub cache: Option<PathBuf>,
}

/// A nats-server that is new enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerBinary {
    /// Absolute.
    pub path: PathBuf,
    /// What it says of itself.
    pub version: ServerVersion,
}

/// Why there is no nats-server to start. Reads well after "could not start nats-server: ".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// Neither on `PATH` nor in the cache.
    #[error("none is on PATH or in synap's cache: run scripts/setup.sh or set SYNAP_NATS_SERVER")]
    Missing,
    /// There is one, older than [`SERVER_VERSION_MIN`].
    #[error(
        "{} is version {version}, synap needs {SERVER_VERSION_MIN} or later: \
         run scripts/setup.sh or set SYNAP_NATS_SERVER", path.display()
    )]
    TooOld {
        /// Which.
        path: PathBuf,
        /// What it says.
        version: ServerVersion,
    },
    /// The file does not run, or is something else.
    #[error(
        "{} does not run as a nats-server: run scripts/setup.sh or set SYNAP_NATS_SERVER",
        path.display()
    )]
    NotRunnable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl ServerSearch {
    /// As the environment says.
    pub fn from_env() -> Self {
        let given = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let home = || given("HOME").map(|home| Path::new(&home).join(".cache"));
        let caches = || given("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
        Self {
            explicit: given("SYNAP_NATS_SERVER").map(PathBuf::from),
            path: given("PATH"),
            cache: given("SYNAP_CACHE")
                .map(PathBuf::from)
                .or_else(|| Some(caches()?.join("synap"))),
        }
    }

    /// The first that is new enough.
    pub async fn find(&self) -> Result<ServerBinary, FindError> {
        if let Some(explicit) = &self.explicit {
            return examine(explicit).await;
        }
        let mut refusal = FindError::Missing;
        for candidate in self.candidates() {
            match examine(&candidate).await {
                Ok(found) => return Ok(found),
                Err(error) => {
                    tracing::debug!(path = %candidate.display(), %error, "nats-server passed over");
                    // The first complaint is about the one that the user sees first.
                    if matches!(refusal, FindError::Missing) {
                        refusal = error;
                    }
                }
            }
        }
        Err(refusal)
    }

    fn candidates(&self) -> Vec<PathBuf> {
        let on_path = self
            .path
            .iter()
            .flat_map(std::env::split_paths)
            .map(|folder| folder.join("nats-server"));
        let cached = self.cache.iter().map(|cache| {
            cache
                .join(format!("nats-server-{SETUP_VERSION}"))
                .join("nats-server")
        });
        on_path
            .chain(cached)
            .filter(|file| file.is_file())
            .collect()
    }
}

async fn examine(path: &Path) -> Result<ServerBinary, FindError> {
    let version = version_of(path)
        .await
        .map_err(|source| FindError::NotRunnable {
            path: path.to_owned(),
            source,
        })?;
    if version < SERVER_VERSION_MIN {
        return Err(FindError::TooOld {
            path: path.to_owned(),
            version,
        });
    }
    let path = std::path::absolute(path).map_err(|source| FindError::NotRunnable {
        path: path.to_owned(),
        source,
    })?;
    Ok(ServerBinary { path, version })
}

async fn version_of(path: &Path) -> io::Result<ServerVersion> {
    let output = tokio::process::Command::new(path)
        .arg("-v")
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(VERSION_TIMEOUT, output).await??;
    let text = String::from_utf8_lossy(&output.stdout);
    text.parse()
        .map_err(|()| io::Error::other("it does not say its version when asked with -v"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_servers_say() {
        for (text, expected) in [
            ("nats-server: v2.9.10\n", Ok(ServerVersion(2, 9, 10))),
            ("2.15.1", Ok(ServerVersion(2, 15, 1))),
            ("2.14.0-RC.1", Ok(ServerVersion(2, 14, 0))),
            ("v2.12", Err(())),
            ("", Err(())),
            ("hello", Err(())),
        ] {
            assert_eq!(text.parse(), expected, "{text:?}");
        }
        assert!(ServerVersion(2, 9, 10) < SERVER_VERSION_MIN);
        assert!(ServerVersion(3, 0, 0) > SERVER_VERSION_MIN);
    }
}
