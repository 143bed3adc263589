//! How the nats-server child is started so that it ends with its parent, even when the parent is killed.
//!
//! `PR_SET_PDEATHSIG` has to be set in the child, between fork and exec, which safe code cannot do there. So the child
//! is first this same program, which sets it, checks that the parent still lives, and then *becomes* nats-server:
//!
//! ```text
//! synap serve ── fork, exec ──▶ synap exec-nats-server PPID BINARY ARGS… ── exec ──▶ nats-server ARGS…
//! ```

use nix::sys::prctl;
use nix::sys::signal::Signal;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How the child is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launcher {
    /// By a program that ends in [`exec_child`]: it gets `arguments`, then the parent's process id, the binary and its
    /// arguments. The child ends with its parent.
    Reexec {
        /// The program, usually this one.
        program: PathBuf,
        /// What comes first, such as the hidden subcommand.
        arguments: Vec<OsString>,
    },
    /// By a command in front of it, such as `setpriv --pdeathsig KILL`.
    Prefixed(Vec<OsString>),
    /// As it is: it outlives a parent that is killed.
    Direct,
}

impl Launcher {
    /// This program with a hidden subcommand that calls [`exec_child`].
    pub fn this_program(subcommand: &str) -> io::Result<Self> {
        Ok(Self::Reexec {
            program: std::env::current_exe()?,
            arguments: vec![subcommand.into()],
        })
    }

    pub(crate) fn command(&self, binary: &Path, arguments: &[&str]) -> Command {
        let mut command = match self {
            Self::Reexec {
                program,
                arguments: first,
            } => {
                let mut command = Command::new(program);
                command.args(first);
                command.arg(std::process::id().to_string()).arg(binary);
                command
            }
            Self::Prefixed(words) => match words.split_first() {
                Some((program, first)) => {
                    let mut command = Command::new(program);
                    command.args(first).arg(binary);
                    command
                }
                None => Command::new(binary),
            },
            Self::Direct => Command::new(binary),
        };
        command.args(arguments);
        command
    }
}

/// Becomes nats-server, and dies with the parent: `arguments` are `PPID BINARY ARGS…`. Returns only if that fails.
pub fn exec_child(arguments: impl IntoIterator<Item = OsString>) -> io::Error {
    match prepare(arguments.into_iter()) {
        Ok(mut command) => command.exec(),
        Err(error) => error,
    }
}

fn prepare(mut arguments: impl Iterator<Item = OsString>) -> io::Result<Command> {
    let usage = || io::Error::other("the arguments are PPID BINARY ARGS…");
    let parent = arguments.next().and_then(|pid| pid.into_string().ok());
    let parent: i32 = parent.and_then(|pid| pid.parse().ok()).ok_or_else(usage)?;
    let binary = arguments.next().ok_or_else(usage)?;
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    // The parent may have died before the line above; then no signal will come.
    if nix::unistd::getppid().as_raw() != parent {
        return Err(io::Error::other("the parent is gone"));
    }
    let mut command = Command::new(binary);
    command.args(arguments);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(launcher: &Launcher, expected: &[&str]) {
        let command = launcher.command(Path::new("/bin/nats-server"), &["-c", "x"]);
        let words: Vec<_> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        assert_eq!(words, expected);
    }

    #[test]
    fn commands_are_put_together_in_order() {
        check(&Launcher::Direct, &["/bin/nats-server", "-c", "x"]);
        check(
            &Launcher::Prefixed(vec!["setpriv".into(), "--pdeathsig".into()]),
            &["setpriv", "--pdeathsig", "/bin/nats-server", "-c", "x"],
        );
        let pid = std::process::id().to_string();
        check(
            &Launcher::Reexec {
                program: "/bin/synap".into(),
                arguments: vec!["exec-nats-server".into()],
            },
            &[
                "/bin/synap",
                "exec-nats-server",
                &pid,
                "/bin/nats-server",
                "-c",
                "x",
            ],
        );
    }

    #[test]
    fn wrong_arguments_are_refused() {
        for words in [vec![], vec!["x"], vec!["1"]] {
            let words = words.into_iter().map(OsString::from);
            assert!(prepare(words).is_err());
        }
    }
}
