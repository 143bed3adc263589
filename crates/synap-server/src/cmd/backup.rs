//! `synap backup`: asks the server to write one, and says what it holds.

use crate::cli::BackupArgs;
use crate::cmd::{bytes, say};
use crate::remote::Remote;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Returns when the backup is whole.
pub(crate) fn run(args: &BackupArgs) -> anyhow::Result<ExitCode> {
    let dir = std::path::absolute(&args.dir)?;
    let dir = dir.to_str().context("the folder's name is not UTF-8")?;
    let body = json!({ "dir": dir }).to_string();
    let done = Remote::new(&args.server).post_lines("/v1/admin/backup", body.as_bytes())?;
    if args.json {
        say(&done.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let partitions = done.get("partitions").and_then(Value::as_array);
    for part in partitions.into_iter().flatten() {
        let number = |name: &str| part.get(name).and_then(Value::as_u64).unwrap_or_default();
        let partition = part.get("partition").and_then(Value::as_str);
        say(&format!(
            "partition {}: up to seq {}, {} files, {}",
            partition.unwrap_or("?"),
            number("seq"),
            number("files"),
            bytes(number("bytes"))
        ));
    }
    Ok(ExitCode::SUCCESS)
}
