//! Every limit of the system, in one place. Nothing here computes; refusals name the constant and the value.

/// An id (client, customer, user, document, conversation): 1 to this many bytes of UTF-8.
pub const ID_BYTES_MAX: usize = 256;
/// Text of one document, after JSON decoding.
pub const DOCUMENT_BYTES_MAX: usize = 1024 * 1024;
/// One stored event, envelope and all. A document of control characters is six times longer as JSON.
pub const EVENT_BYTES_MAX: usize = 7 * 1024 * 1024;
/// Caller's metadata of one document, as compact JSON.
pub const METADATA_BYTES_MAX: usize = 64 * 1024;
/// Text of one turn of a conversation.
pub const MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// Turns of one transcript.
pub const TRANSCRIPT_TURNS_MAX: usize = 10_000;
/// Turns of one conversation.
pub const CONVERSATION_TURNS_MAX: u32 = 100_000;
/// Text of the newest turns that one compaction reads. What is older is in it as the last compaction kept it.
pub const COMPACTION_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Newest turns of a conversation that are told with it, and
pub const RECENT_TURNS_MAX: u32 = 100;
/// their text in bytes.
pub const RECENT_TURNS_BYTES_MAX: usize = 1024 * 1024;
/// Text of a memory and of what it is changed to, together.
pub const MEMORY_BYTES_MAX: usize = 64 * 1024;
/// Turns of one batch request, and of one page of a listing.
pub const BATCH_MESSAGES_MAX: usize = 1_000;
/// Characters that a description of what to forget has at least, and
pub const FORGET_CHARS_MIN: usize = 3;
/// at most.
pub const FORGET_CHARS_MAX: usize = 500;
/// How often a memory can be moved from scope to scope: each place is remembered, so that its erasure finds the memory.
pub const MOVES_MAX: usize = 32;
/// Documents of one batch request.
pub const BATCH_DOCUMENTS_MAX: usize = 1_000;
/// One HTTP or NATS request body.
pub const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Request line and headers of one HTTP request, and
pub const HEAD_BYTES_MAX: usize = 64 * 1024;
/// how many headers it has.
pub const HEADERS_MAX: usize = 100;
/// Open HTTP connections. Further ones wait until one of them ends.
pub const CONNECTIONS_MAX: usize = 1_024;
/// How long the head of a request may take to come in, in milliseconds: after connecting, or after its first byte.
pub const HEAD_TIMEOUT_MS: u64 = 10_000;
/// How long a connection stays open without a request, in milliseconds. Clients keep theirs for 300 seconds.
pub const IDLE_TIMEOUT_MS: u64 = 330_000;
/// How long a connection may be without a request when others wait for its place, in milliseconds.
pub const IDLE_CROWDED_MS: u64 = 1_000;
/// Parts of an upload: fields and the file, known or not.
pub const UPLOAD_PARTS_MAX: usize = 64;
/// Uploaded files that are turned into text at the same time, each in a process of its own.
pub const READERS_MAX: usize = 2;
/// How long an upload may wait for its turn to be read, in milliseconds.
pub const READER_WAIT_MS: u64 = 10_000;
/// How long reading a file may take, in milliseconds.
pub const READER_TIMEOUT_MS: u64 = 15_000;
/// Processor time of reading a file, in seconds.
pub const READER_CPU_SECONDS: u64 = 10;
/// Address space of the process that reads a file.
pub const READER_MEMORY_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// What a process that reads a file may answer: the text of one document as JSON, of control characters at worst.
pub const READER_ANSWER_BYTES_MAX: usize = 7 * 1024 * 1024;
/// How long a body may take to come in, in milliseconds.
pub const BODY_TIMEOUT_MS: u64 = 60_000;
/// Nesting of a JSON body. The body itself is depth 1.
pub const JSON_DEPTH_MAX: usize = 32;
/// Values of a JSON body, counted as opening brackets and commas. Read, a value takes up to a hundred times its bytes.
pub const JSON_VALUES_MAX: usize = 200_000;
/// An idempotency key (`Idempotency-Key` or `X-Correlation-ID`).
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 256;
/// Levels of a scope path below the client.
pub const SCOPE_LEVELS_MAX: usize = 8;
/// A level's name, such as `customer`.
pub const LEVEL_NAME_BYTES_MAX: usize = 32;
/// One message of a gRPC stream.
pub const STREAM_MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Calls of one gRPC connection at the same time.
pub const STREAMS_PER_CONNECTION_MAX: u32 = 128;
/// Queries of one fetch.
pub const QUERIES_MAX: usize = 16;
/// One query of a fetch.
pub const QUERY_BYTES_MAX: usize = 64 * 1024;
/// `query_date` of a fetch.
pub const QUERY_DATE_BYTES_MAX: usize = 80;
/// Items that one fetch may ask for.
pub const RESULTS_MAX: usize = 1_000;
/// Items that a fetch answers with when it does not say.
pub const RESULTS_DEFAULT: usize = 10;
/// Conversations that a fetch of summaries may ask for.
pub const CONVERSATIONS_MAX: usize = 20;
/// Conversations that a fetch of summaries answers with when it does not say.
pub const CONVERSATIONS_DEFAULT: usize = 3;
/// Bytes of an `as_of`: a time or a position.
pub const AS_OF_BYTES_MAX: usize = 128;
/// Token budget that one fetch may ask for.
pub const TOKENS_MAX: usize = 1_000_000;
/// Text and metadata of all items of one answer. Ranked, they stand in it twice, and all of it must fit a NATS message.
pub const ANSWER_BYTES_MAX: usize = 3 * 1024 * 1024;
/// Absolute relevance, 0 to 1, that a memory has at least when a fetch does not say.
///
/// Measured: of questions that share few words with their answers (`tests/eval`), 0.1 loses 17 and 8 points of recall among
/// the first ten against this, and nothing is won on the sets that are near their texts. A match of common words alone stays
/// below it: a word of a query counts by its rarity, and one that is everywhere at most a sixtieth.
pub const RELEVANCE_DEFAULT: f32 = 0.05;
/// Memories that an explained answer names as left out; of more it tells how many.
pub const LEFT_OUT_MAX: usize = 50;
/// Events of one page of a scope's history, and when a call does not say.
pub const EVENTS_MAX: usize = 1_000;
/// Events of one page when a call does not say.
pub const EVENTS_DEFAULT: usize = 100;
/// Longest wait for the next event of a scope, in milliseconds.
pub const FEED_WAIT_MS_MAX: u64 = 30_000;
/// Longest wait of a fetch for a position, in milliseconds.
pub const WAIT_MS_MAX: u64 = 30_000;
/// Wait of a fetch for a position when it does not say, in milliseconds.
pub const WAIT_MS_DEFAULT: u64 = 2_000;
/// Partitions of a log, SHARED apart.
pub const PARTITIONS_MAX: u8 = 64;
/// Events of one grouped append. JetStream's own limit for an atomic batch.
pub const GROUP_EVENTS_MAX: usize = 1_000;
/// Bytes of one grouped append.
pub const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Appends that may wait for one partition before callers are told to come back.
pub const APPEND_QUEUE_MAX: usize = 10_000;
/// How long an append may take before the caller is told that the log does not answer, in milliseconds.
pub const APPEND_TIMEOUT_MS: u64 = 900;
/// Events that one projector batch applies at most.
pub const APPLY_EVENTS_MAX: usize = 1_000;
/// Bytes of events that one projector batch applies at most.
pub const APPLY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Memories whose vectors one event records at most: about 40 KB, two seconds of one core.
pub const ENRICHED_MEMORIES_MAX: usize = 64;
/// How long an accurate fetch waits for the vectors of its queries by default, in milliseconds.
pub const ACCURATE_MS_DEFAULT: u64 = 100;
/// Events of one request of an import.
pub const IMPORT_EVENTS_MAX: usize = 1_000;
/// How long an import waits for the rows to hold what the log holds, in milliseconds.
pub const IMPORT_WAIT_MS: u64 = 30_000;
