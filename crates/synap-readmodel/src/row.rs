//! Rows: the values of the read model. Disposable: a change of meaning raises the projection's version, and the log is
//! replayed. Never the wire's types.

mod parts;

pub use parts::{
    CompactedSentence, CompletedErasure, MovedTo, PROFILE_ATTRIBUTES_MAX, ProfileAttribute, Totals,
};

use crate::{RowKey, key};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use synap_types::{
    CompactionStrategy, ConversationId, DocumentId, EventId, EventTime, Id, IngestionId, MemoryId,
    MemorySource, MemoryType, MoveOrigin, Scope, Timestamp, TurnDoor, TurnRole,
};
use uuid::Uuid;

/// A value with a version of its own.
pub trait Row: Serialize + DeserializeOwned {
    /// First byte of the stored value; raised when the fields change.
    const VERSION: u8;
}

macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident v $version:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
            pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

            impl Row for $name {
                const VERSION: u8 = $version;
            }
        )*
    };
}

rows! {
    /// How far the partition's log is applied. Written with the rows it speaks of, or not at all.
    CheckpointRow v 1 {
        /// Which life of the log.
        incarnation: u64,
        /// The last event that is applied or parked.
        seq: u64,
        /// Digest of that event: a log that lost it and gave its place to another is not gone on with.
        event: [u8; 16],
        /// Version of the projection that made the rows.
        projection: u32,
    }

    /// An event that could not be applied.
    ParkedRow v 2 {
        /// Why. Never memory text.
        reason: String,
        /// The event it waits behind, if it could have been applied itself.
        behind: Option<u64>,
        /// Its subject as stored.
        subject: String,
        /// What its status is asked by, of an ingest.
        ingestion: Option<IngestionId>,
    }

    /// An event that was applied: applied again, it changes nothing.
    SeenRow v 3 {
        /// Its first place in the log.
        seq: u64,
        /// The document that it was about, if it was about one.
        document_id: Option<DocumentId>,
        /// The turn that it recorded, or repeated: its number in the conversation.
        turn: Option<u32>,
        /// It is not in the log any more, and may not come back.
        erased: bool,
    }

    /// A document's current version.
    DocumentRow v 2 {
        /// The full id: keys hold a hash of it.
        document_id: DocumentId,
        /// Whose it is, in full: keys hold a hash of it.
        scope: Scope,
        /// The event of this version.
        event_id: EventId,
        /// Place of that event.
        seq: u64,
        /// Hash of the content, to tell versions apart.
        content: [u8; 16],
        /// 1 for the first version, 0 where the document was erased.
        version: u32,
        /// Place of the event of the version before, if there is one.
        previous: Option<u64>,
        /// Its memories.
        ordinals: Vec<u32>,
    }

    /// What became of an ingestion.
    IngestionRow v 1 {
        /// Which.
        ingestion_id: IngestionId,
        /// What was written.
        scope: Scope,
        /// The document.
        document_id: DocumentId,
        /// When it was accepted.
        accepted_at: i64,
        /// Place of the event.
        seq: u64,
        /// Memories of the document after it.
        memory_ids: Vec<MemoryId>,
        /// Why the event is parked, if it is.
        parked: Option<String>,
    }

    /// Where a memory stands.
    MemoryIndexRow v 2 {
        /// Whose it is.
        scope: Scope,
        /// Its ordinal there.
        ordinal: u32,
    }

    /// Statistics of a scope.
    StatsRow v 5 {
        /// Whose, in full.
        scope: Scope,
        /// The latest time at which an event of the scope was accepted, in microseconds since 1970.
        latest: i64,
        /// What a fetch counts.
        totals: Totals,
        /// Documents.
        documents: u32,
        /// Memories that were forgotten one by one, so that they may not come back.
        forgotten: u32,
    }

    /// Later events of the same subject wait.
    ParkedSubjectRow v 1 {
        /// Place of the first parked event.
        seq: u64,
    }

    /// That an event added memories.
    FreshRow v 1 {
        /// To which scope.
        scope: Scope,
        /// The ordinal of the first, and
        first: u32,
        /// the one after the last.
        end: u32,
    }

    /// Which memories of a chunk have a vector of a model.
    VectorsRow v 1 {
        /// A bit for each, of the byte the lowest first; ends with the last byte that has one.
        bits: Vec<u8>,
    }

    /// The caller's metadata of one event: once, however many memories it made.
    MetadataRow v 1 {
        /// Compact JSON.
        json: String,
    }

    /// What one event of a scope did to it: who wrote it and when, and how much the scope holds since.
    HistoryRow v 2 {
        /// Whose, in full: compared when read, since keys hold a hash.
        scope: Scope,
        /// The event.
        event_id: EventId,
        /// Its type as in subjects.
        event_type: String,
        /// What it was about: the CloudEvents subject.
        about: String,
        /// The event that it compensates, where it undoes one.
        undoes: Option<EventId>,
        /// The name of the key that wrote it, where one did.
        by: Option<String>,
        /// When it was accepted, in microseconds since 1970.
        time: i64,
        /// The latest such time up to here: clocks differ, and this one never goes back.
        latest: i64,
        /// What the scope holds after it.
        totals: Totals,
    }

    /// One statement that a fetch can return.
    /// It begins with its scope and a [`MemoryHead`], which can be read without the rest.
    MemoryRow v 8 {
        /// Whose, in full: compared when read, since keys hold a hash.
        scope: Scope,
        /// What it is.
        kind: MemoryType,
        /// What it was derived from.
        source: MemorySource,
        /// Place of the event that made it.
        created_seq: u64,
        /// Place of the event that superseded it.
        ended_seq: Option<u64>,
        /// Its terms in their order, a hash of each: what stands side by side.
        sequence: Vec<u16>,
        /// How sure the typing rule is.
        confidence: f32,
        /// The names in it.
        entities: Vec<String>,
        /// Stable across rebuilds.
        id: MemoryId,
        /// Its text, self-contained.
        text: String,
        /// Finer than the kind.
        category: Option<String>,
        /// Who said it.
        speaker: Option<String>,
        /// When it was said or written, in microseconds since 1970.
        said_at: Option<i64>,
        /// What its time expressions say.
        time: Option<EventTime>,
        /// When it was accepted, in microseconds since 1970.
        accepted_at: i64,
        /// When it was changed, in microseconds since 1970.
        updated_at: Option<i64>,
        /// The turn of the conversation that it was said in.
        turn: Option<u32>,
        /// The event that made it.
        event_id: EventId,
        /// Where in the document's or the turn's text it stands.
        span: [u32; 2],
        /// The passage that it is a part of: the ordinal of that one's first memory.
        passage: u32,
        /// How many memories the passage has.
        passage_memories: u16,
        /// How many terms the passage has: those that its memories begin with alike count once.
        passage_terms: u16,
        /// Tokens of its text, by the documented estimator.
        tokens: u32,
        /// Under which id its [`MetadataRow`] stands, if it has one.
        metadata: Option<EventId>,
        /// The ordinal of what this memory was before, where it is a later version of it.
        previous: Option<u32>,
    }

    /// Passages that belong together, one after the other: a conversation's turns, the parts of a document.
    ThreadRow v 1 {
        /// The last passage: the ordinal of its first memory.
        last: u32,
        /// Place of the event that made it.
        seq: u64,
        /// Terms of all its passages.
        terms: u32,
    }

    /// A conversation of one user.
    ConversationRow v 2 {
        /// Which.
        id: ConversationId,
        /// Whose, in full: compared when read, since keys hold a hash.
        scope: Scope,
        /// What the caller calls it, where that is no UUID.
        external_id: Option<Id>,
        /// Turns, and the number of the last one.
        turns: u32,
        /// By which doors they came.
        doors: Vec<TurnDoor>,
        /// Tokens of all turns, by the documented estimator.
        tokens: u64,
        /// The caller's word for it.
        conversation_type: Option<Id>,
        /// When it began: as the caller said, else when the first turn was said or accepted.
        started_at: i64,
        /// When it ended, if the caller said so.
        ended_at: Option<i64>,
        /// When the last turn was said or accepted.
        last_at: i64,
        /// What the caller found out about it, as JSON.
        analysis: Option<String>,
        /// Hash of the transcript that it was ingested with.
        transcript: Option<[u8; 16]>,
        /// Compactions, and the version of the last one.
        compactions: u32,
        /// Place of the event that began it.
        created_seq: u64,
        /// Place of the last event that changed it.
        seq: u64,
    }

    /// Whose a conversation is.
    ConversationIndexRow v 2 {
        /// A user that has one of this id. There are several rows only if callers use an id twice.
        scope: Scope,
    }

    /// How the texts of these rows were cut into memories, if not as usual.
    ExtractorRow v 1 {
        /// Its name.
        name: String,
    }

    /// How many of the log's erasures the rows take into account: of the events that they took out, no row is left.
    ErasuresRow v 1 {
        /// The first so many.
        count: u64,
    }

    /// What was erased and may still be in the log.
    PendingErasureRow v 1 {
        /// Whose.
        scope: Scope,
        /// What the receipt named.
        deletion_id: EventId,
        /// Only this conversation.
        conversation: Option<ConversationId>,
        /// Only this document.
        document: Option<DocumentId>,
    }

    /// One turn of a conversation.
    TurnRow v 1 {
        /// Whose, in full: compared when read, since keys hold a hash.
        scope: Scope,
        /// Which.
        message_id: EventId,
        /// Who spoke.
        role: TurnRole,
        /// Their name.
        speaker: Option<String>,
        /// What was said.
        content: String,
        /// When it was said, in microseconds since 1970.
        said_at: Option<i64>,
        /// When it was accepted, in microseconds since 1970.
        accepted_at: i64,
        /// The doors that reported it, each once.
        doors: Vec<TurnDoor>,
        /// Its memories.
        ordinals: Vec<u32>,
        /// Under which id its [`MetadataRow`] stands, if it has one.
        metadata: Option<EventId>,
    }

    /// A summary of a conversation.
    CompactionRow v 1 {
        /// Which.
        id: EventId,
        /// Whose, in full: compared when read, since keys hold a hash.
        scope: Scope,
        /// 1 for the first one.
        version: u32,
        /// As it was asked for.
        strategy: CompactionStrategy,
        /// Turns that it covers.
        turns: u32,
        /// Tokens of those.
        source_tokens: u64,
        /// Tokens of its sentences.
        tokens: u64,
        /// What it keeps, in the order of the conversation.
        sentences: Vec<CompactedSentence>,
        /// When it was asked for, in microseconds since 1970.
        accepted_at: i64,
    }

    /// What is known of a user.
    ProfileRow v 1 {
        /// Whose, in full: compared when read, since keys hold a hash.
        scope: Scope,
        /// By name; at most [`PROFILE_ATTRIBUTES_MAX`].
        attributes: BTreeMap<String, ProfileAttribute>,
    }

    /// A memory that may not come back.
    TombstoneRow v 3 {
        /// Place of the event that forgot it, or moved it to another scope.
        seq: u64,
        /// Where it was moved, if it was.
        moved: Option<MovedTo>,
        /// That was undone: it is told, and may come back.
        lifted: bool,
        /// The call that forgot it, if it forgot more than this one.
        request: Option<EventId>,
        /// When that was accepted, in microseconds since 1970.
        accepted_at: i64,
    }

    /// A change of one memory: what can be undone.
    ChangeRow v 1 {
        /// Whose memory.
        scope: Scope,
        /// Which.
        memory_id: MemoryId,
        /// Place of the event.
        seq: u64,
        /// Whether the scope received the memory by it: before, there was none.
        is_receipt: bool,
        /// Of a move, or of what undoes one: the event of its other half, in the other scope.
        counterpart: Option<EventId>,
    }

    /// A memory that its scope received from another one.
    ReceivedRow v 1 {
        /// Whose it is now.
        scope: Scope,
        /// Its id there.
        memory_id: MemoryId,
        /// The event.
        event_id: EventId,
        /// Its place.
        seq: u64,
        /// When it was accepted, in microseconds since 1970.
        accepted_at: i64,
        /// Where it was, the last place last.
        origins: Vec<MoveOrigin>,
    }

    /// What one call forgot.
    ForgettingRow v 1 {
        /// Whose memories.
        scope: Scope,
        /// Which, in the order of their events.
        memories: Vec<MemoryId>,
    }

    /// Everything up to here may not be told any more.
    ErasedRow v 1 {
        /// Whose, in full: compared when read, since keys hold a hash.
        scope: Scope,
        /// Place of the event.
        seq: u64,
        /// The event.
        event_id: EventId,
    }

    /// What became of a deletion.
    DeletionRow v 2 {
        /// Whose.
        scope: Scope,
        /// Only this conversation.
        conversation: Option<ConversationId>,
        /// Only this document.
        document: Option<DocumentId>,
        /// Place of the event.
        seq: u64,
        /// When it was asked for, in microseconds since 1970.
        accepted_at: i64,
        /// Memories that were told before.
        memories: u32,
        /// Turns that were listed before, where it was a conversation.
        turns: u32,
        /// When and how its bytes were taken out of the log, if they were.
        completed: Option<CompletedErasure>,
    }
}

/// What a [`MemoryRow`] says after its scope: whether a fetch may return it, and how well it matches.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct MemoryHead {
    /// As in the row; so are the others.
    pub kind: MemoryType,
    /// What it was derived from.
    pub source: MemorySource,
    /// Place of the event that made it.
    pub created_seq: u64,
    /// Place of the event that superseded it.
    pub ended_seq: Option<u64>,
    /// Its terms in their order, a hash of each.
    pub sequence: Vec<u16>,
    /// How sure the typing rule is.
    pub confidence: f32,
    /// The names in it.
    pub entities: Vec<String>,
}

impl VectorsRow {
    /// Whether the memory at `ordinal`, which is of this chunk, has one.
    pub fn has(&self, ordinal: u32) -> bool {
        let (byte, bit) = Self::place(ordinal);
        self.bits.get(byte).is_some_and(|byte| byte & bit != 0)
    }

    /// Notes that it has one.
    pub fn set(&mut self, ordinal: u32) {
        let (byte, bit) = Self::place(ordinal);
        if self.bits.len() <= byte {
            self.bits.resize(byte + 1, 0);
        }
        if let Some(byte) = self.bits.get_mut(byte) {
            *byte |= bit;
        }
    }

    const fn place(ordinal: u32) -> (usize, u8) {
        let at = ordinal % crate::CHUNK_ORDINALS;
        ((at / 8) as usize, 1 << (at % 8))
    }
}

impl StatsRow {
    /// Of a scope in which nothing was ever stored.
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            latest: 0,
            totals: Totals::default(),
            documents: 0,
            forgotten: 0,
        }
    }

    /// The same after the erasure at `seq`: what was counted before does not count any more.
    #[must_use]
    pub fn after_erasure(self, seq: u64) -> Self {
        if self.totals.erased >= seq {
            return self;
        }
        Self {
            latest: self.latest,
            totals: self.totals.after_erasure(seq),
            ..Self::new(self.scope)
        }
    }
}

impl Totals {
    /// The same after the erasure at `seq`: what was counted before does not count any more.
    #[must_use]
    pub fn after_erasure(self, seq: u64) -> Self {
        if self.erased >= seq {
            return self;
        }
        Self {
            erased: seq,
            first_ordinal: self.next_ordinal,
            next_ordinal: self.next_ordinal,
            ..Self::default()
        }
    }
}

impl MemoryRow {
    /// Whether a fetch can return it now.
    pub const fn is_live(&self) -> bool {
        self.ended_seq.is_none()
    }

    /// How many terms it has, as in the statistics of its scope.
    pub fn terms(&self) -> u64 {
        self.sequence.len() as u64
    }

    /// The id of a document's memory with this normal form: UUIDv5 of scope, document and text.
    pub fn id_of(scope: &Scope, document: &DocumentId, normal_form: &str) -> MemoryId {
        let document_space = Uuid::new_v5(&scope.hash().to_uuid(), document.as_str().as_bytes());
        MemoryId::new(Uuid::new_v5(&document_space, normal_form.as_bytes()))
    }

    /// The id of a turn's memory with this normal form: UUIDv5 of turn and text. People say the same twice.
    pub fn id_in_turn(message: EventId, normal_form: &str) -> MemoryId {
        MemoryId::new(Uuid::new_v5(&message.uuid(), normal_form.as_bytes()))
    }

    /// When it was said or written, if known.
    pub fn said_at(&self) -> Option<Timestamp> {
        self.said_at.map(Timestamp::from_micros)
    }
}

/// The last erasure that covers `scope`: its own, or one of a scope around it. `row` reads one row.
pub fn last_erasure<E>(
    scope: &Scope,
    row: impl Fn(&RowKey<ErasedRow>) -> Result<Option<ErasedRow>, E>,
) -> Result<Option<ErasedRow>, E> {
    let mut last: Option<ErasedRow> = None;
    for covering in scope.chain().filter(|scope| !scope.path().is_empty()) {
        let found = row(&key::erased(&covering.hash()))?.filter(|row| row.scope == covering);
        if found.as_ref().map(|row| row.seq) > last.as_ref().map(|row| row.seq) {
            last = found;
        }
    }
    Ok(last)
}
