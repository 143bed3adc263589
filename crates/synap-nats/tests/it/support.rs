//! A fresh nats-server per test, and the few things that every test does.

use async_nats::jetstream;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::Path;
use std::time::Duration;
use synap_log::contract::event;
use synap_log::{AppendError, Appended, EventLog as _, NewEvent};
use synap_nats::{
    ConnectSettings, Connection, EmbeddedOptions, EmbeddedServer, JetStreamLog, Launcher,
    LogOptions, ServerSearch, connect,
};
use synap_types::{Partition, PartitionCount};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// The partition that most tests write to.
pub(crate) const HERE: Partition = Partition::Numbered(0);

/// A server with a folder of its own. Both are gone when it is dropped.
pub(crate) struct Server {
    pub(crate) child: EmbeddedServer,
    pub(crate) connection: Connection,
    _folder: TempDir,
}

pub(crate) fn options(folder: &Path) -> EmbeddedOptions {
    // Ends with the thread that started it, should the test be killed.
    let launcher = ["setpriv", "--pdeathsig", "KILL", "--"].map(Into::into);
    EmbeddedOptions {
        folder: folder.to_owned(),
        launcher: Launcher::Prefixed(launcher.to_vec()),
        search: ServerSearch::from_env(),
    }
}

pub(crate) async fn start(folder: &Path) -> EmbeddedServer {
    match EmbeddedServer::start(options(folder)).await {
        Ok(server) => server,
        Err(error) => panic!("could not start nats-server: {error}"),
    }
}

impl Server {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let child = start(&folder.path().join("nats")).await;
        let settings = ConnectSettings::new(child.url(), "test");
        let connection = connect(&settings).await.unwrap();
        Self {
            child,
            connection,
            _folder: folder,
        }
    }

    pub(crate) async fn log(&self) -> JetStreamLog {
        JetStreamLog::open(&self.connection, log_options())
            .await
            .unwrap()
    }

    /// A client of somebody else.
    pub(crate) async fn stranger(&self) -> async_nats::Client {
        async_nats::connect(self.child.url()).await.unwrap()
    }

    pub(crate) async fn jetstream(&self) -> jetstream::Context {
        jetstream::new(self.stranger().await)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self.child.pid().unwrap();
        kill(Pid::from_raw(i32::try_from(pid).unwrap()), signal).unwrap();
    }
}

pub(crate) fn log_options() -> LogOptions {
    LogOptions {
        assume_sync_always: true,
        ..LogOptions::new(PartitionCount::ONE)
    }
}

/// Appends `event` until it is acked.
pub(crate) async fn append_until_acked(log: &JetStreamLog, event: NewEvent) -> Appended {
    let give_up = Instant::now() + Duration::from_secs(20);
    loop {
        match log.append(event.clone()).await {
            Ok(appended) => return appended,
            Err(error) if Instant::now() > give_up => panic!("no ack for 20 s: {error}"),
            Err(AppendError::Unavailable(_) | AppendError::TimedOut { .. }) => {
                sleep(Duration::from_millis(20)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// `count` appends at the same time.
pub(crate) async fn append_all(
    log: &JetStreamLog,
    names: impl Iterator<Item = String>,
) -> Vec<Appended> {
    let appends = names.map(|name| log.append(event(HERE, &name)));
    let acks = futures::future::join_all(appends).await;
    acks.into_iter().map(Result::unwrap).collect()
}

/// Waits until `happens`, for ten seconds.
pub(crate) async fn wait_until(what: &str, mut happens: impl AsyncFnMut() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(10);
    while !happens().await {
        assert!(Instant::now() < give_up, "it did not happen that {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) fn alive(pid: u32) -> bool {
    // A zombie has no more file descriptors to show.
    std::fs::read_dir(format!("/proc/{pid}/fd")).is_ok_and(|mut open| open.next().is_some())
}
