//! Port of the read model: keys (the on-disk format), rows, their codec, write sets, snapshots and digests. An in-memory
//! store for tests, and the contract suite that every implementation runs (feature `contract`).
#![warn(missing_docs)]

pub mod codec;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod digest;
mod ended;
pub mod key;
mod memory;
mod passage;
mod port;
mod posting;
mod row;
mod vector;
mod write_set;

pub use codec::CodecError;
pub use digest::{
    Difference, Digest, Found, Sample, compare, compare_of, digest, digest_of, owner,
};
pub use ended::Ended;
pub use key::{Key, Kind, Prefix, RowKey, Table};
pub use memory::MemoryStore;
pub use passage::{PASSAGE_CHUNK_ORDINALS, Passage, PassageFlags, passage_text};
pub use port::{Item, ReadStore, Snapshot, SnapshotExt, StoreError, Visit};
pub use posting::{CHUNK_ORDINALS, Posting, Summary, TF_MAX, append};
pub use row::{
    ChangeRow, CheckpointRow, CompactedSentence, CompactionRow, CompletedErasure,
    ConversationIndexRow, ConversationRow, DeletionRow, DocumentRow, ErasedRow, ErasuresRow,
    ExtractorRow, ForgettingRow, FreshRow, HistoryRow, IngestionRow, MemoryHead, MemoryIndexRow,
    MemoryRow, MetadataRow, MovedTo, PROFILE_ATTRIBUTES_MAX, ParkedRow, ParkedSubjectRow,
    PendingErasureRow, ProfileAttribute, ProfileRow, ReceivedRow, Row, SeenRow, StatsRow,
    ThreadRow, TombstoneRow, Totals, TurnRow, VectorsRow, last_erasure,
};
pub use vector::{BLOCK_ORDINALS, SKETCH_BYTES, Sketch, VECTOR_BYTES, Vector};
pub use write_set::{Write, WriteSet};
