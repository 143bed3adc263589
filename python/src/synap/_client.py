"""`Synap`: where the server is, whose key is used, and the calls by name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import httpx

from . import _wire
from ._account import Credits, Data
from ._context import ClientContext, CustomerContext, UserContext, fetch_at
from ._conversation import Conversation
from ._http import Connection
from ._memories import Memories
from ._parse import parse
from ._wire import ContextMode, Id, IfStale, Mode, Moment, Position, PrecisionLevel, ResponseShape
from .errors import AuthenticationError, NotFoundError, invalid
from .models import ContextResponse, Health, ProfileAnswer, UserProfile, WhoAmI

BASE_URL_DEFAULT = "http://127.0.0.1:7117"
TIMEOUT_DEFAULT_S = 30.0
RETRIES_DEFAULT = 2
RETRIES_MAX = 10
# Of a merged fetch; a fetch of one level has fewer.
MERGED_RESULTS_DEFAULT = 20


class User:
    """Everything about one user."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.context = UserContext(connection)

    async def get_profile(self, user_id: str, *, customer_id: str | None = None) -> UserProfile | None:
        """What stays true of a user; None if nothing is known."""
        query = _wire.query(customer_id=customer_id)
        path = f"/v1/users/{_wire.segment('user_id', user_id)}/profile{query}"
        try:
            answer = await self._connection.call("GET", path)
        except NotFoundError:
            return None
        return parse(ProfileAnswer, answer).profile


class Customer:
    """Everything about one customer."""

    def __init__(self, connection: Connection) -> None:
        self.context = CustomerContext(connection)


class Client:
    """Everything about the application itself."""

    def __init__(self, connection: Connection) -> None:
        self.context = ClientContext(connection)


class Synap:
    """A client of one synap server.

    It closes its connections at the end of an `async with`, or by `close()`::

        async with Synap(api_key="your_api_key") as sdk:
            await sdk.memories.create(document="…", customer_id="acme_corp")

    `api_key` comes from `SYNAP_API_KEY` if not given, `base_url` from `SYNAP_BASE_URL` or else `http://127.0.0.1:7117`.
    `timeout` is in seconds, for each try. A call that gets no answer, or finds the server unavailable, is tried up to
    `max_retries` times more, with growing pauses. `transport` replaces the network, for tests.

    Making one does not call the server. It may be shared by all tasks of a program.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: float = TIMEOUT_DEFAULT_S,
        max_retries: int = RETRIES_DEFAULT,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if not timeout > 0:
            raise invalid("timeout", "must be above 0")
        if not 0 <= max_retries <= RETRIES_MAX:
            raise invalid("max_retries", f"must be from 0 to {RETRIES_MAX}, not {max_retries}")
        if base_url is None:
            base_url = os.environ.get("SYNAP_BASE_URL", "").strip() or BASE_URL_DEFAULT
        self._connection = Connection(
            base_url=base_url,
            api_key=_key(api_key),
            timeout_s=timeout,
            max_retries=max_retries,
            transport=transport,
        )
        #: To store documents, to ask how far they are, and to change or forget single memories.
        self.memories = Memories(self._connection)
        #: To record what is said, and to be told how far a conversation is.
        self.conversation = Conversation(self._connection)
        #: To fetch what one user may be told, and what is known of the user.
        self.user = User(self._connection)
        #: To fetch what everybody of a customer may be told.
        self.customer = Customer(self._connection)
        #: To fetch what everybody of the application may be told.
        self.client = Client(self._connection)
        #: To delete all that is remembered of somebody.
        self.data = Data(self._connection)
        #: What it costs: nothing, on a server of one's own.
        self.credits = Credits(self._connection)

    @property
    def base_url(self) -> str:
        """Where the server is."""
        return self._connection.base_url

    async def fetch(
        self,
        *,
        conversation_id: Id | None = None,
        user_id: str | None = None,
        customer_id: str | None = None,
        search_query: Sequence[str] | str | None = None,
        max_results: int = MERGED_RESULTS_DEFAULT,
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
        include_conversation_context: bool = True,
        context_mode: ContextMode = "in-conversation",
        include_profile: bool | None = None,
        last_n_conversations: int | None = None,
    ) -> ContextResponse:
        """Fetches for whatever ids there are, in one request.

        The server walks outward by itself: with `conversation_id`, from what was said in it; with `user_id`, from the
        user; with `customer_id` alone, from the customer; with none, it tells what is the application's own. So
        nothing is asked for level by level, and `max_results` and `max_tokens` bound the whole answer. With
        `conversation_id`, `conversation_context` says how far the conversation is, if there is one and unless
        `include_conversation_context` is false; without a `user_id` too, what is told is what the user of that
        conversation may be told. The other options are those of `sdk.user.context.fetch`.
        """
        is_summary = context_mode != "in-conversation"
        if conversation_id is not None and not is_summary:
            level = "conversation"
        elif user_id is not None or is_summary:
            level = "user"
        else:
            level = "client" if customer_id is None else "customer"
        return await fetch_at(
            self._connection,
            level,
            {"conversation_id": conversation_id, "user_id": user_id, "customer_id": customer_id},
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
            include_conversation_context=None if include_conversation_context else False,
            context_mode=context_mode,
            include_profile=include_profile,
            last_n_conversations=last_n_conversations,
        )

    async def whoami(self) -> WhoAmI:
        """Whose key it is, and how the instance names users."""
        return parse(WhoAmI, await self._connection.call("GET", "/api/v1/auth/whoami"))

    async def health(self) -> Health:
        """How the server is, as of now: not retried, and without the key."""
        return parse(Health, await self._connection.call("GET", "/health", retry=False, authorize=False))

    async def close(self) -> None:
        """Closes the connections. Further calls are refused."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"Synap(base_url={self.base_url!r})"


def _key(given: str | None) -> str:
    key = (os.environ.get("SYNAP_API_KEY", "") if given is None else given).strip()
    if not key:
        sentence = "an API key is required: pass api_key=… or set SYNAP_API_KEY"
        raise AuthenticationError(f"{sentence} (`synap serve` prints one at its first start)")
    if not (key.isascii() and key.isprintable()):
        raise AuthenticationError("the API key holds characters that no key has; was it copied whole and alone?")
    return key
