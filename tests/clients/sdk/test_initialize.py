"""Finding the server, who one is, settings, and the end."""

import pytest
from maximem_synap import AuthenticationError, CustomerIdNotAcceptedError, InvalidInputError, MaximemSynapSDK

from harness import Plain, Who, fresh, new_sdk, remember, texts
from proxy import Proxy


async def test_initialize_learns_client_instance_and_isolation_from_the_key(sdk: MaximemSynapSDK, plain: Plain):
    whoami = await plain.json("GET", "/api/v1/auth/whoami")
    assert sdk.instance_id == whoami["instance_id"]
    assert sdk._client_id == whoami["client_id"]
    assert sdk._user_context_isolation == "strict"


async def test_ids_may_be_given_back_as_settings(plain: Plain, proxy: Proxy, monkeypatch):
    whoami = await plain.json("GET", "/api/v1/auth/whoami")
    monkeypatch.setenv("SYNAP_CLIENT_ID", whoami["client_id"])
    monkeypatch.setenv("SYNAP_INSTANCE_ID", whoami["instance_id"])
    sdk = new_sdk(api_base_url=proxy.url)
    await sdk.initialize()
    assert not proxy.sent("/api/v1/auth/whoami")
    assert (await sdk.memories.create("Told without a question who one is.")).document_id
    await sdk.shutdown()


async def test_a_wrong_key_is_an_authentication_error():
    sdk = new_sdk("synap_wrong")
    await sdk.initialize()
    assert sdk.instance_id == ""
    with pytest.raises(AuthenticationError) as refused:
        await sdk.memories.create("Nobody said this.")
    assert refused.value.correlation_id
    await sdk.shutdown()


async def test_configure_before_initialize_and_not_after():
    sdk = MaximemSynapSDK(_force_new=True)
    sdk.configure(cache_backend=None, log_level="ERROR")
    await sdk.initialize()
    assert sdk.cache.stats()["enabled"] is False
    with pytest.raises(InvalidInputError):
        sdk.configure(log_level="INFO")
    await sdk.shutdown()


async def test_two_keys_of_two_instances_share_nothing(sdk: MaximemSynapSDK, who: Who, keys: dict[str, str]):
    other = new_sdk(keys["other"])
    await other.initialize()
    assert other.instance_id != sdk.instance_id
    assert other._client_id != sdk._client_id
    await remember(sdk, "The vault code is 4711.", **who.as_alice)
    for asked in (None, ["vault code"]):
        found = await other.user.context.fetch(who.alice, customer_id=who.acme, search_query=asked)
        assert texts(found) == []
    await other.shutdown()


async def test_a_b2c_instance_refuses_customers_here_and_there(who: Who, keys: dict[str, str]):
    sdk = new_sdk(keys["b2c"])
    await sdk.initialize()
    assert sdk._user_context_isolation == "equals_customer"
    with pytest.raises(CustomerIdNotAcceptedError):
        await sdk.memories.create("Alice likes tea.", **who.as_alice)
    with pytest.raises(CustomerIdNotAcceptedError):
        await sdk.customer.context.fetch(who.acme)
    plain = Plain(keys["b2c"])
    for path, body in {
        "/api/v1/memories/create": {"document": "Alice likes tea."} | who.as_alice,
        "/v1/context/user/fetch": {"search_query": ["tea"]} | who.as_alice,
        "/v1/conversations/messages": {"conversation_id": fresh("c"), "role": "user", "content": "Hi"} | who.as_alice,
    }.items():
        answer = await plain.ask("POST", path, body)
        assert answer.status_code == 400, (path, answer.text)
        assert "customer_id" in answer.json()["detail"], (path, answer.text)
    await plain.http.aclose()
    await sdk.shutdown()


async def test_a_b2c_instance_keeps_users_apart(who: Who, keys: dict[str, str]):
    sdk = new_sdk(keys["b2c"])
    await sdk.initialize()
    await remember(sdk, "Alice prefers oolong tea.", user_id=who.alice)
    shared = fresh("Everybody gets tea from")
    await remember(sdk, f"{shared}.")
    hers = texts(await sdk.user.context.fetch(who.alice, search_query=["tea"]))
    assert hers[0] == f"{shared}." or "Alice prefers oolong tea." in hers
    assert "Alice prefers oolong tea." in hers
    assert f"{shared}." in hers
    his = texts(await sdk.user.context.fetch(who.bob, search_query=["tea"]))
    assert "Alice prefers oolong tea." not in his
    assert f"{shared}." in his
    assert "Alice prefers oolong tea." not in texts(await sdk.client.context.fetch(search_query=["tea"]))
    await sdk.shutdown()


async def test_a_ladder_of_three_levels_is_named_by_scope(who: Who, keys: dict[str, str]):
    sdk = new_sdk(keys["ladder"])
    await sdk.initialize()
    team = {"customer": who.acme, "team": "payments"}
    await remember(sdk, "The payments team deploys on Tuesday.", scope=team)
    await remember(sdk, "Dana prefers short meetings.", scope=team | {"user": "dana"})
    dana = {"user_id": "dana", "customer_id": who.acme}
    words = ["deploys", "short meetings"]
    found = texts(await sdk.user.context.fetch(**dana, scope_path=team | {"user": "dana"}, search_query=words))
    assert set(found) == {"Dana prefers short meetings.", "The payments team deploys on Tuesday."}
    elsewhere = {"customer": who.acme, "team": "sales", "user": "dana"}
    assert texts(await sdk.user.context.fetch(**dana, scope_path=elsewhere, search_query=["deploys"])) == []
    await sdk.shutdown()


async def test_shutdown_sends_telemetry_and_the_server_takes_it(proxy: Proxy):
    sdk = new_sdk(api_base_url=proxy.url)
    await sdk.initialize()
    await sdk.memories.create("Something to report.")
    await sdk.shutdown()
    sent = proxy.sent("/v1/telemetry/batch")
    assert sent
    assert {request.status for request in sent} <= {200, 202}
