//! What a store of read models is: atomic write sets, consistent snapshots, bounded scans.

use crate::{CodecError, Key, Prefix, Row, RowKey, Table, WriteSet, codec};
use std::ops::ControlFlow;

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The medium failed, or what it holds is damaged.
    #[error("the read model cannot be read or written")]
    Io(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A value is not the row that its key promises.
    #[error("a row under {key:?} cannot be read")]
    Row {
        /// Where.
        key: Key,
        /// What is wrong.
        #[source]
        source: CodecError,
    },
}

/// Rows of one partition and one generation.
pub trait ReadStore: Send + Sync + 'static {
    /// A consistent view.
    type Snapshot<'a>: Snapshot
    where
        Self: 'a;

    /// The rows as they are now; later commits do not show in it.
    fn snapshot(&self) -> Self::Snapshot<'_>;

    /// Applies all of `writes`, or nothing. Not synced to disk: after a power cut the store may be at an earlier
    /// commit, but never at a part of one.
    fn commit(&self, writes: &WriteSet) -> Result<(), StoreError>;

    /// Bytes on disk, roughly.
    fn disk_bytes(&self) -> u64;
}

/// What a scan does with each row: the key's bytes after the prefix, and the value.
pub type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

/// What stands after a prefix, and the value.
pub type Item = (Vec<u8>, Vec<u8>);

/// A consistent view of a store.
pub trait Snapshot {
    /// Which state of the store it shows: equal numbers of one store are equal rows, and whatever is written makes another
    /// one. `None` where that is not known.
    fn version(&self) -> Option<u64> {
        None
    }

    /// The value of one key.
    fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError>;

    /// The values of keys, in their order. A store that reads many faster than one by one does so here.
    fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    /// Shows every row of `prefix` in key order until `visit` breaks. Never shows a row of another prefix.
    fn scan(&self, prefix: &Prefix, visit: Visit<'_>) -> Result<(), StoreError> {
        self.scan_from(prefix, &[], visit)
    }

    /// As [`Self::scan`], beginning with the first row whose bytes after the prefix are `from` or more.
    fn scan_from(&self, prefix: &Prefix, from: &[u8], visit: Visit<'_>) -> Result<(), StoreError>;

    /// The last row of `prefix` whose bytes after it are at most `at`: those bytes, and the value.
    fn last_at(&self, prefix: &Prefix, at: &[u8]) -> Result<Option<Item>, StoreError>;

    /// Shows every row of a table with its whole key: for digests and comparisons, never for answers.
    fn scan_table(&self, table: Table, visit: Visit<'_>) -> Result<(), StoreError>;
}

/// Typed reading, for every snapshot.
pub trait SnapshotExt: Snapshot {
    /// The row of one key.
    fn row<R: Row>(&self, key: &RowKey<R>) -> Result<Option<R>, StoreError> {
        let Some(bytes) = self.get(key.key())? else {
            return Ok(None);
        };
        let row = codec::decode(&bytes).map_err(|source| StoreError::Row {
            key: key.key().clone(),
            source,
        })?;
        Ok(Some(row))
    }
}

impl<S: Snapshot + ?Sized> SnapshotExt for S {}
