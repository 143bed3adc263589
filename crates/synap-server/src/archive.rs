//! The file of an export: events as they stand in the log, one a line, between a header and a trailer. It knows the
//! format and what makes a line whole; it reads no file and talks to nobody.
//!
//! ```text
//! {"synap_export":1,"client":…,"scope":…,"scope_path":{…},"partitions":2,"last_seq":{"00":7,…},"event_types":[…]}
//! {"partition":"00","seq":1,"subject":"synap.v1.events.00.…","digest":"<32 hex>","event":{…}}
//! {"partition":"00","seq":4,"left_out":"malformed at envelope"}
//! {"end":{"events":1,"left_out":1,"blake3":"<64 hex, of all lines before this one>"}}
//! ```
//!
//! `event` is the envelope byte for byte, and `digest` is of these bytes. Seqs rise within a partition; partitions follow
//! each other, shared last.

pub(crate) mod backup;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod manifest;
pub(crate) mod reader;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use synap_log::payload_digest;
use synap_types::limits::EVENT_BYTES_MAX;
use synap_types::{ClientId, Event, EventSubject, Partition, Seq, event_types};

/// Version of the format.
pub(crate) const FORMAT: u32 = 1;
/// The longest line: the largest event, its subject and its place.
pub(crate) const LINE_BYTES_MAX: usize = EVENT_BYTES_MAX + 64 * 1024;

/// The first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    /// Version of the format.
    pub(crate) synap_export: u32,
    /// Whose events these are.
    pub(crate) client: ClientId,
    /// Kind of the scope that was asked for.
    pub(crate) scope: String,
    /// Its ids.
    pub(crate) scope_path: Map<String, Value>,
    /// Partitions of the log that they come from, shared apart.
    pub(crate) partitions: u8,
    /// The last event of each partition when the export began.
    pub(crate) last_seq: BTreeMap<String, u64>,
    /// Every type that the exporting build writes or reads, with its version.
    pub(crate) event_types: Vec<String>,
}

/// Any line but the first.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    event: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<End>,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    /// Events in the file.
    pub(crate) events: u64,
    /// Events of the log that are not in the file.
    pub(crate) left_out: u64,
    /// BLAKE3 of every line before this one, with its line feed.
    pub(crate) blake3: String,
}

/// What a line says, once it is known to be whole.
#[derive(Debug)]
pub(crate) enum Said {
    /// An event.
    Event(Box<Checked>),
    /// An event of the log that is not in the file.
    LeftOut { partition: Partition, seq: Seq },
    /// The file ends here.
    End(End),
}

/// An event of a file, with the digest that it had in the log.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) partition: Partition,
    pub(crate) seq: Seq,
    pub(crate) event: Event,
    /// The stored bytes.
    pub(crate) payload: Bytes,
}

impl Header {
    /// Reads the first line. Says what is wrong with it.
    pub(crate) fn read(line: &[u8]) -> Result<Self, String> {
        let format = serde_json::from_slice::<Value>(line).ok();
        let format = format.as_ref().and_then(|line| line.get("synap_export"));
        match format.and_then(Value::as_u64) {
            None => Err("this is not the first line of a synap export".to_owned()),
            Some(format) if format == u64::from(FORMAT) => {
                serde_json::from_slice(line).map_err(|e| format!("the header is malformed: {e}"))
            }
            Some(other) => Err(format!(
                "the export has format {other}, this version of synap reads format {FORMAT}"
            )),
        }
    }

    /// The first type that this build does not know.
    pub(crate) fn unknown_type(&self) -> Option<&str> {
        let known = event_types();
        let mut named = self.event_types.iter();
        named
            .find(|named| !known.contains(named))
            .map(String::as_str)
    }
}

/// Reads a line of events of `client`, without its line feed, and checks it. Says what is wrong with it, never what is in it.
pub(crate) fn read(line: &Bytes, client: &ClientId) -> Result<Said, String> {
    let found: Line<'_> = serde_json::from_slice(line)
        .map_err(|e| format!("is malformed at column {}", e.column()))?;
    match found {
        Line {
            partition: None,
            seq: None,
            subject: None,
            digest: None,
            event: None,
            left_out: None,
            end: Some(end),
        } => Ok(Said::End(end)),
        Line {
            partition: Some(partition),
            seq: Some(seq),
            subject: None,
            digest: None,
            event: None,
            left_out: Some(_),
            end: None,
        } => Ok(Said::LeftOut {
            partition: partition.parse()?,
            seq: Seq::new(seq),
        }),
        Line {
            partition: Some(partition),
            seq: Some(seq),
            subject: Some(subject),
            digest: Some(digest),
            event: Some(event),
            left_out: None,
            end: None,
        } => {
            let payload = event.get().as_bytes();
            if payload_digest(payload).to_string() != digest {
                return Err("the event does not match its digest: it was changed".to_owned());
            }
            let event = Event::from_json(payload).map_err(|e| format!("the event: {e}"))?;
            let partition: Partition = partition.parse()?;
            owner(client, partition, &event, &subject)?;
            Ok(Said::Event(Box::new(Checked {
                partition,
                seq: Seq::new(seq),
                event,
                payload: line.slice_ref(payload),
            })))
        }
        Line { .. } => Err("is neither an event nor the end of an export".to_owned()),
    }
}

/// Refuses an event of another client, and one that was stored under the subject of another scope: the log it comes from
/// set it aside, and so it must not become anybody's memory here.
fn owner(
    client: &ClientId,
    partition: Partition,
    event: &Event,
    subject: &str,
) -> Result<(), String> {
    let of = event.scope().client();
    if of != client {
        return Err(format!(
            "the event is of client {of}, the export of client {client}"
        ));
    }
    if EventSubject::of(partition, event).to_string() == subject {
        Ok(())
    } else {
        Err("the event's subject names another scope".to_owned())
    }
}

#[cfg(test)]
mod tests;
