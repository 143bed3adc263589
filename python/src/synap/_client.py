"""`Synap`: where the server is, whose key is used, and the calls by name."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Self

import httpx

from ._context import ClientContext, CustomerContext, UserContext
from ._http import Connection
from ._memories import Memories
from ._parse import parse
from .errors import AuthenticationError, invalid
from .models import Health, WhoAmI

BASE_URL_DEFAULT = "http://127.0.0.1:7117"
TIMEOUT_DEFAULT_S = 30.0
RETRIES_DEFAULT = 2
RETRIES_MAX = 10


class User:
    """Everything about one user."""

    def __init__(self, connection: Connection) -> None:
        self.context = UserContext(connection)


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
        #: To store documents and to ask how far they are.
        self.memories = Memories(self._connection)
        #: To fetch what one user may be told.
        self.user = User(self._connection)
        #: To fetch what everybody of a customer may be told.
        self.customer = Customer(self._connection)
        #: To fetch what everybody of the application may be told.
        self.client = Client(self._connection)

    @property
    def base_url(self) -> str:
        """Where the server is."""
        return self._connection.base_url

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
