//! Events, logs and stores for the tests.

use std::sync::Arc;
use std::time::Duration;
use synap_log::{
    AppendError, Appended, Durability, Erasure, EventLog, Incarnation, LogState, MemoryLog,
    NewEvent, ReadError, Recorded, RecordedStream,
};
use synap_projection::{Halt, Progress, Projector, Standing, Turn, turn};
use synap_readmodel::{Digest, MemoryRow, MemoryStore, ReadStore, SnapshotExt as _, digest, key};
use synap_types::{
    Author, Content, DocumentType, Event, EventBody, EventSubject, IdempotencyKey, IngestionId,
    MemoryIngested, Partition, Scope, ScopeLevel, Seq, Timestamp,
};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The partition of every test.
pub(crate) const HERE: Partition = Partition::Numbered(0);
/// The incarnation of every `MemoryLog`.
pub(crate) const LIFE: Incarnation = Incarnation(1);
/// Longer than any test that works.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The scope of a customer, or of a user of one.
pub(crate) fn scope(ids: &[&str]) -> Scope {
    let level = |(name, id): (&&str, &&str)| ScopeLevel {
        level: name.parse().unwrap(),
        id: id.parse().unwrap(),
    };
    let path = ["customer", "user"].iter().zip(ids).map(level).collect();
    Scope::new("app".parse().unwrap(), path).unwrap()
}

/// The ingest of `text` as `document` of the customer `acme`, with the idempotency key `key`.
pub(crate) fn ingest(document: &str, text: &str, key: &str) -> Event {
    ingest_into(&scope(&["acme"]), document, text, key)
}

/// The same, into any scope.
pub(crate) fn ingest_into(scope: &Scope, document: &str, text: &str, key: &str) -> Event {
    let id = IdempotencyKey::Caller(key.to_owned()).event_id(scope);
    let body = MemoryIngested {
        ingestion_id: IngestionId::new(id.uuid()),
        scope: scope.clone(),
        document_id: document.parse().unwrap(),
        document_type: DocumentType::DOCUMENT.parse().unwrap(),
        content: Content::Text(text.to_owned()),
        document_created_at: None,
        metadata: serde_json::Map::new(),
        author: author(),
    };
    Event {
        id,
        time: Timestamp::from_micros(1_000_000),
        body: EventBody::MemoryIngested(Box::new(body)),
    }
}

pub(crate) fn author() -> Author {
    Author {
        instance_id: "inst".parse().unwrap(),
        key_id: "key".to_owned(),
    }
}

/// What the event says.
pub(crate) fn data(event: &Event) -> &MemoryIngested {
    let EventBody::MemoryIngested(data) = &event.body else {
        panic!("{event:?}");
    };
    data
}

/// The event as it is read back from `seq`.
pub(crate) fn recorded(seq: u64, event: &Event) -> Recorded {
    Recorded {
        seq: Seq::new(seq),
        subject: EventSubject::of(HERE, event).to_string(),
        payload: event.to_json().into(),
    }
}

/// `events` from seq 1 on.
pub(crate) fn log_of(events: &[Event]) -> Vec<Recorded> {
    (1..)
        .zip(events)
        .map(|(seq, event)| recorded(seq, event))
        .collect()
}

/// One turn, committed.
pub(crate) fn apply(store: &MemoryStore, events: &[Recorded]) -> Turn {
    let turn = turn(HERE, LIFE, &store.snapshot(), events).unwrap();
    store.commit(&turn.writes).unwrap();
    turn
}

/// A store with `events` applied in one turn.
pub(crate) fn applied(events: &[Recorded]) -> MemoryStore {
    let store = MemoryStore::default();
    assert_eq!(apply(&store, events).halt, None);
    store
}

pub(crate) fn digest_of(store: &impl ReadStore) -> Digest {
    digest(&store.snapshot()).unwrap()
}

/// All memories of `scope`, oldest first, superseded ones too.
pub(crate) fn memories(store: &MemoryStore, scope: &Scope) -> Vec<MemoryRow> {
    let (rows, hash) = (store.snapshot(), scope.hash());
    (0..)
        .map_while(|ordinal| rows.row(&key::memory(&hash, ordinal)).unwrap())
        .collect()
}

/// Texts of the memories of `scope` that a fetch can return.
pub(crate) fn live_texts(store: &MemoryStore, scope: &Scope) -> Vec<String> {
    let live = memories(store, scope)
        .into_iter()
        .filter(MemoryRow::is_live);
    live.map(|row| row.text).collect()
}

/// Appends an event with its own payload, or with another.
pub(crate) async fn append(log: &impl EventLog, event: &Event, payload: Option<&str>) -> Seq {
    let payload = payload.map_or_else(|| event.to_json(), |text| text.as_bytes().to_vec());
    let new = NewEvent {
        id: event.id,
        partition: HERE,
        subject: EventSubject::of(HERE, event),
        payload: payload.into(),
    };
    log.append(new).await.unwrap().seq
}

/// A log in memory with `count` documents.
pub(crate) async fn log_with(count: u64) -> MemoryLog {
    let log = MemoryLog::default();
    for number in 1..=count {
        append(&log, &numbered(number), None).await;
    }
    log
}

/// A document that says its number.
pub(crate) fn numbered(number: u64) -> Event {
    let text = format!("Service number {number} runs in region {number}.");
    ingest(&format!("doc-{number}"), &text, &format!("key-{number}"))
}

/// A projector at work.
pub(crate) struct Running {
    pub(crate) progress: watch::Receiver<Progress>,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start<L: EventLog>(log: &Arc<L>, store: &Arc<MemoryStore>) -> Self {
        let (projector, progress) =
            Projector::new(Arc::clone(log), Arc::clone(store), HERE).unwrap();
        let cancel = CancellationToken::new();
        Self {
            progress,
            task: tokio::spawn(projector.run(cancel.clone())),
            cancel,
        }
    }

    /// Waits for what `reached` says of its progress.
    pub(crate) async fn until(&mut self, reached: impl FnMut(&Progress) -> bool) -> Progress {
        let waited = tokio::time::timeout(PATIENCE, self.progress.wait_for(reached)).await;
        waited.expect("in time").expect("it runs").clone()
    }

    pub(crate) async fn until_applied(&mut self, seq: u64) -> Progress {
        self.until(|now| now.applied >= Seq::new(seq)).await
    }

    pub(crate) async fn until_halted(&mut self) -> (Progress, Halt) {
        let now = self
            .until(|now| matches!(now.standing, Standing::Halted(_)))
            .await;
        let Standing::Halted(halt) = now.standing.clone() else {
            panic!("{now:?}");
        };
        (now, halt)
    }

    pub(crate) async fn stop(self) {
        self.cancel.cancel();
        self.task.await.unwrap();
    }
}

/// A log whose reader ends with an error after the events that it has.
pub(crate) struct BrokenLog {
    pub(crate) events: Vec<Recorded>,
    pub(crate) last: Seq,
    pub(crate) error: fn() -> ReadError,
}

impl EventLog for BrokenLog {
    async fn append(&self, _: NewEvent) -> Result<Appended, AppendError> {
        Err(AppendError::Busy { waiting: 0 })
    }

    fn read(&self, _: Partition, from: Seq) -> RecordedStream {
        let events = self.events.iter().filter(|event| event.seq >= from);
        let mut all: Vec<_> = events.cloned().map(Ok).collect();
        all.push(Err((self.error)()));
        Box::pin(futures::stream::iter(all))
    }

    async fn state(&self, _: Partition) -> Result<LogState, ReadError> {
        Ok(LogState {
            incarnation: LIFE,
            first: Seq::new(1),
            last: self.last,
            bytes: 0,
        })
    }

    fn select(&self, partition: Partition, _: Vec<String>) -> RecordedStream {
        self.read(partition, Seq::new(1))
    }

    async fn erase(&self, _: Partition, _: Erasure) -> Result<(), AppendError> {
        Err(AppendError::Busy { waiting: 0 })
    }

    async fn erasures(&self, _: Partition) -> Result<Vec<Erasure>, ReadError> {
        Ok(Vec::new())
    }

    fn durability(&self) -> Durability {
        Durability::Relaxed
    }
}
