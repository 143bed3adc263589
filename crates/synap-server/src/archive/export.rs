//! Reads events of a scope out of the log, partition after partition, as the lines of an export. The log stays readable
//! and writable meanwhile: the export ends where the log ended when it began.

use super::{End, FORMAT, Header, Line};
use anyhow::Context as _;
use bytes::Bytes;
use futures::{FutureExt as _, Stream, StreamExt as _, stream};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use synap_log::{EventLog, Recorded, RecordedStream, payload_digest};
use synap_types::{
    Event, EventParseError, EventSubject, Partition, PartitionCount, Scope, Seq, event_types,
};
use tokio::time::timeout;
use tracing::{error, info};

/// Bytes that are collected before they are sent on, while more events are there.
const CHUNK_BYTES: usize = 256 * 1024;
/// How long an event may not come before the log is asked whether it is still to come.
const SILENCE: Duration = Duration::from_secs(5);
/// Parts of a subject up to the client's.
const CLIENT_PARTS: usize = 5;

/// An export under way.
struct Export<L> {
    log: Arc<L>,
    scope: Scope,
    /// What is still to be read: partitions, each up to a place.
    ahead: VecDeque<(Partition, Seq)>,
    open: Option<Open>,
    lines: Lines,
    end: End,
    is_over: bool,
}

/// The partition that is being read.
struct Open {
    partition: Partition,
    /// The last event that is wanted.
    until: Seq,
    /// The last event that was read.
    at: Seq,
    events: RecordedStream,
}

/// Lines that were not sent yet, and the hash of all there were.
#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
    hasher: blake3::Hasher,
}

impl Lines {
    fn push(&mut self, line: &impl serde::Serialize) -> serde_json::Result<()> {
        let start = self.bytes.len();
        serde_json::to_writer(&mut self.bytes, line)?;
        self.bytes.push(b'\n');
        self.hasher
            .update(self.bytes.get(start..).unwrap_or_default());
        Ok(())
    }
}

/// The lines of all events of `scope` and of what lies below it.
pub(crate) async fn export<L: EventLog>(
    log: Arc<L>,
    count: PartitionCount,
    scope: Scope,
) -> anyhow::Result<impl Stream<Item = anyhow::Result<Bytes>> + Send> {
    let mut last_seq = BTreeMap::new();
    let mut ahead = VecDeque::new();
    for partition in partitions_below(count, &scope) {
        let last = log.state(partition).await?.last;
        let newest = log.newest(partition).await?;
        last_seq.insert(partition.token(), last.get());
        ahead.push_back((partition, newest));
    }
    let header = Header {
        synap_export: FORMAT,
        client: scope.client().clone(),
        scope: scope.kind().to_owned(),
        scope_path: scope.path_json(),
        partitions: count.get(),
        last_seq,
        event_types: event_types(),
    };
    let mut lines = Lines::default();
    lines.push(&header)?;
    info!(scope_kind = scope.kind(), "an export begins");
    let export = Export {
        log,
        scope,
        ahead,
        open: None,
        lines,
        end: End {
            events: 0,
            left_out: 0,
            blake3: String::new(),
        },
        is_over: false,
    };
    Ok(stream::unfold(Some(export), |export| async {
        let mut export = export?;
        match export.chunk().await {
            Ok(None) => None,
            Ok(Some(chunk)) => Some((Ok(chunk), Some(export))),
            Err(cause) => {
                error!(cause = format!("{cause:#}"), "an export is cut short");
                Some((Err(cause), None))
            }
        }
    }))
}

/// Where events of `scope`, or of what lies below it, are.
fn partitions_below(count: PartitionCount, scope: &Scope) -> Vec<Partition> {
    if scope.path().is_empty() {
        count.all().collect()
    } else {
        vec![count.partition_of(scope)]
    }
}

impl<L: EventLog> Export<L> {
    /// The next lines; `None` after the last.
    async fn chunk(&mut self) -> anyhow::Result<Option<Bytes>> {
        while self.lines.bytes.len() < CHUNK_BYTES && !self.is_over {
            let Some(open) = &mut self.open else {
                self.open_next()?;
                continue;
            };
            let event = match open.events.next().now_or_never() {
                Some(event) => event,
                // Nothing is there yet: what was collected goes out first.
                None if !self.lines.bytes.is_empty() => break,
                None => {
                    let Ok(event) = timeout(SILENCE, open.events.next()).await else {
                        // What it waits for may have been deleted since.
                        open.until = open.until.min(self.log.newest(open.partition).await?);
                        if open.at >= open.until {
                            self.open = None;
                        }
                        continue;
                    };
                    event
                }
            };
            let event = event.context("the log's reader has ended")??;
            let (partition, until) = (open.partition, open.until);
            open.at = event.seq;
            if event.seq >= until {
                self.open = None;
            }
            if event.seq <= until {
                self.add(partition, &event)?;
            }
        }
        let bytes = std::mem::take(&mut self.lines.bytes);
        Ok((!bytes.is_empty()).then(|| Bytes::from(bytes)))
    }

    /// Goes on to the next partition that holds anything, or writes the last line.
    fn open_next(&mut self) -> anyhow::Result<()> {
        while let Some((partition, until)) = self.ahead.pop_front() {
            if until > Seq::ZERO {
                self.open = Some(Open {
                    partition,
                    until,
                    at: Seq::ZERO,
                    events: self.log.read(partition, Seq::ZERO.next()),
                });
                return Ok(());
            }
        }
        self.is_over = true;
        let end = End {
            blake3: self.lines.hasher.finalize().to_string(),
            ..self.end.clone()
        };
        info!(
            events = end.events,
            left_out = end.left_out,
            "an export ends"
        );
        let line = Line {
            end: Some(end),
            ..Line::default()
        };
        Ok(self.lines.push(&line)?)
    }

    /// Writes the line of an event, if it belongs to the scope.
    fn add(&mut self, partition: Partition, event: &Recorded) -> anyhow::Result<()> {
        // The token of a user stands for a whole path where levels lie between.
        if !self.is_addressed(partition, &event.subject, 1) {
            return Ok(());
        }
        let place = Line {
            partition: Some(partition.token()),
            seq: Some(event.seq.get()),
            ..Line::default()
        };
        let read = readable(partition, event);
        let is_ours = match &read {
            Ok((Some(scope), _)) => scope.sees(&self.scope),
            Ok((None, _)) | Err(_) => self.is_addressed(partition, &event.subject, 2),
        };
        match read {
            Ok(_) | Err(_) if !is_ours => {}
            Ok((_, raw)) => {
                self.end.events += 1;
                self.lines.push(&Line {
                    subject: Some(event.subject.clone()),
                    digest: Some(payload_digest(&event.payload).to_string()),
                    event: Some(raw),
                    ..place
                })?;
            }
            Err(reason) => {
                self.end.left_out += 1;
                self.lines.push(&Line {
                    left_out: Some(reason),
                    ..place
                })?;
            }
        }
        Ok(())
    }

    /// Whether the subject is of the scope or of one below it, as far as its first `levels` levels tell.
    fn is_addressed(&self, partition: Partition, subject: &str, levels: usize) -> bool {
        let whole = EventSubject::new(partition, &self.scope, "-").to_string();
        let levels = self.scope.path().len().min(levels);
        let mut parts = subject.split('.');
        let mut told = whole.split('.').take(CLIENT_PARTS + levels);
        told.all(|part| parts.next() == Some(part))
    }
}

/// The scope and the JSON of an event that another installation can take; else why not.
fn readable(partition: Partition, event: &Recorded) -> Result<(Option<Scope>, &RawValue), String> {
    let payload: &[u8] = &event.payload;
    let one_line =
        |raw: &&RawValue| raw.get().len() == payload.len() && !raw.get().contains(['\n', '\r']);
    let raw = serde_json::from_slice::<&RawValue>(payload)
        .ok()
        .filter(one_line);
    let raw = raw.ok_or("it is not one line of JSON")?;
    match Event::from_json(payload) {
        Ok(found) => {
            if EventSubject::of(partition, &found).to_string() == event.subject {
                Ok((Some(found.scope().clone()), raw))
            } else {
                Err("its subject names another scope".to_owned())
            }
        }
        // A newer synap wrote it, and reads it again. Its subject says whose it is.
        Err(EventParseError::UnknownType(_)) => Ok((None, raw)),
        Err(e) => Err(e.to_string()),
    }
}

#[cfg(test)]
mod tests;
