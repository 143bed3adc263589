//! Whether two stores hold the same rows, byte for byte: a rebuild and the live one, this build and another.

use crate::{Kind, Snapshot, StoreError, Table};
use data_encoding::HEXLOWER;
use std::fmt;
use std::ops::ControlFlow;

/// BLAKE3 over every table, key and value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    hash: blake3::Hash,
    /// Rows that went in.
    pub rows: u64,
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hash.fmt(f)
    }
}

/// The digest of everything that `snapshot` shows.
pub fn digest(snapshot: &impl Snapshot) -> Result<Digest, StoreError> {
    let (mut hasher, mut rows) = (blake3::Hasher::new(), 0);
    for table in Table::ALL {
        hasher.update(table.name().as_bytes());
        snapshot.scan_table(table, &mut |key, value| {
            for part in [key, value] {
                hasher.update(&(part.len() as u64).to_be_bytes());
                hasher.update(part);
            }
            rows += 1;
            ControlFlow::Continue(())
        })?;
    }
    Ok(Digest {
        hash: hasher.finalize(),
        rows,
    })
}

/// The first row in which two stores differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// In which table.
    pub table: Table,
    /// What the row is, if its key is one of ours.
    pub kind: Option<Kind>,
    /// The key in hex.
    pub key: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self
            .kind
            .map_or_else(|| "unknown".to_owned(), |kind| format!("{kind:?}"));
        write!(
            f,
            "{} row {} in table {}",
            kind,
            self.key,
            self.table.name()
        )
    }
}

/// Up to `most` rows that are in one store only, or differ.
pub fn compare(
    a: &impl Snapshot,
    b: &impl Snapshot,
    most: usize,
) -> Result<Vec<Difference>, StoreError> {
    let mut found = Vec::new();
    for table in Table::ALL {
        let hashes = |snapshot: &dyn Snapshot| {
            let mut rows = std::collections::BTreeMap::new();
            snapshot.scan_table(table, &mut |key, value| {
                rows.insert(key.to_vec(), blake3::hash(value));
                ControlFlow::Continue(())
            })?;
            Ok::<_, StoreError>(rows)
        };
        let (one, other) = (hashes(a)?, hashes(b)?);
        let missing = other.keys().filter(|key| !one.contains_key(*key));
        let changed = one
            .iter()
            .filter(|(key, hash)| other.get(*key) != Some(*hash))
            .map(|(key, _)| key);
        for key in missing
            .chain(changed)
            .take(most.saturating_sub(found.len()))
        {
            let hex = HEXLOWER.encode(key);
            found.push(Difference {
                table,
                kind: Kind::of(key),
                key: hex,
            });
        }
    }
    Ok(found)
}
