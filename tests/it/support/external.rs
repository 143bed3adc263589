//! A nats-server that is not synap's own: started, paused, killed and started again by the test.

use crate::support::process;
use crate::support::wait;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The server and its folder. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct ExternalNats {
    folder: TempDir,
    settings: String,
    binary: PathBuf,
    port: Option<u16>,
    child: Option<Child>,
}

impl ExternalNats {
    /// With nats-server's own defaults: it acks before it syncs.
    #[track_caller]
    pub(crate) fn start() -> Self {
        Self::with("")
    }

    /// With further lines of configuration.
    #[track_caller]
    pub(crate) fn with(settings: &str) -> Self {
        let mut server = Self {
            folder: tempfile::tempdir().expect("a folder"),
            settings: settings.to_owned(),
            binary: binary(),
            port: None,
            child: None,
        };
        server.run();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port.expect("a port"))
    }

    /// Starts it again, on the same port and the same store.
    #[track_caller]
    pub(crate) fn run(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let port = self
            .port
            .map_or_else(|| "-1".to_owned(), |port| port.to_string());
        let config = format!(
            "listen: \"127.0.0.1:{port}\"\nports_file_dir: \".\"\nlog_file: \"log\"\nmax_payload: 8388608\n\
             jetstream {{ store_dir: \".\" }}\n{}\n",
            self.settings
        );
        fs::write(self.folder.path().join("nats.conf"), config).expect("written");
        for stale in self.ports_files() {
            fs::remove_file(stale).expect("removed");
        }
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(&self.binary)
            .args(["-c", "nats.conf"])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        self.child = Some(child.expect("setpriv runs"));
        let port = wait::value("nats-server listens", || {
            self.ports_files().iter().find_map(read_port)
        });
        self.port = Some(port);
    }

    /// Kills it.
    #[track_caller]
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("killed");
        child.wait().expect("waited for");
    }

    fn ports_files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path()).expect("the folder");
        entries
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "ports"))
            .collect()
    }
}

fn read_port(file: &PathBuf) -> Option<u16> {
    let ports: serde_json::Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    let url = ports["nats"][0].as_str()?;
    url.rsplit_once(':')?.1.parse().ok()
}

/// The binary that synap itself would start.
fn binary() -> PathBuf {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let found = runtime.block_on(synap_nats::ServerSearch::from_env().find());
    found.unwrap_or_else(|e| panic!("{e}")).path
}

impl Drop for ExternalNats {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            process::kill_group(child.id());
            let _status = child.wait();
        }
    }
}
