"""What the server answers about conversations and about who takes part in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from .base import Answer


class MessageReceipt(Answer):
    """A recorded turn: it is in the log and will not be lost."""

    message_id: str
    #: A UUID, also where the caller calls the conversation something else.
    conversation_id: str
    session_id: str | None = None
    recorded_at: datetime
    #: Turns of the conversation up to this one; None while the server is behind.
    conversation_message_count: int | None = None
    #: The same report was there before and nothing was written. Also true when a retry of this very call found that an
    #: earlier try had arrived after all.
    duplicate: bool = False
    scope: str | None = None
    scope_path: dict[str, str] = Field(default_factory=dict)
    #: Where the write stands. A fetch with this position sees it.
    position: str | None = None
    durability: str | None = None


class MessageRefusal(Answer):
    """Why one turn of a batch was not recorded."""

    #: Its place in the batch, from 0.
    index: int
    #: The sentence, and the server's name for it.
    error: str
    code: str | None = None


class MessagesResult(Answer):
    """What became of a batch of turns."""

    total: int
    succeeded: int
    failed: int
    #: The recorded ones, in the order of the batch.
    results: list[MessageReceipt] = Field(default_factory=list)
    errors: list[MessageRefusal] = Field(default_factory=list)


class TranscriptReceipt(Answer):
    """An ingested transcript: it is in the log and will not be lost."""

    conversation_id: str
    #: What the caller calls the conversation.
    external_conversation_id: str | None = None
    ingestion_id: str
    #: `queued`, or `duplicate` if the same transcript was there.
    status: str
    #: `already_compacted`, or `skipped`: a summary is made when it is asked for.
    summary_status: str
    #: Turns of the conversation.
    turns_recorded: int = 0
    queued_at: datetime
    warnings: list[str] = Field(default_factory=list)
    scope: str | None = None
    scope_path: dict[str, str] = Field(default_factory=dict)
    #: Where the write stands. A fetch with this position sees it.
    position: str | None = None
    durability: str | None = None


class Turn(Answer):
    """One turn as it was said."""

    #: Its place in the conversation, from 1.
    position: int
    #: `user` or `assistant`.
    role: str
    content: str
    #: When it was said, else when it was recorded.
    timestamp: datetime
    message_id: str
    #: Who said it, in a transcript that told.
    speaker: str | None = None


class TurnsPage(Answer):
    """Some turns in their order."""

    conversation_id: str | None = None
    turns: list[Turn] = Field(default_factory=list)
    #: Turns of the whole conversation.
    total: int | None = None


class RecentMessage(Answer):
    """A turn that no summary covers yet."""

    role: str
    content: str
    timestamp: datetime
    message_id: str | None = None


class ContextForPromptResponse(Answer):
    """A conversation for a prompt: its last summary, and the turns since."""

    #: There is such a conversation, and something was said in it.
    available: bool = False
    #: Summary and turns as one text.
    formatted_context: str | None = None
    #: The summary alone.
    context_block: str | None = None
    #: Turns were recorded since the summary.
    is_stale: bool = False
    compression_ratio: float | None = None
    compaction_id: str | None = None
    compaction_age_seconds: int | None = None
    quality_warning: bool = False
    #: The turns since the summary, the oldest first.
    recent_messages: list[RecentMessage] = Field(default_factory=list)
    recent_message_count: int = 0
    compacted_message_count: int = 0
    total_message_count: int = 0


class CompactionTriggerResponse(Answer):
    """A summary was asked for."""

    compaction_id: str
    conversation_id: str
    #: `completed`: it can be read.
    status: str
    trigger_type: str | None = None
    initiated_at: datetime
    estimated_completion_seconds: int | None = None
    previous_compaction_id: str | None = None
    previous_context_age_seconds: int | None = None


class CompactionStatusResponse(Answer):
    """How far the summary of a conversation is."""

    conversation_id: str
    #: `completed`, or `none` if none was asked for.
    status: str
    compaction_id: str | None = None
    completed_at: datetime | None = None
    #: Of 1 token, how much the summary keeps.
    compression_ratio: float | None = None
    latest_version: int | None = None
    latest_created_at: datetime | None = None
    error_message: str | None = None
    #: Turns were recorded since.
    is_stale: bool = False


class CompactedSentence(Answer):
    """One sentence of a summary, as it was said."""

    content: str
    speaker: str | None = None
    #: The place of its turn in the conversation, from 1.
    turn: int | None = None


class CompactionResponse(Answer):
    """A summary of a conversation, made of its own sentences."""

    #: The summary as one text.
    formatted_context: str = ""
    original_token_count: int = 0
    compacted_token_count: int = 0
    #: Of 1 token, how much it keeps.
    compression_ratio: float = 0.0
    #: `conservative`, `balanced`, `aggressive` or `adaptive`.
    strategy_used: str | None = None
    compaction_id: str | None = None
    #: From 1.
    version: int | None = None
    facts: list[CompactedSentence] = Field(default_factory=list)
    decisions: list[CompactedSentence] = Field(default_factory=list)
    preferences: list[CompactedSentence] = Field(default_factory=list)
    events: list[CompactedSentence] = Field(default_factory=list)
    #: How many turns it covers, and how many there are.
    current_state: dict[str, Any] | None = None
    #: Turns were recorded since.
    is_stale: bool = False
    quality_warning: bool | None = None
    created_at: datetime | None = None

    @property
    def compacted_context(self) -> str:
        """`formatted_context` by the name that the vendor's SDK gives it."""
        return self.formatted_context


class ConversationContext(Answer):
    """The conversation that a fetch was made in."""

    conversation_id: str | None = None
    #: Its last summary.
    summary: str | None = None
    compaction_id: str | None = None
    compacted_at: datetime | None = None
    #: Sentences of the summary by what they are: `decisions`, `preferences`, `facts`, `events`.
    key_extractions: dict[str, list[CompactedSentence]] = Field(default_factory=dict)
    current_state: dict[str, Any] = Field(default_factory=dict)
    #: The turns since the summary, the oldest first.
    recent_turns: list[RecentMessage] = Field(default_factory=list)
    #: Summary and turns as one text.
    formatted_context: str | None = None


class ConversationSummary(Answer):
    """One of a user's last conversations."""

    conversation_id: str
    #: What the caller calls it.
    external_conversation_id: str | None = None
    conversation_type: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    last_message_at: datetime | None = None
    message_count: int = 0
    #: `available`, or `pending` if no summary was asked for.
    summary_status: str = "pending"
    #: `narrative_summary` and `overview`.
    summary: dict[str, Any] | None = None
    #: What the caller found out about it.
    analysis: dict[str, Any] | None = None
    compaction_version: int | None = None
    compacted_at: datetime | None = None

    @property
    def overview(self) -> str | None:
        """The summary as one text, if there is one."""
        text = (self.summary or {}).get("overview")
        return text if isinstance(text, str) else None


class ProfileAttribute(Answer):
    """One thing that stays true of a user."""

    value: Any
    confidence: float | None = None
    updated_at: datetime | None = None
    #: Where it is from.
    source_memory_id: str | None = None
    source_conversation_id: str | None = None


class UserProfile(Answer):
    """What stays true of a user: name, home, work, likes."""

    #: By name, such as `location` or `preference.interface`.
    attributes: dict[str, ProfileAttribute] = Field(default_factory=dict)
    #: All of it as a text.
    overview: str | None = None
    extras: dict[str, Any] = Field(default_factory=dict)


class ProfileAnswer(Answer):
    """The answer to a question for a profile."""

    profile: UserProfile
