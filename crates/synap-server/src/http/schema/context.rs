//! Context: what a fetch asks for and answers.

use super::common::{conversation_id, id, scope_ids, scoped};
use super::memories::memory_type;
use super::shape::{
    Shape, a, between, count, either, fields, flag, list, list_of, null, one_of, shapes, share,
    text, text_of, time, uuid, whole,
};
use synap_types::MemoryType;
use synap_types::limits::{
    CONVERSATIONS_MAX, QUERIES_MAX, QUERY_BYTES_MAX, RESULTS_MAX, TOKENS_MAX, WAIT_MS_MAX,
};

shapes! {
    /// What is wanted of a user, a customer and the client, narrowest first.
    FetchUserBody = asked(scope_ids(Shape::new()))
        .takes("conversation_id", conversation_id(), "The conversation that it is asked for in: the answer tells of it")
        .takes("context_mode", one_of(&["memories", "conversation-summary"]), "`conversation-summary`: the profile and the last conversations in place of memories")
        .takes("include_profile", flag(), "With `conversation-summary`: the profile. Default: `true`")
        .takes("last_n_conversations", between(0, CONVERSATIONS_MAX), "With `conversation-summary`: how many conversations");
    /// What is wanted of a customer and the client. Never a user's memories.
    FetchCustomerBody = asked(scope_ids(Shape::new()));
    /// What is wanted of the client's own memories.
    FetchClientBody = asked(scope_ids(Shape::new()));
    /// What is wanted of a conversation, and then of its user, customer and client.
    FetchConversationBody = asked(scope_ids(Shape::new()
        .has("conversation_id", conversation_id(), "The conversation")));
    /// What was found: memories by type, in each list the narrowest scope first.
    Context = Shape::new()
        .has("context", a::<ContextLists>(), "The memories")
        .has("ttl_seconds", whole(), "How long the answer may be cached; -1: not at all")
        .has("scopes", list(a::<ScopeReport>()), "The chain that was walked, narrowest first")
        .has("tokens", count(), "Estimated tokens of all memories")
        .has("stale", flag(), "The read model was behind what was asked for")
        .has("mode_used", one_of(&["fast", "accurate"]), "Less than was asked for where no model could be asked in time; `retrieval` says why")
        .may("retrieval", a::<Degraded>(), "Only when the answer is less than it should be")
        .may("conversation_context", either([fields(), null()]), "The conversation: its last summary and the turns since; `null` where there is none")
        .may("profile", either([a::<super::conversations::Profile>(), null()]), "With `conversation-summary`: what is known of the user; `null`: nothing")
        .may("conversations", list(a::<super::conversations::ConversationSummary>()), "With `conversation-summary`: the last ones");
    /// Memories by type; `items` has all of them in order when `response_shape` is `ranked`.
    ContextLists = MemoryType::ALL.into_iter().fold(Shape::new(), |shape, kind| {
            shape.has(kind.plural(), list(a::<ContextItem>()), "Memories of this type")
        })
        .may("items", list(a::<ContextItem>()), "All memories in order of their rank");
    /// One memory, with what the vendor's models read of its type besides.
    ContextItem = scoped(Shape::new()
        .has("id", uuid(), "The memory")
        .has("content", text(), "Its text, which stands for itself")
        .has("memory_type", memory_type(), "What it is")
        .has("rank", count(), "Its place among all, from 1")
        .has("rank_score", share(), "Relevance, comparable within this answer only")
        .has("confidence", share(), "How sure the rule is that typed it")
        .has("document_id", text(), "The document that it came from")
        .has("source", text(), "The same as `document_id`")
        .has("extracted_at", time(), "When it was accepted")
        .has("metadata", fields(), "Metadata of the document and of the turn")
        .has("tokens", count(), "Estimated tokens of `content`"))
        .may("conversation_id", uuid(), "The conversation that it was said in")
        .may("turn", count(), "In which turn, from 1")
        .may("speaker", text(), "Who said it")
        .may("category", text(), "In a list by type: what a preference is about. In `items`: the name of its list")
        .may("subcategory", text(), "In `items`: finer than the type")
        .may("said_at", time(), "When it was written or said")
        .may("matched_queries", list(text()), "Which of the queries found it")
        .may("explain", fields(), "Why it is here, if asked for");
    /// What one scope contributed.
    ScopeReport = scoped(Shape::new()
        .has("scope_known", flag(), "Something was stored there at some time: an empty answer differs from a wrong id")
        .has("items", count(), "Memories in the answer")
        .has("candidates", count(), "Memories that matched at all")
        .has("applied_seq", count(), "Everything up to here is in the answer"));
    /// An answer that is less than it should be.
    Degraded = Shape::new()
        .has("degraded", flag(), "Always `true`")
        .has("level", one_of(&["partial", "minimal", "failed"]), "How much is missing")
        .has("code", one_of(&["timeout", "overloaded", "unavailable", "internal"]), "Why")
        .has("warnings", list(text()), "For a person");
}

fn asked(shape: Shape) -> Shape {
    let queries = either([
        list_of(text_of(QUERY_BYTES_MAX), QUERIES_MAX),
        text_of(QUERY_BYTES_MAX),
    ]);
    let types = either([list_of(text_of(64), MemoryType::ALL.len() * 4), id()]);
    let wait_max = usize::try_from(WAIT_MS_MAX).unwrap_or(usize::MAX);
    shape
        .takes("search_query", queries, "What is wanted; none: the newest memories")
        .takes("max_results", between(1, RESULTS_MAX), "At most this many memories. Default: 10")
        .takes("max_results_per_query", between(1, RESULTS_MAX), "At most this many by each query")
        .takes("max_tokens", between(1, TOKENS_MAX), "At most this many tokens, as estimated")
        .takes("types", types, "Which types: `facts`, `preferences`, `episodes`, `emotions`, `temporal_events`, each also in the singular; `all`")
        .takes("mode", one_of(&["fast", "accurate"]), "How much work. Default: `fast`")
        .takes("response_shape", one_of(&["by_type", "ranked"]), "`ranked`: one list in order as well. Default: `by_type`")
        .takes("explain", flag(), "Each memory says why it is there")
        .takes("position", text(), "From a receipt: the answer holds everything up to there")
        .takes("wait_ms", between(0, wait_max), "How long to wait for the position. Default: 2,000")
        .takes("if_stale", one_of(&["answer", "refuse"]), "When the wait was not enough: answer as it is, marked `stale` (default), or refuse with 503")
        .takes("include_conversation_context", flag(), "Whether the answer tells of the conversation. Default: `true`")
}
