//! Context: what a fetch asks for and answers.

use super::common::{conversation_id, id, scope_ids, scoped};
use super::memories::memory_type;
use super::shape::{
    Shape, a, between, count, either, fields, flag, list, list_of, null, one_of, shapes, share,
    text, text_of, time, uuid, whole,
};
use synap_types::limits::{
    AS_OF_BYTES_MAX, CONVERSATIONS_MAX, QUERIES_MAX, QUERY_BYTES_MAX, RESULTS_MAX, TOKENS_MAX,
    WAIT_MS_MAX,
};
use synap_types::{MemoryType, Precision};

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
        .may("prompt", text(), "With `include_prompt`: the memories as one text; empty where there are none")
        .may("prompt_tokens", count(), "Estimated tokens of `prompt`")
        .may("left_out", a::<LeftOut>(), "With `explain`: what matched and is not in the answer")
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
        .may("category", text(), "In a list by type: what it is about, where that is known. In `items`: the name of its list")
        .may("subcategory", text(), "In `items`: finer than the type")
        .may("said_at", time(), "When it was written or said")
        .may("event_date", time(), "When what it tells of takes place: the first moment, in UTC")
        .may("event_end", time(), "The first moment after. None beside `event_date`: it goes on")
        .may("event_precision", one_of(&Precision::ALL.map(Precision::as_str)), "What the date names. `range`: exactly from date to end; `approximate`: somewhere between")
        .may("valid_until", time(), "The first moment at which it does not hold any more. It is told all the same")
        .may("recurrence", text(), "How it recurs, a subset of RFC 5545: `FREQ=WEEKLY;BYDAY=MO`")
        .may("entities", list(text()), "The people, places, organisations and products that it names")
        .may("matched_queries", list(text()), "Which of the queries found it")
        .may("shadows", list(a::<Shadow>()), "Memories that it stands before: near-duplicates, and preferences that it contradicts")
        .may("shadowed_by", uuid(), "The narrower or newer memory that contradicts it; told only with `include_shadowed`")
        .may("explain", fields(), "Why it is here, if asked for");
    /// A memory that another one stands before.
    Shadow = Shape::new()
        .has("id", uuid(), "The memory")
        .has("scope", text(), "Kind of its scope")
        .has("reason", one_of(&["duplicate", "contradiction"]), "Why it stands back");
    /// What matched and is not in the answer.
    LeftOut = Shape::new()
        .has("count", count(), "How many of the candidates that were looked at")
        .has("memories", list(a::<LeftOutMemory>()), "The most relevant of them, up to 50");
    /// A memory that matched and is not in the answer.
    LeftOutMemory = Shape::new()
        .has("id", uuid(), "The memory")
        .has("scope", text(), "Kind of its scope")
        .has("rank_score", share(), "Its relevance, as of items")
        .has("reason", one_of(&["min_relevance", "max_results", "max_results_per_query", "max_tokens", "duplicate", "contradiction"]), "Why it is not told")
        .may("by", uuid(), "The memory that stands for it, or before it");
    /// What one scope contributed.
    ScopeReport = scoped(Shape::new()
        .has("scope_known", flag(), "Something was stored there at some time: an empty answer differs from a wrong id")
        .has("items", count(), "Memories in the answer")
        .has("candidates", count(), "Memories that matched: of each query the best 2,000 at most")
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
        .takes("generation", text_of(64), "Answer from the generation of this name, with its weights. Default: the live one")
        .takes("search_query", queries, "What is wanted; none, or none with a word to search by: the newest memories")
        .takes("max_results", between(1, RESULTS_MAX), "At most this many memories. Default: 10")
        .takes("max_results_per_query", between(1, RESULTS_MAX), "At most this many by each query")
        .takes("max_tokens", between(1, TOKENS_MAX), "At most this many tokens, as estimated; with `include_prompt`, of the whole `prompt`")
        .takes("min_relevance", share(), "Absolute relevance that a match has at least. Default: 0.05, which keeps out what shares only common words with the queries. 0: no floor, and room that is left is filled with the newest memories")
        .takes("include_shadowed", flag(), "Also what a narrower or newer memory contradicts, marked `shadowed_by`. Default: `false`")
        .takes("include_prompt", flag(), "Also `prompt`: the memories as one text, fenced as data. Default: `false`")
        .takes("types", types, "Which types: `facts`, `preferences`, `episodes`, `emotions`, `temporal_events`, each also in the singular; `all`")
        .takes("mode", one_of(&["fast", "accurate"]), "How much work. Default: `fast`")
        .takes("response_shape", one_of(&["by_type", "ranked"]), "`ranked`: one list in order as well. Default: `by_type`")
        .takes("explain", flag(), "Each memory says why it is there, and `left_out` what is not")
        .takes("as_of", text_of(AS_OF_BYTES_MAX), "What would have been told then, under today's ranking and without what was erased since: an RFC 3339 time, or a position from a receipt")
        .takes("position", text(), "From a receipt: the answer holds everything up to there")
        .takes("wait_ms", between(0, wait_max), "How long to wait for the position. Default: 2,000")
        .takes("if_stale", one_of(&["answer", "refuse"]), "When the wait was not enough: answer as it is, marked `stale` (default), or refuse with 503")
        .takes("include_conversation_context", flag(), "Whether the answer tells of the conversation. Default: `true`")
}
