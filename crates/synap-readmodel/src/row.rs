//! Rows: the values of the read model. Disposable: a change of meaning raises the projection's version, and the log is
//! replayed. Never the wire's types.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use synap_types::{DocumentId, EventId, IngestionId, MemoryId, MemoryType, Scope, Timestamp};
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
    ParkedRow v 1 {
        /// Why. Never memory text.
        reason: String,
        /// The event it waits behind, if it could have been applied itself.
        behind: Option<u64>,
        /// Its subject as stored.
        subject: String,
    }

    /// An event that was applied: applied again, it changes nothing.
    SeenRow v 1 {
        /// Its first place in the log.
        seq: u64,
        /// The document that it was about.
        document_id: DocumentId,
    }

    /// A document's current version.
    DocumentRow v 1 {
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
        /// 1 for the first version.
        version: u32,
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
    MemoryIndexRow v 1 {
        /// Its ordinal in its scope.
        ordinal: u32,
    }

    /// Statistics of a scope.
    StatsRow v 1 {
        /// Whose, in full.
        scope: Scope,
        /// The ordinal of the next memory; never used twice.
        next_ordinal: u32,
        /// Memories that a fetch can return.
        live: u32,
        /// Terms of all of those.
        live_terms: u64,
        /// Documents.
        documents: u32,
    }

    /// Later events of the same subject wait.
    ParkedSubjectRow v 1 {
        /// Place of the first parked event.
        seq: u64,
    }

    /// The caller's metadata of one event: once, however many memories it made.
    MetadataRow v 1 {
        /// Compact JSON.
        json: String,
    }

    /// One statement that a fetch can return.
    MemoryRow v 1 {
        /// Stable across rebuilds.
        id: MemoryId,
        /// Whose, in full: compared when read, since keys hold a hash.
        scope: Scope,
        /// Its text, self-contained.
        text: String,
        /// What it is.
        kind: MemoryType,
        /// Finer than the kind.
        category: Option<String>,
        /// How sure the typing rule is.
        confidence: f32,
        /// Who said it.
        speaker: Option<String>,
        /// When it was said or written, in microseconds since 1970.
        said_at: Option<i64>,
        /// When it was accepted, in microseconds since 1970.
        accepted_at: i64,
        /// The document.
        document_id: DocumentId,
        /// The event that made it.
        event_id: EventId,
        /// Where in the document's text it stands.
        span: [u32; 2],
        /// Number of terms, as in its postings.
        terms: u16,
        /// Whether its event has a [`MetadataRow`].
        has_metadata: bool,
        /// Place of the event that made it.
        created_seq: u64,
        /// Place of the event that superseded it.
        ended_seq: Option<u64>,
    }
}

impl MemoryRow {
    /// Whether a fetch can return it now.
    pub const fn is_live(&self) -> bool {
        self.ended_seq.is_none()
    }

    /// The id of the memory with this normal form: UUIDv5 of scope, document and text.
    pub fn id_of(scope: &Scope, document: &DocumentId, normal_form: &str) -> MemoryId {
        let document_space = Uuid::new_v5(&scope.hash().to_uuid(), document.as_str().as_bytes());
        MemoryId::new(Uuid::new_v5(&document_space, normal_form.as_bytes()))
    }

    /// When it was said or written, if known.
    pub fn said_at(&self) -> Option<Timestamp> {
        self.said_at.map(Timestamp::from_micros)
    }
}
