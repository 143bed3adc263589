"""What goes wrong has the right exception, says which field, and can be understood."""

import uuid

import pytest
from maximem_synap import (
    ContextNotFoundError,
    InvalidInputError,
    MaximemSynapSDK,
    RateLimitError,
    ServiceUnavailableError,
    SynapPermanentError,
)

from harness import Plain, Who, new_sdk, remember
from proxy import TOO_MANY, UNAVAILABLE, Proxy

CREATE = "/api/v1/memories/create"


async def test_unknown_ids_are_not_found(both: MaximemSynapSDK):
    nothing = uuid.uuid4()
    for call in (
        both.memories.get(nothing),
        both.memories.status(nothing),
        both.memories.update(nothing, "text"),
        both.memories.delete(nothing),
        both.data.status(str(nothing)),
    ):
        with pytest.raises(ContextNotFoundError) as refused:
            await call
        assert not str(refused.value).startswith("{")


async def test_a_foreign_memory_is_as_unknown_as_one_that_is_not(sdk: MaximemSynapSDK, who: Who, keys):
    (memory_id,) = await remember(sdk, "Alice prefers oolong tea.", **who.as_alice)
    other = new_sdk(keys["other"])
    await other.initialize()
    said = []
    for name in (uuid.UUID(memory_id), uuid.uuid4()):
        for call in (other.memories.get(name), other.memories.update(name, "mine"), other.memories.delete(name)):
            with pytest.raises(ContextNotFoundError) as refused:
                await call
            said.append(str(refused.value))
    assert said[:3] == said[3:]
    assert (await sdk.memories.get(uuid.UUID(memory_id))).content == "Alice prefers oolong tea."
    await other.shutdown()


async def test_bad_input_names_the_field(sdk: MaximemSynapSDK, who: Who):
    refusals = {
        "user_id": sdk.memories.create("x", user_id="u" * 300, customer_id=who.acme),
        "customer_id": sdk.memories.create("x", user_id=who.alice),
        "document": sdk.memories.create("x" * (1 << 21), **who.as_alice),
        "metadata": sdk.memories.create("x", metadata={"big": "y" * (1 << 17)}, **who.as_alice),
        "max_results": sdk.user.context.fetch(**who.as_alice, max_results=-1, search_query=["x"]),
        "types": sdk.user.context.fetch(**who.as_alice, types=["nonsense"], search_query=["x"]),
        "search_query": sdk.user.context.fetch(**who.as_alice, search_query=["q"] * 100),
        "transcript": sdk.conversation.ingest_transcript("call", transcript=[], **who.as_alice),
        "last_n_conversations": sdk.user.context.fetch(
            **who.as_alice, context_mode="conversation-summary", last_n_conversations=21
        ),
    }
    for field, call in refusals.items():
        with pytest.raises((InvalidInputError, SynapPermanentError)) as refused:
            await call
        assert field in str(refused.value), (field, str(refused.value))


async def test_bad_bodies_are_refused_with_a_sentence(plain: Plain, who: Who):
    turn = {"conversation_id": str(uuid.uuid4()), "role": "user", "content": "Hi", **who.as_alice}
    bodies = {
        ("/v1/conversations/messages", "role"): turn | {"role": "system"},
        ("/v1/conversations/messages", "content"): turn | {"content": None},
        ("/v1/conversations/messages", "conversation_id"): turn | {"conversation_id": ""},
        ("/v1/conversations/messages", "user_id"): turn | {"user_id": None},
        ("/v1/conversations/compact", "conversation_id"): {"force": True},
        ("/api/v1/memories/forget", "description"): {"description": "ab", **who.as_alice},
        ("/api/v1/memories/forget", "mode"): {"description": "abc", "mode": "maybe", **who.as_alice},
        ("/v1/data/delete", "scope"): {"scope": "world", "dry_run": True},
        (CREATE, "document"): {"document": 7},
    }
    for (path, field), body in bodies.items():
        answer = await plain.ask("POST", path, body)
        assert answer.status_code in {400, 422}, (path, field, answer.text)
        assert field in answer.json()["detail"], (path, field, answer.text)


async def test_every_refusal_has_the_same_envelope(plain: Plain, who: Who):
    wrong = Plain("synap_wrong")
    answers = [
        await wrong.ask("GET", "/api/v1/auth/whoami"),
        await plain.ask("POST", CREATE, {}),
        await plain.ask("GET", f"/api/v1/memories/{uuid.uuid4()}"),
        await plain.ask("GET", "/api/v1/memories/no-uuid"),
        await plain.ask("GET", "/v1/nowhere"),
        await plain.ask("PUT", CREATE, {}),
        await plain.http.post(CREATE, content=b"{", headers={"content-type": "application/json"}),
    ]
    await wrong.http.aclose()
    assert [answer.status_code for answer in answers] == [401, 400, 404, 404, 404, 405, 400]
    for answer in answers:
        body = answer.json()
        assert {"error", "code", "message", "detail"} <= body.keys(), answer.text
        assert isinstance(body["detail"], str)
        assert body["detail"]
        assert "reason" not in body
        assert answer.headers.get("retry-after", "1").isdigit()


async def test_a_key_that_is_wrong_is_refused_everywhere_but_at_health(plain: Plain):
    wrong = Plain("synap_wrong")
    routes = [("GET", "/v1/users/u/profile"), ("POST", "/v1/telemetry/batch"), ("GET", "/v1/credits/balance")]
    routes += [("POST", f"/v1/context/{level}/fetch") for level in ("user", "customer", "client", "conversation")]
    for method, path in routes:
        assert (await wrong.ask(method, path, {} if method == "POST" else None)).status_code == 401, path
    assert (await wrong.ask("GET", "/health")).status_code == 200
    await wrong.http.aclose()


async def test_one_429_is_waited_out(proxy: Proxy, who: Who):
    sdk = new_sdk(api_base_url=proxy.url)
    await sdk.initialize()
    proxy.fail(CREATE, TOO_MANY)
    assert await remember(sdk, "Alice prefers oolong tea.", **who.as_alice)
    assert len(proxy.sent(CREATE)) == 2
    await sdk.shutdown()


async def test_what_does_not_end_has_its_own_exception(proxy: Proxy, who: Who):
    sdk = new_sdk(api_base_url=proxy.url, retry_policy=None)
    await sdk.initialize()
    proxy.fail(CREATE, TOO_MANY, UNAVAILABLE)
    with pytest.raises(RateLimitError) as refused:
        await sdk.memories.create("Alice prefers oolong tea.", **who.as_alice)
    assert refused.value.retry_after_seconds == 1
    with pytest.raises(ServiceUnavailableError):
        await sdk.memories.create("Alice prefers oolong tea.", **who.as_alice)
    await sdk.shutdown()
