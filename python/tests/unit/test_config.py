"""Where the server is and whose key is used: arguments, environment, defaults."""

import asyncio

import httpx
import pytest

from fake import Fake
from synap import AuthenticationError, InvalidInputError, Synap, SynapError


async def test_arguments_win_over_the_environment_and_that_over_defaults(monkeypatch):
    fake = Fake(key="key-1")
    async with Synap(api_key="key-1", transport=fake.transport) as sdk:
        assert sdk.base_url == "http://127.0.0.1:7117"
    monkeypatch.setenv("SYNAP_BASE_URL", " https://synap.example/prefix/ ")
    monkeypatch.setenv("SYNAP_API_KEY", "key-1\n")
    async with Synap(transport=fake.transport) as sdk:
        assert sdk.base_url == "https://synap.example/prefix"
        await sdk.whoami()
    assert str(fake.requests[0].url) == "https://synap.example/prefix/api/v1/auth/whoami"
    assert fake.requests[0].headers["Authorization"] == "Bearer key-1"
    async with Synap(api_key="other", base_url="http://h:1", transport=fake.transport) as sdk:
        assert sdk.base_url == "http://h:1"
        with pytest.raises(AuthenticationError, match="a valid API key is required"):
            await sdk.whoami()


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_a_missing_key_says_which_variable_to_set(monkeypatch, empty):
    if empty is not None:
        monkeypatch.setenv("SYNAP_API_KEY", empty)
    with pytest.raises(AuthenticationError, match="set SYNAP_API_KEY"):
        Synap()
    with pytest.raises(AuthenticationError, match="set SYNAP_API_KEY"):
        Synap(api_key=empty)


@pytest.mark.parametrize("key", ["two\nlines", "ключ", "nul\x00"])
def test_a_key_that_no_header_carries_is_refused_without_showing_it(key):
    with pytest.raises(AuthenticationError) as refused:
        Synap(api_key=key)
    assert key not in str(refused.value)


@pytest.mark.parametrize(
    "base_url",
    ["", "127.0.0.1:7117", "ftp://h", "http://", "http://u:p@h", "http://h?a=1", "http://h:port", "http://[::"],
)
def test_a_base_url_that_is_none_is_refused(base_url):
    with pytest.raises(InvalidInputError) as refused:
        Synap(api_key="key", base_url=base_url)
    assert refused.value.field == "base_url"


@pytest.mark.parametrize(
    "options", [{"timeout": 0}, {"timeout": float("nan")}, {"max_retries": -1}, {"max_retries": 99}]
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(InvalidInputError) as refused:
        Synap(api_key="key", **options)
    assert refused.value.field == next(iter(options))


def test_the_key_is_not_shown():
    assert repr(Synap(api_key="secret")) == "Synap(base_url='http://127.0.0.1:7117')"


async def test_a_closed_client_refuses_calls():
    sdk = Synap(api_key="key", transport=Fake().transport)
    await sdk.whoami()
    await sdk.close()
    await sdk.close()
    with pytest.raises(SynapError, match="closed"):
        await sdk.whoami()


def test_one_client_serves_several_event_loops_in_turn():
    sdk = Synap(api_key="key", transport=Fake().transport)
    for _ in range(3):
        assert asyncio.run(sdk.whoami()).client_id == "cli_1"
    asyncio.run(sdk.close())


@pytest.mark.parametrize(
    ("base_url", "proxied"),
    [("http://127.0.0.1:1", False), ("http://localhost:1", False), ("http://[::1]:1", False), ("http://h:1", True)],
)
async def test_the_environments_proxy_is_not_used_for_this_machine(monkeypatch, base_url, proxied):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    seen: list[bool] = []
    make = httpx.AsyncClient

    def noting(**options):
        seen.append(options["trust_env"])
        return make(**options)

    monkeypatch.setattr(httpx, "AsyncClient", noting)
    async with Synap(api_key="key", base_url=base_url, transport=Fake().transport) as sdk:
        await sdk.health()
    assert seen == [proxied]
