//! What an event log is.
//!
//! ```text
//!          first                        last = tail
//!            │                            │
//!   deleted  ▼                            ▼
//!   · · · ┌─────┬─────┬─────┬─────┬─────┬─────┐
//!         │  4  │  5  │ (6) │  7  │  8  │  9  │ ← append
//!         └─────┴─────┴─────┴─────┴─────┴─────┘
//!                        └ erased: a gap that a reader sees and must explain
//! ```
//!
//! One log per partition. Seqs rise by one and are never used again within an incarnation. What was appended reads
//! back byte for byte, in order, or the reader is told: a gap shows in the seqs, damage is an error.

use bytes::Bytes;
use futures::Stream;
use std::pin::Pin;
use synap_types::{EventId, EventSubject, Hash128, Partition, Scope, Seq};

/// Which life of a partition's log: one that was deleted and made again has another. Never 0.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Incarnation(pub u64);

/// An event on its way into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its id: within a short window the log itself refuses to store it twice.
    pub id: EventId,
    /// Where it goes.
    pub partition: Partition,
    /// Its subject, whose partition is the same.
    pub subject: EventSubject,
    /// The envelope as JSON.
    pub payload: Bytes,
}

/// Where an event stands, and that it is as durable as [`EventLog::durability`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Its place.
    pub seq: Seq,
    /// Which life of the log.
    pub incarnation: Incarnation,
    /// The log had it before, at that place; nothing was written.
    pub duplicate: bool,
}

/// An event as it was read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its place.
    pub seq: Seq,
    /// Its subject as stored.
    pub subject: String,
    /// The envelope as JSON; its digest has been checked.
    pub payload: Bytes,
}

/// The digest that an event carries beside its payload: of exactly these bytes.
pub fn payload_digest(payload: &[u8]) -> Hash128 {
    Hash128::of("synap.digest.v1", [payload])
}

/// What a partition's log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogState {
    /// Which life.
    pub incarnation: Incarnation,
    /// Place of the oldest event that is still there; one past `last` where there is none.
    pub first: Seq,
    /// Place of the newest event ever appended, [`Seq::ZERO`] before the first.
    pub last: Seq,
    /// Bytes on disk, as far as the log knows.
    pub bytes: u64,
}

/// What an ack means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Synced to disk: survives a power cut.
    PowerSafe,
    /// Survives the death of the process; a power cut may lose the latest acks.
    Relaxed,
}

impl Durability {
    /// `power-safe` or `relaxed`, as on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PowerSafe => "power-safe",
            Self::Relaxed => "relaxed",
        }
    }
}

/// Events that were taken out of a partition's log on purpose. The record of it stays as long as the log: it explains the
/// gap, whoever has rows of those events learns that they are to go, and none of them is ever stored again.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Erasure {
    /// What asked for it.
    pub deletion_id: EventId,
    /// Whose events they were.
    pub scope: Scope,
    /// Whether scopes below that one lost events as well.
    pub below: bool,
    /// Memories that could be told until then, and turns.
    pub counts: (u32, u32),
    /// Which, in order.
    pub events: Vec<ErasedEvent>,
}

/// An event that is not there any more.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ErasedEvent {
    /// Its place.
    pub seq: Seq,
    /// Hash of its scope, and its id; none of what could not be read.
    pub id: Option<(Hash128, EventId)>,
}

impl Erasure {
    /// All places.
    pub fn seqs(&self) -> impl Iterator<Item = Seq> {
        self.events.iter().map(|event| event.seq)
    }
}

/// The gaps that erasures explain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gaps {
    /// First and last place of each, in order, with others between them.
    runs: Vec<(Seq, Seq)>,
}

impl Gaps {
    /// Of all these erasures together.
    pub fn of(erasures: &[Erasure]) -> Self {
        let mut all: Vec<Seq> = erasures.iter().flat_map(Erasure::seqs).collect();
        all.sort_unstable();
        let mut runs: Vec<(Seq, Seq)> = Vec::new();
        for seq in all {
            match runs.last_mut() {
                Some((_, last)) if seq <= last.next() => *last = seq,
                _ => runs.push((seq, seq)),
            }
        }
        Self { runs }
    }

    /// Whether every place from `first` to before `next` was taken out.
    pub fn explain(&self, first: Seq, next: Seq) -> bool {
        let at = self.runs.partition_point(|(_, last)| *last < first);
        let run = self.runs.get(at);
        first >= next || run.is_some_and(|(from, last)| *from <= first && last.next() >= next)
    }
}

/// Why an append has no ack. Reads well after "could not append: ".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// Not stored: too many appends wait already.
    #[error("{waiting} appends are waiting")]
    Busy {
        /// How many.
        waiting: usize,
    },
    /// No ack in time: stored or not, a retry with the same id tells.
    #[error("the log did not answer within {after_ms} ms")]
    TimedOut {
        /// How long.
        after_ms: u64,
    },
    /// Not stored: the event is larger than the log takes.
    #[error("the event has {bytes} bytes, the log takes {bytes_max}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The log's limit.
        bytes_max: usize,
    },
    /// The log refused, or the connection is gone.
    #[error("the log is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why reading stopped. Reads well after "could not read the log: ".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The stored bytes are not what was appended.
    #[error("event {seq} does not match its digest")]
    Damaged {
        /// Which event.
        seq: Seq,
    },
    /// The log does not answer; reading again may succeed.
    #[error("the log is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// An append-only log of events, in partitions.
pub trait EventLog: Send + Sync + 'static {
    /// Appends one event and answers when it is durable.
    ///
    /// Appends of one partition that are made at the same time may be stored together; their order among themselves is
    /// open. Cancelling the future does not undo the append.
    fn append(&self, event: NewEvent)
    -> impl Future<Output = Result<Appended, AppendError>> + Send;

    /// Appends events of one partition so that they stand in this order. After an error a beginning of them may be stored;
    /// appended again, each is still there once, as far as [`NewEvent::id`] says.
    fn append_in_order(
        &self,
        events: Vec<NewEvent>,
    ) -> impl Future<Output = Result<Vec<Appended>, AppendError>> + Send {
        async move {
            let mut appended = Vec::with_capacity(events.len());
            for event in events {
                appended.push(self.append(event).await?);
            }
            Ok(appended)
        }
    }

    /// Events of `partition` from `from` on, in order; past the end it waits for the next.
    ///
    /// Deleted events are skipped, which shows in the seqs. After an error the stream ends.
    fn read(&self, partition: Partition, from: Seq) -> RecordedStream;

    /// What `partition` holds now: every append that was acked before the call is counted.
    fn state(
        &self,
        partition: Partition,
    ) -> impl Future<Output = Result<LogState, ReadError>> + Send;

    /// Events of `partition` whose subject is one of `filters`, which may end in `*` or `>`, in order, as far as the log goes
    /// when this is called; then the stream ends.
    fn select(&self, partition: Partition, filters: Vec<String>) -> RecordedStream;

    /// Takes events out for ever. First it is recorded which, durably; then their bytes are overwritten. Cut off in the
    /// middle, it is to be repeated: a place that is empty already is no error.
    fn erase(
        &self,
        partition: Partition,
        erasure: Erasure,
    ) -> impl Future<Output = Result<(), AppendError>> + Send;

    /// What was ever taken out of `partition`, in the order in which it was recorded.
    fn erasures(
        &self,
        partition: Partition,
    ) -> impl Future<Output = Result<Vec<Erasure>, ReadError>> + Send;

    /// Place of the newest event that is still there, or an earlier place where there is none: a reader that waits for
    /// this place comes to an end. Where events can be deleted, [`LogState::last`] may be one of those.
    fn newest(&self, partition: Partition) -> impl Future<Output = Result<Seq, ReadError>> + Send {
        async move {
            let state = self.state(partition).await?;
            let is_empty = state.first > state.last;
            Ok(if is_empty { Seq::ZERO } else { state.last })
        }
    }

    /// What an ack means.
    fn durability(&self) -> Durability;
}

/// Events as they come.
pub type RecordedStream = Pin<Box<dyn Stream<Item = Result<Recorded, ReadError>> + Send>>;
