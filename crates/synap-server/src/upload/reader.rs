//! Reads files in processes of their own: this program with a hidden subcommand ([`extract`](mod@super::extract)), a few at a
//! time, each within a time limit, its answer bounded. The process limits its own memory and processor time; should the
//! server die, that limit ends it.

use crate::upload::extract::{Extracted, Format, Outcome, unreadable};
use anyhow::Context as _;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use synap_types::limits::{
    READER_ANSWER_BYTES_MAX, READER_TIMEOUT_MS, READER_WAIT_MS, READERS_MAX,
};
use synap_types::{ApiError, ErrorCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::warn;

/// Starts the processes that read files.
#[derive(Debug)]
pub(crate) struct Reader {
    program: PathBuf,
    turns: Semaphore,
}

impl Reader {
    /// Reads with this same program.
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            program: std::env::current_exe().context("this program's own path")?,
            turns: Semaphore::new(READERS_MAX),
        })
    }

    /// The text of a file. What cannot be read, for whatever reason, is the file's fault.
    pub(super) async fn read(&self, format: Format, bytes: &[u8]) -> Result<Extracted, ApiError> {
        let wait = Duration::from_millis(READER_WAIT_MS);
        let Ok(Ok(_turn)) = timeout(wait, self.turns.acquire()).await else {
            return Err(ApiError::new(
                ErrorCode::Unavailable,
                "other files are being read; try again",
            ));
        };
        let mut child = self.start(format).map_err(|e| {
            warn!(error = %e, "no process to read a file with");
            ApiError::new(ErrorCode::Unavailable, "the file cannot be read now")
        })?;
        let within = Duration::from_millis(READER_TIMEOUT_MS);
        let answer = timeout(within, converse(&mut child, bytes)).await;
        // It has answered, or will not: either way it is done. Waited for, so that its turn ends with it.
        drop(child.kill().await);
        match answer {
            Ok(Ok(outcome)) => outcome.into_result(format),
            Ok(Err(e)) => {
                warn!(format = format.name(), bytes = bytes.len(), cause = %e.kind(), "a file could not be read");
                Err(unreadable(format))
            }
            Err(_) => {
                warn!(
                    format = format.name(),
                    bytes = bytes.len(),
                    "reading a file took too long"
                );
                Err(unreadable(format))
            }
        }
    }

    fn start(&self, format: Format) -> io::Result<Child> {
        Command::new(&self.program)
            .args(["extract-text", format.name()])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
    }
}

/// Gives the file and takes the answer, at the same time.
async fn converse(child: &mut Child, bytes: &[u8]) -> io::Result<Outcome> {
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    let give = async move {
        // One that has read enough closes its end; its answer says the rest.
        let _closed = stdin.write_all(bytes).await.is_err();
    };
    let take = async {
        let mut answer = Vec::new();
        let most = READER_ANSWER_BYTES_MAX as u64;
        stdout.take(most).read_to_end(&mut answer).await?;
        Ok::<_, io::Error>(answer)
    };
    let ((), answer) = tokio::join!(give, take);
    // serde_json's own text could repeat what it found.
    serde_json::from_slice(&answer?).map_err(|_| io::ErrorKind::UnexpectedEof.into())
}
