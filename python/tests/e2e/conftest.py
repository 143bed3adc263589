"""What tests against a real server share. Whoever runs them starts it and sets SYNAP_BASE_URL and SYNAP_API_KEY.

Every test uses customers of its own, so that all may be repeated on one server. Only the seed scenario writes to the
application's scope, which everybody sees.
"""

import os
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from synap import Synap

NEEDED = ("SYNAP_BASE_URL", "SYNAP_API_KEY")


@pytest.fixture(scope="session", autouse=True)
def server() -> None:
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if not missing:
        return
    reason = f"needs a running server: set {' and '.join(missing)}"
    if os.environ.get("CI", "").lower() not in {"", "0", "false"}:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture
async def sdk(server: None) -> AsyncIterator[Synap]:
    async with Synap() as sdk:
        yield sdk


@pytest.fixture
async def http(server: None) -> AsyncIterator[httpx.AsyncClient]:
    """For what the client would not send."""
    headers = {"Authorization": f"Bearer {os.environ['SYNAP_API_KEY']}"}
    base_url = os.environ["SYNAP_BASE_URL"]
    async with httpx.AsyncClient(base_url=base_url, headers=headers, trust_env=False, timeout=30) as http:
        yield http


@pytest.fixture
def run() -> str:
    """A word that no other run has used."""
    return f"run{uuid4().hex}"


@pytest.fixture
def customer(run: str) -> str:
    """A customer that no other test knows."""
    return f"e2e-{run}"
