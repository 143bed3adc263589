//! Where a row came from, as far as the row says so: its scope and its event. It reads no text.

use crate::{
    ChangeRow, CheckpointRow, CompactionRow, ConversationIndexRow, ConversationRow, DeletionRow,
    DocumentRow, ErasedRow, ForgettingRow, FreshRow, HistoryRow, IngestionRow, Kind,
    MemoryIndexRow, MemoryRow, ParkedSubjectRow, PendingErasureRow, ProfileRow, ReceivedRow, Row,
    SeenRow, StatsRow, ThreadRow, TombstoneRow, TurnRow, codec, key,
};
use synap_types::Scope;

/// What a row says of its origin. Nothing, where it cannot be read.
#[derive(Debug, Default)]
pub(super) struct Origin {
    pub(super) scope: Option<Scope>,
    pub(super) seq: Option<u64>,
}

impl Origin {
    const fn new(scope: Option<Scope>, seq: Option<u64>) -> Self {
        Self { scope, seq }
    }
}

/// What the row under `key` says.
pub(super) fn of(key: &[u8], value: &[u8]) -> Origin {
    let Some(kind) = Kind::of(key) else {
        return Origin::default();
    };
    let found = match kind {
        Kind::Checkpoint => read::<CheckpointRow>(value, |row| Origin::new(None, Some(row.seq))),
        Kind::Parked => Some(Origin::new(None, seq_of(key))),
        Kind::PendingErasure => {
            read::<PendingErasureRow>(value, |row| Origin::new(Some(row.scope), seq_of(key)))
        }
        Kind::History => read::<HistoryRow>(value, |row| Origin::new(Some(row.scope), seq_of(key))),
        Kind::Fresh => read::<FreshRow>(value, |row| Origin::new(Some(row.scope), seq_of(key))),
        Kind::Seen => read::<SeenRow>(value, |row| Origin::new(None, Some(row.seq))),
        Kind::ParkedSubject => {
            read::<ParkedSubjectRow>(value, |row| Origin::new(None, Some(row.seq)))
        }
        Kind::Thread => read::<ThreadRow>(value, |row| Origin::new(None, Some(row.seq))),
        Kind::Tombstone => read::<TombstoneRow>(value, |row| Origin::new(None, Some(row.seq))),
        Kind::Document => read::<DocumentRow>(value, |row| both(row.scope, row.seq)),
        Kind::Ingestion => read::<IngestionRow>(value, |row| both(row.scope, row.seq)),
        Kind::Conversation => read::<ConversationRow>(value, |row| both(row.scope, row.seq)),
        Kind::Change => read::<ChangeRow>(value, |row| both(row.scope, row.seq)),
        Kind::Received => read::<ReceivedRow>(value, |row| both(row.scope, row.seq)),
        Kind::Erased => read::<ErasedRow>(value, |row| both(row.scope, row.seq)),
        Kind::Memory => read::<MemoryRow>(value, |row| {
            let seq = row.ended_seq.unwrap_or(row.created_seq);
            both(row.scope, seq)
        }),
        Kind::MemoryIndex => read::<MemoryIndexRow>(value, |row| of_scope(row.scope)),
        Kind::Stats => read::<StatsRow>(value, |row| of_scope(row.scope)),
        Kind::Compaction => read::<CompactionRow>(value, |row| of_scope(row.scope)),
        Kind::Profile => read::<ProfileRow>(value, |row| of_scope(row.scope)),
        Kind::Deletion => read::<DeletionRow>(value, |row| of_scope(row.scope)),
        Kind::Forgetting => read::<ForgettingRow>(value, |row| of_scope(row.scope)),
        Kind::Turn => read::<TurnRow>(value, |row| of_scope(row.scope)),
        Kind::ConversationIndex => read::<ConversationIndexRow>(value, |row| of_scope(row.scope)),
        Kind::Metadata
        | Kind::Erasures
        | Kind::Extractor
        | Kind::Ended
        | Kind::Vectors
        | Kind::Posting
        | Kind::Summary
        | Kind::Passage
        | Kind::Sketch
        | Kind::Vector => None,
    };
    found.unwrap_or_default()
}

fn read<R: Row>(value: &[u8], origin: impl FnOnce(R) -> Origin) -> Option<Origin> {
    codec::decode(value).ok().map(origin)
}

const fn both(scope: Scope, seq: u64) -> Origin {
    Origin::new(Some(scope), Some(seq))
}

const fn of_scope(scope: Scope) -> Origin {
    Origin::new(Some(scope), None)
}

/// The seq that the key of a row of the whole partition ends with.
fn seq_of(key: &[u8]) -> Option<u64> {
    let rest = key.get(key::PREFIX_BYTES..)?;
    rest.try_into().ok().map(u64::from_be_bytes)
}
