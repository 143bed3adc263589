//! Memories: what goes in, and how it is changed and taken away.

use super::common::{id, ingestion, receipt, scope_ids, scoped};
use super::shape::{
    Kind, Shape, a, anything, binary, count, either, fields, flag, list, one_of, shapes, share,
    some_of, text, text_between, text_of, time, uuid,
};
use synap_types::limits::{
    BATCH_DOCUMENTS_MAX, DOCUMENT_BYTES_MAX, FORGET_CHARS_MAX, FORGET_CHARS_MIN,
    IDEMPOTENCY_KEY_BYTES_MAX,
};
use synap_types::{LevelName, MemoryType};

shapes! {
    /// A document to remember. Its scope is the narrowest that the ids name: the user's, the customer's, or the client's own.
    CreateBody = described(scope_ids(Shape::new()
        .has("document", content(), "The document: text, or JSON of any shape")))
        .takes("metadata", fields(), "Data of your own, up to 64 KiB as JSON; comes back with every memory of the document");
    /// Many documents. Each succeeds or fails by itself.
    CreateBatchBody = Shape::new()
        .has("documents", some_of(a::<CreateBody>(), BATCH_DOCUMENTS_MAX), "The documents")
        .takes("fail_fast", flag(), "One bad document refuses all, before anything is written");
    /// A file, or a text, as a form.
    UploadBody = described(Shape::new()
        .may("file", binary(), "The file: plain text, Markdown, CSV, JSON, HTML, PDF or e-mail. Its name becomes the document's id")
        .may("text", text_of(DOCUMENT_BYTES_MAX), "In place of a file")
        .may("user_id", id(), "The user")
        .may("customer_id", id(), "The customer")
        .may("scope", text(), "Ids by level, as JSON in a text"))
        .may("metadata", text(), "Data of your own, as JSON in a text");
    /// A text as a form. A file needs `multipart/form-data`.
    UploadTextBody = described(Shape::new()
        .has("text", text_of(DOCUMENT_BYTES_MAX), "The text")
        .may("user_id", id(), "The user")
        .may("customer_id", id(), "The customer")
        .may("scope", text(), "Ids by level, as JSON in a text"))
        .may("metadata", text(), "Data of your own, as JSON in a text");
    /// The document is in the log and will not be lost.
    Receipt = receipt(ingestion(Shape::new()))
        .has("status", one_of(&["queued", "completed", "failed"]), "`completed` for a duplicate of something that is there")
        .has("queued_at", time(), "When it was accepted");
    /// What became of each document, in the order given.
    BatchReceipt = Shape::new()
        .has("batch_id", uuid(), "Names this answer")
        .has("total", count(), "Documents given")
        .has("succeeded", count(), "Documents accepted")
        .has("failed", count(), "Documents refused")
        .has("results", list(a::<BatchEntry>()), "A receipt, or a refusal, for each");
    /// A receipt, or why there is none.
    BatchEntry = ingestion(Shape::new())
        .has("status", one_of(&["queued", "completed", "failed"]), "`failed` for a refusal")
        .has("queued_at", time(), "When it was accepted or refused")
        .may("error_message", text(), "Why it was refused")
        .may("error", a::<super::common::Refusal>(), "The same in parts");
    /// How far an ingestion is.
    IngestionStatus = scoped(ingestion(Shape::new()))
        .has("status", one_of(&["queued", "completed", "failed"]), "`completed` when its memories can be fetched")
        .has("queued_at", time(), "When it was accepted")
        .may("completed_at", time(), "When its memories could be fetched")
        .has("memories_created", count(), "How many memories it made")
        .has("memory_ids", list(uuid()), "Which")
        .may("error_message", text(), "Why it failed");
    /// One memory.
    Memory = scoped(Shape::new()
        .has("memory_id", uuid(), "The memory")
        .has("memory_type", memory_type(), "What it is")
        .has("content", text(), "Its text")
        .has("confidence", share(), "How sure the rule is that typed it")
        .has("created_at", time(), "When it was accepted")
        .has("source_document_id", text(), "The document or conversation that it came from"))
        .may("category", text(), "Finer than the type")
        .may("updated_at", time(), "When it was last changed")
        .has("event_id", uuid(), "The event that made it as it is: of an update, give it to undo")
        .may("conversation_id", uuid(), "The conversation that it was said in")
        .has("metadata", fields(), "Metadata of the document and of the turn");
    /// New content for a memory.
    UpdateBody = Shape::new()
        .has("document", content(), "The content")
        .takes("merge_strategy", one_of(&["replace", "append", "smart-merge"]), "How it goes together with what is there. Default: `smart-merge`, which keeps what is new sentence by sentence")
        .takes("document_type", id(), "How the content is to be read")
        .takes("metadata", fields(), "Replaces the memory's metadata");
    /// The memory is not told any more.
    Forgotten = Shape::new()
        .has("memory_id", uuid(), "The memory")
        .has("deleted_at", time(), "Since when")
        .has("event_id", uuid(), "The event that forgot it: give it to undo");
    /// What to forget of one user.
    ForgetBody = scope_ids(Shape::new()
        .has("description", text_between(FORGET_CHARS_MIN, FORGET_CHARS_MAX), "What the memories are about"))
        .takes("mode", one_of(&["preview", "direct"]), "`preview`, the default, only says which");
    /// What was forgotten, or would be.
    ForgetAnswer = Shape::new()
        .has("status", one_of(&["nothing_matches", "preview", "deleted", "partial"]), "What was done")
        .has("candidates", list(a::<Candidate>()), "The memories that the description means")
        .may("request_id", uuid(), "Names a preview")
        .may("deleted_ids", list(uuid()), "Memories that were forgotten")
        .may("failed_ids", list(uuid()), "Memories that could not be forgotten now")
        .may("still_present_in", list(text()), "Where the text still is: the log keeps events, the read model ended rows")
        .may("may_be_incomplete", flag(), "There may be more: ask again");
    /// A memory that a description means.
    Candidate = Shape::new()
        .has("memory_id", uuid(), "The memory")
        .has("content", text(), "Its text")
        .has("memory_type", memory_type(), "What it is")
        .has("store", text(), "Always `memory`");
    /// Whose data to delete.
    DeleteBody = Shape::new()
        .has("scope", one_of(&[LevelName::USER, LevelName::CUSTOMER, "conversation", "document", "memory"]), "What to delete")
        .takes("user_id", id(), "The user")
        .takes("customer_id", id(), "The customer")
        .takes("conversation_id", id(), "The conversation")
        .takes("document_id", id(), "The document, of the user, of the customer, or of the client where neither is named")
        .takes("memory_id", uuid(), "The memory: what it was derived from goes, if nothing else was derived from it")
        .takes("instance_id", id(), "The key's instance, to be sure of it")
        .takes("dry_run", flag(), "Only count")
        .takes("confirm", id(), "Repeats the id of what is deleted; required unless `dry_run`");
    /// What was deleted, or would be.
    Deletion = Shape::new()
        .has("deletion_id", uuid(), "To ask for it again")
        .has("status", one_of(&["complete", "partial", "dry_run"]), "`partial`: nothing of it is told any more, and files still hold it; `complete`: they do not")
        .may("scope", text(), "What was deleted")
        .has("dry_run", flag(), "Nothing was deleted")
        .has("found", flag(), "There was something")
        .has("counts", fields(), "How much: `memories`, `turns`, `events` that were taken out of the log, and of memories that were moved from there to other scopes `copies`, which are deleted first")
        .has("stores", fields(), "Nothing: there is one store")
        .has("still_present_in", list(text()), "Where it still is")
        .has("fully_removed", flag(), "Nothing of it is left anywhere")
        .has("continue", flag(), "Always `false`: one call does it")
        .has("kept", list(text()), "Nothing is kept")
        .has("memories_kept", flag(), "Always `false`")
        .may("note", text(), "For a person")
        .may("requested_at", time(), "When it was asked for")
        .may("completed_at", time(), "When its bytes were taken out")
        .may("searched", fields(), "How many `bytes` of files were searched for it afterwards, and in how many places something was `found`");
}

fn content() -> Kind {
    either([
        text_between(1, DOCUMENT_BYTES_MAX),
        fields(),
        list(anything()),
    ])
}

/// What a create and an upload say of their document.
fn described(shape: Shape) -> Shape {
    shape
        .takes("document_type", id(), "How to read it: `document` for Markdown and prose; `ai-chat-conversation` (default of a create), `human-chat-conversation` and `meeting-transcript` for turns. Any other name is read as prose")
        .takes("document_id", id(), "Your id for it: the same id with other content, in the same scope, is a new version")
        .takes("document_created_at", text(), "When it was written: RFC 3339, or a date, or date and time without an offset, which count as UTC")
        .takes("mode", text_of(64), "Accepted and ignored: there is one way to ingest")
        .takes("on_conflict", one_of(&["replace", "reject"]), "When the document is there with other content. Default: `replace`")
        .takes("idempotency_key", text_between(1, IDEMPOTENCY_KEY_BYTES_MAX), "As the header `Idempotency-Key`, over which it wins")
}

/// What a memory is.
pub(super) fn memory_type() -> Kind {
    one_of(&MemoryType::ALL.map(MemoryType::name))
}
