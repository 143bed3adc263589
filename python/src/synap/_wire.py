"""Requests as the server reads them. Unset things are left out; what could widen a scope unseen is refused here.

Values are not checked beyond that: the server names the field, the limit and the value better.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any, Literal, TypeAlias
from urllib.parse import quote
from uuid import UUID

from .errors import invalid
from .models import BatchEntry, MessageReceipt, Receipt, TranscriptReceipt

Document: TypeAlias = str | dict[str, Any] | list[Any]
OnConflict: TypeAlias = Literal["replace", "reject"]
MergeStrategy: TypeAlias = Literal["replace", "append", "smart-merge"]
ForgetMode: TypeAlias = Literal["preview", "direct"]
Mode: TypeAlias = Literal["fast", "accurate"]
PrecisionLevel: TypeAlias = Literal["high", "medium"]
ResponseShape: TypeAlias = Literal["by_type", "ranked"]
IfStale: TypeAlias = Literal["answer", "refuse"]
Position: TypeAlias = str | Receipt | BatchEntry | MessageReceipt | TranscriptReceipt
#: An id that the server made.
Id: TypeAlias = str | UUID
Moment: TypeAlias = datetime | date | str
PromptStyle: TypeAlias = Literal["structured", "narrative", "bullet_points"]
CompactedFormat: TypeAlias = Literal["structured", "narrative", "injection"]
Strategy: TypeAlias = Literal["conservative", "balanced", "aggressive", "adaptive", "low", "medium", "high"]
DeleteScope: TypeAlias = Literal["user", "customer", "conversation", "document", "memory"]
ContextMode: TypeAlias = Literal["in-conversation", "conversation-summary"]

DOCUMENT_TYPE = "document"


@dataclass(frozen=True, kw_only=True)
class DocumentInput:
    """One document of a batch. A `dict` with the same keys does as well.

    The ids decide whose memory it becomes: `customer_id` and `user_id` that user's, `customer_id` alone the customer's,
    neither the application's own. `scope` names levels of an instance that has others, such as `{"team": "payments"}`.
    """

    document: Document
    document_type: str = DOCUMENT_TYPE
    document_id: str | None = None
    #: When it was written. A date and time without an offset counts as UTC.
    document_created_at: Moment | None = None
    user_id: str | None = None
    customer_id: str | None = None
    scope: Mapping[str, str] | None = None
    metadata: Mapping[str, Any] | None = None
    #: What to do when the document exists with other content; the server's default is `replace`.
    on_conflict: OnConflict | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, kw_only=True)
class MessageInput:
    """One turn of a batch. A `dict` with the same keys does as well."""

    conversation_id: Id
    #: `user` or `assistant`.
    role: str
    #: May be empty.
    content: str
    user_id: str | None = None
    customer_id: str | None = None
    session_id: str | None = None
    #: When it was said, if that is not now.
    said_at: Moment | None = None
    metadata: Mapping[str, Any] | None = None
    scope: Mapping[str, str] | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, kw_only=True)
class TranscriptTurn:
    """One turn of a transcript. A `dict` with the same keys does as well."""

    #: `user` or `assistant`.
    role: str
    content: str
    #: When it was said.
    timestamp: Moment | None = None
    #: Who said it.
    speaker: str | None = None
    metadata: Mapping[str, Any] | None = None


def document(given: DocumentInput | Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """A document as the server reads it. `within` goes before the field's name in refusals."""
    values = _known(DocumentInput, given, within)
    refuse_empty_ids(values, within)
    values.setdefault("document_type", DOCUMENT_TYPE)
    return without_unset(values)


def message(given: MessageInput | Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """A turn as the server reads it. `within` goes before the field's name in refusals."""
    values = _known(MessageInput, given, within)
    refuse_empty_ids(values, within)
    return without_unset(values)


def transcript(given: str | Iterable[TranscriptTurn | Mapping[str, Any]]) -> str | list[dict[str, Any]]:
    """A transcript as the server reads it."""
    if isinstance(given, str):
        return given
    return [without_unset(_known(TranscriptTurn, turn, f"transcript[{at}].")) for at, turn in enumerate(given)]


def _known(kind: type[Any], given: Any, within: str) -> dict[str, Any]:
    """The values of an input, or of a mapping that has no other keys than it."""
    known = {field.name for field in fields(kind)}
    values = {name: getattr(given, name) for name in known} if isinstance(given, kind) else dict(given)
    unknown = next((str(name) for name in values if name not in known), None)
    if unknown is not None:
        # The server ignores what it does not know: a misspelt customer_id would share a document with everyone.
        raise invalid(within + unknown, "is not a known field")
    return values


def refuse_empty_ids(values: Mapping[str, Any], within: str = "") -> None:
    """Refuses ids that are an empty string.

    The server takes `""` as absent, because other clients send it so. In a program it is a value that got lost on the
    way, and what was meant for one user would become the whole customer's.
    """
    problem = "must not be empty; leave it out to mean the wider scope"
    for name in ("user_id", "customer_id"):
        if values.get(name) == "":
            raise invalid(within + name, problem)
    if values.get("conversation_id") == "":
        raise invalid(f"{within}conversation_id", "must not be empty")
    scope = values.get("scope")
    for level, level_id in scope.items() if isinstance(scope, Mapping) else ():
        if level_id is None or level_id == "":
            raise invalid(f"{within}scope.{level}", problem)


def fetch(
    *,
    ids: Mapping[str, Any],
    search_query: Sequence[str] | str | None,
    types: Sequence[str] | str | None,
    position: Position | None,
    explain: bool,
    rest: Mapping[str, Any],
) -> dict[str, Any]:
    """A fetch as the server reads it."""
    refuse_empty_ids(ids)
    values = {
        **ids,
        **rest,
        "as_of": _token("as_of", rest.get("as_of")),
        # What there is without a mode has a name among the vendor's, and another one on the wire.
        "context_mode": None if rest.get("context_mode") == "in-conversation" else rest.get("context_mode"),
        "search_query": _strings(search_query),
        "types": _strings(types),
        "position": _token("position", position),
        "explain": explain or None,
    }
    return without_unset(values)


def _token(name: str, given: Position | Moment | None) -> str | datetime | date | None:
    """The position of a receipt; anything else as it is."""
    if given is None or isinstance(given, (str, date)):
        return given
    if given.position is None:
        raise invalid(name, "is missing: the document was refused, so it has no place in the log")
    return given.position


def segment(name: str, given: Id) -> str:
    """An id as one segment of a path."""
    text = str(given)
    if not text:
        raise invalid(name, "must not be empty")
    if text in {".", ".."}:  # which HTTP clients resolve
        return text.replace(".", "%2E")
    return _quoted(name, text)


def query(**values: object) -> str:
    """What is set of the values, as the end of a URL."""
    refuse_empty_ids(values)
    pairs = [f"{name}={_quoted(name, str(value))}" for name, value in values.items() if value is not None]
    return "?" + "&".join(pairs) if pairs else ""


def key_headers(idempotency_key: str | None, body: dict[str, Any]) -> dict[str, str]:
    """The header that carries the caller's key. What no header can carry goes into the body."""
    if idempotency_key is None:
        return {}
    # Headers carry ASCII and lose spaces at the ends; the body field carries anything, and lets the server refuse "".
    key = idempotency_key
    if key and key.isascii() and key.isprintable() and key == key.strip():
        return {"Idempotency-Key": key}
    body["idempotency_key"] = key
    return {}


def without_unset(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are not None, in types that JSON has."""
    return {name: _plain(value) for name, value in values.items() if value is not None}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def _quoted(name: str, text: str) -> str:
    try:
        return quote(text, safe="")
    except UnicodeEncodeError as problem:
        raise invalid(name, f"is no text: {problem}") from None


def _strings(given: Sequence[str] | str | None) -> list[str] | None:
    if given is None:
        return None
    return [given] if isinstance(given, str) else list(given)
