//! `synap rebuild` and `synap verify`: start a job on the server and watch it.

use crate::cli::JobArgs;
use crate::cmd::say;
use crate::remote::Remote;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value};
use std::process::ExitCode;
use std::time::Duration;

/// How often the bar moves.
const WATCH: Duration = Duration::from_millis(100);

/// Runs the job `kind`; fails if a part of it failed, or if a verification found a difference.
pub(crate) fn run(args: &JobArgs, kind: &str, accept_loss: bool) -> anyhow::Result<ExitCode> {
    let remote = Remote::new(&args.server);
    let mut body = Map::new();
    if let Some(partition) = &args.partition {
        body.insert("partition".to_owned(), partition.clone().into());
    }
    if accept_loss {
        body.insert("accept_loss".to_owned(), true.into());
    }
    let started = remote.post(&format!("/v1/admin/{kind}"), &body.into())?;
    let job = started
        .get("job")
        .and_then(Value::as_str)
        .context("the server named no job")?;
    let bar = ProgressBar::no_length()
        .with_message(kind.to_owned())
        .with_style(ProgressStyle::with_template(
            "{msg} [{bar:40}] {human_pos}/{human_len} events  {per_sec}  {eta} left",
        )?);
    let done = loop {
        let shown = remote.get(&format!("/v1/admin/jobs/{job}"))?;
        let sum = |name: &str| {
            parts(&shown)
                .filter_map(|part| part.get(name)?.as_u64())
                .sum::<u64>()
        };
        bar.set_length(sum("target_seq"));
        bar.set_position(sum("applied_seq"));
        if shown.get("state").and_then(Value::as_str) != Some("running") {
            break shown;
        }
        std::thread::sleep(WATCH);
    };
    bar.finish_and_clear();
    if args.json {
        say(&serde_json::to_string(&done)?);
    } else {
        parts(&done).for_each(|part| say(&line(kind, part)));
    }
    let unequal =
        parts(&done).any(|part| part.pointer("/result/equal") == Some(&Value::Bool(false)));
    let failed = done.get("state").and_then(Value::as_str) != Some("done");
    Ok(if failed || unequal {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn parts(job: &Value) -> impl Iterator<Item = &Value> {
    job.get("partitions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn line(kind: &str, part: &Value) -> String {
    let partition = part.get("partition").and_then(Value::as_str).unwrap_or("?");
    if let Some(error) = part.get("error").and_then(Value::as_str) {
        return format!("partition {partition}: {kind} failed: {error}");
    }
    let number = |path: &str| {
        part.pointer(path)
            .and_then(Value::as_u64)
            .unwrap_or_default()
    };
    if kind == "rebuild" {
        let (events, generation) = (number("/applied_seq"), number("/result/generation"));
        return format!(
            "partition {partition}: {events} events applied, generation {generation} is live"
        );
    }
    let text = |path: &str| part.pointer(path).and_then(Value::as_str).unwrap_or("?");
    let (rows, seq) = (number("/result/rows"), number("/result/applied_seq"));
    if part.pointer("/result/equal") == Some(&Value::Bool(true)) {
        let digest = text("/result/live_digest");
        return format!("partition {partition}: equal at seq {seq}, {rows} rows, digest {digest}");
    }
    let differences = part
        .pointer("/result/differences")
        .and_then(Value::as_array);
    let differences: Vec<&str> = differences
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    format!(
        "partition {partition}: DIFFERENT at seq {seq}:\n  {}",
        differences.join("\n  ")
    )
}
