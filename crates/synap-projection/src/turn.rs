//! One turn of a projector: events in, one atomic write set with the next checkpoint out.

use crate::apply::apply_extracted;
use crate::extract::{Extracted, extractor_of};
use crate::{ApplyError, Halt, PROJECTION_VERSION, State};
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};
use synap_log::{Gaps, Incarnation, Recorded};
use synap_readmodel::{
    CheckpointRow, IngestionRow, ParkedRow, ParkedSubjectRow, Snapshot, StoreError, WriteSet, key,
    last_erasure,
};
use synap_text::Extractor;
use synap_types::{
    DocumentId, Event, EventBody, EventId, EventParseError, EventSubject, Hash128, IngestionId,
    Partition, Scope, Seq, Timestamp,
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
    turn_over(partition, incarnation, snapshot, events, &Gaps::default())
}

/// [`turn`] over a log that has gaps.
pub fn turn_over<S: Snapshot>(
    partition: Partition,
    incarnation: Incarnation,
    snapshot: &S,
    events: &[Recorded],
    gaps: &Gaps,
) -> Result<Turn, StoreError> {
    let extractor = extractor_of(snapshot)?;
    let extracted = |event: &Recorded| Extracted::of(event.clone(), extractor);
    let events = events.iter().map(extracted).collect();
    turn_of(partition, incarnation, State::new(snapshot), events, gaps)
}

/// [`turn_over`], of events that were read already, on top of `state`.
pub(crate) fn turn_of<S: Snapshot>(
    partition: Partition,
    incarnation: Incarnation,
    mut state: State<'_, S>,
    events: Vec<Extracted>,
    gaps: &Gaps,
) -> Result<Turn, StoreError> {
    let checkpoint = state.row(&key::checkpoint())?;
    let start = checkpoint
        .as_ref()
        .map_or(Seq::ZERO, |row| Seq::new(row.seq));
    if let Some(halt) = checkpoint.and_then(|row| other_log(&row, incarnation, &events)) {
        return Ok(Turn {
            writes: WriteSet::default(),
            applied: start,
            parked: 0,
            halt: Some(halt),
        });
    }
    let (mut applied, mut parked, mut halt) = (start, 0, None);
    let mut last = None;
    for event in events {
        let (seq, payload) = (event.recorded.seq, event.recorded.payload.clone());
        if seq <= applied {
            continue;
        }
        if !gaps.explain(applied.next(), seq) {
            halt = Some(Halt::Gap {
                expected: applied.next(),
                found: seq,
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
        applied = seq;
        last = Some(payload);
    }
    if let Some(last) = &last {
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

/// Applies events of some scopes alone, in order, to rows that hold nothing of those scopes but what such calls wrote.
pub(crate) fn scattered<S: Snapshot>(
    partition: Partition,
    extractor: Extractor,
    snapshot: &S,
    events: &[Recorded],
) -> Result<Result<WriteSet, Halt>, StoreError> {
    let mut state = State::new(snapshot);
    for event in events {
        let event = Extracted::of(event.clone(), extractor);
        if let Outcome::Halted(halt) = one(partition, event, &mut state)? {
            return Ok(Err(halt));
        }
        state.accept();
    }
    Ok(Ok(state.into_writes()))
}

/// Why `events` are not of the log that the checkpoint came from, if they show it: readers begin with the last event
/// that was applied, for this comparison.
fn other_log(
    checkpoint: &CheckpointRow,
    incarnation: Incarnation,
    events: &[Extracted],
) -> Option<Halt> {
    if checkpoint.incarnation != incarnation.0 {
        return Some(Halt::OtherLog);
    }
    let seq = Seq::new(checkpoint.seq);
    let again = events.iter().find(|event| event.recorded.seq == seq)?;
    (digest(&again.recorded.payload).bytes() != &checkpoint.event)
        .then_some(Halt::Rewritten { seq })
}

fn digest(payload: &[u8]) -> Hash128 {
    Hash128::of("synap.checkpoint.v1", [payload])
}

enum Outcome {
    Applied,
    Parked,
    Halted(Halt),
}

/// Applies or parks one event.
fn one<S: Snapshot>(
    partition: Partition,
    extracted: Extracted,
    state: &mut State<'_, S>,
) -> Result<Outcome, StoreError> {
    let recorded = &extracted.recorded;
    let event = match extracted.event {
        Ok(event) => event,
        Err(EventParseError::UnknownType(event_type)) => {
            return Ok(Outcome::Halted(Halt::UnknownType {
                seq: recorded.seq,
                event_type,
            }));
        }
        Err(e) => {
            let whose =
                Whose::remains(&recorded.payload).filter(|whose| whose.is_of(recorded, partition));
            let seen = match &whose {
                Some(whose) => whose.is_seen(state)?,
                None => false,
            };
            let whose = whose.filter(|_| !seen);
            return park(recorded, whose.as_ref(), e.to_string(), None, state);
        }
    };
    let whose = Whose::of(&event);
    if !whose.is_of(recorded, partition) {
        // What the payload says counts for nothing then: a writer of one scope must not hold up the documents of another.
        let reason = "its subject names another scope".to_owned();
        return park(recorded, None, reason, None, state);
    }
    // A deletion does not wait: what is parked is deleted with the rest.
    let waits = !matches!(
        event.body,
        EventBody::ScopeErased(_) | EventBody::DocumentErased(_)
    );
    if let Some(first) = whose.first_parked(state)?.filter(|_| waits) {
        if whose.is_seen(state)? {
            return Ok(Outcome::Applied);
        }
        let reason = format!("waits behind event {}", first.seq);
        return park(recorded, Some(&whose), reason, Some(first.seq), state);
    }
    // A defect in pure code must not stop the partition: what it would have written is discarded, the event is parked.
    let applied = extracted.texts.map(|texts| {
        let work = || apply_extracted(&event, texts, recorded.seq, state);
        catch_unwind(AssertUnwindSafe(work))
    });
    let reason = match applied {
        Some(Ok(Ok(()))) => return Ok(Outcome::Applied),
        Some(Ok(Err(ApplyError::Store(e)))) => return Err(e),
        Some(Ok(Err(e))) => e.to_string(),
        Some(Err(_)) => "applying it panicked".to_owned(),
        None => "reading its text panicked".to_owned(),
    };
    park(recorded, Some(&whose), reason, None, state)
}

/// Whose an event is and what it is about: what parking needs, and what is left of many a malformed one.
struct Whose {
    id: EventId,
    scope: Scope,
    about: String,
    type_token: String,
    /// Of an ingest: what its status is asked by.
    ingestion: Option<(IngestionId, DocumentId)>,
    accepted_at: i64,
}

impl Whose {
    fn of(event: &Event) -> Self {
        let ingestion = if let EventBody::MemoryIngested(data) = &event.body {
            Some((data.ingestion_id, data.document_id.clone()))
        } else if let EventBody::TranscriptIngested(data) = &event.body {
            let name = data.conversation_id.to_string().parse().ok();
            name.map(|name| (data.ingestion_id, name))
        } else {
            None
        };
        Self {
            id: event.id,
            scope: event.scope().clone(),
            about: event.about(),
            type_token: event.type_token().to_owned(),
            ingestion,
            accepted_at: event.time.micros(),
        }
    }

    /// What is left of a malformed event, without content, if its envelope and scope are whole. So an ingest's status can
    /// be told, and later events of the same document or conversation wait behind it.
    fn remains(payload: &[u8]) -> Option<Self> {
        let envelope: Value = serde_json::from_slice(payload).ok()?;
        let text = |field: &str| envelope.get(field)?.as_str();
        let data = envelope.get("data")?;
        let of_data = |field: &str| data.get(field)?.as_str();
        let name = text("type")?.strip_prefix("synap.")?;
        let (name, _version) = name.rsplit_once(".v")?;
        let about = text("subject")?.to_owned();
        let ingestion = || {
            let document = of_data("document_id").or_else(|| of_data("conversation_id"))?;
            Some((
                of_data("ingestion_id")?.parse().ok()?,
                document.parse().ok()?,
            ))
        };
        Some(Self {
            id: text("id")?.parse().ok()?,
            scope: serde_json::from_value(data.get("scope")?.clone()).ok()?,
            about,
            type_token: name.replace('.', "-"),
            ingestion: ingestion(),
            accepted_at: text("time")?.parse::<Timestamp>().ok()?.micros(),
        })
    }

    /// Whether the event was stored under the subject of its own scope.
    fn is_of(&self, recorded: &Recorded, partition: Partition) -> bool {
        let subject = EventSubject::new(partition, &self.scope, &self.type_token);
        subject.to_string() == recorded.subject
    }

    /// The parked event that later ones of the same thing wait behind. One from before an erasure holds up nothing.
    fn first_parked<S: Snapshot>(
        &self,
        state: &State<'_, S>,
    ) -> Result<Option<ParkedSubjectRow>, StoreError> {
        let at = key::parked_subject(&self.scope.hash(), &self.about);
        let Some(first) = state.row(&at)? else {
            return Ok(None);
        };
        let erased = last_erasure(&self.scope, |key| state.row(key))?.map_or(0, |row| row.seq);
        Ok(Some(first).filter(|first| first.seq > erased))
    }

    /// Whether the event was applied at an earlier place of the log.
    fn is_seen<S: Snapshot>(&self, state: &State<'_, S>) -> Result<bool, StoreError> {
        let seen = state.row(&key::seen(&self.scope.hash(), self.id))?;
        Ok(seen.is_some())
    }
}

/// Sets an event aside, in the same batch as everything else: counted, listed, and in front of its followers.
fn park<S: Snapshot>(
    recorded: &Recorded,
    whose: Option<&Whose>,
    reason: String,
    behind: Option<u64>,
    state: &mut State<'_, S>,
) -> Result<Outcome, StoreError> {
    state.discard();
    let ingestion = whose.and_then(|whose| whose.ingestion.as_ref());
    if let Some(whose) = whose {
        if whose.first_parked(state)?.is_none() {
            let row = ParkedSubjectRow {
                seq: recorded.seq.get(),
            };
            state.put(key::parked_subject(&whose.scope.hash(), &whose.about), &row);
        }
        if let Some((ingestion_id, document_id)) = ingestion {
            let row = IngestionRow {
                ingestion_id: *ingestion_id,
                scope: whose.scope.clone(),
                document_id: document_id.clone(),
                accepted_at: whose.accepted_at,
                seq: recorded.seq.get(),
                memory_ids: Vec::new(),
                parked: Some(reason.clone()),
            };
            let client = Scope::of_client(whose.scope.client().clone()).hash();
            state.put(key::ingestion(&client, *ingestion_id), &row);
        }
    }
    let row = ParkedRow {
        reason,
        behind,
        subject: recorded.subject.clone(),
        ingestion: ingestion.map(|(id, _)| *id),
    };
    state.put(key::parked(recorded.seq), &row);
    Ok(Outcome::Parked)
}
