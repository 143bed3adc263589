//! `synap status`

use crate::cli::StatusArgs;
use crate::cmd::{bytes, say};
use crate::remote::Remote;
use serde_json::Value;
use std::process::ExitCode;

/// Prints a table of partitions; fails if one has halted.
pub(crate) fn run(args: &StatusArgs) -> anyhow::Result<ExitCode> {
    let remote = Remote::new(&args.server);
    let status = remote.get("/v1/admin/status")?;
    let halted = status
        .get("partitions_halted")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    let code = if halted == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    };
    if args.json {
        say(&serde_json::to_string(&status)?);
        return Ok(code);
    }
    let text = |name: &str| {
        status
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or("?")
            .to_owned()
    };
    say(&format!(
        "synap {}   {}   durability {}",
        text("version"),
        text("status"),
        text("durability")
    ));
    say("PARTITION  STATE        LOG SEQ   APPLIED   LAG     PARKED  GENERATION  LOG        ROWS");
    for partition in status
        .get("partitions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        say(&line(partition));
        if let Some(reason) = partition.get("reason").and_then(Value::as_str) {
            say(&format!("           {reason}"));
        }
    }
    let jobs = status.get("jobs").and_then(Value::as_array);
    for job in jobs.into_iter().flatten() {
        say(&job_line(job));
    }
    say(&encoder_line(&status));
    print_parked(&remote)?;
    Ok(code)
}

/// Work that goes on: how far all its partitions are together.
fn job_line(job: &Value) -> String {
    let parts = job.get("partitions").and_then(Value::as_array);
    let sum = |name: &str| {
        let parts = parts.into_iter().flatten();
        parts
            .filter_map(|part| part.get(name)?.as_u64())
            .sum::<u64>()
    };
    let text = |name: &str| job.get(name).and_then(Value::as_str).unwrap_or("?");
    let (applied, target) = (sum("applied_seq"), sum("target_seq"));
    format!(
        "JOB {}  {}   {applied} of {target} events",
        text("job"),
        text("kind")
    )
}

fn encoder_line(status: &Value) -> String {
    let encoder = status.pointer("/models/encoder");
    let field = |name: &str| encoder.and_then(|encoder| encoder.get(name));
    let number = |name: &str| field(name).and_then(Value::as_u64).unwrap_or_default();
    match field("name").and_then(Value::as_str) {
        Some(name) => format!(
            "ENCODER  {name}   {} memories done, {} events to look at",
            number("done"),
            number("pending")
        ),
        None => "ENCODER  absent: accurate fetches are answered as fast ones".to_owned(),
    }
}

/// Events that could not be applied: a rebuild with a synap that can applies them.
fn print_parked(remote: &Remote) -> anyhow::Result<()> {
    let answer = remote.get("/v1/admin/parked")?;
    let parked: Vec<&Value> = answer
        .get("parked")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .collect();
    if !parked.is_empty() {
        say("PARKED EVENTS (synap rebuild tries them again)");
    }
    for event in parked {
        let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or("?");
        let seq = event.get("seq").and_then(Value::as_u64).unwrap_or_default();
        say(&format!(
            "  {} seq {seq}: {} ({})",
            text("partition"),
            text("reason"),
            text("subject")
        ));
    }
    Ok(())
}

fn line(partition: &Value) -> String {
    let number = |name: &str| partition.get(name).and_then(Value::as_u64);
    let shown =
        |name: &str| number(name).map_or_else(|| "?".to_owned(), |number| number.to_string());
    let size = |name: &str| number(name).map_or_else(|| "?".to_owned(), bytes);
    let text = |name: &str| partition.get(name).and_then(Value::as_str).unwrap_or("?");
    format!(
        "{:<9}  {:<11}  {:<8}  {:<8}  {:<6}  {:<6}  {:<10}  {:<9}  {}",
        text("partition"),
        text("state"),
        shown("log_seq"),
        shown("applied_seq"),
        shown("lag"),
        shown("parked"),
        shown("generation"),
        size("log_bytes"),
        size("disk_bytes"),
    )
}
