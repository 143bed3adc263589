//! Whether two stores hold the same rows, byte for byte: a rebuild and the live one, this build and another.

mod origin;

use crate::{Kind, Snapshot, StoreError, Table};
use data_encoding::HEXLOWER;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use synap_types::{Scope, ScopeLevel};

/// Buckets of a comparison: rows are told apart within those that differ, so that its memory does not grow with the rows.
const BUCKETS: usize = 1 << 16;

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

/// Which rows are compared: those whose key's hash falls into a share of all hashes. The same keys, whoever asks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    share: f64,
}

impl Sample {
    /// Every row.
    pub const ALL: Self = Self { share: 1.0 };

    /// About this share of the rows, more than 0 and at most 1.
    pub fn of_share(share: f64) -> Option<Self> {
        (share > 0.0 && share <= 1.0).then_some(Self { share })
    }

    /// Whether it is every row.
    pub fn is_all(self) -> bool {
        self.share >= 1.0
    }

    /// The share, at most 1.
    pub const fn share(self) -> f64 {
        self.share
    }

    fn holds(self, key: &[u8]) -> bool {
        self.is_all() || f64::from(short_hash(key)) < self.share * f64::from(u32::MAX)
    }
}

fn short_hash(key: &[u8]) -> u32 {
    let hash = blake3::hash(key);
    let (first, _) = hash.as_bytes().split_at(4);
    first.try_into().map_or(0, u32::from_be_bytes)
}

/// The digest of everything that `snapshot` shows.
pub fn digest(snapshot: &impl Snapshot) -> Result<Digest, StoreError> {
    digest_of(snapshot, Sample::ALL)
}

/// The digest of the rows of a sample.
pub fn digest_of(snapshot: &impl Snapshot, sample: Sample) -> Result<Digest, StoreError> {
    let (mut hasher, mut rows) = (blake3::Hasher::new(), 0);
    for table in Table::ALL {
        hasher.update(table.name().as_bytes());
        snapshot.scan_table(table, &mut |key, value| {
            if sample.holds(key) {
                for part in [key, value] {
                    hasher.update(&(part.len() as u64).to_be_bytes());
                    hasher.update(part);
                }
                rows += 1;
            }
            ControlFlow::Continue(())
        })?;
    }
    Ok(Digest {
        hash: hasher.finalize(),
        rows,
    })
}

/// A row in which two stores differ. It never tells memory text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// In which table.
    pub table: Table,
    /// What the row is, if its key is one of ours.
    pub kind: Option<Kind>,
    /// The key in hex.
    pub key: String,
    /// Hash of the scope in hex, as keys have it: zeros for rows of the whole partition.
    pub scope: String,
    /// The scope itself, if the row carries it and can be read.
    pub scope_path: Option<String>,
    /// The event that made the row, if it carries that and can be read.
    pub seq: Option<u64>,
    /// Which of the two stores has the row.
    pub found: Found,
}

/// Which of two stores has a row in which they differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Both, with other values.
    Both,
    /// The first one only.
    First,
    /// The second one only.
    Second,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self
            .kind
            .map_or_else(|| "unknown".to_owned(), |kind| format!("{kind:?}"));
        write!(f, "{kind} row {}, scope {}", self.key, self.scope)?;
        if let Some(path) = &self.scope_path {
            write!(f, " ({path})")?;
        }
        match self.seq {
            Some(seq) => write!(f, ", seq {seq}")?,
            None => f.write_str(", seq unknown")?,
        }
        write!(f, ", in table {}", self.table.name())?;
        f.write_str(match self.found {
            Found::Both => "",
            Found::First => ": missing in the second",
            Found::Second => ": missing in the first",
        })
    }
}

/// Up to `most` rows that are in one store only, or differ.
pub fn compare(
    a: &impl Snapshot,
    b: &impl Snapshot,
    most: usize,
) -> Result<Vec<Difference>, StoreError> {
    compare_of(a, b, Sample::ALL, most)
}

/// Up to `most` rows of a sample that are in one store only, or differ.
pub fn compare_of(
    a: &impl Snapshot,
    b: &impl Snapshot,
    sample: Sample,
    most: usize,
) -> Result<Vec<Difference>, StoreError> {
    let mut found = Vec::new();
    for table in Table::ALL {
        let room = most.saturating_sub(found.len());
        let (one, other) = (sums(a, table, sample)?, sums(b, table, sample)?);
        let differ = one.iter().zip(&other).enumerate();
        let buckets: Vec<usize> = differ
            .filter(|(_, (one, other))| one != other)
            .map(|(at, _)| at)
            .take(room)
            .collect();
        if buckets.is_empty() {
            continue;
        }
        let mut rows: BTreeMap<Vec<u8>, [Option<Row>; 2]> = BTreeMap::new();
        gather(a, table, sample, &buckets, &mut |key, row| {
            rows.entry(key.to_vec()).or_default()[0] = Some(row);
        })?;
        gather(b, table, sample, &buckets, &mut |key, row| {
            rows.entry(key.to_vec()).or_default()[1] = Some(row);
        })?;
        let differences = rows.into_iter().filter_map(|(key, rows)| {
            let (row, which) = match rows {
                [Some(one), Some(other)] if one.hash == other.hash => return None,
                [Some(_), Some(row)] => (row, Found::Both),
                [Some(row), None] => (row, Found::First),
                [None, Some(row)] => (row, Found::Second),
                [None, None] => return None,
            };
            Some(difference(table, &key, row, which))
        });
        found.extend(differences.take(room));
    }
    Ok(found)
}

/// What a comparison remembers of a row.
struct Row {
    hash: blake3::Hash,
    origin: origin::Origin,
}

fn difference(table: Table, key: &[u8], row: Row, found: Found) -> Difference {
    let scope = key.get(1..crate::key::PREFIX_BYTES).unwrap_or_default();
    Difference {
        table,
        kind: Kind::of(key),
        key: HEXLOWER.encode(key),
        scope: HEXLOWER.encode(scope),
        scope_path: row.origin.scope.map(|scope| path(&scope)),
        seq: row.origin.seq,
        found,
    }
}

/// `customer=acme, user=alice`, or `client`.
fn path(scope: &Scope) -> String {
    let level = |level: &ScopeLevel| format!("{}={}", level.level, level.id);
    let levels: Vec<String> = scope.path().iter().map(level).collect();
    if levels.is_empty() {
        scope.kind().to_owned()
    } else {
        levels.join(", ")
    }
}

/// Of every bucket of keys the sum of its rows' hashes: equal rows give equal sums.
fn sums(snapshot: &impl Snapshot, table: Table, sample: Sample) -> Result<Vec<u128>, StoreError> {
    let mut sums = vec![0_u128; BUCKETS];
    snapshot.scan_table(table, &mut |key, value| {
        if sample.holds(key) {
            let mut hasher = blake3::Hasher::new();
            hasher.update(&(key.len() as u64).to_be_bytes());
            hasher.update(key);
            hasher.update(value);
            let hash = hasher.finalize();
            let (half, _) = hash.as_bytes().split_at(16);
            let half = half.try_into().map_or(0, u128::from_be_bytes);
            if let Some(sum) = sums.get_mut(bucket(key)) {
                *sum = sum.wrapping_add(half);
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(sums)
}

fn bucket(key: &[u8]) -> usize {
    // Other bits than those that decide on a sample.
    short_hash(key) as usize % BUCKETS
}

fn gather(
    snapshot: &impl Snapshot,
    table: Table,
    sample: Sample,
    buckets: &[usize],
    keep: &mut dyn FnMut(&[u8], Row),
) -> Result<(), StoreError> {
    snapshot.scan_table(table, &mut |key, value| {
        if sample.holds(key) && buckets.binary_search(&bucket(key)).is_ok() {
            let hash = blake3::hash(value);
            let origin = origin::of(key, value);
            keep(key, Row { hash, origin });
        }
        ControlFlow::Continue(())
    })
}

/// Whose a stored row is, as far as the row says so.
pub fn owner(key: &[u8], value: &[u8]) -> Option<Scope> {
    origin::of(key, value).scope
}

#[cfg(test)]
mod tests;
