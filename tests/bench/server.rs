//! The binary, as a user starts it, on a fresh folder.

use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The key of the bench.
pub(crate) const KEY: &str = "bench-key";

pub(crate) struct Server {
    child: Child,
    pub(crate) http: String,
    pub(crate) nats: String,
    _data: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/release/synap");
        let binary = std::env::var_os("SYNAP_BIN").map_or_else(beside, PathBuf::from);
        let data = tempfile::tempdir().expect("a temporary folder");
        let mut child = Command::new(&binary)
            .args([
                "serve",
                "--http",
                "127.0.0.1:0",
                "--grpc",
                "127.0.0.1:0",
                "--api-key",
                KEY,
                "--log",
                "warn",
                "--data-dir",
            ])
            .arg(data.path())
            // Encoding what is stored takes a core, and not always the same time.
            .env("SYNAP_MODELS", "/nonexistent")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| {
                panic!(
                    "cannot start {}: {e}; run scripts/build.sh",
                    binary.display()
                )
            });
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout is piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("a ready line");
        let ready: Value = serde_json::from_str(&line).expect("the ready line is JSON");
        let text = |name: &str| {
            ready[name]
                .as_str()
                .expect("it names its addresses")
                .to_owned()
        };
        Self {
            child,
            http: text("http"),
            nats: text("nats"),
            _data: data,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        drop(Command::new("kill").args(["-TERM", &pid]).status());
        drop(self.child.wait());
    }
}
