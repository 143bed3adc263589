//! The words of synap, and how they look on the wire: ids, scope paths, events, requests, receipts, error codes,
//! limits and subjects. No I/O, no clock, no randomness; every crate may use it.
#![warn(missing_docs)]

mod change;
mod clock;
mod conversation;
mod document_name;
mod error;
mod event;
mod event_time;
mod fetch;
mod hash;
mod id;
mod ingest;
mod isolation;
mod item;
pub mod json;
mod key;
pub mod limits;
mod memory;
mod partition;
mod position;
mod scope;
mod seq;
mod subject;
mod timestamp;
mod turn;
mod upcast;

pub use change::{DeleteOf, DeleteRequest, ForgetRequest, MoveRequest, MoveTo, UpdateRequest};
pub use clock::{Clock, ManualClock, SystemClock};
pub use conversation::{
    CompactRequest, ConversationName, ConversationRef, MessageReceipt, RecordRequest,
    TranscriptReceipt, TranscriptRequest,
};
pub use error::{ApiError, ErrorCode};
pub use event::{
    Author, ChangeUndone, CompactionStrategy, Content, ConversationCompacted, DocumentErased,
    ErasureCompleted, Event, EventBody, EventParseError, MemoriesEnriched, MemoryForgotten,
    MemoryIngested, MemoryMoved, MemoryReceived, MemorySource, MemoryUpdated, MemoryVector,
    MergeStrategy, MessageRecorded, MoveOrigin, QuantisedVector, SPEC_VERSION, ScopeErased,
    Transcript, TranscriptIngested, TranscriptTurn, TurnDoor, event_types,
};
pub use event_time::{EventTime, Precision};
pub use fetch::{
    AsOf, FetchMode, FetchRequest, Freshness, Include, ResponseShape, SummaryMode, TypeFilter,
};
pub use hash::{HASH_BYTES, Hash128};
pub use id::{
    ClientId, ConversationId, CustomerId, DocumentId, EventId, Id, IdError, IngestionId,
    InstanceId, MemoryId, UserId,
};
pub use ingest::{IngestReceipt, IngestRequest, IngestState, IngestStatus, OnConflict};
pub use isolation::{Isolation, ScopeIds};
pub use item::{
    Context, ContextItem, FetchResponse, Fold, ItemExplain, LeftOut, Prompt, ScopeReport, Shadow,
};
pub use key::IdempotencyKey;
pub use memory::{DocumentType, MemoryType};
pub use partition::{Partition, PartitionCount};
pub use position::{Position, PositionError};
pub use scope::{LevelName, Scope, ScopeError, ScopeLevel};
pub use seq::Seq;
pub use subject::{EventSubject, SubjectError, names};
pub use timestamp::{Timestamp, TimestampError};
pub use turn::TurnRole;
pub use upcast::{UPCASTERS, Upcaster, upcast};
