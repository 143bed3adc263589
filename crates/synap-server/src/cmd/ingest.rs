//! `synap ingest`

use crate::cli::IngestArgs;
use crate::cmd::{complain, say};
use crate::remote::{self, Remote};
use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use synap_types::ErrorCode;
use synap_types::limits::DOCUMENT_BYTES_MAX;

/// Documents of one request, and their bytes: a request must stay well below the body limit as JSON.
const GROUP_DOCUMENTS: usize = 100;
const GROUP_BYTES: usize = 1024 * 1024;
/// How often `--wait` asks.
const WATCH: Duration = Duration::from_millis(50);

/// What became of the documents.
#[derive(Debug, Default)]
struct Tally {
    stored: usize,
    unchanged: usize,
    failed: usize,
    last: Vec<String>,
}

/// Stores every file; fails if one was refused.
pub(crate) fn run(args: &IngestArgs) -> anyhow::Result<ExitCode> {
    let remote = Remote::new(&args.server);
    let files = files(&args.paths)?;
    let bar = ProgressBar::new(files.len() as u64).with_style(ProgressStyle::with_template(
        "ingest [{bar:40}] {human_pos}/{human_len} documents  {per_sec}  {eta} left",
    )?);
    let mut tally = Tally::default();
    let mut group: Vec<(String, Value)> = Vec::new();
    let mut group_bytes = 0;
    for file in files {
        let name = file.to_string_lossy().into_owned();
        match read(&file) {
            Ok(text) => {
                if group.len() == GROUP_DOCUMENTS || group_bytes + text.len() > GROUP_BYTES {
                    send(&remote, args, std::mem::take(&mut group), &bar, &mut tally)?;
                    group_bytes = 0;
                }
                group_bytes += text.len();
                group.push((name, document(args, &file, &text)));
            }
            Err(e) => {
                tally.failed += 1;
                bar.suspend(|| complain(&format!("{name}: {e:#}")));
                bar.inc(1);
            }
        }
    }
    send(&remote, args, group, &bar, &mut tally)?;
    bar.finish_and_clear();
    if args.wait {
        wait(&remote, &tally.last)?;
    }
    if !args.json {
        let Tally {
            stored,
            unchanged,
            failed,
            ..
        } = tally;
        say(&format!(
            "{stored} stored, {unchanged} unchanged, {failed} failed"
        ));
    }
    Ok(if tally.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn document(args: &IngestArgs, file: &Path, text: &str) -> Value {
    let id = (file != Path::new("-")).then(|| file.to_string_lossy());
    json!({"document": text, "document_type": args.document_type, "document_id": id,
        "customer_id": args.whose.customer, "user_id": args.whose.user})
}

/// The files below `paths`, in a fixed order, so that a second run does the same.
fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        if path != Path::new("-") && !path.exists() {
            bail!("{} does not exist", path.display());
        }
        let mut below = vec![path.clone()];
        while let Some(next) = below.pop() {
            if next.is_dir() {
                let entries = fs::read_dir(&next)
                    .with_context(|| format!("cannot read {}", next.display()))?;
                let mut entries: Vec<PathBuf> = entries
                    .map(|entry| entry.map(|e| e.path()))
                    .collect::<Result<_, _>>()?;
                entries.retain(|entry| {
                    !entry
                        .file_name()
                        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
                });
                entries.sort_unstable_by(|a, b| b.cmp(a));
                below.extend(entries);
            } else {
                found.push(next);
            }
        }
    }
    Ok(found)
}

fn read(file: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let limit = DOCUMENT_BYTES_MAX as u64 + 1;
    if file == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(limit)
            .read_to_end(&mut bytes)?;
    } else {
        fs::File::open(file)?.take(limit).read_to_end(&mut bytes)?;
    }
    if bytes.len() > DOCUMENT_BYTES_MAX {
        bail!("has over {DOCUMENT_BYTES_MAX} bytes, the limit of one document");
    }
    String::from_utf8(bytes).context("is not UTF-8 text")
}

/// Stores a group. Documents that the server cannot take now are sent again, a few times; they are stored once.
fn send(
    remote: &Remote,
    args: &IngestArgs,
    mut group: Vec<(String, Value)>,
    bar: &ProgressBar,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    for pause in remote::PAUSES.map(Some).into_iter().chain([None]) {
        if group.is_empty() {
            break;
        }
        let documents: Vec<&Value> = group.iter().map(|(_, document)| document).collect();
        let answer = remote.post("/api/v1/memories/batch", &json!({"documents": documents}))?;
        let results = answer
            .get("results")
            .and_then(Value::as_array)
            .context("the server's answer has no results")?;
        let mut again = Vec::new();
        for (at, (entry, result)) in group.into_iter().zip(results).enumerate() {
            if pause.is_some() && is_retryable(result) {
                again.push(entry);
            } else {
                record(args, (at, &entry.0), result, bar, tally);
            }
        }
        group = again;
        if let Some(pause) = pause.filter(|_| !group.is_empty()) {
            std::thread::sleep(pause);
        }
    }
    Ok(())
}

fn is_retryable(result: &Value) -> bool {
    let code = result.pointer("/error/code").cloned();
    code.and_then(|code| serde_json::from_value::<ErrorCode>(code).ok())
        .is_some_and(ErrorCode::is_retryable)
}

/// Counts and shows what became of a document.
fn record(
    args: &IngestArgs,
    (at, name): (usize, &str),
    result: &Value,
    bar: &ProgressBar,
    tally: &mut Tally,
) {
    bar.inc(1);
    if let Some(refusal) = result.get("error_message").and_then(Value::as_str) {
        let place = format!("documents[{at}].");
        let refusal = refusal.strip_prefix(&place).unwrap_or(refusal);
        tally.failed += 1;
        bar.suspend(|| complain(&format!("{name}: {refusal}")));
        return;
    }
    if result.get("duplicate") == Some(&Value::Bool(true)) {
        tally.unchanged += 1;
    } else {
        tally.stored += 1;
    }
    let ingestion = result.get("ingestion_id").and_then(Value::as_str);
    tally.last.extend(ingestion.map(str::to_owned));
    if args.json {
        bar.suspend(|| say(&result.to_string()));
    }
}

fn wait(remote: &Remote, ingestions: &[String]) -> anyhow::Result<()> {
    for ingestion in ingestions {
        let path = format!("/api/v1/memories/status/{ingestion}");
        while remote.get(&path)?.get("status").and_then(Value::as_str) == Some("queued") {
            std::thread::sleep(WATCH);
        }
    }
    Ok(())
}
