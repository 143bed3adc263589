//! What one batch writes: all of it, or nothing.

use crate::{Key, Row, RowKey, codec};
use std::collections::BTreeMap;

/// What happens to one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// The key has this value.
    Put(Vec<u8>),
    /// The key is gone.
    Delete,
    /// These bytes come after whatever the key's value is.
    Append(Vec<u8>),
}

/// Writes by key. A later write of the same key replaces an earlier one, and appends add up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteSet(BTreeMap<Key, Write>);

impl WriteSet {
    /// Writes a row.
    pub fn put<R: Row>(&mut self, key: RowKey<R>, row: &R) {
        self.0
            .insert(key.into_key(), Write::Put(codec::encode(row)));
    }

    /// Removes a row.
    pub fn delete<R>(&mut self, key: RowKey<R>) {
        self.0.insert(key.into_key(), Write::Delete);
    }

    /// Adds `bytes` at the end of a value.
    pub fn append(&mut self, key: Key, bytes: &[u8]) {
        match self
            .0
            .entry(key)
            .or_insert_with(|| Write::Append(Vec::new()))
        {
            Write::Put(value) | Write::Append(value) => value.extend_from_slice(bytes),
            deleted @ Write::Delete => *deleted = Write::Put(bytes.to_vec()),
        }
    }

    /// What this set does to `key`, if anything.
    pub fn get(&self, key: &Key) -> Option<&Write> {
        self.0.get(key)
    }

    /// Every write, in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Write)> {
        self.0.iter()
    }

    /// How many keys it touches.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes over all writes of `later`, as if they had been made here.
    pub fn extend(&mut self, later: Self) {
        for (key, write) in later.0 {
            if let Write::Append(bytes) = write {
                self.append(key, &bytes);
            } else {
                self.0.insert(key, write);
            }
        }
    }
}
