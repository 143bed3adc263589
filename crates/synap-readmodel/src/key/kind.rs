//! Tables, and the kinds of rows in them.

/// A kind of access, and a column family of its own where the store has such.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// A few rows, read at start.
    Meta,
    /// Point reads.
    Rows,
    /// Prefix scans of what a fetch returns.
    Memories,
    /// Scans per term; values grow by appending.
    Postings,
}

impl Table {
    /// All of them, in the order of a digest.
    pub const ALL: [Self; 4] = [Self::Meta, Self::Rows, Self::Memories, Self::Postings];

    /// Name of the column family.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Rows => "rows",
            Self::Memories => "memories",
            Self::Postings => "postings",
        }
    }
}

/// First byte of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// [`crate::CheckpointRow`]
    Checkpoint = 0x01,
    /// [`crate::ParkedRow`]
    Parked = 0x02,
    /// [`crate::ErasuresRow`]
    Erasures = 0x03,
    /// [`crate::PendingErasureRow`]
    PendingErasure = 0x04,
    /// [`crate::ExtractorRow`]
    Extractor = 0x05,
    /// [`crate::SeenRow`]
    Seen = 0x10,
    /// [`crate::DocumentRow`]
    Document = 0x11,
    /// [`crate::IngestionRow`]
    Ingestion = 0x12,
    /// [`crate::MemoryIndexRow`]
    MemoryIndex = 0x13,
    /// [`crate::StatsRow`]
    Stats = 0x14,
    /// [`crate::ParkedSubjectRow`]
    ParkedSubject = 0x15,
    /// [`crate::MetadataRow`]
    Metadata = 0x16,
    /// [`crate::ConversationRow`]
    Conversation = 0x17,
    /// [`crate::ConversationIndexRow`]
    ConversationIndex = 0x18,
    /// [`crate::CompactionRow`]
    Compaction = 0x19,
    /// [`crate::ProfileRow`]
    Profile = 0x1a,
    /// [`crate::TombstoneRow`]
    Tombstone = 0x1b,
    /// [`crate::ErasedRow`]
    Erased = 0x1c,
    /// [`crate::DeletionRow`]
    Deletion = 0x1d,
    /// [`crate::ForgettingRow`]
    Forgetting = 0x1e,
    /// [`crate::ThreadRow`]
    Thread = 0x1f,
    /// [`crate::MemoryRow`]
    Memory = 0x20,
    /// [`crate::TurnRow`]
    Turn = 0x21,
    /// [`crate::FreshRow`]
    Fresh = 0x26,
    /// [`crate::VectorsRow`]
    Vectors = 0x27,
    /// [`crate::HistoryRow`]
    History = 0x28,
    /// [`crate::ChangeRow`]
    Change = 0x29,
    /// [`crate::ReceivedRow`]
    Received = 0x2a,
    /// Chunks of [`crate::Posting`].
    Posting = 0x30,
    /// [`crate::Summary`] of each chunk.
    Summary = 0x31,
    /// Chunks of [`crate::Passage`].
    Passage = 0x32,
    /// Chunks of [`crate::Ended`].
    Ended = 0x33,
    /// Chunks of [`crate::Sketch`].
    Sketch = 0x38,
    /// Blocks of [`crate::Vector`].
    Vector = 0x39,
}

impl Kind {
    /// Where rows of this kind live.
    pub const fn table(self) -> Table {
        match self {
            Self::Checkpoint
            | Self::Parked
            | Self::Erasures
            | Self::PendingErasure
            | Self::Extractor => Table::Meta,
            Self::Seen
            | Self::Document
            | Self::Ingestion
            | Self::MemoryIndex
            | Self::Stats
            | Self::ParkedSubject
            | Self::Metadata
            | Self::Conversation
            | Self::ConversationIndex
            | Self::Compaction
            | Self::Profile
            | Self::Tombstone
            | Self::Erased
            | Self::Deletion
            | Self::Forgetting
            | Self::Thread
            | Self::Fresh
            | Self::Vectors
            | Self::History
            | Self::Change
            | Self::Received => Table::Rows,
            Self::Memory | Self::Turn => Table::Memories,
            Self::Posting
            | Self::Summary
            | Self::Passage
            | Self::Ended
            | Self::Sketch
            | Self::Vector => Table::Postings,
        }
    }

    /// All of them.
    pub const ALL: [Self; 34] = [
        Self::Checkpoint,
        Self::Parked,
        Self::Erasures,
        Self::PendingErasure,
        Self::Extractor,
        Self::Seen,
        Self::Document,
        Self::Ingestion,
        Self::MemoryIndex,
        Self::Stats,
        Self::ParkedSubject,
        Self::Metadata,
        Self::Conversation,
        Self::ConversationIndex,
        Self::Compaction,
        Self::Profile,
        Self::Tombstone,
        Self::Erased,
        Self::Deletion,
        Self::Forgetting,
        Self::Thread,
        Self::Memory,
        Self::Turn,
        Self::Posting,
        Self::Summary,
        Self::Passage,
        Self::Ended,
        Self::History,
        Self::Change,
        Self::Received,
        Self::Fresh,
        Self::Vectors,
        Self::Sketch,
        Self::Vector,
    ];

    /// The kind of a stored key.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| Some(&(*kind as u8)) == bytes.first())
    }

    /// Whether its rows stand under the client's scope whoever they are about, since callers name them by id alone.
    pub const fn is_index(self) -> bool {
        matches!(
            self,
            Self::Ingestion
                | Self::MemoryIndex
                | Self::ConversationIndex
                | Self::Deletion
                | Self::Forgetting
                | Self::Change
                | Self::Received
        )
    }
}
