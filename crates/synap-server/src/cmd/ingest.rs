//! `synap ingest`

use crate::cli::IngestArgs;
use crate::cmd::batches::{self, Batches, Outcome};
use crate::cmd::{complain, exit, say};
use crate::remote::Remote;
use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use synap_types::limits::DOCUMENT_BYTES_MAX;

/// Documents of one request.
const REQUEST_DOCUMENTS: usize = 100;

/// What became of the documents.
#[derive(Debug, Default)]
struct Tally {
    stored: usize,
    unchanged: usize,
    failed: usize,
    pending: Vec<String>,
}

/// Stores every file; fails if one was refused.
pub(crate) fn run(args: &IngestArgs) -> anyhow::Result<ExitCode> {
    let remote = Remote::new(&args.server);
    let files = files(&args.paths)?;
    let bar = ProgressBar::new(files.len() as u64).with_style(ProgressStyle::with_template(
        "ingest [{bar:40}] {human_pos}/{human_len} documents  {per_sec}  {eta} left",
    )?);
    let mut tally = Tally::default();
    let mut unread = 0;
    let mut batches = Batches::new(&remote, REQUEST_DOCUMENTS, |name: &String, outcome| {
        bar.inc(1);
        record(args, name, outcome, &bar, &mut tally);
    });
    for file in files {
        let name = file.to_string_lossy().into_owned();
        match read(&file) {
            Ok(text) => batches.push(name, document(args, &file, &text))?,
            Err(e) => {
                unread += 1;
                bar.suspend(|| complain(&format!("{name}: {e:#}")));
                bar.inc(1);
            }
        }
    }
    batches.send()?;
    bar.finish_and_clear();
    tally.failed += unread;
    if args.wait {
        batches::wait(&remote, &tally.pending)?;
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
    Ok(exit(tally.failed))
}

/// Counts and shows what became of a document.
fn record(args: &IngestArgs, name: &str, outcome: Outcome, bar: &ProgressBar, tally: &mut Tally) {
    let receipt = match outcome {
        Outcome::Refused(refusal) => {
            tally.failed += 1;
            bar.suspend(|| complain(&format!("{name}: {refusal}")));
            return;
        }
        Outcome::Stored(receipt) => {
            tally.stored += 1;
            receipt
        }
        Outcome::Unchanged(receipt) => {
            tally.unchanged += 1;
            receipt
        }
    };
    tally.pending.extend(batches::pending(&receipt));
    if args.json {
        bar.suspend(|| say(&receipt.to_string()));
    }
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
