//! The read store on RocksDB: one column family per table, commits as write batches, snapshots. The only file that holds
//! a database handle: nothing outside it can read without a bound.

use crate::StoreOptions;
use rocksdb::checkpoint::Checkpoint;
use rocksdb::{
    BottommostLevelCompaction, ColumnFamily, ColumnFamilyDescriptor, CompactOptions, DB,
    DBRawIterator, ErrorKind, ReadOptions, SnapshotWithThreadMode, WriteBatch,
};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use synap_readmodel::key::PREFIX_BYTES;
use synap_readmodel::{
    Item, Key, Prefix, ReadStore, Snapshot, StoreError, Table, Visit, Write, WriteSet,
};

/// Snapshots are waited for for a minute.
const SNAPSHOT_LOOK: Duration = Duration::from_millis(5);
const SNAPSHOT_LOOKS: u32 = 12_000;
/// Sequence number of the oldest snapshot, 0 if there is none.
const OLDEST_SNAPSHOT: &str = "rocksdb.oldest-snapshot-sequence";

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a store did not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Somebody has it open.
    #[error(
        "the read model in {} is in use: by another process, or opened twice in this one",
        dir.display()
    )]
    InUse {
        /// Which.
        dir: PathBuf,
        /// What RocksDB says.
        #[source]
        source: Cause,
    },
    /// Its files do not fit together. It has to be built again from the log.
    #[error("the read model in {} is damaged, rebuild it from the log", dir.display())]
    Damaged {
        /// Which.
        dir: PathBuf,
        /// What RocksDB says.
        #[source]
        source: Cause,
    },
    /// It was made by a build that has other tables. It has to be built again from the log.
    #[error(
        "the read model in {} was made by another version, rebuild it from the log",
        dir.display()
    )]
    Foreign {
        /// Which.
        dir: PathBuf,
        /// What RocksDB says.
        #[source]
        source: Cause,
    },
    /// The file system did not let us.
    #[error("the read model in {} cannot be opened", dir.display())]
    Io {
        /// Which.
        dir: PathBuf,
        /// What RocksDB says.
        #[source]
        source: Cause,
    },
}

impl OpenError {
    fn new(dir: &Path, error: rocksdb::Error) -> Self {
        let dir = dir.to_owned();
        // These have no kind of their own; the texts are those of `env/fs_posix.cc` and of the system.
        let text: &str = error.as_ref();
        let in_use =
            text.contains("lock hold by current process") || text.contains("While lock file");
        let lacks_files = error.kind() == ErrorKind::IOError && text.contains("No such file");
        let damaged = error.kind() == ErrorKind::Corruption || lacks_files;
        let foreign = error.kind() == ErrorKind::InvalidArgument;
        let source = error.into();
        if in_use {
            Self::InUse { dir, source }
        } else if damaged {
            Self::Damaged { dir, source }
        } else if foreign {
            Self::Foreign { dir, source }
        } else {
            Self::Io { dir, source }
        }
    }
}

/// Rows of one partition and one generation, in a folder of their own.
///
/// Commits go to the write-ahead log and are not synced: a kill of the process loses nothing, a power cut falls back to
/// an earlier commit. After a failed commit RocksDB may refuse all later ones: open the store again.
pub struct RocksStore {
    db: DB,
    dir: PathBuf,
}

impl RocksStore {
    /// Opens the store in `dir`, or makes an empty one there. One process at a time.
    pub fn open(dir: &Path, options: &StoreOptions) -> Result<Self, OpenError> {
        let tables =
            Table::ALL.map(|table| ColumnFamilyDescriptor::new(table.name(), options.table(table)));
        let database = options.database();
        let db = database
            .and_then(|database| DB::open_cf_descriptors(&database, dir, tables))
            .map_err(|error| OpenError::new(dir, error))?;
        let store = Self {
            db,
            dir: dir.to_owned(),
        };
        tracing::debug!(dir = %dir.display(), disk_bytes = store.disk_bytes(), "read model opened");
        Ok(store)
    }

    /// Opens what [`RocksStore::checkpoint`] made, and changes nothing there. Commits fail.
    pub fn open_read_only(dir: &Path, options: &StoreOptions) -> Result<Self, OpenError> {
        let tables =
            Table::ALL.map(|table| ColumnFamilyDescriptor::new(table.name(), options.table(table)));
        let open = |mut database: rocksdb::Options| {
            database.create_if_missing(false);
            DB::open_cf_descriptors_read_only(&database, dir, tables, false)
        };
        let db = options
            .database()
            .and_then(open)
            .map_err(|error| OpenError::new(dir, error))?;
        let dir = dir.to_owned();
        Ok(Self { db, dir })
    }

    /// Puts everything committed so far into `dir`, which must not exist: a store of its own, at one moment. Its large
    /// files are hard links where the file system lets us, so it takes next to no time and room.
    pub fn checkpoint(&self, dir: &Path) -> Result<(), StoreError> {
        Checkpoint::new(&self.db)
            .and_then(|checkpoint| checkpoint.create_checkpoint(dir))
            .map_err(io)
    }

    /// Writes everything committed so far out as tables, synced to disk. Returns when that is done.
    pub fn flush(&self) -> Result<(), StoreError> {
        for table in Table::ALL {
            self.db.flush_cf(self.column_family(table)?).map_err(io)?;
        }
        Ok(())
    }

    /// Rewrites every table without what was deleted, so that no file holds it any more. Returns when that is done; reads
    /// and commits go on. Costs reading and writing the whole store once.
    ///
    /// Fails if a snapshot from before is still read after a minute: what it sees has to be kept.
    pub fn compact(&self) -> Result<(), StoreError> {
        self.flush()?;
        self.outlive_snapshots()?;
        let mut options = CompactOptions::default();
        options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
        // A manifest begins with the files from before its first change: it takes one more to be rid of their keys.
        for table in Table::ALL.into_iter().chain([Table::Meta]) {
            let table = self.column_family(table)?;
            self.db
                .compact_range_cf_opt(table, None::<&[u8]>, None::<&[u8]>, &options);
        }
        Ok(())
    }

    /// Waits until no snapshot is older than now.
    fn outlive_snapshots(&self) -> Result<(), StoreError> {
        let now = self.db.latest_sequence_number();
        for _ in 0..SNAPSHOT_LOOKS {
            let oldest = self.db.property_int_value(OLDEST_SNAPSHOT).map_err(io)?;
            if oldest.is_none_or(|oldest| oldest == 0 || oldest >= now) {
                return Ok(());
            }
            std::thread::sleep(SNAPSHOT_LOOK);
        }
        Err(StoreError::Io("somebody reads rows of long ago".into()))
    }

    fn column_family(&self, table: Table) -> Result<&ColumnFamily, StoreError> {
        let missing = || StoreError::Io(format!("no column family {}", table.name()).into());
        self.db.cf_handle(table.name()).ok_or_else(missing)
    }
}

impl fmt::Debug for RocksStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RocksStore")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

impl ReadStore for RocksStore {
    type Snapshot<'a> = RocksSnapshot<'a>;

    fn snapshot(&self) -> RocksSnapshot<'_> {
        // A snapshot does not tell its number: what it is before and after is the one in between.
        let before = self.db.latest_sequence_number();
        let view = self.db.snapshot();
        let after = self.db.latest_sequence_number();
        RocksSnapshot {
            store: self,
            view,
            version: (before == after).then_some(after),
        }
    }

    fn commit(&self, writes: &WriteSet) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        for prefix in writes.cleared() {
            let table = self.column_family(prefix.table())?;
            batch.delete_range_cf(table, prefix.bytes(), &prefix.end());
        }
        for (key, write) in writes.iter() {
            let table = self.column_family(key.table())?;
            match write {
                Write::Put(value) => batch.put_cf(table, key.bytes(), value),
                Write::Delete => batch.delete_cf(table, key.bytes()),
                Write::Append(bytes) => batch.merge_cf(table, key.bytes(), bytes),
            }
        }
        self.db.write(batch).map_err(io)
    }

    /// Of the folder's files. What vanishes meanwhile does not count.
    fn disk_bytes(&self) -> u64 {
        let Ok(files) = fs::read_dir(&self.dir) else {
            return 0;
        };
        files
            .filter_map(|file| file.ok()?.metadata().ok())
            .map(|file| file.len())
            .sum()
    }
}

/// The store as it was.
pub struct RocksSnapshot<'a> {
    store: &'a RocksStore,
    view: SnapshotWithThreadMode<'a, DB>,
    version: Option<u64>,
}

impl RocksSnapshot<'_> {
    fn rows(&self, table: Table, options: ReadOptions) -> Result<DBRawIterator<'_>, StoreError> {
        let table = self.store.column_family(table)?;
        Ok(self.view.raw_iterator_cf_opt(table, options))
    }
}

impl fmt::Debug for RocksSnapshot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RocksSnapshot")
            .field("store", &self.store)
            .field("sequence", &self.view.sequence_number())
            .finish()
    }
}

impl Snapshot for RocksSnapshot<'_> {
    fn version(&self) -> Option<u64> {
        self.version
    }

    fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        let table = self.store.column_family(key.table())?;
        self.view.get_cf(table, key.bytes()).map_err(io)
    }

    fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let place = |key| Ok((self.store.column_family(Key::table(key))?, key.bytes()));
        let places = keys
            .iter()
            .map(place)
            .collect::<Result<Vec<_>, StoreError>>()?;
        let values = self.view.multi_get_cf(places).into_iter();
        values.map(|value| value.map_err(io)).collect()
    }

    fn scan_from(&self, prefix: &Prefix, from: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
        let mut options = ReadOptions::default();
        options.set_iterate_upper_bound(prefix.end());
        if prefix.bytes().len() < PREFIX_BYTES {
            options.set_total_order_seek(true);
        } else {
            // It begins with the extractor's bytes, so the filters may skip files that do not hold them.
            options.set_prefix_same_as_start(true);
        }
        let mut rows = self.rows(prefix.table(), options)?;
        rows.seek(prefix.with(from));
        show(rows, prefix.bytes(), visit)
    }

    fn last_at(&self, prefix: &Prefix, at: &[u8]) -> Result<Option<Item>, StoreError> {
        let mut options = ReadOptions::default();
        options.set_iterate_lower_bound(prefix.bytes());
        options.set_iterate_upper_bound(prefix.end());
        options.set_prefix_same_as_start(true);
        let mut rows = self.rows(prefix.table(), options)?;
        rows.seek_for_prev(prefix.with(at));
        let Some((key, value)) = rows.item() else {
            return rows.status().map_err(io).map(|()| None);
        };
        let rest = key.strip_prefix(prefix.bytes());
        let rest = rest.ok_or_else(|| StoreError::Io("a scan left its prefix".into()))?;
        Ok(Some((rest.to_vec(), value.to_vec())))
    }

    fn scan_table(&self, table: Table, visit: Visit<'_>) -> Result<(), StoreError> {
        let mut options = ReadOptions::default();
        options.set_total_order_seek(true);
        options.fill_cache(false);
        let mut rows = self.rows(table, options)?;
        rows.seek_to_first();
        show(rows, &[], visit)
    }
}

/// Shows the rows from where the iterator stands. A row outside of `prefix` is refused, whatever let it through.
fn show(mut rows: DBRawIterator<'_>, prefix: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
    while let Some((key, value)) = rows.item() {
        let Some(rest) = key.strip_prefix(prefix) else {
            return Err(StoreError::Io("a scan left its prefix".into()));
        };
        if visit(rest, value).is_break() {
            return Ok(());
        }
        rows.next();
    }
    rows.status().map_err(io)
}

fn io(error: rocksdb::Error) -> StoreError {
    StoreError::Io(error.into())
}

#[cfg(test)]
mod tests;
