//! Reads exported memories from a file: JSON Lines, or one JSON value. It knows where each one stands, and goes on after
//! what cannot be read. It does not look into the memories.

use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead, Read as _};
use synap_types::json::kind;

/// A line, or a file that is one JSON value over many lines.
pub(crate) const VALUE_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Lists that hold memories, by the field that a page of them has.
const LISTS: [&str; 2] = ["results", "memories"];

/// Where a memory stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The line, from 1.
    line: usize,
    /// The place in a list that stands in that line, from 0.
    index: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.line)?;
        self.index.map_or(Ok(()), |index| write!(f, "[{index}]"))
    }
}

/// One memory as it was exported, or why there is none at that place.
pub(crate) type Found = Result<Map<String, Value>, String>;

/// The memories of a file, in its order.
#[derive(Debug)]
pub(crate) struct Exported<R> {
    input: R,
    line: usize,
    bytes: u64,
    started: bool,
    ended: bool,
    found: VecDeque<(Place, Found)>,
    relations: usize,
    has_next_page: bool,
}

impl<R: BufRead> Exported<R> {
    /// The memories of `input`.
    pub(crate) const fn new(input: R) -> Self {
        Self {
            input,
            line: 0,
            bytes: 0,
            started: false,
            ended: false,
            found: VecDeque::new(),
            relations: 0,
            has_next_page: false,
        }
    }

    /// How many bytes were read so far.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Relations of a graph that stood beside the memories so far.
    pub(crate) const fn relations(&self) -> usize {
        self.relations
    }

    /// Whether the last page so far names a next one.
    pub(crate) const fn has_next_page(&self) -> bool {
        self.has_next_page
    }

    /// The next memory; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<(Place, Found)>> {
        while self.found.is_empty() && !self.ended {
            self.read_line()?;
        }
        Ok(self.found.pop_front())
    }

    /// Reads a line, and all of the file if its first line only opens a value.
    fn read_line(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        let limit = VALUE_BYTES_MAX as u64 + 1;
        let read = (&mut self.input)
            .take(limit)
            .read_until(b'\n', &mut bytes)?;
        self.bytes += read as u64;
        self.line += 1;
        self.ended = read == 0;
        if self.is_too_large(&bytes) {
            return Ok(());
        }
        let text = bytes.trim_ascii();
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        if text.is_empty() {
            return Ok(());
        }
        let is_first = !std::mem::replace(&mut self.started, true);
        match serde_json::from_slice(text) {
            Ok(value) => self.take(value),
            Err(e) if is_first && e.is_eof() && !ends_in_string(text) => {
                let mut whole = [text, b"\n"].concat();
                self.read_rest(&mut whole, limit - bytes.len() as u64)?;
            }
            Err(e) => self.malformed(&e),
        }
        Ok(())
    }

    /// Reads a value to the end of the file; `whole` is its first line.
    fn read_rest(&mut self, whole: &mut Vec<u8>, limit: u64) -> io::Result<()> {
        let read = (&mut self.input).take(limit).read_to_end(whole)?;
        self.bytes += read as u64;
        self.ended = true;
        if !self.is_too_large(whole) {
            match serde_json::from_slice(whole) {
                Ok(value) => self.take(value),
                Err(e) => {
                    self.line += e.line() - 1;
                    self.malformed(&e);
                }
            }
        }
        Ok(())
    }

    fn is_too_large(&mut self, bytes: &[u8]) -> bool {
        let is = bytes.len() > VALUE_BYTES_MAX;
        if is {
            self.ended = true;
            let limit = VALUE_BYTES_MAX / (1024 * 1024);
            let problem =
                format!("has over {limit} MiB, the limit of one JSON value: use JSON Lines");
            self.push(None, Err(problem));
        }
        is
    }

    fn malformed(&mut self, error: &serde_json::Error) {
        let end = if error.is_eof() {
            ": it ends too early"
        } else {
            ""
        };
        self.push(None, Err(format!("is not JSON{end}")));
    }

    fn push(&mut self, index: Option<usize>, found: Found) {
        let line = self.line;
        self.found.push_back((Place { line, index }, found));
    }

    /// A memory, or a list of them, or a page with such a list.
    fn take(&mut self, value: Value) {
        match value {
            Value::Array(items) => self.take_all(items),
            Value::Object(mut fields) => {
                let list = LISTS
                    .iter()
                    .find(|name| fields.get(**name).is_some_and(Value::is_array));
                let Some(Value::Array(items)) = list.and_then(|name| fields.remove(*name)) else {
                    self.push(None, Ok(fields));
                    return;
                };
                let relations = fields.get("relations").and_then(Value::as_array);
                self.relations += relations.map_or(0, Vec::len);
                self.has_next_page = fields.get("next").is_some_and(|next| !next.is_null());
                self.take_all(items);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.push(None, memory(value));
            }
        }
    }

    fn take_all(&mut self, items: Vec<Value>) {
        for (at, item) in items.into_iter().enumerate() {
            self.push(Some(at), memory(item));
        }
    }
}

fn memory(value: Value) -> Found {
    if let Value::Object(fields) = value {
        return Ok(fields);
    }
    Err(format!("is {}, not a memory", kind(&value)))
}

/// Whether a string is open at the end. JSON does not let a string go on in the next line.
fn ends_in_string(text: &[u8]) -> bool {
    let (mut open, mut escaped) = (false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = open,
            b'"' => open = !open,
            _ => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Exported<&[u8]>) {
        let mut exported = Exported::new(text.as_bytes());
        let mut found = Vec::new();
        while let Some((place, memory)) = exported.next().expect("memory does not fail") {
            let told = memory.map_or_else(|e| e, |fields| Value::Object(fields).to_string());
            found.push(format!("{place} {told}"));
        }
        (found, exported)
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(read(text).0, expected, "{text:?}");
    }

    #[test]
    fn every_shape_gives_the_same_memories() {
        check(
            "{\"id\":1}\n\n {\"id\":2}\r\n",
            &["1 {\"id\":1}", "3 {\"id\":2}"],
        );
        let listed = ["1[0] {\"id\":1}", "1[1] {\"id\":2}"];
        check("[{\"id\":1},{\"id\":2}]", &listed);
        check("[\n  {\"id\":1},\n  {\"id\":2}\n]\n", &listed);
        for name in LISTS {
            check(
                &format!("{{\"{name}\":[{{\"id\":1}},{{\"id\":2}}]}}"),
                &listed,
            );
            check(
                &format!("\u{feff}{{\n\"{name}\": [\n{{\"id\":1}},{{\"id\":2}}]}}"),
                &listed,
            );
        }
        check("{\n  \"id\": 1\n}", &["1 {\"id\":1}"]);
        check("\n[\n{\"id\":1}]", &["2[0] {\"id\":1}"]);
        check("\n[\n{\"id\":}]", &["3 is not JSON"]);
        check(
            "{\"results\":[{\"id\":1}]}\n{\"results\":[{\"id\":2}]}\n",
            &["1[0] {\"id\":1}", "2[0] {\"id\":2}"],
        );
    }

    #[test]
    fn empty_files_hold_nothing() {
        for text in ["", "\n \n", "[]", "{\"results\":[]}", "\u{feff}"] {
            check(text, &[]);
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_and_the_rest_is_read() {
        check(
            "{\"id\":1}\n{\"id\":\nnull\n{\"id\":4}",
            &[
                "1 {\"id\":1}",
                "2 is not JSON: it ends too early",
                "3 is null, not a memory",
                "4 {\"id\":4}",
            ],
        );
        check(
            "{\"id\":\"cut\n{\"id\":2}",
            &["1 is not JSON: it ends too early", "2 {\"id\":2}"],
        );
        check("hello\n{\"id\":2}", &["1 is not JSON", "2 {\"id\":2}"]);
        check(
            "[1,{\"id\":2}]",
            &["1[0] is a number, not a memory", "1[1] {\"id\":2}"],
        );
        check("[\n{\"id\":1},\n{\"id\":}\n]", &["3 is not JSON"]);
        check("[\n{\"id\":1}", &["2 is not JSON: it ends too early"]);
        check("\"\\\"", &["1 is not JSON: it ends too early"]);
        check(&"[".repeat(1_000), &["1 is not JSON"]);
    }

    #[test]
    fn relations_are_counted_and_a_missing_page_is_noticed() {
        let (_, exported) = read("{\"results\":[],\"relations\":[{},{}],\"next\":\"page 2\"}");
        assert_eq!((exported.relations(), exported.has_next_page()), (2, true));
        let (_, exported) = read("{\"results\":[],\"next\":\"2\"}\n{\"results\":[],\"next\":null}");
        assert_eq!((exported.relations(), exported.has_next_page()), (0, false));
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut exported = Exported::new(io::BufReader::new(io::repeat(b' ')));
        let (place, found) = exported.next().expect("read").expect("a refusal");
        assert_eq!(place.to_string(), "1");
        assert!(
            found
                .expect_err("too large")
                .starts_with("has over 128 MiB")
        );
        assert!(exported.next().expect("read").is_none());
    }
}
