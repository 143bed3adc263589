//! Port of the event log: append to a partition, read it in order. An in-memory log for tests, and the contract suite
//! that every implementation runs (feature `contract`). No runtime: futures and streams only.
#![warn(missing_docs)]

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod memory;
mod port;

pub use memory::MemoryLog;
pub use port::{
    AppendError, Appended, Durability, ErasedEvent, Erasure, EventLog, Gaps, Incarnation, LogState,
    NewEvent, ReadError, Recorded, RecordedStream, payload_digest,
};
