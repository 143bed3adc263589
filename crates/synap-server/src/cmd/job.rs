//! `synap rebuild`, `synap rollback` and `synap verify`: start a job on the server and watch it.

use crate::cli::{JobArgs, RebuildArgs, VerifyArgs};
use crate::cmd::say;
use crate::remote::Remote;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value};
use std::process::ExitCode;
use std::time::Duration;
use synap_text::Extractor;

/// How often the bar moves.
const WATCH: Duration = Duration::from_millis(100);

/// Fills a new generation and switches to it.
pub(crate) fn rebuild(args: &RebuildArgs) -> anyhow::Result<ExitCode> {
    let mut body = Map::new();
    let flag = |given: bool| given.then_some(Value::Bool(true));
    set(&mut body, "accept_loss", flag(args.accept_loss));
    set(&mut body, "accept_difference", flag(args.accept_difference));
    set(&mut body, "cpu_share", args.cpu_share.map(Value::from));
    set(&mut body, "as", args.named.clone().map(Value::from));
    if !args.set.is_empty() {
        let weights = args.set.iter();
        let weights: Map<String, Value> = weights
            .map(|(name, weight)| (name.clone(), f64::from(*weight).into()))
            .collect();
        set(&mut body, "set", Some(weights.into()));
    }
    let extractor = args.extractor.map(Extractor::name);
    set(&mut body, "extractor", extractor.map(Value::from));
    run(&args.job, "rebuild", body)
}

/// Goes back to the generation before.
pub(crate) fn rollback(args: &JobArgs) -> anyhow::Result<ExitCode> {
    run(args, "rollback", Map::new())
}

/// Compares the rows with the log.
pub(crate) fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let mut body = Map::new();
    set(&mut body, "sample", args.sample.map(Value::from));
    run(&args.job, "verify", body)
}

/// `10%` as 0.1.
pub(crate) fn percent(text: &str) -> Result<f64, String> {
    let percent: Option<f64> = text.strip_suffix('%').unwrap_or(text).parse().ok();
    match percent {
        Some(percent) if percent > 0.0 && percent <= 100.0 => Ok(percent / 100.0),
        _ => Err("must be more than 0% and at most 100%".to_owned()),
    }
}

fn set(body: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    body.extend(value.map(|value| (name.to_owned(), value)));
}

/// Runs the job `kind`; fails if a part of it failed, or if a verification found a difference.
fn run(args: &JobArgs, kind: &str, mut body: Map<String, Value>) -> anyhow::Result<ExitCode> {
    let remote = Remote::new(&args.server);
    set(
        &mut body,
        "partition",
        args.partition.clone().map(Value::from),
    );
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
    let mut is_new = true;
    let done = loop {
        let shown = remote.get(&format!("/v1/admin/jobs/{job}"))?;
        let sum = |name: &str| {
            parts(&shown)
                .filter_map(|part| part.get(name)?.as_u64())
                .sum::<u64>()
        };
        bar.set_length(sum("target_seq"));
        bar.set_position(sum("applied_seq"));
        if is_new && sum("target_seq") > 0 {
            // What was done before this command watched says nothing about how fast it goes.
            bar.reset_eta();
            bar.reset_elapsed();
            is_new = false;
        }
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
    let differs = |part: &Value| part.pointer("/result/equal") == Some(&Value::Bool(false));
    let unequal = kind == "verify" && parts(&done).any(differs);
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
    if kind != "verify" {
        return switched(kind, partition, part);
    }
    let text = |path: &str| part.pointer(path).and_then(Value::as_str).unwrap_or("?");
    let (rows, seq) = (number("/result/rows"), number("/result/applied_seq"));
    let share = part.pointer("/result/sample").and_then(Value::as_f64);
    let sample = match share {
        Some(share) if share < 1.0 => format!(" (a sample of {}% of the keys)", share * 100.0),
        _ => String::new(),
    };
    if part.pointer("/result/equal") == Some(&Value::Bool(true)) {
        let digest = text("/result/live_digest");
        return format!(
            "partition {partition}: equal at seq {seq}, {rows} rows{sample}, digest {digest}"
        );
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
        "partition {partition}: DIFFERENT at seq {seq}, {rows} rows{sample}:\n  {}",
        differences.join("\n  ")
    )
}

/// What a rebuild or a rollback did.
fn switched(kind: &str, partition: &str, part: &Value) -> String {
    let number = |path: &str| {
        part.pointer(path)
            .and_then(Value::as_u64)
            .unwrap_or_default()
    };
    let generation = number("/result/generation");
    let took = part.pointer("/result/switch_ms").and_then(Value::as_f64);
    let took = took.map_or_else(String::new, |ms| format!(", switched in {ms:.1} ms"));
    if kind == "rollback" {
        return format!("partition {partition}: generation {generation} is live again{took}");
    }
    let events = number("/applied_seq");
    let resumed = match number("/result/resumed_from") {
        0 => String::new(),
        seq => format!(" (gone on from seq {seq})"),
    };
    let text = |path: &str| part.pointer(path).and_then(Value::as_str);
    if let Some(name) = text("/result/generation") {
        return format!(
            "partition {partition}: {events} events applied{resumed}, generation {name} answers by its name"
        );
    }
    let compared = match (part.pointer("/result/equal"), text("/result/not_compared")) {
        (Some(Value::Bool(true)), _) => {
            let digest = text("/result/digest").unwrap_or("?");
            format!(", equal to the one before: digest {digest}")
        }
        (Some(Value::Bool(false)), _) => ", DIFFERENT from the one before, as accepted".to_owned(),
        (_, Some(reason)) => format!(", not compared: {reason}"),
        _ => String::new(),
    };
    format!(
        "partition {partition}: {events} events applied{resumed}, generation {generation} is live{took}{compared}"
    )
}
