"""`sdk.user.context`, `sdk.customer.context` and `sdk.client.context`: to fetch what matters.

What all fetches share is here as well; within a conversation they are in `_conversation`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import _wire
from ._http import Connection
from ._parse import parse_context
from ._wire import ContextMode, Id, IfStale, Mode, Moment, Position, PrecisionLevel, ResponseShape
from .models import ContextResponse

RESULTS_DEFAULT = 10
# How long the server waits for a position when the request does not say.
WAIT_MS_DEFAULT = 2_000


class Part:
    """A part of the client that speaks to the server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection


class UserContext(Part):
    """What one user may be told: the user's memories, then the customer's, then the application's."""

    async def fetch(
        self,
        *,
        user_id: str | None = None,
        customer_id: str | None = None,
        conversation_id: Id | None = None,
        search_query: Sequence[str] | str | None = None,
        max_results: int = RESULTS_DEFAULT,
        max_results_per_query: int | None = None,
        max_tokens: int | None = None,
        min_relevance: float | None = None,
        include_shadowed: bool = False,
        include_prompt: bool = False,
        types: Sequence[str] | str | None = None,
        mode: Mode = "fast",
        precision_level: PrecisionLevel | None = None,
        query_date: Moment | None = None,
        response_shape: ResponseShape = "by_type",
        explain: bool = False,
        as_of: Moment | Position | None = None,
        position: Position | None = None,
        wait_ms: int | None = None,
        if_stale: IfStale | None = None,
        scope: Mapping[str, str] | None = None,
        context_mode: ContextMode = "in-conversation",
        include_profile: bool | None = None,
        last_n_conversations: int | None = None,
    ) -> ContextResponse:
        """Fetches what matters for `search_query`; without a query, the newest memories.

        `conversation_id` adds `conversation_context`: how far that conversation is. `max_results_per_query` leaves out
        what none of the queries found. `max_tokens` bounds the estimated tokens of the answer, or of its `prompt`; the
        narrower scope is kept first. `min_relevance`, from 0 to 1, keeps out what is not relevant at all, so that an
        answer may be empty; the server has a small default, and 0 turns it off and fills the room that is left with the
        newest memories. `include_shadowed` adds what a narrower or newer memory contradicts, marked with `shadowed_by`.
        `include_prompt` adds `prompt`, all items as one text that fences them as data. `types` are `facts`,
        `preferences`, `episodes`, `emotions` and `temporal_events`. `explain` adds why each item is there, and
        `left_out`. `query_date` is when the queries are asked: "last week" in them counts from there. `as_of`, a time
        or a receipt, asks for what would have been told then, under today's ranking and without what was erased since.
        `precision_level` is handed on; the server does not use it.

        `position` takes a receipt: the answer then holds that write, after a wait of up to `wait_ms` (2,000 if not
        given). If that is too short, the answer comes with `stale` set; with `if_stale="refuse"` there is a
        `NotYetAppliedError` instead.

        `context_mode="conversation-summary"` fetches the user's `profile`, unless `include_profile` is false, and the
        last `conversations`, up to 20 as `last_n_conversations` says (3 if it does not), in place of memories.
        """
        return await fetch_at(
            self._connection,
            "user",
            {"user_id": user_id, "customer_id": customer_id, "conversation_id": conversation_id, "scope": scope},
            search_query=search_query,
            types=types,
            position=position,
            explain=explain,
            max_results=max_results,
            max_results_per_query=max_results_per_query,
            max_tokens=max_tokens,
            min_relevance=min_relevance,
            include_shadowed=include_shadowed or None,
            include_prompt=include_prompt or None,
            mode=mode,
            precision_level=precision_level,
            query_date=query_date,
            as_of=as_of,
            response_shape=response_shape,
            wait_ms=wait_ms,
            if_stale=if_stale,
            context_mode=context_mode,
            include_profile=include_profile,
            last_n_conversations=last_n_conversations,
        )


class CustomerContext(Part):
    """What everybody of a customer may be told: the customer's memories, then the application's. No user's."""

    async def fetch(
        self,
        *,
        customer_id: str | None = None,
        search_query: Sequence[str] | str | None = None,
        max_results: int = RESULTS_DEFAULT,
        max_results_per_query: int | None = None,
        max_tokens: int | None = None,
        min_relevance: float | None = None,
        include_shadowed: bool = False,
        include_prompt: bool = False,
        types: Sequence[str] | str | None = None,
        mode: Mode = "fast",
        precision_level: PrecisionLevel | None = None,
        query_date: Moment | None = None,
        response_shape: ResponseShape = "by_type",
        explain: bool = False,
        as_of: Moment | Position | None = None,
        position: Position | None = None,
        wait_ms: int | None = None,
        if_stale: IfStale | None = None,
        scope: Mapping[str, str] | None = None,
    ) -> ContextResponse:
        """Fetches what matters for `search_query`. The options are those of `sdk.user.context.fetch`."""
        return await fetch_at(
            self._connection,
            "customer",
            {"customer_id": customer_id, "scope": scope},
            search_query=search_query,
            types=types,
            position=position,
            explain=explain,
            max_results=max_results,
            max_results_per_query=max_results_per_query,
            max_tokens=max_tokens,
            min_relevance=min_relevance,
            include_shadowed=include_shadowed or None,
            include_prompt=include_prompt or None,
            mode=mode,
            precision_level=precision_level,
            query_date=query_date,
            as_of=as_of,
            response_shape=response_shape,
            wait_ms=wait_ms,
            if_stale=if_stale,
        )


class ClientContext(Part):
    """What everybody of the application may be told: its own memories. No customer's and no user's."""

    async def fetch(
        self,
        *,
        search_query: Sequence[str] | str | None = None,
        max_results: int = RESULTS_DEFAULT,
        max_results_per_query: int | None = None,
        max_tokens: int | None = None,
        min_relevance: float | None = None,
        include_shadowed: bool = False,
        include_prompt: bool = False,
        types: Sequence[str] | str | None = None,
        mode: Mode = "fast",
        precision_level: PrecisionLevel | None = None,
        query_date: Moment | None = None,
        response_shape: ResponseShape = "by_type",
        explain: bool = False,
        as_of: Moment | Position | None = None,
        position: Position | None = None,
        wait_ms: int | None = None,
        if_stale: IfStale | None = None,
    ) -> ContextResponse:
        """Fetches what matters for `search_query`. The options are those of `sdk.user.context.fetch`."""
        return await fetch_at(
            self._connection,
            "client",
            {},
            search_query=search_query,
            types=types,
            position=position,
            explain=explain,
            max_results=max_results,
            max_results_per_query=max_results_per_query,
            max_tokens=max_tokens,
            min_relevance=min_relevance,
            include_shadowed=include_shadowed or None,
            include_prompt=include_prompt or None,
            mode=mode,
            precision_level=precision_level,
            query_date=query_date,
            as_of=as_of,
            response_shape=response_shape,
            wait_ms=wait_ms,
            if_stale=if_stale,
        )


async def fetch_at(
    connection: Connection,
    level: str,
    ids: Mapping[str, Any],
    *,
    search_query: Sequence[str] | str | None,
    types: Sequence[str] | str | None,
    position: Position | None,
    explain: bool,
    **rest: Any,
) -> ContextResponse:
    """Fetches at one level: `user`, `customer`, `client`, or `conversation`."""
    body = _wire.fetch(ids=ids, search_query=search_query, types=types, position=position, explain=explain, rest=rest)
    wait_s = 0.0
    if position is not None:
        wait_ms = rest["wait_ms"]
        wait_s = (wait_ms if isinstance(wait_ms, int) and wait_ms >= 0 else WAIT_MS_DEFAULT) / 1_000
    answer = await connection.call("POST", f"/v1/context/{level}/fetch", body=body, wait_s=wait_s)
    return parse_context(answer)
