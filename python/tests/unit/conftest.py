"""What unit tests share: no environment, no pauses, and a client of a handler function."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from fake import RECEIPT
from synap import Synap, _http

Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SYNAP_API_KEY", "SYNAP_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses before retries, in seconds; none of them is waited for."""
    taken: list[float] = []

    async def note(seconds: float) -> None:
        taken.append(seconds)

    monkeypatch.setattr(_http, "_sleep", note)
    return taken


@pytest.fixture
async def client(pauses: list[float]) -> AsyncIterator[Callable[..., Synap]]:
    """Makes clients whose requests go to a function."""
    made: list[Synap] = []

    def make(handler: Handler, **options: Any) -> Synap:
        sdk = Synap(api_key="key", transport=httpx.MockTransport(handler), **options)
        made.append(sdk)
        return sdk

    yield make
    for sdk in made:
        await sdk.close()


class Recorder:
    """Answers every request with `answer` and keeps it."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer, self.requests = answer, []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(200, json=self.answer)

    @property
    def body(self) -> Any:
        return json.loads(self.requests[-1].content)


@pytest.fixture
def recorded(client):
    def make(answer: dict[str, Any] = RECEIPT, **options: Any) -> tuple[Synap, Recorder]:
        recorder = Recorder(answer)
        return client(recorder, **options), recorder

    return make
