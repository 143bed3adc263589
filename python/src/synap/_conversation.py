"""`sdk.conversation`: to record what is said, and to be told how far a conversation is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from . import _wire
from ._context import RESULTS_DEFAULT, Part, fetch_at
from ._http import Connection
from ._parse import parse
from ._wire import (
    CompactedFormat,
    Id,
    IfStale,
    MessageInput,
    Mode,
    Moment,
    Position,
    PrecisionLevel,
    PromptStyle,
    ResponseShape,
    Strategy,
    TranscriptTurn,
)
from .errors import NotFoundError
from .models import (
    CompactionResponse,
    CompactionStatusResponse,
    CompactionTriggerResponse,
    ContextForPromptResponse,
    ContextResponse,
    MessageReceipt,
    MessagesResult,
    TranscriptReceipt,
    Turn,
    TurnsPage,
)

# Turns that `messages` asks for at a time.
PAGE_TURNS = 500


class Conversation(Part):
    """To record what is said, and to read it again.

    A conversation belongs to a user. Its id is any text; what is no UUID is a name of the caller's, and two users may
    have a conversation of the same name: `user_id` and `customer_id` then say whose is meant.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        #: To fetch within a conversation, and its summaries.
        self.context = ConversationContext(connection)

    async def record_message(
        self,
        conversation_id: Id,
        role: str,
        content: str,
        user_id: str | None = None,
        *,
        customer_id: str | None = None,
        session_id: str | None = None,
        said_at: Moment | None = None,
        metadata: Mapping[str, Any] | None = None,
        scope: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> MessageReceipt:
        """Records one turn. When this returns, it is in the log, after every turn that was answered before.

        `role` is `user` or `assistant`. What is said becomes memories of the user. Two calls are two turns, unless they
        have the same `idempotency_key`.
        """
        given = MessageInput(
            conversation_id=conversation_id,
            role=role,
            content=content,
            user_id=user_id,
            customer_id=customer_id,
            session_id=session_id,
            said_at=said_at,
            metadata=metadata,
            scope=scope,
        )
        body = _wire.message(given)
        headers = _wire.key_headers(idempotency_key, body)
        path = "/v1/conversations/messages"
        return parse(
            MessageReceipt, await self._connection.call("POST", path, body=body, headers=headers, name_call=True)
        )

    async def record_messages_batch(self, messages: Iterable[MessageInput | Mapping[str, Any]]) -> MessagesResult:
        """Records up to 1,000 turns, those of one conversation in their order.

        A turn that the server refuses does not stop the others: look at `failed` and `errors`.
        """
        wired = [_wire.message(given, f"messages[{at}].") for at, given in enumerate(messages)]
        path = "/v1/conversations/messages/batch"
        return parse(
            MessagesResult, await self._connection.call("POST", path, body={"messages": wired}, name_call=True)
        )

    async def ingest_transcript(
        self,
        conversation_id: Id,
        user_id: str | None,
        transcript: str | Iterable[TranscriptTurn | Mapping[str, Any]],
        *,
        customer_id: str | None = None,
        conversation_type: str | None = None,
        analysis: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        started_at: Moment | None = None,
        ended_at: Moment | None = None,
        scope: Mapping[str, str] | None = None,
    ) -> TranscriptReceipt:
        """Records a whole conversation, as turns or as a text with a speaker before each turn.

        The same transcript again is a duplicate; another one of the same conversation is a `TranscriptConflictError`.
        """
        ids = {
            "conversation_id": conversation_id,
            "user_id": user_id,
            "customer_id": customer_id,
            "scope": scope,
        }
        _wire.refuse_empty_ids(ids)
        rest = {
            "transcript": _wire.transcript(transcript),
            "conversation_type": conversation_type,
            "analysis": analysis,
            "metadata": metadata,
            "started_at": started_at,
            "ended_at": ended_at,
        }
        body = _wire.without_unset({**ids, **rest})
        answer = await self._connection.call("POST", "/v1/conversations/ingest", body=body, name_call=True)
        return parse(TranscriptReceipt, answer)

    async def messages(
        self,
        conversation_id: Id,
        *,
        start: int = 1,
        page_turns: int = PAGE_TURNS,
        user_id: str | None = None,
        customer_id: str | None = None,
    ) -> AsyncIterator[Turn]:
        """The turns of a conversation in order, from the place `start` on, for `async for`.

        They are asked for as they are needed, `page_turns` (up to 1,000) at a time. `NotFoundError`, at the first one,
        if there is no such conversation.
        """
        while True:
            ids = {"user_id": user_id, "customer_id": customer_id}
            path = _path_of(conversation_id, "messages") + _wire.query(start=start, limit=page_turns, **ids)
            page = parse(TurnsPage, await self._connection.call("GET", path))
            for turn in page.turns:
                yield turn
            if len(page.turns) < page_turns:
                return
            start = page.turns[-1].position + 1


class ConversationContext(Part):
    """What matters in a conversation: its own turns, its summaries, and what its user may be told."""

    async def fetch(
        self,
        conversation_id: Id,
        *,
        user_id: str | None = None,
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
        """Fetches what was said in the conversation, then what its user may be told.

        `conversation_context` of the answer says how far the conversation is. Without ids, the user is the one whose
        conversation it is; where nobody has it, the answer is empty. The options are those of `sdk.user.context.fetch`.
        """
        return await fetch_at(
            self._connection,
            "conversation",
            {"conversation_id": conversation_id, "user_id": user_id, "customer_id": customer_id, "scope": scope},
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

    async def get_context_for_prompt(
        self,
        conversation_id: Id,
        style: PromptStyle = "structured",
        *,
        search_query: str | None = None,
        max_tokens: int | None = None,
        user_id: str | None = None,
        customer_id: str | None = None,
    ) -> ContextForPromptResponse:
        """The last summary and the turns since, as a text and one by one. `available` is false where nobody has it.

        `search_query` adds memories that it finds and that were not said in the conversation, fenced as data: to
        `formatted_context`, and after the summary to `context_block`, where `max_tokens` bounds both together.
        """
        words = {"search_query": search_query, "max_tokens": max_tokens}
        query = _wire.query(style=style, **words, user_id=user_id, customer_id=customer_id)
        path = _path_of(conversation_id, "context-for-prompt") + query
        return parse(ContextForPromptResponse, await self._connection.call("GET", path))

    async def compact(
        self,
        conversation_id: Id,
        strategy: Strategy | None = None,
        *,
        target_tokens: int | None = None,
        force: bool = False,
        user_id: str | None = None,
        customer_id: str | None = None,
    ) -> CompactionTriggerResponse:
        """Makes a summary of the turns so far out of their own sentences; the turns stay.

        `conservative` keeps about 70 % of the tokens, `balanced` 40 %, `aggressive` 15 %, `adaptive` less of more;
        `target_tokens` outranks it. If nothing was said since the last summary, that one is answered with, unless
        `force`.
        """
        ids = {"conversation_id": conversation_id, "user_id": user_id, "customer_id": customer_id}
        _wire.refuse_empty_ids(ids)
        body = _wire.without_unset(
            {**ids, "strategy": strategy, "target_tokens": target_tokens, "force": force or None}
        )
        answer = await self._connection.call("POST", "/v1/conversations/compact", body=body, name_call=True)
        return parse(CompactionTriggerResponse, answer)

    async def get_compaction_status(
        self, conversation_id: Id, *, user_id: str | None = None, customer_id: str | None = None
    ) -> CompactionStatusResponse:
        """How far the summary is: `status` is `none` before the first one. `NotFoundError` where nobody has it."""
        query = _wire.query(user_id=user_id, customer_id=customer_id)
        path = _path_of(conversation_id, "compaction/status") + query
        return parse(CompactionStatusResponse, await self._connection.call("GET", path))

    async def get_compacted(
        self,
        conversation_id: Id,
        version: int | None = None,
        *,
        format: CompactedFormat = "structured",
        user_id: str | None = None,
        customer_id: str | None = None,
    ) -> CompactionResponse | None:
        """The last summary, or the one with that `version`; None if there is none."""
        query = _wire.query(format=format, version=version, user_id=user_id, customer_id=customer_id)
        path = _path_of(conversation_id, "compacted") + query
        try:
            answer = await self._connection.call("GET", path)
        except NotFoundError:
            return None
        return parse(CompactionResponse, answer)


def _path_of(conversation_id: Id, what: str) -> str:
    return f"/v1/conversations/{_wire.segment('conversation_id', conversation_id)}/{what}"
