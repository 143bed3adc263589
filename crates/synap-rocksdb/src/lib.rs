//! RocksDB adapter: the port `ReadStore` on one database per partition and generation, and the folders in which those
//! generations live. It knows nothing of events and projections, and no other crate names `rocksdb`.
#![warn(missing_docs)]

mod generation;
mod merge;
mod options;
mod store;

pub use generation::{Filling, GenerationError, Generations};
pub use options::{MemoryLimits, SharedMemory, StoreOptions};
pub use store::{OpenError, RocksSnapshot, RocksStore};
