"""What the server answers to writes of memories, and to questions about single ones."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from .base import Answer


class Receipt(Answer):
    """An accepted write: it is in the log and will not be lost."""

    #: To ask for its status.
    ingestion_id: str
    #: The caller's, or one that the server made.
    document_id: str
    #: `queued`, or `completed` for a duplicate of something that is readable already.
    status: str
    #: The same document was there before and nothing was written. Also true when a retry of this very call found that
    #: an earlier try had arrived after all.
    duplicate: bool = False
    #: When it was accepted.
    queued_at: datetime
    #: Kind of the scope that was written: `user`, `customer`, `client`, or a level of the instance's ladder.
    scope: str
    #: Ids of that scope, such as `{"customer": "acme_corp"}`; empty for the client's own.
    scope_path: dict[str, str] = Field(default_factory=dict)
    #: Where the write stands. A fetch with this position sees it.
    position: str
    #: `power-safe`, or `relaxed` where a power cut may lose the write.
    durability: str | None = None


class BatchEntry(Answer):
    """What became of one document of a batch: a receipt, or the reason why there is none."""

    ingestion_id: str
    document_id: str
    #: `queued`, `completed`, or `failed` if it was refused.
    status: str
    queued_at: datetime | None = None
    duplicate: bool = False
    scope: str | None = None
    scope_path: dict[str, str] = Field(default_factory=dict)
    position: str | None = None
    durability: str | None = None
    #: Why it was refused.
    error_message: str | None = None


class BatchResult(Answer):
    """What became of a batch; `results` are in the order of the documents."""

    batch_id: str
    total: int
    succeeded: int
    failed: int
    results: list[BatchEntry] = Field(default_factory=list)


class IngestionStatus(Answer):
    """How far an ingestion is."""

    ingestion_id: str
    document_id: str
    #: `queued`, `completed`, or `failed`.
    status: str
    queued_at: datetime
    completed_at: datetime | None = None
    memories_created: int = 0
    memory_ids: list[str] = Field(default_factory=list)
    #: Why it failed.
    error_message: str | None = None
    scope: str | None = None
    scope_path: dict[str, str] = Field(default_factory=dict)


class Memory(Answer):
    """One memory, by itself."""

    memory_id: str
    #: `fact`, `preference`, `episode`, `emotion` or `temporal_event`.
    memory_type: str
    #: Its text, self-contained.
    content: str
    #: How sure the server is of its type, 0 to 1.
    confidence: float = 0.0
    #: What it is about, of a preference.
    category: str | None = None
    #: When it was accepted.
    created_at: datetime
    #: When it was last updated by its id, if it was.
    updated_at: datetime | None = None
    #: The document or the conversation that it came from.
    source_document_id: str | None = None
    #: The conversation, if it came from one.
    conversation_id: str | None = None
    #: Kind of the scope it belongs to.
    scope: str | None = None
    scope_path: dict[str, str] = Field(default_factory=dict)


class DeletedMemory(Answer):
    """A memory that is not told any more."""

    memory_id: str
    deleted_at: datetime
    #: Give it to `undo`.
    event_id: str


class MemoryPlace(Answer):
    """A memory, and whose it is."""

    memory_id: str
    #: Kind of the scope.
    scope: str
    #: Ids of that scope; empty for the client's own.
    scope_path: dict[str, str] = Field(default_factory=dict)
    #: Whether fetches tell it now. None where that is not in question.
    is_told: bool | None = None


class MovedMemory(MemoryPlace):
    """Where a memory is told now, under which id."""

    moved_from: MemoryPlace
    #: Give it to `undo`.
    event_id: str


class UndoneChange(Answer):
    """A change that was taken back."""

    #: The event that took it back, which can be undone as well.
    event_id: str
    #: The event that it compensates.
    undoes: str
    #: The memory; of a move, both, first the one that the event is about.
    memories: list[MemoryPlace]


class ForgetCandidate(Answer):
    """A memory that a description means."""

    memory_id: str
    content: str
    memory_type: str | None = None


class ForgetResponse(Answer):
    """What a description means, and what became of it."""

    #: `nothing_matches`, `preview` (nothing was forgotten), `deleted`, or `partial` (some of it could not be).
    status: str
    request_id: str | None = None
    #: The memories that the description means.
    candidates: list[ForgetCandidate] = Field(default_factory=list)
    deleted_ids: list[str] = Field(default_factory=list)
    failed_ids: list[str] = Field(default_factory=list)
    #: Where it still lies, although nobody is told it.
    still_present_in: list[str] = Field(default_factory=list)
    #: There may be more: ask again.
    may_be_incomplete: bool = False


class DeleteDataResult(Answer):
    """What became of a deletion."""

    #: To ask for its status.
    deletion_id: str | None = None
    #: `dry_run` (nothing was deleted), `complete`, or `partial`: nothing of it is told any more, and it still lies
    #: where `still_present_in` says.
    status: str
    #: `user`, `customer`, `conversation` or `document`.
    scope: str | None = None
    dry_run: bool = False
    #: There was anything to delete.
    found: bool = False
    #: How much, such as `{"memories": 7}`; with `events`, those that were taken out of the log.
    counts: dict[str, int] = Field(default_factory=dict)
    requested_at: datetime | None = None
    #: When its bytes were gone, or all of them that could go.
    completed_at: datetime | None = None
    #: The search of the data folder afterwards: `bytes`, and how often something of it was `found`. What others said in
    #: the same words is found as well.
    searched: dict[str, int] = Field(default_factory=dict)
    still_present_in: list[str] = Field(default_factory=list)
    #: Nothing is left anywhere.
    fully_removed: bool = False
    #: A sentence for a person.
    note: str | None = None
