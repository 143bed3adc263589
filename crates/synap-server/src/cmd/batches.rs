//! Documents on their way to a server, many in a request. What is refused for now is sent again; nothing is stored twice.

use crate::remote::{self, Refused, Remote};
use anyhow::Context as _;
use serde_json::{Value, json};
use std::time::Duration;
use synap_types::ErrorCode;

/// Bytes of one request, as JSON: well below the limit of a body.
const REQUEST_BYTES: usize = 4 * 1024 * 1024;
/// How often [`wait`] asks.
const WATCH: Duration = Duration::from_millis(50);

/// What became of a document.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was stored; this is the receipt.
    Stored(Value),
    /// It had been stored before; this is the receipt.
    Unchanged(Value),
    /// It was refused, for this reason.
    Refused(String),
}

/// Collects documents into requests. `told` hears of each document once, under the name that it was pushed with.
pub(crate) struct Batches<'a, N, F> {
    remote: &'a Remote,
    documents_max: usize,
    waiting: Vec<(N, Value)>,
    waiting_bytes: usize,
    told: F,
}

impl<'a, N, F: FnMut(&N, Outcome)> Batches<'a, N, F> {
    /// Requests of up to `documents_max` documents.
    pub(crate) const fn new(remote: &'a Remote, documents_max: usize, told: F) -> Self {
        Self {
            remote,
            documents_max,
            waiting: Vec::new(),
            waiting_bytes: 0,
            told,
        }
    }

    /// Takes a document, and sends a request if that fills one.
    pub(crate) fn push(&mut self, name: N, document: Value) -> anyhow::Result<()> {
        let bytes = document.to_string().len();
        if self.waiting.len() == self.documents_max || self.waiting_bytes + bytes > REQUEST_BYTES {
            self.send()?;
        }
        self.waiting_bytes += bytes;
        self.waiting.push((name, document));
        Ok(())
    }

    /// Sends what waits.
    pub(crate) fn send(&mut self) -> anyhow::Result<()> {
        self.waiting_bytes = 0;
        let mut groups = vec![std::mem::take(&mut self.waiting)];
        while let Some(mut group) = groups.pop() {
            match self.try_send(&mut group) {
                // One document may be too deep or too large for any request: the others must not fail with it.
                Err(refusal) if is_about_the_body(&refusal) => match group.as_slice() {
                    [] => {}
                    [(name, _)] => (self.told)(name, Outcome::Refused(refusal.to_string())),
                    _ => {
                        let second = group.split_off(group.len() / 2);
                        groups.extend([second, group]);
                    }
                },
                other => other?,
            }
        }
        Ok(())
    }

    /// Sends a group. What the server cannot take now is sent again, a few times. On an error the group holds what is
    /// undecided.
    fn try_send(&mut self, group: &mut Vec<(N, Value)>) -> anyhow::Result<()> {
        for pause in remote::PAUSES.map(Some).into_iter().chain([None]) {
            if group.is_empty() {
                break;
            }
            let documents: Vec<&Value> = group.iter().map(|(_, document)| document).collect();
            let answer = self
                .remote
                .post("/api/v1/memories/batch", &json!({"documents": documents}))?;
            let results = answer
                .get("results")
                .and_then(Value::as_array)
                .context("the server's answer has no results")?;
            let mut again = Vec::new();
            for (at, (entry, result)) in group.drain(..).zip(results).enumerate() {
                if pause.is_some() && is_retryable(result) {
                    again.push(entry);
                } else {
                    (self.told)(&entry.0, outcome(at, result));
                }
            }
            *group = again;
            if let Some(pause) = pause.filter(|_| !group.is_empty()) {
                std::thread::sleep(pause);
            }
        }
        Ok(())
    }
}

fn is_about_the_body(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<Refused>()
        .is_some_and(|refused| matches!(refused.status, 400 | 413))
}

fn is_retryable(result: &Value) -> bool {
    let code = result.pointer("/error/code").cloned();
    code.and_then(|code| serde_json::from_value::<ErrorCode>(code).ok())
        .is_some_and(ErrorCode::is_retryable)
}

/// What the server says of the document at `at` of a request.
fn outcome(at: usize, result: &Value) -> Outcome {
    if let Some(refusal) = result.get("error_message").and_then(Value::as_str) {
        let place = format!("documents[{at}].");
        let refusal = refusal.strip_prefix(&place).unwrap_or(refusal);
        return Outcome::Refused(refusal.to_owned());
    }
    if result.get("duplicate") == Some(&Value::Bool(true)) {
        Outcome::Unchanged(result.clone())
    } else {
        Outcome::Stored(result.clone())
    }
}

/// The id of the ingestion that a receipt is for, unless it can be fetched already.
pub(crate) fn pending(receipt: &Value) -> Option<String> {
    let queued = receipt.get("status").and_then(Value::as_str) == Some("queued");
    let id = receipt.get("ingestion_id").and_then(Value::as_str);
    id.filter(|_| queued).map(str::to_owned)
}

/// Waits until the ingestions can be fetched, or have failed.
pub(crate) fn wait(remote: &Remote, ingestions: &[String]) -> anyhow::Result<()> {
    for ingestion in ingestions {
        let path = format!("/api/v1/memories/status/{ingestion}");
        while remote.get(&path)?.get("status").and_then(Value::as_str) == Some("queued") {
            std::thread::sleep(WATCH);
        }
    }
    Ok(())
}
