//! Keeps one child process running: starts it, starts it again when it dies, ends it when told to.
//!
//! One operating-system thread that lives as long as the supervisor does all of it, because the kernel sends the
//! parent-death signal when the *thread* that forked ends, and threads of a runtime's pool come and go.

use crate::launch::Launcher;
use crate::scrub;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// First pause before the child is started again; doubles up to [`BACKOFF_MAX`].
const BACKOFF_MIN: Duration = Duration::from_millis(100);
/// Longest pause before the child is started again.
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// How often the thread looks whether the child still runs.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Looks after which a child counts as healthy, and the pause starts small again: 10 s.
const LOOKS_HEALTHY: u32 = 200;
/// Looks that a child gets between SIGTERM and SIGKILL: 5 s.
const LOOKS_TO_END: u32 = 100;

/// What is to be run.
#[derive(Debug)]
pub(crate) struct ChildSpec {
    pub(crate) launcher: Launcher,
    pub(crate) binary: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// Working directory.
    pub(crate) folder: PathBuf,
    /// The child's standard input: it shares the lock on the folder, so the lock lasts as long as either lives.
    pub(crate) lock: File,
}

/// How the child is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ChildState {
    Starting,
    Running { pid: u32 },
    Exited { how: String },
}

/// The handle. Dropping it ends the child and waits for that.
#[derive(Debug)]
pub(crate) struct Supervisor {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    state: watch::Receiver<ChildState>,
}

impl Supervisor {
    pub(crate) fn start(spec: ChildSpec) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let (state, seen) = watch::channel(ChildState::Starting);
        let thread = std::thread::Builder::new()
            .name("nats-server".to_owned())
            .spawn(move || keep_running(&spec, &stopped, &state))?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
            state: seen,
        })
    }

    pub(crate) fn state(&self) -> ChildState {
        self.state.borrow().clone()
    }

    /// Ends the child: SIGTERM, five seconds, SIGKILL. Blocks until it is gone.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that kept nats-server running had panicked");
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.stop();
    }
}

fn keep_running(spec: &ChildSpec, stopped: &Receiver<()>, state: &watch::Sender<ChildState>) {
    let mut pause = BACKOFF_MIN;
    loop {
        let how = match spawn(spec) {
            Ok(mut child) => {
                let pid = child.id();
                tracing::info!(pid, "nats-server started");
                state.send_replace(ChildState::Running { pid });
                match watch(&mut child, stopped, &mut pause) {
                    Some(how) => how,
                    None => return end(&mut child),
                }
            }
            Err(error) => error.to_string(),
        };
        let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        tracing::error!(how, pause_ms, "nats-server ended; it is started again");
        state.send_replace(ChildState::Exited { how });
        if !matches!(stopped.recv_timeout(pause), Err(RecvTimeoutError::Timeout)) {
            return;
        }
        pause = (pause * 2).min(BACKOFF_MAX);
    }
}

fn spawn(spec: &ChildSpec) -> io::Result<Child> {
    let overwritten = scrub::finish(&spec.folder)?;
    if overwritten > 0 {
        tracing::warn!(overwritten, "nats-server had been killed while it erased");
    }
    let arguments: Vec<&str> = spec.arguments.iter().map(String::as_str).collect();
    spec.launcher
        .command(&spec.binary, &arguments)
        .current_dir(&spec.folder)
        .stdin(Stdio::from(spec.lock.try_clone()?))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A Ctrl-C in the terminal must not take the log away before its users have drained.
        .process_group(0)
        .spawn()
}

/// Waits until the child ends by itself (how), or the supervisor is told to stop (`None`).
fn watch(child: &mut Child, stopped: &Receiver<()>, pause: &mut Duration) -> Option<String> {
    let mut looks = 0_u32;
    while matches!(
        stopped.recv_timeout(LOOK_EVERY),
        Err(RecvTimeoutError::Timeout)
    ) {
        match child.try_wait() {
            Ok(None) => {}
            Ok(Some(status)) => return Some(status.to_string()),
            Err(error) => return Some(error.to_string()),
        }
        looks = looks.saturating_add(1);
        if looks == LOOKS_HEALTHY {
            *pause = BACKOFF_MIN;
        }
    }
    None
}

fn end(child: &mut Child) {
    let pid = child.id();
    let asked =
        i32::try_from(pid).is_ok_and(|pid| kill(Pid::from_raw(pid), Signal::SIGTERM).is_ok());
    for _ in 0..LOOKS_TO_END {
        if !asked || !matches!(child.try_wait(), Ok(None)) {
            break;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    if matches!(child.try_wait(), Ok(None)) {
        tracing::warn!(pid, "nats-server did not end in time and is killed");
        if let Err(error) = child.kill() {
            tracing::error!(pid, %error, "nats-server could not be killed");
        }
    }
    match child.wait() {
        Ok(status) => tracing::info!(pid, %status, "nats-server ended"),
        Err(error) => tracing::error!(pid, %error, "nats-server was not waited for"),
    }
}
