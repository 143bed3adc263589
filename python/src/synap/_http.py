"""One HTTP call: its body, its bounded retries, and its error. Knows nothing of memories."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple
from uuid import uuid4
from weakref import WeakKeyDictionary

import httpx

from .errors import NotYetAppliedError, SynapError, TransportError, UnexpectedAnswerError, error_of, invalid

log = logging.getLogger("synap")

BACKOFF_FIRST_S = 0.2
BACKOFF_MAX_S = 5.0
# A server that asks for a longer pause is not waited for: the caller gets the error and its `retry_after`.
RETRY_AFTER_MAX_S = 30.0
CONNECT_TIMEOUT_MAX_S = 5.0

_NO_JSON = (TypeError, ValueError, RecursionError)
_NO_USE_TO_RETRY = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.DecodingError)
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class Form(NamedTuple):
    """A body that is no JSON."""

    content_type: str
    content: bytes


class Connection:
    """Calls to one server with one key."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        timeout_s: float,
        max_retries: int,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._base_url = parse_base_url(base_url)
        self._api_key = api_key
        self._timeout_s = timeout_s
        self._max_retries = max_retries
        self._transport = transport
        self._closed = False
        # A pooled connection belongs to the event loop that opened it, and a program may run several in turn.
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = WeakKeyDictionary()

    @property
    def base_url(self) -> str:
        """Where the server is, without a slash at the end."""
        return self._base_url

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | Form | None = None,
        headers: Mapping[str, str] | None = None,
        name_call: bool = False,
        wait_s: float = 0.0,
        retry: bool = True,
        authorize: bool = True,
    ) -> dict[str, Any]:
        """Makes the call and answers with its JSON object.

        Every call of this client may be repeated: some only read, and the server drops a create that it has seen, by
        the caller's idempotency key or else by scope, document id and content. Other writes have nothing that tells a
        repetition from a second call: with `name_call` all tries carry a name that no other call has, unless there is
        an idempotency key. `wait_s` is how long the server may take on purpose.
        """
        form = body if isinstance(body, Form) or body is None else Form("application/json", encode(body))
        sent = {"Authorization": f"Bearer {self._api_key}"} if authorize else {}
        sent |= headers or {}
        if name_call and "Idempotency-Key" not in sent:
            sent["X-Correlation-ID"] = str(uuid4())
        if form is not None:
            sent["Content-Type"] = form.content_type
        content = None if form is None else form.content
        retries_left = self._max_retries if retry else 0
        attempt = 0
        while True:
            try:
                return await self._once(method, path, content, sent, wait_s)
            except SynapError as error:
                pause_s = pause_before_retry(error, attempt)
                if pause_s is None or attempt >= retries_left:
                    raise
                problem = type(error).__name__
            attempt += 1
            log.info("%s %s: %s, retry %d of %d in %.2f s", method, path, problem, attempt, retries_left, pause_s)
            await _sleep(pause_s)

    async def close(self) -> None:
        """Closes the connections. Further calls are refused."""
        self._closed = True
        mine = self._clients.pop(asyncio.get_running_loop(), None)
        self._clients.clear()
        if mine is not None:
            await mine.aclose()

    async def _once(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str], wait_s: float
    ) -> dict[str, Any]:
        timeout = httpx.Timeout(self._timeout_s + wait_s, connect=min(self._timeout_s, CONNECT_TIMEOUT_MAX_S))
        url = self._base_url + path
        try:
            answer = await self._client().request(method, url, content=content, headers=headers, timeout=timeout)
        except httpx.HTTPError as cause:
            raise self._no_answer(cause) from cause
        return self._read(answer)

    def _read(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            body = answer.json()
        except ValueError:  # no JSON, or no UTF-8
            body = None
        if not answer.is_success:
            if not isinstance(body, dict) and (answer.is_redirect or answer.status_code in {404, 405}):
                raise self._unexpected(answer, "which is no answer of synap")
            raise error_of(answer.status_code, body, retry_after=retry_after_s(answer.headers.get("Retry-After")))
        if not isinstance(body, dict):
            raise self._unexpected(answer, "without a JSON object")
        return body

    def _unexpected(self, answer: httpx.Response, problem: str) -> UnexpectedAnswerError:
        sentence = f"{self._base_url} answered {answer.status_code} {problem}; is SYNAP_BASE_URL right?"
        return UnexpectedAnswerError(sentence, status=answer.status_code)

    def _no_answer(self, cause: httpx.HTTPError) -> TransportError:
        reason = str(cause) or type(cause).__name__
        if isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout):
            reason += "; is `synap serve` running there, and is SYNAP_BASE_URL right?"
        error = TransportError(f"no answer from synap at {self._base_url}: {reason}")
        # These would fail in the same way again.
        error.retryable = not isinstance(cause, _NO_USE_TO_RETRY)
        return error

    def _client(self) -> httpx.AsyncClient:
        if self._closed:
            raise SynapError("this client is closed")
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            # A proxy of the environment cannot reach this machine's loopback, and must not be shown the key.
            trust_env = httpx.URL(self._base_url).host not in _LOOPBACK
            client = httpx.AsyncClient(
                transport=self._transport, trust_env=trust_env, headers={"User-Agent": f"synap-python/{_version()}"}
            )
            self._clients[loop] = client
        return client


def parse_base_url(text: str) -> str:
    """The base URL without a slash at the end; a path in front of the routes is kept."""
    try:
        url = httpx.URL(text.strip())
    except httpx.InvalidURL as problem:
        raise invalid("base_url", f"is no URL: {problem}") from problem
    if url.scheme not in {"http", "https"} or not url.host:
        raise invalid("base_url", "must start with http:// or https:// and name a host")
    if url.userinfo or url.query or url.fragment:
        raise invalid("base_url", "must not hold a user name, a query or a fragment")
    return str(url).rstrip("/")


def encode(body: Mapping[str, Any]) -> bytes:
    """The body as JSON. What JSON cannot say is refused here, since the server never gets to see it."""
    try:
        return _json(body)
    except _NO_JSON as problem:
        raise invalid(_culprit(body) or "body", f"cannot be sent as JSON: {problem}") from None


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _culprit(value: object, path: str = "", levels: int = 8) -> str:
    """The path to what cannot be said in JSON, as far as some levels down."""
    parts: list[tuple[str, object]] = []
    if isinstance(value, Mapping):
        parts = [(f"{path}.{name}" if path else str(name), part) for name, part in value.items()]
    elif isinstance(value, list | tuple):
        parts = [(f"{path}[{at}]", part) for at, part in enumerate(value)]
    for name, part in parts if levels else ():
        try:
            _json(part)
        except _NO_JSON:
            return _culprit(part, name, levels - 1)
    return path


def pause_before_retry(error: SynapError, attempt: int) -> float | None:
    """How long to wait before trying again, in seconds, or None if that is of no use."""
    # The server has waited for the position as long as the caller allowed.
    if not error.retryable or isinstance(error, NotYetAppliedError):
        return None
    # Jitter keeps many callers from coming back at once.
    jitter = random.uniform(0.5, 1.0)  # noqa: S311
    pause_s = min(BACKOFF_FIRST_S * 2.0**attempt, BACKOFF_MAX_S) * jitter
    if error.retry_after is None:
        return pause_s
    if error.retry_after > RETRY_AFTER_MAX_S:
        return None
    return max(pause_s, error.retry_after)


def retry_after_s(header: str | None) -> float | None:
    """Seconds that a `Retry-After` header asks for: a number, or a date."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            at = parsedate_to_datetime(header)
        except ValueError:
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        seconds = (at - datetime.now(UTC)).total_seconds()
    return max(0.0, seconds) if seconds == seconds else None  # noqa: PLR0124


async def _sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


def _version() -> str:
    try:
        return version("synap")
    except PackageNotFoundError:
        return "0.0.0"
