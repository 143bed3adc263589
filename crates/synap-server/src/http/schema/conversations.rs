//! Conversations: their turns, transcripts and summaries; and what is known of a user.

use super::common::{conversation_id, id, parameters, receipt, scope_ids};
use super::shape::{
    Kind, Shape, a, between, count, either, fields, flag, list, number, one_of, shapes, some_of,
    text, text_between, text_of, time, uuid,
};
use synap_types::limits::{
    BATCH_MESSAGES_MAX, DOCUMENT_BYTES_MAX, IDEMPOTENCY_KEY_BYTES_MAX, MESSAGE_BYTES_MAX,
    QUERY_BYTES_MAX, TOKENS_MAX, TRANSCRIPT_TURNS_MAX,
};

shapes! {
    /// One turn. Without an idempotency key it is always new: people say "ok" twice.
    MessageBody = scope_ids(turn(Shape::new()
        .has("conversation_id", conversation_id(), "A UUID, or what you call the conversation")))
        .takes("session_id", id(), "Your session; comes back with the receipt")
        .takes("said_at", text(), "When it was said; else when it was accepted")
        .takes("idempotency_key", text_between(1, IDEMPOTENCY_KEY_BYTES_MAX), "As the header `Idempotency-Key`, over which it wins");
    /// Many turns; those of one conversation in their order. Each succeeds or fails by itself.
    MessageBatchBody = Shape::new()
        .has("messages", some_of(a::<MessageBody>(), BATCH_MESSAGES_MAX), "The turns");
    /// The turn is in the log and will not be lost.
    MessageReceipt = receipt(Shape::new()
        .has("message_id", uuid(), "The turn")
        .has("conversation_id", uuid(), "Its conversation")
        .has("recorded_at", time(), "When it was accepted"))
        .may("session_id", text(), "Your session")
        .may("conversation_message_count", count(), "Turns of the conversation up to this one; absent while the read model is behind");
    /// What became of each turn.
    MessageBatchReceipt = Shape::new()
        .has("total", count(), "Turns given")
        .has("succeeded", count(), "Turns recorded")
        .has("failed", count(), "Turns refused")
        .has("results", list(a::<MessageReceipt>()), "Receipts of the turns that were recorded, in their order")
        .has("errors", list(a::<MessageError>()), "Refusals of the others");
    /// Why a turn of a batch was refused.
    MessageError = Shape::new()
        .has("index", count(), "Its place in the batch, from 0")
        .has("error", text(), "For a person")
        .has("code", text(), "What the caller can do, by name");
    /// Events of a client's stream. Those that are no turns are hints, accepted and not kept.
    EventsBody = Shape::new()
        .has("events", some_of(a::<StreamEvent>(), BATCH_MESSAGES_MAX), "The events");
    /// An event of a client's stream.
    StreamEvent = scope_ids(Shape::new()
        .has("event_type", text_between(1, 256), "`user_message` and `assistant_message` are turns"))
        .takes("event_id", text_of(IDEMPOTENCY_KEY_BYTES_MAX), "Names the event: sent again, it is recorded once")
        .takes("conversation_id", conversation_id(), "The conversation; a turn without one is a hint")
        .takes("content", text_of(MESSAGE_BYTES_MAX), "What was said")
        .takes("session_id", id(), "Your session")
        .takes("metadata", fields(), "Data of your own");
    /// What became of each event.
    EventsAnswer = Shape::new()
        .has("accepted", count(), "Events accepted")
        .has("rejected", count(), "Events refused")
        .has("results", list(a::<EventResult>()), "For each event, in their order");
    /// What became of an event.
    EventResult = Shape::new()
        .has("event_id", text(), "The event")
        .has("status", one_of(&["accepted", "rejected"]), "What became of it")
        .may("reason", text(), "Why it was refused");
    /// A whole conversation, after its end. A conversation has one transcript: another one is a conflict.
    TranscriptBody = scope_ids(Shape::new()
        .has("conversation_id", conversation_id(), "A UUID, or what you call the conversation")
        .has("transcript", either([text_between(1, DOCUMENT_BYTES_MAX), some_of(a::<TranscriptTurn>(), TRANSCRIPT_TURNS_MAX)]), "Text of lines such as `User: …`, or turns"))
        .takes("conversation_type", id(), "Your word for it, such as `voice`")
        .takes("analysis", fields(), "What you found out about it")
        .takes("metadata", fields(), "Data of your own")
        .takes("started_at", text(), "When it began")
        .takes("ended_at", text(), "When it ended");
    /// A turn of a transcript.
    TranscriptTurn = turn(Shape::new())
        .takes("timestamp", text(), "When it was said")
        .takes("speaker", id(), "Who said it");
    /// The transcript is in the log and will not be lost.
    TranscriptReceipt = super::common::placed(Shape::new()
        .has("conversation_id", uuid(), "The conversation")
        .has("external_conversation_id", text(), "What you call it")
        .has("ingestion_id", uuid(), "Names the transcript")
        .has("status", one_of(&["queued", "duplicate"]), "`duplicate` where the same transcript was there")
        .has("summary_status", one_of(&["skipped", "already_compacted"]), "A summary is made when it is asked for")
        .has("turns_recorded", count(), "Its turns, those included that had been recorded before")
        .has("queued_at", time(), "When it was accepted")
        .has("warnings", list(text()), "What you should know"));
    /// Which conversation to summarise.
    CompactBody = scope_ids(Shape::new()
        .has("conversation_id", conversation_id(), "The conversation"))
        .takes("strategy", one_of(&["", "conservative", "balanced", "aggressive", "adaptive", "low", "medium", "high"]), "How much stays: 70, 40 or 15 %; `adaptive`, the default, keeps less of more")
        .takes("target_tokens", between(1, TOKENS_MAX), "How many tokens stay; outranks the strategy")
        .takes("force", flag(), "Even if nothing was said since the last summary");
    /// The summary is made.
    CompactAnswer = Shape::new()
        .has("compaction_id", uuid(), "The summary")
        .has("conversation_id", uuid(), "The conversation")
        .has("status", one_of(&["completed"]), "It is there when the call returns")
        .has("trigger_type", text(), "Always `manual_api`")
        .has("initiated_at", time(), "When it was asked for")
        .has("estimated_completion_seconds", count(), "Always 0")
        .may("previous_compaction_id", uuid(), "The summary before")
        .may("previous_context_age_seconds", count(), "How old that was");
    /// A summary.
    Compacted = Shape::new()
        .has("conversation_id", uuid(), "The conversation")
        .has("compaction_id", uuid(), "The summary")
        .has("version", count(), "Its number, from 1")
        .has("formatted_context", text(), "The summary as text")
        .has("original_token_count", count(), "Tokens of what it stands for")
        .has("compacted_token_count", count(), "Its own tokens")
        .has("compression_ratio", number(), "Of 1 token, how much is left")
        .has("strategy_used", one_of(&["conservative", "balanced", "aggressive", "adaptive"]), "How much was to stay")
        .has("facts", list(a::<Sentence>()), "Sentences that are facts")
        .has("decisions", list(a::<Sentence>()), "Sentences that are decisions")
        .has("preferences", list(a::<Sentence>()), "Sentences that are preferences")
        .has("events", list(a::<Sentence>()), "Sentences tied to a time")
        .has("current_state", fields(), "`turns_covered` of `turns`")
        .has("is_stale", flag(), "More was said since")
        .has("quality_warning", flag(), "Always `false`: every sentence was said as it stands")
        .has("created_at", time(), "When it was made");
    /// A sentence of a summary.
    Sentence = Shape::new()
        .has("content", text(), "As it was said")
        .has("speaker", either([text(), super::shape::null()]), "Who said it")
        .has("turn", count(), "In which turn, from 1");
    /// How far the summary of a conversation is.
    CompactionStatus = Shape::new()
        .has("conversation_id", uuid(), "The conversation")
        .has("status", one_of(&["none", "completed"]), "`none`: there is no summary")
        .may("compaction_id", uuid(), "The last summary")
        .may("completed_at", time(), "When it was made")
        .may("compression_ratio", number(), "Of 1 token, how much is left")
        .may("latest_version", count(), "Its number")
        .may("latest_created_at", time(), "When it was made")
        .may("is_stale", flag(), "More was said since");
    /// Turns of a conversation.
    Turns = Shape::new()
        .has("conversation_id", uuid(), "The conversation")
        .has("turns", list(a::<Turn>()), "The turns, in order")
        .has("total", count(), "How many there are in all");
    /// A turn as it was said.
    Turn = said(Shape::new().has("position", count(), "Its place in the conversation, from 1"))
        .may("speaker", text(), "Who said it");
    /// A conversation for a prompt. `available` alone where there is none.
    PromptContext = Shape::new()
        .has("available", flag(), "There is something")
        .may("conversation_id", uuid(), "The conversation")
        .may("formatted_context", text(), "The last summary, the memories that a query asked for, and the turns since, as text")
        .may("context_block", text(), "The summary, and after it the memories that a query asked for, as text; only where there is a summary")
        .may("recent_messages", list(a::<RecentTurn>()), "The turns since the summary")
        .may("recent_message_count", count(), "How many")
        .may("compacted_message_count", count(), "Turns that the summary stands for")
        .may("total_message_count", count(), "Turns in all")
        .may("quality_warning", flag(), "Always `false`")
        .may("is_stale", flag(), "More was said since the summary")
        .may("compaction_id", uuid(), "The summary")
        .may("compression_ratio", number(), "Of 1 token, how much is left")
        .may("compaction_age_seconds", count(), "How old the summary is");
    /// A turn that the summary does not cover.
    RecentTurn = said(Shape::new());
    /// A conversation among a user's last ones.
    ConversationSummary = Shape::new()
        .has("conversation_id", uuid(), "The conversation")
        .has("external_conversation_id", text(), "What its caller calls it")
        .has("started_at", time(), "Its first turn")
        .has("last_message_at", time(), "Its last turn")
        .has("message_count", count(), "Its turns")
        .has("summary_status", one_of(&["available", "pending"]), "Whether there is a summary")
        .may("ended_at", time(), "When it ended, if its caller said so")
        .may("conversation_type", text(), "Its caller's word for it")
        .may("analysis", fields(), "What its caller found out")
        .may("summary", fields(), "`narrative_summary` and `overview`")
        .may("compaction_version", count(), "The summary's number")
        .may("compacted_at", time(), "When the summary was made");
    /// What is known of a user.
    ProfileAnswer = Shape::new()
        .has("profile", a::<Profile>(), "The profile");
    /// What is known of a user.
    Profile = Shape::new()
        .has("attributes", fields(), "By name: `value`, `confidence`, `updated_at`, and the memory and conversation that it came from")
        .has("overview", text(), "The same as text")
        .has("extras", fields(), "Nothing")
        .has("_meta", fields(), "Nothing");
}

parameters! {
    /// Which turns.
    TurnsQuery in Query {
        "start": between(1, u32::MAX as usize), "The first turn. Default: 1";
        "limit": between(1, BATCH_MESSAGES_MAX), "At most this many. Default: 500";
    }
    /// How a prompt is written.
    StyleQuery in Query {
        "style": one_of(&["structured", "narrative", "bullet_points"]), "How the text is written. Default: `structured`";
        "search_query": text_of(QUERY_BYTES_MAX), "Adds memories that it finds and that were not said in the conversation";
        "max_tokens": between(1, TOKENS_MAX), "Estimated tokens of the summary and these memories; the summary is never cut";
    }
    /// Which summary, and how it is written.
    CompactedQuery in Query {
        "format": one_of(&["structured", "narrative", "injection"]), "How the text is written. Default: `structured`";
        "version": between(1, u32::MAX as usize), "Which summary. Default: the last";
    }
}

/// Who said what.
fn turn(shape: Shape) -> Shape {
    shape
        .has("role", role(), "Who spoke")
        .has(
            "content",
            text_of(MESSAGE_BYTES_MAX),
            "What was said; may be empty",
        )
        .takes(
            "metadata",
            fields(),
            "Data of your own, up to 64 KiB as JSON",
        )
}

fn said(shape: Shape) -> Shape {
    shape
        .has("role", role(), "Who spoke")
        .has("content", text(), "What was said")
        .has("timestamp", time(), "When it was said, or else accepted")
        .has("message_id", uuid(), "The turn")
}

fn role() -> Kind {
    one_of(&["user", "assistant"])
}
