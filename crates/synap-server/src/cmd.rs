//! The commands beside `serve`. The only files that print.

pub(crate) mod backup;
pub(crate) mod batches;
pub(crate) mod compare;
pub(crate) mod doctor;
pub(crate) mod erase;
pub(crate) mod eval;
pub(crate) mod export;
pub(crate) mod fetch;
pub(crate) mod generations;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod ingest;
pub(crate) mod job;
pub(crate) mod moves;
pub(crate) mod restore;
pub(crate) mod status;

use std::io::{self, Write as _};
use std::process::ExitCode;

/// Prints a line. A reader that has gone away, as `head` does, is no reason to fail.
pub(crate) fn say(line: &str) {
    drop(writeln!(io::stdout().lock(), "{line}"));
}

/// Prints a line for a person beside what is printed for a program.
pub(crate) fn complain(line: &str) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}

/// How a command ends of which `failed` parts failed.
pub(crate) const fn exit(failed: usize) -> ExitCode {
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// `1234567` as `1.2 MB`.
pub(crate) fn bytes(count: u64) -> String {
    indicatif::DecimalBytes(count).to_string()
}
