"""Requests as the server reads them. Unset things are left out; what could widen a scope unseen is refused here.

Values are not checked beyond that: the server names the field, the limit and the value better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

from .errors import invalid
from .models import BatchEntry, Receipt

Document: TypeAlias = str | dict[str, Any] | list[Any]
OnConflict: TypeAlias = Literal["replace", "reject"]
Mode: TypeAlias = Literal["fast", "accurate"]
ResponseShape: TypeAlias = Literal["by_type", "ranked"]
IfStale: TypeAlias = Literal["answer", "refuse"]
Position: TypeAlias = str | Receipt | BatchEntry

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
    document_created_at: datetime | date | str | None = None
    user_id: str | None = None
    customer_id: str | None = None
    scope: Mapping[str, str] | None = None
    metadata: Mapping[str, Any] | None = None
    #: What to do when the document exists with other content; the server's default is `replace`.
    on_conflict: OnConflict | None = None
    idempotency_key: str | None = None


_KNOWN = frozenset(field.name for field in fields(DocumentInput))


def document(given: DocumentInput | Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """A document as the server reads it. `within` goes before the field's name in refusals."""
    values = {name: getattr(given, name) for name in _KNOWN} if isinstance(given, DocumentInput) else dict(given)
    unknown = next((str(name) for name in values if name not in _KNOWN), None)
    if unknown is not None:
        # The server ignores what it does not know: a misspelt customer_id would share the document with everyone.
        raise invalid(within + unknown, "is not a known field")
    refuse_empty_ids(values, within)
    values.setdefault("document_type", DOCUMENT_TYPE)
    values["document_created_at"] = _moment(values.get("document_created_at"))
    return without_unset(values)


def refuse_empty_ids(values: Mapping[str, Any], within: str = "") -> None:
    """Refuses ids that are an empty string.

    The server takes `""` as absent, because other clients send it so. In a program it is a value that got lost on the
    way, and what was meant for one user would become the whole customer's.
    """
    problem = "must not be empty; leave it out to mean the wider scope"
    for name in ("user_id", "customer_id"):
        if values.get(name) == "":
            raise invalid(within + name, problem)
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
    if position is not None and not isinstance(position, str):
        if position.position is None:
            raise invalid("position", "is missing: the document was refused, so there is nothing to wait for")
        position = position.position
    values = {
        **ids,
        **rest,
        "search_query": _strings(search_query),
        "types": _strings(types),
        "position": position,
        "explain": explain or None,
    }
    return without_unset(values)


def segment(name: str, text: str) -> str:
    """An id as one segment of a path."""
    if not text:
        raise invalid(name, "must not be empty")
    if text in {".", ".."}:  # which HTTP clients resolve
        return text.replace(".", "%2E")
    try:
        return quote(text, safe="")
    except UnicodeEncodeError as problem:
        raise invalid(name, f"is no text: {problem}") from None


def without_unset(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are not None."""
    return {
        name: dict(value) if isinstance(value, Mapping) else value
        for name, value in values.items()
        if value is not None
    }


def _strings(given: Sequence[str] | str | None) -> list[str] | None:
    if given is None:
        return None
    return [given] if isinstance(given, str) else list(given)


def _moment(given: object) -> object:
    if isinstance(given, datetime) and given.tzinfo is not None:
        return given.astimezone(UTC).isoformat()
    return given.isoformat() if isinstance(given, date) else given
