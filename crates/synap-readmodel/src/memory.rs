//! A store in memory: for tests of everything above the port, and the scratch store of a small verification.

use crate::{
    Item, Key, Prefix, ReadStore, Snapshot, StoreError, Table, Visit, Write, WriteSet, append,
};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

/// Rows, and how many commits made them.
#[derive(Debug, Clone, Default)]
struct Rows {
    rows: BTreeMap<(Table, Vec<u8>), Vec<u8>>,
    commits: u64,
}

/// Rows in a map. A commit copies the map if a snapshot of it is alive.
#[derive(Debug, Default)]
pub struct MemoryStore(RwLock<Arc<Rows>>);

/// The map as it was.
#[derive(Debug, Clone)]
pub struct MemorySnapshot(Arc<Rows>);

impl ReadStore for MemoryStore {
    type Snapshot<'a> = MemorySnapshot;

    fn snapshot(&self) -> MemorySnapshot {
        MemorySnapshot(Arc::clone(
            &self.0.read().unwrap_or_else(PoisonError::into_inner),
        ))
    }

    fn commit(&self, writes: &WriteSet) -> Result<(), StoreError> {
        let mut rows = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Rows { rows, commits } = Arc::make_mut(&mut rows);
        *commits += 1;
        for prefix in writes.cleared() {
            let range = (prefix.table(), prefix.bytes().to_vec())..(prefix.table(), prefix.end());
            let gone: Vec<_> = rows.range(range).map(|(at, _)| at.clone()).collect();
            for at in gone {
                rows.remove(&at);
            }
        }
        for (key, write) in writes.iter() {
            let at = (key.table(), key.bytes().to_vec());
            match write {
                Write::Put(value) => drop(rows.insert(at, value.clone())),
                Write::Delete => drop(rows.remove(&at)),
                Write::Append(bytes) => append(key.bytes(), rows.entry(at).or_default(), bytes),
            }
        }
        Ok(())
    }

    fn disk_bytes(&self) -> u64 {
        let rows = self.snapshot();
        rows.0
            .rows
            .iter()
            .map(|((_, key), value)| (key.len() + value.len()) as u64)
            .sum()
    }
}

impl Snapshot for MemorySnapshot {
    fn version(&self) -> Option<u64> {
        Some(self.0.commits)
    }

    fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self
            .0
            .rows
            .get(&(key.table(), key.bytes().to_vec()))
            .cloned())
    }

    fn scan_from(&self, prefix: &Prefix, from: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
        let range = (prefix.table(), prefix.with(from))..(prefix.table(), prefix.end());
        for ((_, key), value) in self.0.rows.range(range) {
            let rest = key.get(prefix.bytes().len()..).unwrap_or_default();
            if visit(rest, value).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn last_at(&self, prefix: &Prefix, at: &[u8]) -> Result<Option<Item>, StoreError> {
        let range = (prefix.table(), prefix.bytes().to_vec())..=(prefix.table(), prefix.with(at));
        let last = self.0.rows.range(range).next_back();
        Ok(last.map(|((_, key), value)| {
            let rest = key.get(prefix.bytes().len()..).unwrap_or_default();
            (rest.to_vec(), value.clone())
        }))
    }

    fn scan_table(&self, table: Table, visit: Visit<'_>) -> Result<(), StoreError> {
        let from = Bound::Included((table, Vec::new()));
        let rows = self
            .0
            .rows
            .range((from, Bound::Unbounded))
            .take_while(|((found, _), _)| *found == table);
        for ((_, key), value) in rows {
            if visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn keeps_the_contract() {
        crate::contract::run(super::MemoryStore::default);
    }
}
