//! What a projection reads and writes: the rows of its partition, with the writes of this batch on top, and below these
//! those of a batch that is being committed.

use synap_readmodel::{
    Key, Row, RowKey, Snapshot, SnapshotExt as _, StoreError, Write, WriteSet, codec,
};

/// The rows as they will be after the batch so far.
///
/// One event's writes are kept apart until [`State::accept`], so that an event that cannot be applied leaves no trace.
#[derive(Debug)]
pub struct State<'a, S> {
    snapshot: &'a S,
    /// What is being committed: it may or may not be in the snapshot.
    before: Option<&'a WriteSet>,
    batch: WriteSet,
    event: WriteSet,
}

impl<'a, S: Snapshot> State<'a, S> {
    /// The rows of `snapshot`, nothing written yet.
    pub fn new(snapshot: &'a S) -> Self {
        Self::over(snapshot, None)
    }

    /// The rows of `snapshot` as they are once `before` is committed, nothing written yet.
    pub(crate) fn over(snapshot: &'a S, before: Option<&'a WriteSet>) -> Self {
        Self {
            snapshot,
            before,
            batch: WriteSet::default(),
            event: WriteSet::default(),
        }
    }

    /// A row as it stands.
    pub fn row<R: Row>(&self, key: &RowKey<R>) -> Result<Option<R>, StoreError> {
        let write = self
            .event
            .get(key.key())
            .or_else(|| self.batch.get(key.key()))
            .or_else(|| self.before?.get(key.key()));
        match write {
            None => self.snapshot.row(key),
            Some(Write::Delete) => Ok(None),
            Some(Write::Put(bytes) | Write::Append(bytes)) => match codec::decode(bytes) {
                Ok(row) => Ok(Some(row)),
                Err(source) => Err(StoreError::Row {
                    key: key.key().clone(),
                    source,
                }),
            },
        }
    }

    /// Writes a row.
    pub fn put<R: Row>(&mut self, key: RowKey<R>, row: &R) {
        self.event.put(key, row);
    }

    /// Removes a row.
    pub fn delete<R>(&mut self, key: RowKey<R>) {
        self.event.delete(key);
    }

    /// Adds bytes to a value, as [`synap_readmodel::append()`] says. Such values are never read by a projection.
    pub fn append(&mut self, key: Key, bytes: &[u8]) {
        self.event.append(key, bytes);
    }

    /// Keeps the writes since the last call.
    pub fn accept(&mut self) {
        self.batch.take_over(&mut self.event);
    }

    /// Forgets the writes since the last [`Self::accept`].
    pub fn discard(&mut self) {
        self.event = WriteSet::default();
    }

    /// All accepted writes.
    pub fn into_writes(self) -> WriteSet {
        self.batch
    }
}
