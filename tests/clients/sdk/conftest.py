"""Fixtures: the SDK in both of its ways to work, a plain view, fresh names."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest
from maximem_synap import MaximemSynapSDK

import surface
from harness import Plain, Who, acknowledged, new_sdk, watch_acknowledgements
from proxy import Proxy


def pytest_configure() -> None:
    surface.watch()
    watch_acknowledgements()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The test of what was called runs when everything else has run."""
    items.sort(key=lambda item: item.name == "test_every_public_method_was_called")


@pytest.fixture
def who() -> Who:
    return Who()


@pytest.fixture
async def plain() -> AsyncIterator[Plain]:
    plain = Plain()
    yield plain
    await plain.http.aclose()


@pytest.fixture
async def sdk() -> AsyncIterator[MaximemSynapSDK]:
    """The SDK over HTTP alone."""
    sdk = new_sdk()
    await sdk.initialize()
    yield sdk
    await sdk.shutdown()


@pytest.fixture
async def stream(sdk: MaximemSynapSDK) -> AsyncIterator[MaximemSynapSDK]:
    """The SDK with its gRPC stream open."""
    assert os.environ.get("SYNAP_GRPC_PORT"), "the server did not say where it serves gRPC"
    await sdk.instance.listen()
    yield sdk
    # A client that stops while answers are on their way waits two seconds for what it no longer reads.
    await acknowledged(sdk)
    await sdk.instance.stop_listening()


@pytest.fixture(params=["http", "stream"])
def both(request: pytest.FixtureRequest) -> MaximemSynapSDK:
    """The SDK, once without and once with an open stream: the answers must not differ."""
    return request.getfixturevalue("sdk" if request.param == "http" else "stream")


@pytest.fixture
def keys() -> Iterator[dict[str, str]]:
    """API keys of the server's other instances."""
    return {
        name: os.environ[f"SYNAP_API_KEY_{name.upper()}"]
        for name in ("b2c", "other", "ladder")
        if f"SYNAP_API_KEY_{name.upper()}" in os.environ
    }


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    async with Proxy(os.environ["SYNAP_BASE_URL"]) as proxy:
        yield proxy
