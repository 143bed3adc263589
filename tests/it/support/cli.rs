//! The commands that talk to a running server.

use crate::support::server::{KEY, Server, binary, clean, command};
use crate::support::wait;
use serde_json::Value;
use std::ffi::OsStr;
use std::io::{Read, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

/// What a command did.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn failed(self) -> Self {
        assert_eq!(self.code, Some(1), "{self:?}");
        self
    }

    /// Each line of standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.stdout.lines().map(parse).collect()
    }
}

/// A command line that knows where the server is.
#[derive(Debug)]
pub(crate) struct Cli {
    base_url: String,
    key: String,
}

impl Cli {
    pub(crate) fn new(base_url: &str, key: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            key: key.to_owned(),
        }
    }

    pub(crate) fn of(server: &Server) -> Self {
        Self::new(server.http_url(), KEY)
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Run {
        self.run_with(args, b"", |_| {})
    }

    pub(crate) fn run_with<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        input: &[u8],
        change: impl FnOnce(&mut Command),
    ) -> Run {
        let mut command = command();
        command
            .args(args)
            .env("SYNAP_BASE_URL", &self.base_url)
            .env("SYNAP_API_KEY", &self.key);
        change(&mut command);
        finish(command, input)
    }
}

/// Runs a script of the shell in a folder, up to the first command that fails. `synap` is the binary.
pub(crate) fn shell(script: &str, folder: &Path) -> Run {
    let mut command = clean(Command::new("sh"));
    let script = format!("synap() {{ '{}' \"$@\"; }}\n{script}", binary().display());
    command.args(["-euc", &script]).current_dir(folder);
    finish(command, b"")
}

/// Runs to the end, within the deadline.
fn finish(mut command: Command, input: &[u8]) -> Run {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command runs");
    let mut stdin = child.stdin.take().expect("piped");
    // Who does not read its input has closed it.
    let _closed = stdin.write_all(input).is_err();
    drop(stdin);
    let stdout = gather(child.stdout.take().expect("piped"));
    let stderr = gather(child.stderr.take().expect("piped"));
    let status = wait::value("the command ends", || child.try_wait().expect("waited for"));
    Run {
        code: status.code(),
        stdout: stdout.join().expect("read"),
        stderr: stderr.join().expect("read"),
    }
}

fn gather(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("read");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
