//! One turn of a projector: events in, one atomic write set with the next checkpoint out.

use crate::{ApplyError, Halt, PROJECTION_VERSION, State, apply};
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use synap_log::{Incarnation, Recorded};
use synap_readmodel::{
    CheckpointRow, IngestionRow, ParkedRow, ParkedSubjectRow, Snapshot, SnapshotExt as _,
    StoreError, WriteSet, key,
};
use synap_types::{
    DocumentType, Event, EventBody, EventParseError, EventSubject, Hash128, Partition, Scope, Seq,
};

/// What a turn decided.
#[derive(Debug)]
pub struct Turn {
    /// Rows, parked events and the checkpoint: commit all of it, or nothing.
    pub writes: WriteSet,
    /// Last event applied or parked.
    pub applied: Seq,
    /// How many events were parked.
    pub parked: u64,
    /// Why the turn ended early, if it did; what came before is in `writes`.
    pub halt: Option<Halt>,
}

/// Applies `events`, in order, to the rows of `snapshot`.
///
/// Events up to the last one applied are redeliveries and are skipped. Pure: the same rows and events give the same
/// writes.
pub fn turn<S: Snapshot>(
    partition: Partition,
    incarnation: Incarnation,
    snapshot: &S,
    events: &[Recorded],
) -> Result<Turn, StoreError> {
    let checkpoint = snapshot.row(&key::checkpoint())?;
    let start = checkpoint
        .as_ref()
        .map_or(Seq::ZERO, |row| Seq::new(row.seq));
    if let Some(halt) = checkpoint.and_then(|row| other_log(&row, incarnation, events)) {
        return Ok(Turn {
            writes: WriteSet::default(),
            applied: start,
            parked: 0,
            halt: Some(halt),
        });
    }
    let mut state = State::new(snapshot);
    let (mut applied, mut parked, mut halt) = (start, 0, None);
    let mut last = None;
    for event in events {
        if event.seq <= applied {
            continue;
        }
        if event.seq != applied.next() {
            halt = Some(Halt::Gap {
                expected: applied.next(),
                found: event.seq,
            });
            break;
        }
        match one(partition, event, &mut state)? {
            Outcome::Applied => {}
            Outcome::Parked => parked += 1,
            Outcome::Halted(why) => {
                halt = Some(why);
                break;
            }
        }
        state.accept();
        applied = event.seq;
        last = Some(event);
    }
    if let Some(last) = last {
        let row = CheckpointRow {
            incarnation: incarnation.0,
            seq: applied.get(),
            event: *digest(last).bytes(),
            projection: PROJECTION_VERSION,
        };
        state.put(key::checkpoint(), &row);
        state.accept();
    }
    Ok(Turn {
        writes: state.into_writes(),
        applied,
        parked,
        halt,
    })
}

/// Why `events` are not of the log that the checkpoint came from, if they show it: readers begin with the last event
/// that was applied, for this comparison.
fn other_log(
    checkpoint: &CheckpointRow,
    incarnation: Incarnation,
    events: &[Recorded],
) -> Option<Halt> {
    if checkpoint.incarnation != incarnation.0 {
        return Some(Halt::OtherLog);
    }
    let seq = Seq::new(checkpoint.seq);
    let again = events.iter().find(|event| event.seq == seq)?;
    (digest(again).bytes() != &checkpoint.event).then_some(Halt::Rewritten { seq })
}

fn digest(event: &Recorded) -> Hash128 {
    Hash128::of("synap.checkpoint.v1", [&*event.payload])
}

enum Outcome {
    Applied,
    Parked,
    Halted(Halt),
}

/// Applies or parks one event.
fn one<S: Snapshot>(
    partition: Partition,
    recorded: &Recorded,
    state: &mut State<'_, S>,
) -> Result<Outcome, StoreError> {
    let event = match Event::from_json(&recorded.payload) {
        Ok(event) => event,
        Err(EventParseError::UnknownType(event_type)) => {
            return Ok(Outcome::Halted(Halt::UnknownType {
                seq: recorded.seq,
                event_type,
            }));
        }
        Err(e) => {
            let about =
                remains(&recorded.payload).filter(|event| is_of(recorded, event, partition));
            let seen = match &about {
                Some(event) => is_seen(event, state)?,
                None => false,
            };
            let about = about.as_ref().filter(|_| !seen);
            return park(recorded, about, e.to_string(), None, state);
        }
    };
    if !is_of(recorded, &event, partition) {
        // What the payload says counts for nothing then: a writer of one scope must not hold up the documents of another.
        let reason = "its subject names another scope".to_owned();
        return park(recorded, None, reason, None, state);
    }
    let waits = state.row(&key::parked_subject(&event.scope().hash(), &event.about()))?;
    if let Some(first) = waits {
        if is_seen(&event, state)? {
            return Ok(Outcome::Applied);
        }
        let reason = format!("waits behind event {}", first.seq);
        return park(recorded, Some(&event), reason, Some(first.seq), state);
    }
    // A defect in pure code must not stop the partition: what it would have written is discarded, the event is parked.
    let applied = catch_unwind(AssertUnwindSafe(|| apply(&event, recorded.seq, state)));
    match applied {
        Ok(Ok(())) => Ok(Outcome::Applied),
        Ok(Err(ApplyError::Store(e))) => Err(e),
        Ok(Err(e)) => park(recorded, Some(&event), e.to_string(), None, state),
        Err(_) => park(
            recorded,
            Some(&event),
            "applying it panicked".to_owned(),
            None,
            state,
        ),
    }
}

/// Whether `event` was stored under the subject of its own scope.
fn is_of(recorded: &Recorded, event: &Event, partition: Partition) -> bool {
    EventSubject::of(partition, event).to_string() == recorded.subject
}

/// Whether `event` was applied at an earlier place of the log.
fn is_seen<S: Snapshot>(event: &Event, state: &State<'_, S>) -> Result<bool, StoreError> {
    let seen = state.row(&key::seen(&event.scope().hash(), event.id))?;
    Ok(seen.is_some())
}

/// What is left of a malformed ingest: whose it is and which document it is about, without content, if these are whole.
/// So its status can be told, and later versions of the document wait behind it.
fn remains(payload: &[u8]) -> Option<Event> {
    let mut envelope: Value = serde_json::from_slice(payload).ok()?;
    let data = envelope.get_mut("data")?;
    *data = json!({
        "ingestion_id": data.get("ingestion_id")?,
        "scope": data.get("scope")?,
        "document_id": data.get("document_id")?,
        "document_type": DocumentType::DOCUMENT,
        "content": {"format": "text", "value": ""},
        "author": {"instance_id": "unknown", "key_id": "unknown"},
    });
    Event::from_json(envelope.to_string().as_bytes()).ok()
}

/// Sets an event aside, in the same batch as everything else: counted, listed, and in front of its followers.
fn park<S: Snapshot>(
    recorded: &Recorded,
    event: Option<&Event>,
    reason: String,
    behind: Option<u64>,
    state: &mut State<'_, S>,
) -> Result<Outcome, StoreError> {
    state.discard();
    if let Some(event) = event {
        let scope = event.scope().hash();
        let subject = || key::parked_subject(&scope, &event.about());
        if state.row(&subject())?.is_none() {
            state.put(
                subject(),
                &ParkedSubjectRow {
                    seq: recorded.seq.get(),
                },
            );
        }
        if let EventBody::MemoryIngested(data) = &event.body {
            let row = IngestionRow {
                ingestion_id: data.ingestion_id,
                scope: data.scope.clone(),
                document_id: data.document_id.clone(),
                accepted_at: event.time.micros(),
                seq: recorded.seq.get(),
                memory_ids: Vec::new(),
                parked: Some(reason.clone()),
            };
            let client = Scope::of_client(data.scope.client().clone()).hash();
            state.put(key::ingestion(&client, data.ingestion_id), &row);
        }
    }
    let row = ParkedRow {
        reason,
        behind,
        subject: recorded.subject.clone(),
    };
    state.put(key::parked(recorded.seq), &row);
    Ok(Outcome::Parked)
}
