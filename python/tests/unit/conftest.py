"""What unit tests share: no environment, no pauses, and a client of a handler function."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

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
