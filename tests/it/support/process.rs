//! Processes by their id. Nothing here goes by name, and only what the tests started is signalled.

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::fs;

fn id(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).expect("a process id"))
}

/// Sends a signal to one process; false if it is gone.
pub(crate) fn signal(pid: u32, signal: Signal) -> bool {
    kill(id(pid), signal).is_ok()
}

/// Kills a process group at once.
pub(crate) fn kill_group(leader: u32) {
    // It may have ended by itself.
    let _gone = killpg(id(leader), Signal::SIGKILL).is_err();
}

/// Whether the process runs. A zombie does not: it has no open files to show.
pub(crate) fn alive(pid: u32) -> bool {
    fs::read_dir(format!("/proc/{pid}/fd")).is_ok_and(|mut open| open.next().is_some())
}

/// The children of all its threads.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten();
    threads
        .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("children")).ok())
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<u32>>()
        })
        .collect()
}

/// The name of the program that it runs.
pub(crate) fn program(pid: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim().to_owned()
}
