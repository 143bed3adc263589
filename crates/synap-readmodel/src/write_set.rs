//! What one batch writes: all of it, or nothing.

use crate::{Key, Prefix, Row, RowKey, append, codec};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

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
pub struct WriteSet(HashMap<Key, Write, RandomState>, Vec<Prefix>);

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
        self.join(key, bytes.to_vec());
    }

    fn join(&mut self, key: Key, bytes: Vec<u8>) {
        match self.0.entry(key) {
            Entry::Vacant(place) => drop(place.insert(Write::Append(bytes))),
            Entry::Occupied(mut known) => {
                // The key is wanted while the value is changed: it says what the bytes are.
                let mut write = std::mem::replace(known.get_mut(), Write::Delete);
                match &mut write {
                    Write::Put(value) | Write::Append(value) => {
                        append(known.key().bytes(), value, &bytes);
                    }
                    Write::Delete => write = Write::Put(bytes),
                }
                known.insert(write);
            }
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

    /// Every write, in key order: the same set is written in the same way, and a store inserts neighbours next to each
    /// other.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Write)> {
        let mut writes: Vec<_> = self.0.iter().collect();
        writes.sort_unstable_by_key(|(key, _)| *key);
        writes.into_iter()
    }

    /// How many keys it touches.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty() && self.1.is_empty()
    }

    /// Takes over all writes of `later`, as if they had been made here. It keeps its room.
    pub fn take_over(&mut self, later: &mut Self) {
        for (key, write) in later.0.drain() {
            if let Write::Append(bytes) = write {
                self.join(key, bytes);
            } else {
                self.0.insert(key, write);
            }
        }
    }
}
