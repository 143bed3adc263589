//! `synap erase`: deletes for good, and prints the receipt.

use crate::cli::EraseArgs;
use crate::cmd::{complain, say};
use crate::remote::Remote;
use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};
use std::process::ExitCode;
use std::time::Duration;

/// How often it is asked how far the erasure is.
const WATCH: Duration = Duration::from_millis(200);

/// Deletes, waits until the bytes are gone, and prints the receipt. Fails if they are not within `--wait`.
pub(crate) fn run(args: &EraseArgs) -> anyhow::Result<ExitCode> {
    let whose = &args.whose;
    let target = [
        ("memory", "memory_id", &args.memory),
        ("conversation", "conversation_id", &args.conversation),
        ("document", "document_id", &args.document),
        ("user", "user_id", &whose.user),
        ("customer", "customer_id", &whose.customer),
    ];
    let Some((kind, _, Some(id))) = target.iter().find(|(_, _, id)| id.is_some()) else {
        bail!("say what to erase: --customer, --user, --document, --conversation or --memory");
    };
    if !args.yes && !args.dry_run {
        bail!("erasing cannot be undone: look at it with --dry-run, then give --yes");
    }
    let mut body = Map::new();
    body.insert("scope".to_owned(), (*kind).into());
    body.insert("dry_run".to_owned(), args.dry_run.into());
    body.insert("confirm".to_owned(), id.as_str().into());
    for (_, field, id) in target {
        if let Some(id) = id {
            body.insert(field.to_owned(), id.as_str().into());
        }
    }
    let remote = Remote::new(&args.server);
    let mut told = remote.post("/v1/data/delete", &body.into())?;
    let found = told.get("found") == Some(&Value::Bool(true));
    if found && !args.dry_run {
        told = watch(&remote, told, Duration::from_secs(args.wait))?;
    }
    if args.json {
        say(&told.to_string());
    } else {
        print(&told, kind, id);
    }
    let is_done = !found || args.dry_run || told.get("status") == Some(&json!("complete"));
    if !is_done {
        complain("not all of it is gone yet; the server goes on");
    }
    Ok(if is_done {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn watch(remote: &Remote, mut told: Value, wait: Duration) -> anyhow::Result<Value> {
    let id = told.get("deletion_id").and_then(Value::as_str);
    let id = id.context("the server named no deletion")?.to_owned();
    let bar = ProgressBar::new_spinner()
        .with_message("hidden; taking its bytes out of the log and the read model")
        .with_style(ProgressStyle::with_template("{spinner} {msg}  {elapsed}")?);
    let looks = wait.as_millis() / WATCH.as_millis();
    for _ in 0..looks {
        if told.get("completed_at").is_some() {
            break;
        }
        bar.tick();
        std::thread::sleep(WATCH);
        told = remote.get(&format!("/v1/data/delete/{id}"))?;
    }
    bar.finish_and_clear();
    Ok(told)
}

fn print(told: &Value, kind: &str, id: &str) {
    let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or("?");
    let number = |path: &str| {
        told.pointer(path)
            .and_then(Value::as_u64)
            .unwrap_or_default()
    };
    if told.get("found") != Some(&Value::Bool(true)) {
        say(&format!("{kind} {id}: there is nothing to erase"));
        return;
    }
    say(&format!("{kind} {id}: {}", text("status")));
    say(&format!("  deletion    {}", text("deletion_id")));
    say(&format!("  memories    {}", number("/counts/memories")));
    if told.pointer("/counts/turns").is_some() {
        say(&format!("  turns       {}", number("/counts/turns")));
    }
    if told.get("completed_at").is_some() {
        say(&format!("  events      {}", number("/counts/events")));
        say(&format!("  requested   {}", text("requested_at")));
        say(&format!("  completed   {}", text("completed_at")));
        say(&format!(
            "  searched    {} bytes of files: found in {} places",
            number("/searched/bytes"),
            number("/searched/found")
        ));
    }
    say(&format!("  {}", text("note")));
}
