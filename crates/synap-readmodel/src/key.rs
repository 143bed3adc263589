//! Keys of the read model. This file is the on-disk format: read it first.
//!
//! ```text
//! key = kind ‖ scope ‖ rest
//! kind    1 byte    one per row type; a number is never reused
//! scope  16 bytes   BLAKE3 of the length-prefixed scope path (Scope::hash); zeros for rows of the whole partition
//!
//!  kind  table     row              rest
//!  0x01  meta      CheckpointRow    –
//!  0x02  meta      ParkedRow        seq:8
//!  0x03  meta      ErasuresRow      –
//!  0x04  meta      PendingErasureRow  seq:8
//!  0x05  meta      ExtractorRow     –
//!  0x10  rows      SeenRow          event id:16
//!  0x11  rows      DocumentRow      hash of the document id:16
//!  0x12  rows      IngestionRow     ingestion id:16            (scope: the client's, whatever was written)
//!  0x13  rows      MemoryIndexRow   memory id:16               (scope: the client's)
//!  0x14  rows      StatsRow         –
//!  0x15  rows      ParkedSubjectRow hash of CloudEvents subject:16
//!  0x16  rows      MetadataRow      event or message id:16
//!  0x17  rows      ConversationRow  conversation id:16
//!  0x18  rows      ConversationIndexRow  conversation id:16 owner's scope:16    (scope: the client's)
//!  0x19  rows      CompactionRow    conversation id:16 version:4
//!  0x1a  rows      ProfileRow       –
//!  0x1b  rows      TombstoneRow     memory id:16
//!  0x1c  rows      ErasedRow        –
//!  0x1d  rows      DeletionRow      deletion id:16             (scope: the client's)
//!  0x1e  rows      ForgettingRow    request id:16              (scope: the client's)
//!  0x1f  rows      ThreadRow        thread:8
//!  0x20  memories  MemoryRow        !ordinal:4                 newest first
//!  0x21  memories  TurnRow          conversation id:16 number:4
//!  0x26  rows      FreshRow         seq:8                      (partition) events that added memories
//!  0x27  rows      VectorsRow       model:16 chunk:4           chunk = ordinal / 4096
//!  0x28  rows      HistoryRow       seq:8                      every event of the scope, oldest first
//!  0x29  rows      ChangeRow        event id:16                (scope: the client's)
//!  0x2a  rows      ReceivedRow      memory id:16               (scope: the client's)
//!  0x30  postings  [Posting]        term NUL chunk:4           chunk = ordinal / 4096
//!  0x31  postings  Summary          term NUL chunk:4
//!  0x32  postings  [Passage]        chunk:4                    chunk = ordinal / 64
//!  0x33  postings  [Ended]          chunk:4                    chunk = ordinal / 4096
//!  0x38  postings  [Sketch]         model:16 chunk:4           chunk = ordinal / 4096
//!  0x39  postings  [Vector]         model:16 block:4           block = ordinal / 64
//! ```
//!
//! Integers are big-endian, so byte order is number order; where the newest comes first, the complement is stored.
//! Kind and scope have fixed width, so no scope's range contains another's. Tables are kinds of access, never scopes.

mod kind;

pub use kind::{Kind, Table};

use crate::{
    ChangeRow, CheckpointRow, CompactionRow, ConversationIndexRow, ConversationRow, DeletionRow,
    DocumentRow, ErasedRow, ErasuresRow, ExtractorRow, ForgettingRow, FreshRow, HistoryRow,
    IngestionRow, MemoryIndexRow, MemoryRow, MetadataRow, ParkedRow, ParkedSubjectRow,
    PendingErasureRow, ProfileRow, ReceivedRow, SeenRow, StatsRow, ThreadRow, TombstoneRow,
    TurnRow, VectorsRow,
};
use std::fmt;
use std::marker::PhantomData;
use synap_types::{
    ConversationId, DocumentId, EventId, HASH_BYTES, Hash128, IngestionId, MemoryId, Seq,
};

/// Bytes before `rest`: what a store may use as a fixed prefix.
pub const PREFIX_BYTES: usize = 1 + HASH_BYTES;

/// Rows of the whole partition stand under this in place of a scope.
const PARTITION: Hash128 = Hash128::from_bytes([0; HASH_BYTES]);

/// A whole key. Made by the functions of this module only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    table: Table,
    bytes: Vec<u8>,
}

impl Key {
    fn new(kind: Kind, scope: &Hash128, rest: &[&[u8]]) -> Self {
        let mut bytes =
            Vec::with_capacity(PREFIX_BYTES + rest.iter().map(|part| part.len()).sum::<usize>());
        bytes.push(kind as u8);
        bytes.extend_from_slice(scope.bytes());
        for part in rest {
            bytes.extend_from_slice(part);
        }
        Self {
            table: kind.table(),
            bytes,
        }
    }

    /// A key as it was read back from `table`.
    pub fn stored(table: Table, bytes: &[u8]) -> Self {
        Self {
            table,
            bytes: bytes.to_vec(),
        }
    }

    /// Where it lives.
    pub const fn table(&self) -> Table {
        self.table
    }

    /// As stored.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.table.name())?;
        f.write_str(&data_encoding::HEXLOWER.encode(&self.bytes))
    }
}

/// The scope's name in a stored key; of a row of the whole partition, or of none, `None`.
pub fn scope_of(bytes: &[u8]) -> Option<Hash128> {
    let hash = Hash128::from_bytes(*bytes.get(1..)?.first_chunk()?);
    Some(hash).filter(|hash| *hash != PARTITION)
}

/// Everything of one kind that belongs to a scope.
pub fn all_of(kind: Kind, scope: &Hash128) -> Prefix {
    Prefix(Key::new(kind, scope, &[]))
}

/// Statistics of every scope of the partition.
pub fn all_stats() -> Prefix {
    Prefix(Key {
        table: Kind::Stats.table(),
        bytes: vec![Kind::Stats as u8],
    })
}

/// A key whose value is a row of type `R`.
#[derive(Debug)]
pub struct RowKey<R> {
    key: Key,
    row: PhantomData<fn() -> R>,
}

impl<R> RowKey<R> {
    fn new(kind: Kind, scope: &Hash128, rest: &[&[u8]]) -> Self {
        Self {
            key: Key::new(kind, scope, rest),
            row: PhantomData,
        }
    }

    /// Without its row's type.
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// Without its row's type.
    pub fn into_key(self) -> Key {
        self.key
    }
}

/// All keys of one kind within one scope, or of one term within it: the only way to scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(Key);

impl Prefix {
    /// Where the rows live.
    pub const fn table(&self) -> Table {
        self.0.table
    }

    /// First key that may belong to it.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// The key that has `rest` after the prefix.
    pub fn with(&self, rest: &[u8]) -> Vec<u8> {
        [self.bytes(), rest].concat()
    }

    /// The first key after all that belong to it: an exclusive upper bound.
    ///
    /// It exists because no prefix is made of `ff` bytes alone: kinds are below `ff`.
    pub fn end(&self) -> Vec<u8> {
        let mut end = self.0.bytes.clone();
        while end.pop_if(|last| *last == 0xff).is_some() {}
        if let Some(last) = end.last_mut() {
            *last += 1;
        }
        end
    }
}

/// The partition's checkpoint.
pub fn checkpoint() -> RowKey<CheckpointRow> {
    RowKey::new(Kind::Checkpoint, &PARTITION, &[])
}

/// How many of the log's erasures the rows take into account.
pub fn erasures() -> RowKey<ErasuresRow> {
    RowKey::new(Kind::Erasures, &PARTITION, &[])
}

/// How the rows' texts were cut.
pub fn extractor() -> RowKey<ExtractorRow> {
    RowKey::new(Kind::Extractor, &PARTITION, &[])
}

/// That what an event erased may still be in the log.
pub fn pending_erasure(seq: Seq) -> RowKey<PendingErasureRow> {
    RowKey::new(
        Kind::PendingErasure,
        &PARTITION,
        &[&seq.get().to_be_bytes()],
    )
}

/// Everything that was erased and may still be in the log, oldest first.
pub fn pending_erasures() -> Prefix {
    Prefix(Key::new(Kind::PendingErasure, &PARTITION, &[]))
}

/// One parked event.
pub fn parked(seq: Seq) -> RowKey<ParkedRow> {
    RowKey::new(Kind::Parked, &PARTITION, &[&seq.get().to_be_bytes()])
}

/// All parked events, oldest first.
pub fn all_parked() -> Prefix {
    Prefix(Key::new(Kind::Parked, &PARTITION, &[]))
}

/// Whether an event was applied.
pub fn seen(scope: &Hash128, event: EventId) -> RowKey<SeenRow> {
    RowKey::new(Kind::Seen, scope, &[event.uuid().as_bytes()])
}

/// A document's current version.
pub fn document(scope: &Hash128, document: &DocumentId) -> RowKey<DocumentRow> {
    let hash = Hash128::of("synap.document.v1", [document.as_str().as_bytes()]);
    RowKey::new(Kind::Document, scope, &[hash.bytes()])
}

/// What became of an ingestion. `client` is the hash of the client's own scope: the caller may not know more.
pub fn ingestion(client: &Hash128, ingestion: IngestionId) -> RowKey<IngestionRow> {
    RowKey::new(Kind::Ingestion, client, &[ingestion.uuid().as_bytes()])
}

/// Where a memory stands. `client` is the hash of the client's own scope: the caller may not know more.
pub fn memory_index(client: &Hash128, memory: MemoryId) -> RowKey<MemoryIndexRow> {
    RowKey::new(Kind::MemoryIndex, client, &[memory.uuid().as_bytes()])
}

/// Statistics of a scope; also whether it is known at all.
pub fn stats(scope: &Hash128) -> RowKey<StatsRow> {
    RowKey::new(Kind::Stats, scope, &[])
}

/// What later events wait behind. `about` is the CloudEvents subject.
pub fn parked_subject(scope: &Hash128, about: &str) -> RowKey<ParkedSubjectRow> {
    let hash = Hash128::of("synap.about.v1", [about.as_bytes()]);
    RowKey::new(Kind::ParkedSubject, scope, &[hash.bytes()])
}

/// The caller's metadata of one event, or of one turn of a transcript.
pub fn metadata(scope: &Hash128, event: EventId) -> RowKey<MetadataRow> {
    RowKey::new(Kind::Metadata, scope, &[event.uuid().as_bytes()])
}

/// One conversation.
pub fn conversation(scope: &Hash128, id: ConversationId) -> RowKey<ConversationRow> {
    RowKey::new(Kind::Conversation, scope, &[id.uuid().as_bytes()])
}

/// All conversations of a user, in no meaningful order.
pub fn conversations(scope: &Hash128) -> Prefix {
    Prefix(Key::new(Kind::Conversation, scope, &[]))
}

/// That a conversation is of the user whose scope's hash is `owner`. `client` is the hash of the client's own scope: the
/// caller may not know more.
pub fn conversation_index(
    client: &Hash128,
    id: ConversationId,
    owner: &Hash128,
) -> RowKey<ConversationIndexRow> {
    let id = id.uuid();
    RowKey::new(
        Kind::ConversationIndex,
        client,
        &[id.as_bytes(), owner.bytes()],
    )
}

/// Whose conversations of this id are, in no meaningful order.
pub fn conversation_owners(client: &Hash128, id: ConversationId) -> Prefix {
    Prefix(Key::new(
        Kind::ConversationIndex,
        client,
        &[id.uuid().as_bytes()],
    ))
}

/// One compaction of a conversation; versions count from 1.
pub fn compaction(scope: &Hash128, id: ConversationId, version: u32) -> RowKey<CompactionRow> {
    let version = version.to_be_bytes();
    RowKey::new(Kind::Compaction, scope, &[id.uuid().as_bytes(), &version])
}

/// A user's profile.
pub fn profile(scope: &Hash128) -> RowKey<ProfileRow> {
    RowKey::new(Kind::Profile, scope, &[])
}

/// That a memory may not come back.
pub fn tombstone(scope: &Hash128, memory: MemoryId) -> RowKey<TombstoneRow> {
    RowKey::new(Kind::Tombstone, scope, &[memory.uuid().as_bytes()])
}

/// That a scope, and what is below it, was erased.
pub fn erased(scope: &Hash128) -> RowKey<ErasedRow> {
    RowKey::new(Kind::Erased, scope, &[])
}

/// What became of a deletion. `client` is the hash of the client's own scope: the caller may not know more.
pub fn deletion(client: &Hash128, deletion: EventId) -> RowKey<DeletionRow> {
    RowKey::new(Kind::Deletion, client, &[deletion.uuid().as_bytes()])
}

/// One memory.
pub fn memory(scope: &Hash128, ordinal: u32) -> RowKey<MemoryRow> {
    RowKey::new(Kind::Memory, scope, &[&(!ordinal).to_be_bytes()])
}

/// All memories of a scope, newest first.
pub fn memories(scope: &Hash128) -> Prefix {
    Prefix(Key::new(Kind::Memory, scope, &[]))
}

/// What one call forgot. `client` is the hash of the client's own scope: the caller may not know more.
pub fn forgetting(client: &Hash128, request: EventId) -> RowKey<ForgettingRow> {
    RowKey::new(Kind::Forgetting, client, &[request.uuid().as_bytes()])
}

/// What an event changed. `client` is the hash of the client's own scope: the caller may not know more.
pub fn change(client: &Hash128, event: EventId) -> RowKey<ChangeRow> {
    RowKey::new(Kind::Change, client, &[event.uuid().as_bytes()])
}

/// Where a memory was before its scope received it. `client` is the hash of the client's own scope: the caller may not
/// know more.
pub fn received(client: &Hash128, memory: MemoryId) -> RowKey<ReceivedRow> {
    RowKey::new(Kind::Received, client, &[memory.uuid().as_bytes()])
}

/// Every memory of a client that its scope received, in no meaningful order.
pub fn all_received(client: &Hash128) -> Prefix {
    Prefix(Key::new(Kind::Received, client, &[]))
}

/// One turn of a conversation; numbers count from 1.
pub fn turn(scope: &Hash128, conversation: ConversationId, number: u32) -> RowKey<TurnRow> {
    let number = number.to_be_bytes();
    RowKey::new(
        Kind::Turn,
        scope,
        &[conversation.uuid().as_bytes(), &number],
    )
}

/// One chunk of a term's postings. `term` holds no NUL.
pub fn posting_chunk(scope: &Hash128, term: &str, chunk: u32) -> Key {
    Key::new(
        Kind::Posting,
        scope,
        &[term.as_bytes(), &[0], &chunk.to_be_bytes()],
    )
}

/// What is known of one chunk of a term's postings without reading it. `term` holds no NUL.
pub fn summary(scope: &Hash128, term: &str, chunk: u32) -> Key {
    Key::new(
        Kind::Summary,
        scope,
        &[term.as_bytes(), &[0], &chunk.to_be_bytes()],
    )
}

/// The summaries of a term's chunks, oldest first. `term` holds no NUL.
pub fn summaries(scope: &Hash128, term: &str) -> Prefix {
    Prefix(Key::new(Kind::Summary, scope, &[term.as_bytes(), &[0]]))
}

/// Which chunk a key belongs to, by what it has after the prefix of [`postings`] or [`summaries`].
pub fn chunk_of(rest: &[u8]) -> u32 {
    rest.try_into().map_or(u32::MAX, u32::from_be_bytes)
}

/// All postings of a term, oldest first. `term` holds no NUL.
pub fn postings(scope: &Hash128, term: &str) -> Prefix {
    Prefix(Key::new(Kind::Posting, scope, &[term.as_bytes(), &[0]]))
}

/// One thread of passages.
pub fn thread(scope: &Hash128, thread: u64) -> RowKey<ThreadRow> {
    RowKey::new(Kind::Thread, scope, &[&thread.to_be_bytes()])
}

/// One chunk of a scope's passages.
pub fn passage_chunk(scope: &Hash128, chunk: u32) -> Key {
    Key::new(Kind::Passage, scope, &[&chunk.to_be_bytes()])
}

/// All passages of a scope, oldest first.
pub fn passages(scope: &Hash128) -> Prefix {
    Prefix(Key::new(Kind::Passage, scope, &[]))
}

/// What one event of a scope did to it.
pub fn history(scope: &Hash128, seq: Seq) -> RowKey<HistoryRow> {
    RowKey::new(Kind::History, scope, &[&seq.get().to_be_bytes()])
}

/// All events of a scope, oldest first; what is left of a key is the seq, eight bytes.
pub fn histories(scope: &Hash128) -> Prefix {
    Prefix(Key::new(Kind::History, scope, &[]))
}

/// The passages of one chunk of ordinals that have ended.
pub fn ended_chunk(scope: &Hash128, chunk: u32) -> Key {
    Key::new(Kind::Ended, scope, &[&chunk.to_be_bytes()])
}

/// That an event added memories: what an enrichment worker goes through.
pub fn fresh(seq: Seq) -> RowKey<FreshRow> {
    RowKey::new(Kind::Fresh, &PARTITION, &[&seq.get().to_be_bytes()])
}

/// Events that stand in one page, of which a scan shows all.
pub const FRESH_PAGE: u64 = 256;

/// The events of a page that added memories, oldest first; `rest` is what is left of seq, one byte.
pub fn fresh_page(page: u64) -> Prefix {
    let bytes = page.saturating_mul(FRESH_PAGE).to_be_bytes();
    let (start, _) = bytes.split_at(7);
    Prefix(Key::new(Kind::Fresh, &PARTITION, &[start]))
}

/// Which memories of a chunk have a vector of a model.
pub fn vectors(scope: &Hash128, model: &Hash128, chunk: u32) -> RowKey<VectorsRow> {
    RowKey::new(Kind::Vectors, scope, &[model.bytes(), &chunk.to_be_bytes()])
}

/// One chunk of sketches of a model's vectors.
pub fn sketch_chunk(scope: &Hash128, model: &Hash128, chunk: u32) -> Key {
    Key::new(Kind::Sketch, scope, &[model.bytes(), &chunk.to_be_bytes()])
}

/// All sketches of a model's vectors.
pub fn sketches(scope: &Hash128, model: &Hash128) -> Prefix {
    Prefix(Key::new(Kind::Sketch, scope, &[model.bytes()]))
}

/// One block of a model's vectors.
pub fn vector_block(scope: &Hash128, model: &Hash128, block: u32) -> Key {
    Key::new(Kind::Vector, scope, &[model.bytes(), &block.to_be_bytes()])
}

#[cfg(test)]
mod tests;
