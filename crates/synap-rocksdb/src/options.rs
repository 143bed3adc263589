//! How the databases are set up: memory shared by all stores of a process, and RocksDB's options for each table.

use crate::merge;
use rocksdb::{
    BlockBasedOptions, Cache, DBCompressionType, DBRecoveryMode, LogLevel, Options, SliceTransform,
    WriteBufferManager,
};
use std::fmt;
use synap_readmodel::{Table, key};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Files that one store keeps open. A partition of 10 million rows has about a hundred.
const OPEN_FILES_MAX: u16 = 256;

/// Rows of one table before they are written out; all tables of all stores together stay within
/// [`MemoryLimits::write_buffer_bytes`].
const MEMTABLE_BYTES: usize = 16 * MIB;

/// The same for [`Table::Meta`], which every commit writes and which would else keep old write-ahead logs alive.
const META_MEMTABLE_BYTES: usize = MIB;

/// A memtable's first allocation: small, since every table of every store holds one.
const ARENA_BLOCK_BYTES: usize = 64 * KIB;

/// Write-ahead log that an open may have to apply again: a second or so of reading.
const WAL_BYTES_MAX: u64 = 64 * MIB as u64;

/// Uncompressed size of what one read from disk brings.
const BLOCK_BYTES: usize = 8 * KIB;

/// One false answer in a hundred.
const BLOOM_BITS_PER_KEY: f64 = 10.0;

/// Appends to one value that wait in memory as they came. One more, and they are joined to a value, so that reading a
/// hot term stays cheap: after 10,000 appends of 8 bytes a read takes 12 µs, without a bound 235 µs. A lower one copies
/// the value into the memtable more often, a higher one counts longer at every append (`store_rates` measures).
const APPENDS_MAX: usize = 256;

/// RocksDB's own log of what it did.
const LOG_BYTES_MAX: usize = MIB;
const LOG_FILES_MAX: usize = 2;

/// The manifest holds first and last keys of files that are gone, and keys hold words of what was erased: it is written
/// anew with every change of the files. That is some hundred bytes for each of them, beside megabytes of a new one.
const MANIFEST_ALWAYS_ANEW: &str = "max_manifest_file_size=0;max_manifest_space_amp_pct=0";

/// Memory that all stores of a process may use together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryLimits {
    /// For blocks that were read, their indexes and filters.
    pub cache_bytes: usize,
    /// For rows that are committed and not yet written out as tables.
    pub write_buffer_bytes: usize,
}

impl Default for MemoryLimits {
    fn default() -> Self {
        Self {
            cache_bytes: 128 * MIB,
            write_buffer_bytes: 64 * MIB,
        }
    }
}

/// The memory that [`MemoryLimits`] speaks of. Clones share it: make one per process.
#[derive(Clone)]
pub struct SharedMemory {
    cache: Cache,
    write_buffers: WriteBufferManager,
}

impl SharedMemory {
    /// Allocates nothing yet.
    pub fn new(limits: &MemoryLimits) -> Self {
        // Writers are never stalled for memory: a store that is idle would not give its own back.
        let stall = false;
        Self {
            cache: Cache::new_hyper_clock_cache(limits.cache_bytes, 0),
            write_buffers: WriteBufferManager::new_write_buffer_manager(
                limits.write_buffer_bytes,
                stall,
            ),
        }
    }
}

impl SharedMemory {
    /// What rows that are not written out take now.
    #[cfg(test)]
    pub(crate) fn write_buffers_used_bytes(&self) -> usize {
        self.write_buffers.get_usage()
    }
}

impl Default for SharedMemory {
    fn default() -> Self {
        Self::new(&MemoryLimits::default())
    }
}

impl fmt::Debug for SharedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedMemory")
            .field("cache_used_bytes", &self.cache.get_usage())
            .field("write_buffers_used_bytes", &self.write_buffers.get_usage())
            .finish()
    }
}

/// How to open one store.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Shared with the other stores of the process.
    pub memory: SharedMemory,
    /// Files that this store keeps open. Below 20 counts as 20.
    pub open_files_max: u16,
}

impl StoreOptions {
    /// A store that shares `memory`, and is else as usual.
    pub const fn sharing(memory: SharedMemory) -> Self {
        Self {
            memory,
            open_files_max: OPEN_FILES_MAX,
        }
    }

    /// Options of the database as a whole.
    pub(crate) fn database(&self) -> Result<Options, rocksdb::Error> {
        let mut options = Options::default().get_options_from_string(MANIFEST_ALWAYS_ANEW)?;
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        options.set_paranoid_checks(true);
        // A damaged tail of the write-ahead log ends it: an earlier commit, from which the log is applied again.
        options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
        options.set_track_and_verify_wals_in_manifest(true);
        options.set_max_total_wal_size(WAL_BYTES_MAX);
        options.set_write_buffer_manager(&self.memory.write_buffers);
        options.set_max_open_files(self.open_files_max.into());
        options.set_bytes_per_sync(MIB as u64);
        options.set_manifest_preallocation_size(64 * KIB);
        options.set_keep_log_file_num(LOG_FILES_MAX);
        options.set_max_log_file_size(LOG_BYTES_MAX);
        options.set_log_level(LogLevel::Warn);
        options.set_stats_dump_period_sec(0);
        options.set_stats_persist_period_sec(0);
        Ok(options)
    }

    /// Options of one table's column family.
    pub(crate) fn table(&self, table: Table) -> Options {
        let mut options = Options::default();
        options.set_merge_operator_associative(merge::APPEND, merge::append);
        options.set_max_successive_merges(APPENDS_MAX);
        options.set_compression_type(DBCompressionType::Lz4);
        options.set_bottommost_compression_type(DBCompressionType::Zstd);
        options.set_arena_block_size(ARENA_BLOCK_BYTES);
        options.set_max_write_buffer_number(3);
        options.set_block_based_table_factory(&self.blocks());
        if table == Table::Meta {
            options.set_write_buffer_size(META_MEMTABLE_BYTES);
        } else {
            options.set_write_buffer_size(MEMTABLE_BYTES);
            options.set_prefix_extractor(SliceTransform::create_fixed_prefix(key::PREFIX_BYTES));
        }
        options
    }

    fn blocks(&self) -> BlockBasedOptions {
        let mut blocks = BlockBasedOptions::default();
        blocks.set_block_cache(&self.memory.cache);
        blocks.set_block_size(BLOCK_BYTES);
        blocks.set_bloom_filter(BLOOM_BITS_PER_KEY, false);
        blocks.set_whole_key_filtering(true);
        // Within the cache's bound, but the last to leave it.
        blocks.set_cache_index_and_filter_blocks(true);
        blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
        blocks
    }
}
