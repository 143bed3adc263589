//! `synap import events`: sends the events of an export to a server, checked line by line. What is there already stays as it
//! is, so a second run goes on where the first one ended.

use crate::archive::Header;
use crate::archive::reader::Reader;
use crate::cli::ImportEventsArgs;
use crate::cmd::import::{bar, bytes, open};
use crate::cmd::{complain, say};
use crate::remote::Remote;
use anyhow::Context as _;
use indicatif::{HumanCount, ProgressBar};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::BufReader;
use std::path::Path;
use std::process::ExitCode;
use std::slice;
use synap_types::limits::IMPORT_EVENTS_MAX;

/// Bytes of one request: well below the limit of a body, unless one event alone is larger.
const REQUEST_BYTES: usize = 4 * 1024 * 1024;

/// Lines on their way to the server.
struct Sending<'a> {
    remote: &'a Remote,
    /// The header that each request begins with.
    header: Vec<u8>,
    lines: Vec<u8>,
    events: usize,
    new: u64,
    known: u64,
}

impl Sending<'_> {
    fn push(&mut self, line: &[u8]) -> anyhow::Result<()> {
        if self.events == IMPORT_EVENTS_MAX || self.lines.len() + line.len() > REQUEST_BYTES {
            self.send()?;
        }
        self.lines.extend_from_slice(line);
        self.lines.push(b'\n');
        self.events += 1;
        Ok(())
    }

    /// Sends what waits; with nothing waiting the server says whether it would take events of this export.
    fn send(&mut self) -> anyhow::Result<()> {
        let mut body = self.header.clone();
        body.append(&mut self.lines);
        let done = self.remote.post_lines("/v1/admin/import", &body)?;
        let count = |name: &str| {
            let count = done.get(name).and_then(Value::as_u64);
            count.with_context(|| format!("the server's answer has no {name}"))
        };
        self.new += count("new")?;
        self.known += count("known")?;
        self.events = 0;
        Ok(())
    }
}

/// Appends the events of the file; fails at the first line that is not whole.
pub(crate) fn run(args: &ImportEventsArgs) -> anyhow::Result<ExitCode> {
    let path = args.file.as_deref().context("which file?")?;
    let length = bytes(slice::from_ref(&path.to_path_buf()))?;
    let remote = Remote::new(&args.server);
    let named = |e: anyhow::Error| e.context(format!("{} is not imported whole", path.display()));
    let types = types(path).map_err(named)?;
    let bar = bar(length)?;
    let input = BufReader::with_capacity(256 * 1024, bar.wrap_read(open(path)?));
    let mut reader = Reader::open(input).map_err(named)?;
    let header = types.map_or_else(
        || reader.header.clone(),
        |event_types| Header {
            event_types,
            ..reader.header.clone()
        },
    );
    let mut header = serde_json::to_vec(&header)?;
    header.push(b'\n');
    let mut sending = Sending {
        remote: &remote,
        header,
        lines: Vec::new(),
        events: 0,
        new: 0,
        known: 0,
    };
    sending.send()?;
    let read = all(&mut reader, &mut sending, &bar);
    // What was read before a line that is not whole is whole.
    let sent = sending.send();
    bar.finish_and_clear();
    let (new, known, left_out) = (sending.new, sending.known, reader.left_out());
    if args.json {
        say(&json!({"new": new, "known": known, "left_out": left_out}).to_string());
    } else {
        say(&format!(
            "{new} events appended, {known} were there already"
        ));
    }
    if left_out > 0 {
        complain(&format!(
            "synap: {left_out} events of the log were no events that synap can read, and are not in the export"
        ));
    }
    read.map_err(named)?;
    sent?;
    Ok(ExitCode::SUCCESS)
}

fn all(
    reader: &mut Reader<'_>,
    sending: &mut Sending<'_>,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    while let Some((_, line, _)) = reader.next()? {
        sending.push(&line)?;
        if sending.events == 1 {
            let done = HumanCount(sending.new + sending.known);
            bar.set_message(format!("{done} events"));
        }
    }
    Ok(())
}

/// The types of the events in a file, up to the first line that is not whole. Standard input is read once, so of that the
/// header has to do.
fn types(path: &Path) -> anyhow::Result<Option<Vec<String>>> {
    if path == Path::new("-") {
        return Ok(None);
    }
    let mut reader = Reader::open(BufReader::with_capacity(256 * 1024, open(path)?))?;
    let mut types = BTreeSet::new();
    while let Some(found) = reader.next_type() {
        types.insert(found);
    }
    Ok(Some(types.into_iter().collect()))
}
