//! Whether bytes of what was erased are left in the data folder.
//!
//! What the files hold in the clear is found: the log's messages, and rows and write-ahead logs that are not compressed.
//! In a compressed block it need not be. So this proves nothing by itself: that the rows are gone is the work of the fold
//! and of the compaction; this finds what both forgot.

use aho_corasick::AhoCorasick;
use anyhow::Context as _;
use serde_json::Value;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Bytes of one trace, at least and at most.
const TRACE_BYTES: (usize, usize) = (16, 64);
/// Traces of one deletion.
const TRACES_MAX: usize = 5_000;

/// Pieces of texts that were erased, as they would stand in a file.
#[derive(Debug, Default)]
pub(super) struct Traces(Vec<String>);

/// What a search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Searched {
    pub(super) bytes: u64,
    pub(super) found: u64,
}

impl Traces {
    /// Adds what an event's data holds: the longest run of each text that is written the same in JSON and in rows.
    pub(super) fn add(&mut self, event: &Value) {
        let content = |name: &str| event.pointer(&format!("/data/{name}"));
        for name in ["content", "transcript", "metadata"] {
            if let Some(value) = content(name) {
                self.add_texts(value);
            }
        }
    }

    fn add_texts(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.add_text(text),
            Value::Array(values) => values.iter().for_each(|value| self.add_texts(value)),
            Value::Object(fields) => fields.values().for_each(|value| self.add_texts(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn add_text(&mut self, text: &str) {
        let (least, most) = TRACE_BYTES;
        let runs = text.split(|c: char| c == '"' || c == '\\' || c.is_control());
        let Some(longest) = runs.max_by_key(|run| run.len()) else {
            return;
        };
        let mut trace = String::new();
        for c in longest.chars() {
            if trace.len() + c.len_utf8() > most {
                break;
            }
            trace.push(c);
        }
        if trace.len() >= least && self.0.len() < TRACES_MAX {
            self.0.push(trace);
        }
    }
}

/// Searches every file below `folder`. A file that goes away meanwhile has nothing.
pub(super) fn search(folder: &Path, traces: &Traces) -> anyhow::Result<Searched> {
    let mut done = Searched::default();
    if traces.0.is_empty() {
        return Ok(done);
    }
    let traces = AhoCorasick::new(&traces.0).context("too many traces to search for")?;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let Ok(file) = File::open(&path) else {
                continue;
            };
            done.bytes += file.metadata().map_or(0, |file| file.len());
            for found in traces.stream_find_iter(BufReader::new(file)) {
                found.with_context(|| format!("{} cannot be read", path.display()))?;
                done.found += 1;
            }
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_left_is_found_and_the_rest_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let text =
            "The canary of the \"Golden Lion\" sings at noon, and nobody else does.\nIt is grey.";
        let mut traces = Traces::default();
        traces.add(&json!({"data": {"content": text, "scope": {"client": "an application of some length"}}}));
        traces.add(&json!({"data": {"transcript": [{"content": "ok"}]}}));
        assert_eq!(traces.0, [" sings at noon, and nobody else does."]);
        let none = search(folder.path(), &traces).unwrap();
        assert_eq!(none, Searched::default());
        std::fs::create_dir(folder.path().join("deep")).unwrap();
        std::fs::write(folder.path().join("other"), "sings at noon").unwrap();
        assert_eq!(search(folder.path(), &traces).unwrap().found, 0);
        let left = [vec![0; 70_000], text.into(), vec![0xff; 9]].concat();
        std::fs::write(folder.path().join("deep/left"), left).unwrap();
        let found = search(folder.path(), &traces).unwrap();
        assert_eq!(found.found, 1);
        assert!(found.bytes > 70_000);
    }
}
