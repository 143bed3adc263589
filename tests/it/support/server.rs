//! `synap serve`, the real binary, on a temporary folder.

use crate::support::http::Http;
use crate::support::nats::Nats;
use crate::support::process::{self, children};
use crate::support::wait;
use nix::sys::signal::Signal;
use serde_json::Value;
use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;
use tempfile::TempDir;

/// The key that tests start their servers with.
pub(crate) const KEY: &str = "it-key-of-the-default-instance";
/// How long a server may take until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Lines of the server's log that a failed test shows.
const TAIL_LINES: usize = 40;

/// The binary: `SYNAP_BIN`, else beside the folder that the tests run from.
pub(crate) fn binary() -> PathBuf {
    let built = || {
        let tests = env::current_exe().expect("the test's own path");
        let profile = tests.parent().and_then(std::path::Path::parent);
        profile.expect("target/<profile>/deps").join("synap")
    };
    let path = env::var_os("SYNAP_BIN").map_or_else(built, PathBuf::from);
    assert!(
        path.is_file(),
        "{} is missing: run cargo build -p synap-server first",
        path.display()
    );
    path
}

/// The binary without what the machine's environment would tell it.
pub(crate) fn command() -> Command {
    clean(Command::new(binary()))
}

/// The command without what the machine's environment would tell synap.
pub(crate) fn clean(mut command: Command) -> Command {
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("SYNAP_") && name != "SYNAP_NATS_SERVER" && name != "SYNAP_CACHE" {
            command.env_remove(name);
        }
    }
    command
}

/// A temporary folder with all that a server stores. It outlives the server.
#[derive(Debug, Clone)]
pub(crate) struct Home(Arc<TempDir>);

impl Home {
    pub(crate) fn new() -> Self {
        Self(Arc::new(tempfile::tempdir().expect("a temporary folder")))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// Everything that its servers have logged.
    pub(crate) fn log(&self) -> String {
        let bytes = fs::read(self.path("stderr.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A server to be started, with the tests' key.
    pub(crate) fn serve(&self) -> Serve {
        self.serve_without_key().args(["--api-key", KEY])
    }

    pub(crate) fn serve_without_key(&self) -> Serve {
        // setpriv: the server ends with this thread, whatever becomes of the test.
        let mut command = clean(Command::new("setpriv"));
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(binary())
            .arg("serve")
            .arg("--data-dir")
            .arg(self.data())
            .env("SYNAP_HTTP", "127.0.0.1:0")
            .env("SYNAP_GRPC", "127.0.0.1:0")
            // Not those of the set-up: a test that wants models says so.
            .env("SYNAP_MODELS", "/nonexistent");
        Serve {
            home: self.clone(),
            command,
        }
    }

    #[track_caller]
    pub(crate) fn start(&self) -> Server {
        self.serve().start()
    }
}

/// A server that is about to start.
#[derive(Debug)]
pub(crate) struct Serve {
    home: Home,
    command: Command,
}

impl Serve {
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// With this configuration file.
    pub(crate) fn config(self, toml: &str) -> Self {
        let path = self.home.path("synap.toml");
        fs::write(&path, toml).expect("written");
        self.args([OsStr::new("--config"), path.as_os_str()])
    }

    fn spawn(&mut self) -> Child {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.home.path("stderr.log"));
        self.command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.expect("a log"))
            .process_group(0)
            .spawn()
            .expect("setpriv runs")
    }

    /// Starts it and waits until it says that it is ready.
    #[track_caller]
    pub(crate) fn start(mut self) -> Server {
        let mut child = self.spawn();
        let stdout = child.stdout.take().expect("piped");
        let (said, lines) = channel();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if said.send(line).is_err() {
                    break;
                }
            }
        });
        let mut server = Server {
            home: self.home,
            child,
            ready: Value::Null,
        };
        let line = lines.recv_timeout(READY_WITHIN);
        drop(reader);
        let line = line.unwrap_or_else(|e| panic!("the server is not ready: {e}"));
        server.ready = serde_json::from_str(&line).expect("one JSON line");
        assert_eq!(server.ready["ready"], true);
        server
    }

    /// Starts it, and kills it when `life` is over: before it is ready, if that is short.
    pub(crate) fn killed_after(mut self, life: Duration) {
        let child = self.spawn();
        wait::pass(life);
        let mut server = Server {
            home: self.home,
            child,
            ready: Value::Null,
        };
        server.end();
    }

    /// Runs a server that must not start; answers what it says.
    #[track_caller]
    pub(crate) fn refused(mut self) -> String {
        let mut child = self.spawn();
        let log = self.home.path("stderr.log");
        let pid = child.id();
        let status = wait::value("the server refuses to start", || {
            child.try_wait().expect("waited for")
        });
        process::kill_group(pid);
        let said = fs::read_to_string(log).expect("its log");
        assert!(!status.success(), "{said}");
        said
    }
}

/// A server that runs. Dropping it kills it and its nats-server.
#[derive(Debug)]
pub(crate) struct Server {
    home: Home,
    child: Child,
    pub(crate) ready: Value,
}

impl Server {
    /// A server on a folder of its own.
    #[track_caller]
    pub(crate) fn fresh() -> Self {
        Home::new().start()
    }

    pub(crate) const fn home(&self) -> &Home {
        &self.home
    }

    pub(crate) fn grpc_url(&self) -> &str {
        self.ready["grpc"].as_str().expect("where gRPC is")
    }

    pub(crate) fn http_url(&self) -> &str {
        self.ready["http"].as_str().expect("a URL")
    }

    pub(crate) fn nats_url(&self) -> &str {
        self.ready["nats"].as_str().expect("a URL")
    }

    pub(crate) fn http(&self) -> Http {
        Http::new(self.http_url(), Some(KEY))
    }

    pub(crate) fn nats(&self) -> Nats {
        self.nats_as(Some(KEY))
    }

    pub(crate) fn nats_as(&self, key: Option<&str>) -> Nats {
        Nats::new(self.nats_url(), key)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its nats-server, once that is one: at first it is synap about to become one.
    #[track_caller]
    pub(crate) fn nats_pid(&self) -> u32 {
        wait::value("there is a nats-server", || {
            let mut found = children(self.pid()).into_iter();
            found.find(|pid| process::program(*pid) == "nats-server")
        })
    }

    /// SIGTERM; answers how it ended.
    #[track_caller]
    pub(crate) fn terminate(mut self) -> ExitStatus {
        assert!(process::signal(self.pid(), Signal::SIGTERM));
        wait::value("the server ends", || {
            self.child.try_wait().expect("waited for")
        })
    }

    /// SIGKILL to the whole group, and waits until its nats-server is gone as well.
    #[track_caller]
    pub(crate) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let below = children(self.pid());
        process::kill_group(self.pid());
        let _status = self.child.wait();
        // They get a signal when their parent dies; the folder is free when they are gone.
        for pid in below {
            let give_up = wait::now() + Duration::from_secs(10);
            while process::alive(pid) && wait::now() < give_up {
                wait::pass(Duration::from_millis(2));
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
        if std::thread::panicking() {
            let log = self.home.log();
            let lines: Vec<&str> = log.lines().rev().take(TAIL_LINES).collect();
            eprintln!("--- the server's log, last lines:");
            lines.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}
