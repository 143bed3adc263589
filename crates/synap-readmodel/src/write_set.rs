//! What one batch writes: all of it, or nothing.

use crate::{Key, Prefix, Row, RowKey, append, codec};
use std::collections::BTreeMap;

/// What happens to one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// The key has this value.
    Put(Vec<u8>),
    /// The key is gone.
    Delete,
    /// These bytes are added to whatever the key's value is, as [`append()`] says.
    Append(Vec<u8>),
}

/// Writes by key. A later write of the same key replaces an earlier one, and appends add up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteSet(BTreeMap<Key, Write>, Vec<Prefix>);

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

    /// Adds `bytes` to a value, as [`append()`] says.
    pub fn append(&mut self, key: Key, bytes: &[u8]) {
        match self.0.get_mut(&key) {
            None => drop(self.0.insert(key, Write::Append(bytes.to_vec()))),
            Some(Write::Put(value) | Write::Append(value)) => append(key.bytes(), value, bytes),
            Some(deleted @ Write::Delete) => *deleted = Write::Put(bytes.to_vec()),
        }
    }

    /// Removes every row of `prefix` that was there before this set, whatever the set writes.
    pub fn clear(&mut self, prefix: Prefix) {
        self.1.push(prefix);
    }

    /// What is removed before anything is written.
    pub fn cleared(&self) -> &[Prefix] {
        &self.1
    }

    /// Writes a value as it was read back from another store.
    pub fn put_stored(&mut self, key: Key, value: Vec<u8>) {
        self.0.insert(key, Write::Put(value));
    }

    /// Removes whatever stands under `key`.
    pub fn delete_stored(&mut self, key: Key) {
        self.0.insert(key, Write::Delete);
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
        self.0.is_empty() && self.1.is_empty()
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
