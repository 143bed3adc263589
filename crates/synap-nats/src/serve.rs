//! What the NATS micro service asks of the program that it is part of. No NATS here.

use bytes::Bytes;
use synap_types::ApiError;

macro_rules! operations {
    ($($(#[$doc:meta])* $operation:ident $name:literal;)*) => {
        /// What is asked for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Operation { $($(#[$doc])* $operation,)* }

        impl Operation {
            /// Every operation.
            pub const ALL: &[Self] = &[$(Self::$operation,)*];

            /// Name of its endpoint.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$operation => $name,)* }
            }

            /// Subject of its endpoint.
            pub const fn subject(self) -> &'static str {
                match self { $(Self::$operation => concat!("synap.v1.", $name),)* }
            }
        }
    };
}

operations! {
    /// Ingest one document.
    Ingest "ingest";
    /// Fetch context.
    Fetch "fetch";
    /// The status of one ingestion.
    Status "status";
    /// Record one turn of a conversation.
    Record "record";
    /// Ingest the transcript of a whole conversation.
    Transcript "transcript";
    /// Fetch context within a conversation.
    FetchInConversation "conversation-fetch";
    /// List the turns of a conversation.
    Messages "messages";
    /// A conversation for a prompt.
    Prompt "prompt";
    /// Make a summary of a conversation.
    Compact "compact";
    /// Tell a summary of a conversation.
    Compacted "compacted";
    /// What is known of a user.
    Profile "profile";
    /// Tell one memory.
    Memory "memory";
    /// Give a memory other content.
    Update "update";
    /// Forget one memory.
    ForgetOne "forget-one";
    /// Forget what a description names.
    Forget "forget";
    /// Delete what is remembered of a user, a customer or a conversation.
    Delete "delete";
}

/// One request, as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is asked for.
    pub operation: Operation,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The header `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// The body.
    pub payload: Bytes,
}

/// What answers requests. One instance serves all, many at a time.
pub trait RequestHandler: Send + Sync + 'static {
    /// Answers one request: a JSON body, or a refusal.
    fn call(&self, request: Request) -> impl Future<Output = Result<Bytes, ApiError>> + Send;
}
