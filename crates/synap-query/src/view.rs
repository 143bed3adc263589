//! One scope of a chain, as it can be read.

use crate::FetchError;
use synap_readmodel::{MemoryRow, Snapshot, SnapshotExt as _, StatsRow, StoreError, codec, key};
use synap_types::{Hash128, Scope, Seq};

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
}

impl<'a, S: Snapshot> ScopeView<'a, S> {
    /// `scope` as `snapshot` shows it.
    pub fn new(scope: Scope, snapshot: &'a S) -> Result<Self, FetchError> {
        let checkpoint = snapshot.row(&key::checkpoint())?;
        let applied = checkpoint.map_or(Seq::ZERO, |row| Seq::new(row.seq));
        Ok(Self {
            hash: scope.hash(),
            scope,
            snapshot,
            applied,
        })
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
            stats => Ok(stats),
        }
    }

    /// One memory. A row of another scope is an error, never an answer.
    pub fn memory(&self, ordinal: u32) -> Result<Option<MemoryRow>, FetchError> {
        let value = self.snapshot.get(key::memory(&self.hash, ordinal).key())?;
        value.map(|value| self.decode(ordinal, &value)).transpose()
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
