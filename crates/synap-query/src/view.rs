//! One scope of a chain, as it can be read.

use crate::FetchError;
use synap_readmodel::{
    MemoryRow, Snapshot, SnapshotExt as _, StatsRow, StoreError, codec, key, last_erasure,
};
use synap_types::{ConversationId, Hash128, MemorySource, Scope, Seq};

/// One scope and the snapshot of its partition. Every read of a fetch goes through one of these.
#[derive(Debug)]
pub struct ScopeView<'a, S> {
    /// Whose memories.
    pub scope: Scope,
    /// Rows of the scope's partition.
    pub snapshot: &'a S,
    /// Last event that those rows hold.
    pub applied: Seq,
    hash: Hash128,
    /// Place of the last erasure that covers the scope; 0 if there is none.
    erased: u64,
    part: Part,
}

/// Which of a scope's memories a view shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// All of them.
    #[default]
    Whole,
    /// Those that were said in this conversation.
    Of(ConversationId),
    /// All but those.
    Beside(ConversationId),
}

impl Part {
    fn has(self, row: &MemoryRow) -> bool {
        match self {
            Self::Whole => true,
            Self::Of(id) => row.source == MemorySource::Conversation(id),
            Self::Beside(id) => row.source != MemorySource::Conversation(id),
        }
    }
}

impl<'a, S: Snapshot> ScopeView<'a, S> {
    /// `scope` as `snapshot` shows it.
    pub fn new(scope: Scope, snapshot: &'a S) -> Result<Self, FetchError> {
        let checkpoint = snapshot.row(&key::checkpoint())?;
        let applied = checkpoint.map_or(Seq::ZERO, |row| Seq::new(row.seq));
        let erased = last_erasure(&scope, |key| snapshot.row(key))?;
        Ok(Self {
            hash: scope.hash(),
            erased: erased.map_or(0, |row| row.seq),
            part: Part::Whole,
            scope,
            snapshot,
            applied,
        })
    }

    /// Only a part of it.
    #[must_use]
    pub fn part(self, part: Part) -> Self {
        Self { part, ..self }
    }

    /// Its name in keys.
    pub const fn hash(&self) -> &Hash128 {
        &self.hash
    }

    /// Its statistics; none where nothing was ever stored.
    pub fn stats(&self) -> Result<Option<StatsRow>, FetchError> {
        let stats = self.snapshot.row(&key::stats(&self.hash))?;
        match stats {
            Some(row) if row.scope != self.scope => Err(FetchError::ForeignRow),
            Some(row) => Ok(Some(row.after_erasure(self.erased))),
            None => Ok(None),
        }
    }

    /// Whether a fetch can return this memory of the scope now.
    pub fn tells(&self, row: &MemoryRow) -> bool {
        row.is_live() && self.holds(row.created_seq) && self.part.has(row)
    }

    /// Whether what was written at `seq` was not erased since.
    pub const fn holds(&self, seq: u64) -> bool {
        seq > self.erased
    }

    /// One memory. A row of another scope is an error, never an answer.
    pub fn memory(&self, ordinal: u32) -> Result<Option<MemoryRow>, FetchError> {
        let value = self.snapshot.get(key::memory(&self.hash, ordinal).key())?;
        value.map(|value| self.decode(ordinal, &value)).transpose()
    }

    /// Memories at once, in the order of `ordinals`. A row of another scope is an error, never an answer.
    pub(crate) fn memories(
        &self,
        ordinals: impl Iterator<Item = u32>,
    ) -> Result<Vec<Option<MemoryRow>>, FetchError> {
        let ordinals: Vec<u32> = ordinals.collect();
        let at = |ordinal: &u32| key::memory(&self.hash, *ordinal).into_key();
        let keys: Vec<_> = ordinals.iter().map(at).collect();
        let values = self.snapshot.get_many(&keys)?.into_iter();
        let row = |(value, ordinal): (Option<Vec<u8>>, u32)| {
            value.map(|value| self.decode(ordinal, &value)).transpose()
        };
        values.zip(ordinals).map(row).collect()
    }

    /// The memory in `value`, which stands under the key of `ordinal`. A row of another scope is an error.
    pub(crate) fn decode(&self, ordinal: u32, value: &[u8]) -> Result<MemoryRow, FetchError> {
        let row: MemoryRow = codec::decode(value).map_err(|source| {
            let key = key::memory(&self.hash, ordinal).into_key();
            StoreError::Row { key, source }
        })?;
        if row.scope == self.scope {
            Ok(row)
        } else {
            Err(FetchError::ForeignRow)
        }
    }
}
