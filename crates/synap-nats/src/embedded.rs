//! The private nats-server of a synap that is given no other: a supervised child on the loopback interface.
//!
//! ```text
//! <folder>/           mode 0700
//!   lock              held by synap and by the child (its standard input): one server per folder
//!   nats.conf         written at every start
//!   nats-server.log   the child's own log
//!   jetstream/        the streams
//! ```
//!
//! JetStream syncs before every ack (`sync_interval: always`), so what is acked survives a power cut. The port is
//! chosen by the system at the first start and kept over restarts of the child, so that clients find it again.
//! Whoever may connect to the loopback interface may connect to the server: it asks for no password.

use crate::binary::{FindError, ServerSearch};
use crate::connect::{ConnectSettings, connect};
use crate::launch::Launcher;
use crate::supervisor::{ChildSpec, ChildState, Supervisor};
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// Largest message that the server takes: an event of `EVENT_BYTES_MAX` with its headers, and a request of
/// `BODY_BYTES_MAX`. nats-server warns of more.
const MAX_PAYLOAD_BYTES: usize = 8 * 1024 * 1024;
/// How long the server may take until JetStream answers. Recovery of a large store needs most of it.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// How long the child of a synap that was just killed may hold the folder.
const LOCK_WITHIN: Duration = Duration::from_secs(3);
/// Pause between two looks at something that is about to happen.
const LOOK_EVERY: Duration = Duration::from_millis(5);
const CONFIG_FILE: &str = "nats.conf";
const LOG_FILE: &str = "nats-server.log";

/// What [`EmbeddedServer::start`] needs to know.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// A folder of its own for the server, such as `<data>/nats`. Made when it is missing.
    pub folder: PathBuf,
    /// How the child is started.
    pub launcher: Launcher,
    /// Where the binary is looked for.
    pub search: ServerSearch,
}

/// A running nats-server with JetStream. Dropping it ends the child.
#[derive(Debug)]
pub struct EmbeddedServer {
    supervisor: Supervisor,
    port: u16,
}

/// Why the embedded server does not run. Reads well after "could not start nats-server: ".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// There is no binary.
    #[error(transparent)]
    Find(#[from] FindError),
    /// Another synap, or the nats-server of one, uses the folder.
    #[error("the folder {} is in use by another synap or its nats-server", folder.display())]
    InUse {
        /// Which.
        folder: PathBuf,
    },
    /// The folder cannot be written.
    #[error("the folder {} cannot be used", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The child ended before it was ready.
    #[error("it ended at once ({how}); its log says: {log}")]
    Ended {
        /// Exit status or signal.
        how: String,
        /// The last lines of its log.
        log: String,
    },
    /// The child runs, but JetStream does not answer.
    #[error("JetStream did not answer within {within_s} s; its log says: {log}")]
    NotReady {
        /// How long.
        within_s: u64,
        /// The last lines of its log.
        log: String,
    },
}

impl EmbeddedServer {
    /// Starts the server and waits until JetStream answers.
    pub async fn start(options: EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let EmbeddedOptions {
            folder,
            launcher,
            search,
        } = options;
        let in_folder = |source| EmbeddedError::Folder {
            folder: folder.clone(),
            source,
        };
        let binary = search.find().await?;
        make_private(&folder).map_err(in_folder)?;
        let folder = folder.canonicalize().map_err(in_folder)?;
        let lock = lock(&folder).await?;
        let in_folder = |source| EmbeddedError::Folder {
            folder: folder.clone(),
            source,
        };
        remove_ports_files(&folder).map_err(in_folder)?;
        write_config(&folder, None).map_err(in_folder)?;
        let supervisor = Supervisor::start(ChildSpec {
            launcher,
            binary: binary.path.clone(),
            arguments: vec!["-c".to_owned(), CONFIG_FILE.to_owned()],
            folder: folder.clone(),
            lock,
        })
        .map_err(in_folder)?;
        let deadline = Instant::now() + READY_WITHIN;
        let port = port(&supervisor, &folder, deadline).await?;
        write_config(&folder, Some(port)).map_err(in_folder)?;
        let server = Self { supervisor, port };
        server.ready(&folder, deadline).await?;
        tracing::info!(port, version = %binary.version, "embedded nats-server is ready");
        Ok(server)
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The child's process id, while there is one.
    pub fn pid(&self) -> Option<u32> {
        match self.supervisor.state() {
            ChildState::Running { pid } => Some(pid),
            ChildState::Starting | ChildState::Exited { .. } => None,
        }
    }

    /// Ends the server and waits until it is gone: SIGTERM, then SIGKILL after five seconds.
    pub async fn shutdown(mut self) {
        let ended = tokio::task::spawn_blocking(move || self.supervisor.stop());
        if let Err(error) = ended.await {
            tracing::error!(%error, "nats-server was not ended");
        }
    }

    /// JetStream's API answers. Until then a first append would find no responder.
    async fn ready(&self, folder: &Path, deadline: Instant) -> Result<(), EmbeddedError> {
        let not_ready = || EmbeddedError::NotReady {
            within_s: READY_WITHIN.as_secs(),
            log: log_tail(folder),
        };
        let settings = ConnectSettings::new(self.url(), "synap-start");
        let connection = timeout_at(deadline, connect(&settings))
            .await
            .map_err(|_| not_ready())?
            .map_err(|_| not_ready())?;
        while !connection.has_jetstream().await {
            if let ChildState::Exited { how } = self.supervisor.state() {
                let log = log_tail(folder);
                return Err(EmbeddedError::Ended { how, log });
            }
            if Instant::now() >= deadline {
                return Err(not_ready());
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}

fn make_private(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

async fn lock(folder: &Path) -> Result<File, EmbeddedError> {
    let failed = |source| EmbeddedError::Folder {
        folder: folder.to_owned(),
        source,
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(folder.join("lock"))
        .map_err(failed)?;
    let deadline = Instant::now() + LOCK_WITHIN;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                return Err(EmbeddedError::InUse {
                    folder: folder.to_owned(),
                });
            }
            Err(TryLockError::WouldBlock) => sleep(LOOK_EVERY * 10).await,
        }
    }
}

/// Paths are relative: the child runs in the folder, so no path has to be quoted.
fn config(port: Option<u16>) -> String {
    let port = port.map_or_else(|| "-1".to_owned(), |port| port.to_string());
    format!(
        "# Written by synap at every start; changes are lost.\n\
         listen: \"127.0.0.1:{port}\"\n\
         ports_file_dir: \".\"\n\
         log_file: \"{LOG_FILE}\"\n\
         logfile_size_limit: 16MB\n\
         logfile_max_num: 4\n\
         max_payload: {MAX_PAYLOAD_BYTES}\n\
         jetstream {{\n\
         \x20 store_dir: \".\"\n\
         \x20 # Before every ack.\n\
         \x20 sync_interval: always\n\
         \x20 # The server's own limit is a share of what is free at start, whatever is stored already.\n\
         \x20 max_file_store: 64TB\n\
         }}\n"
    )
}

/// Replaces the file in one step: the child may be starting again at this moment.
fn write_config(folder: &Path, port: Option<u16>) -> io::Result<()> {
    let fresh = folder.join("nats.conf.new");
    fs::write(&fresh, config(port))?;
    fs::rename(fresh, folder.join(CONFIG_FILE))
}

fn ports_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "ports")
        {
            found.push(path);
        }
    }
    Ok(found)
}

/// Those of earlier runs that were killed.
fn remove_ports_files(folder: &Path) -> io::Result<()> {
    ports_files(folder)?
        .into_iter()
        .try_for_each(fs::remove_file)
}

async fn port(
    supervisor: &Supervisor,
    folder: &Path,
    deadline: Instant,
) -> Result<u16, EmbeddedError> {
    loop {
        if let ChildState::Exited { how } = supervisor.state() {
            let log = log_tail(folder);
            return Err(EmbeddedError::Ended { how, log });
        }
        let files = ports_files(folder).unwrap_or_default();
        if let Some(port) = files.iter().find_map(|file| read_port(file)) {
            return Ok(port);
        }
        if Instant::now() >= deadline {
            return Err(EmbeddedError::NotReady {
                within_s: READY_WITHIN.as_secs(),
                log: log_tail(folder),
            });
        }
        sleep(LOOK_EVERY).await;
    }
}

/// `{"nats":["nats://127.0.0.1:4222"]}`; `None` while it is being written.
fn read_port(file: &Path) -> Option<u16> {
    let ports: serde_json::Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    let url = ports.get("nats")?.get(0)?.as_str()?;
    url.rsplit_once(':')?.1.parse().ok()
}

/// The last three lines; nats-server does not log payloads.
fn log_tail(folder: &Path) -> String {
    let text = fs::read(folder.join(LOG_FILE)).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().rev().take(3).collect();
    if lines.is_empty() {
        return "nothing".to_owned();
    }
    lines.into_iter().rev().collect::<Vec<_>>().join(" / ")
}
