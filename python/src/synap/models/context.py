"""What the server answers to fetches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from pydantic import Field

from .base import Answer
from .conversations import ConversationContext, ConversationSummary, UserProfile


class Fold(Answer):
    """A near-duplicate that an item stands for."""

    id: str
    scope: str


class ItemExplain(Answer):
    """Why an item is in the answer."""

    #: The event that it came from, and its place in the log.
    event_id: str
    seq: int
    #: First byte and the one after the last, in the document that it came from.
    span: tuple[int, int]
    #: Every ranking signal by name, as it went into the score.
    signals: dict[str, Any] = Field(default_factory=dict)
    #: `reserved` (its scope's share), `relevance`, `value` (relevance for its tokens), `metadata` or `recency`.
    selected_by: str
    #: Tokens that it took of the budget.
    charged: int = 0
    folded: list[Fold] = Field(default_factory=list)


class Shadow(Answer):
    """A memory that an item stands before."""

    id: str
    scope: str
    #: `duplicate` or `contradiction`.
    reason: str


class LeftOutMemory(Answer):
    """A memory that matched and is not in the answer."""

    id: str
    scope: str
    rank_score: float = 0.0
    #: `min_relevance`, `max_results`, `max_results_per_query`, `max_tokens`, `duplicate` or `contradiction`.
    reason: str
    #: The memory that stands for it, or before it.
    by: str | None = None


class LeftOut(Answer):
    """What matched and is not in the answer: how much, and the most relevant of it."""

    count: int = 0
    memories: list[LeftOutMemory] = Field(default_factory=list)


class ContextItem(Answer):
    """One memory as it is told."""

    id: str
    #: Its text, self-contained.
    content: str
    #: `fact`, `preference`, `episode`, `emotion` or `temporal_event`.
    memory_type: str
    #: Kind of the scope it belongs to: `user`, `customer`, `client`, or a level of the instance's ladder.
    scope: str
    #: Ids of that scope; empty for the client's own.
    scope_path: dict[str, str] = Field(default_factory=dict)
    #: Where it stands among all items, from 1: scopes narrowest first, in each the most relevant first.
    rank: int
    #: Relevance to the queries, 0 to 1, comparable within this answer only.
    rank_score: float = 0.0
    #: How sure the server is of its type, 0 to 1.
    confidence: float = 0.0
    document_id: str
    #: Who said it, in a transcript.
    speaker: str | None = None
    #: When the document or the turn was written, if known.
    said_at: datetime | None = None
    #: When what it tells of takes place: the first moment, and the one after it (`None` beside a date: it goes on).
    event_date: datetime | None = None
    event_end: datetime | None = None
    #: What the date names: `minute`, `day`, `week`, `month`, `quarter`, `season`, `year`, `range` or `approximate`.
    event_precision: str | None = None
    #: The first moment at which it does not hold any more; it is told all the same.
    valid_until: datetime | None = None
    #: How it recurs, as in RFC 5545: `FREQ=WEEKLY;BYDAY=MO`.
    recurrence: str | None = None
    #: The people, places, organisations and products that it names.
    entities: list[str] = Field(default_factory=list)
    #: When it was accepted.
    extracted_at: datetime | None = None
    #: Metadata of the document and of the turn.
    metadata: dict[str, Any] = Field(default_factory=dict)
    #: Which of the queries found it.
    matched_queries: list[str] = Field(default_factory=list)
    #: Estimated tokens of `content`.
    tokens: int = 0
    #: What it stands before: near-duplicates, and preferences that it contradicts.
    shadows: list[Shadow] = Field(default_factory=list)
    #: The narrower or newer memory that contradicts it; only with `include_shadowed`.
    shadowed_by: str | None = None
    #: Why it is here, if asked for.
    explain: ItemExplain | None = None


class Fact(ContextItem):
    """Something that holds."""


class Preference(ContextItem):
    """Something that somebody likes, wants or avoids."""

    #: What it is about.
    category: str = ""
    strength: float = 0.0


class Episode(ContextItem):
    """Something that happened."""

    summary: str = ""
    occurred_at: datetime | None = None
    significance: float = 0.0
    participants: list[str] = Field(default_factory=list)


class Emotion(ContextItem):
    """Something that somebody feels."""

    emotion_type: str = ""
    context: str = ""
    detected_at: datetime | None = None
    intensity: float = 0.0


class TemporalEvent(ContextItem):
    """Something that is tied to a date or a recurring time."""

    temporal_category: str = ""
    temporal_confidence: float = 0.0


class ScopeReport(Answer):
    """What one scope contributed to an answer."""

    scope: str
    scope_path: dict[str, str] = Field(default_factory=dict)
    #: Whether anything was ever stored there: nothing relevant differs from a wrong id.
    scope_known: bool
    #: Items in the answer.
    items: int
    #: Memories that matched at all.
    candidates: int
    #: Everything up to here is in the answer.
    applied_seq: int = 0


class ContextResponse(Answer):
    """The answer to a fetch."""

    facts: list[Fact] = Field(default_factory=list)
    preferences: list[Preference] = Field(default_factory=list)
    episodes: list[Episode] = Field(default_factory=list)
    emotions: list[Emotion] = Field(default_factory=list)
    temporal_events: list[TemporalEvent] = Field(default_factory=list)
    #: Everything in one list; only with `response_shape="ranked"`. `all_items()` works with both shapes.
    items: list[ContextItem] = Field(default_factory=list)
    #: The scopes that were searched, narrowest first.
    scopes: list[ScopeReport] = Field(default_factory=list)
    #: The answer may lack what was written last.
    stale: bool = False
    #: Estimated tokens of all items.
    tokens: int = 0
    #: All items as one text for a prompt, fenced as data; only with `include_prompt`.
    prompt: str | None = None
    #: Estimated tokens of `prompt`.
    prompt_tokens: int = 0
    #: What matched and is not here; only with `explain`.
    left_out: LeftOut | None = None
    #: How long the answer may be kept, in seconds; below 0: not at all.
    ttl_seconds: int | None = None
    #: The conversation that it was asked for in, if there is one.
    conversation_context: ConversationContext | None = None
    #: With `context_mode="conversation-summary"`: what stays true of the user, if anything is known,
    profile: UserProfile | None = None
    #: and the user's last conversations, the newest first.
    conversations: list[ConversationSummary] = Field(default_factory=list)

    @classmethod
    def from_answer(cls, answer: dict[str, Any]) -> ContextResponse:
        """Reads an answer as the server lays it out, with the lists inside `context`."""
        rest = {name: value for name, value in answer.items() if name != "context"}
        return cls.model_validate({**rest, **(answer.get("context") or {})})

    def all_items(self) -> list[ContextItem]:
        """Every item once, in scope order: narrowest scope first, in each the most relevant first."""
        if self.items:
            return list(self.items)
        return sorted(self._typed(), key=lambda item: item.rank)

    @property
    def formatted_context(self) -> str:
        """All of it as Markdown for a prompt: memories by type, conversations, the profile; "" if there is nothing."""
        told = self.conversation_context
        sections = [
            *((title, "\n".join(f"- {item.content}" for item in items)) for title, items in self._by_type()),
            ("Conversation History", (told and told.formatted_context) or ""),
            ("Profile", (self.profile and self.profile.overview) or ""),
            ("Previous Conversations", "\n\n".join(filter(None, (one.overview for one in self.conversations)))),
        ]
        return "\n\n".join(f"### {title}\n{text}" for title, text in sections if text)

    def _by_type(self) -> list[tuple[str, Sequence[ContextItem]]]:
        return [
            ("Facts", self.facts),
            ("Preferences", self.preferences),
            ("Episodes", self.episodes),
            ("Emotions", self.emotions),
            ("Temporal Events", self.temporal_events),
        ]

    def _typed(self) -> Iterator[ContextItem]:
        return chain.from_iterable(items for _, items in self._by_type())
