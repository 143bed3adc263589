"""The traps of the protocol, one test each, in the order of its list."""

import asyncio
import datetime as dt
import json
import os
import uuid
from typing import Any

import pytest
from maximem_synap import CompactionLevel, ContextNotFoundError, MaximemSynapSDK
from maximem_synap.models.conversations import TranscriptTurn
from maximem_synap.transport.grpc_client import GRPCTransport

from harness import (
    OF_EVERY_TYPE,
    ROOT,
    TYPES,
    Plain,
    Who,
    acknowledged,
    done,
    eventually,
    fresh,
    new_sdk,
    own_texts,
    remember,
    said,
    texts,
)
from proxy import LOSE, Proxy


def bodies(who: Who) -> dict[str, dict[str, str]]:
    """Whom each level's fetch names."""
    return {"user": who.as_alice, "customer": {"customer_id": who.acme}, "client": {}}


async def test_trap_01_success_is_200_and_every_call_is_one_request(proxy: Proxy, who: Who):
    sdk = new_sdk(api_base_url=proxy.url)
    await sdk.initialize()
    conversation = str(uuid.uuid4())
    stored = await remember(sdk, "Alice prefers oolong tea.", **who.as_alice)
    await sdk.memories.create_from_file(text="Alice keeps bees.", **who.as_alice)
    await sdk.memories.update(uuid.UUID(stored[0]), "Alice prefers mate.")
    await sdk.memories.forget("nothing like this", **who.as_alice)
    await sdk.memories.delete(uuid.UUID(stored[0]))
    await sdk.conversation.record_message(conversation, "user", "Hello.", **who.as_alice)
    await sdk.conversation.ingest_transcript(fresh("call"), transcript="User: Hi", **who.as_alice)
    await sdk.conversation.context.compact(conversation, force=True)
    await sdk.data.delete("user", dry_run=True, **who.as_alice)
    await sdk.shutdown()
    sent = [request for request in proxy.passed if "/status/" not in request.path]
    assert len(sent) >= 11
    assert {(request.path, request.status) for request in sent if request.status != 200} == set()
    named = [request.headers["x-correlation-id"] for request in sent if "x-correlation-id" in request.headers]
    assert len(named) == len(set(named))


def test_trap_02_the_base_url_does_not_move_the_stream(monkeypatch):
    sdk = new_sdk()
    here = sdk.instance._create_transport()
    assert (here.host, here.port, here.use_tls) == ("127.0.0.1", int(os.environ["SYNAP_GRPC_PORT"]), False)
    for name in ("SYNAP_GRPC_HOST", "SYNAP_GRPC_PORT", "SYNAP_GRPC_USE_TLS"):
        monkeypatch.delenv(name, raising=False)
        assert name in (ROOT / "docs" / "migrate.md").read_text()
    there = new_sdk().instance._create_transport()
    assert (there.host, there.port, there.use_tls) == (GRPCTransport.DEFAULT_HOST, GRPCTransport.DEFAULT_PORT, True)


async def test_trap_03_a_cached_client_reads_what_was_just_written(who: Who, plain: Plain):
    sdk = new_sdk(cache_backend="sqlite")
    await sdk.initialize()
    for n in range(3):
        await remember(sdk, f"Crate {n} holds pears.", **who.as_alice)
        await remember(sdk, f"Shelf {n} holds pears.", customer_id=who.acme)
        user = await sdk.user.context.fetch(**who.as_alice, search_query=["pears"])
        customer = await sdk.customer.context.fetch(who.acme, search_query=["pears"])
        assert (user.metadata.source, customer.metadata.source) == ("cloud", "cloud")
        assert f"Crate {n} holds pears." in texts(user)
        assert f"Shelf {n} holds pears." in texts(customer)
    await sdk.shutdown()
    for level, body in {"user": who.as_alice, "customer": {"customer_id": who.acme}}.items():
        assert (await plain.json("POST", f"/v1/context/{level}/fetch", body))["ttl_seconds"] == -1


async def test_trap_04_without_a_query_the_profile_and_the_prompt_are_asked_first(proxy: Proxy, who: Who):
    sdk = new_sdk(api_base_url=proxy.url)
    await sdk.initialize()
    await remember(sdk, "The blue bicycle stands in the cellar.", **who.as_alice)
    profile = f"/v1/users/{who.alice}/profile"
    found = await sdk.user.context.fetch(**who.as_alice)
    assert [request.status for request in proxy.sent(profile)] == [404]
    assert own_texts(found) == ["The blue bicycle stands in the cellar."]
    conversation = str(uuid.uuid4())
    await sdk.conversation.record_message(conversation, "user", "Hello.", **who.as_alice)
    await sdk.conversation.context.fetch(conversation)
    await remember(sdk, "My name is Bob. I prefer oolong tea.", **who.as_bob)
    asked = len(proxy.sent("/v1/context/user/fetch"))
    told = await sdk.user.context.fetch(**who.as_bob)
    assert told.metadata.source == "profile"
    assert "oolong" in str(told.profile.raw)
    assert len(proxy.sent("/v1/context/user/fetch")) == asked
    assert any("oolong" in one for one in own_texts(await sdk.user.context.fetch(**who.as_bob, search_query=["tea"])))
    assert [one.status for one in proxy.sent(f"/v1/conversations/{conversation}/context-for-prompt")] == [200]
    assert not proxy.sent("/v1/context/conversation/fetch")
    await sdk.shutdown()


# What may be null in an item; nothing else is.
NULLABLE = {
    "event_date",
    "said_at",
    "event_end",
    "valid_until",
    "event_precision",
    "temporal_category",
    "source_evidence",
    "matched_queries",
}


def check_item(kind: str, item: dict[str, Any]) -> None:
    """An item that no model of the client chokes on."""
    nulls = {name for name, value in item.items() if value is None and name not in NULLABLE}
    assert nulls == set(), (kind, item)
    assert isinstance(item["id"], str)
    assert item["id"]
    assert isinstance(item["metadata"], dict)
    assert isinstance(item["content"], str)
    for name in ("confidence", "strength", "significance", "intensity", "temporal_confidence"):
        assert 0 <= item.get(name, 0) <= 1, (kind, item)
    if kind == "temporal_events":
        assert isinstance(item.get("temporal_category", ""), str)


async def test_trap_05_no_item_has_a_null_where_a_value_must_be(sdk: MaximemSynapSDK, who: Who, plain: Plain):
    await remember(sdk, OF_EVERY_TYPE, metadata={"deep": {"null": None}}, **who.as_alice)
    await remember(sdk, OF_EVERY_TYPE, customer_id=who.acme)
    conversation = str(uuid.uuid4())
    await sdk.conversation.record_message(conversation, "user", "I feel happy. I prefer tea.", **who.as_alice)
    seen: set[str] = set()
    for shape in ("by_type", "ranked"):
        for level, named in (bodies(who) | {"conversation": who.as_alice}).items():
            body = {"conversation_id": conversation, "max_results": 100, "response_shape": shape, **named}
            body |= {"search_query": ["Alice"] if level == "conversation" else None}
            answer = await plain.json("POST", f"/v1/context/{level}/fetch", body)
            for kind, listed in answer["context"].items():
                if kind in {*TYPES, "items"}:
                    assert isinstance(listed, list), (level, kind)
                    for item in listed:
                        check_item(kind, item)
                        seen.add(kind)
    assert seen == {*TYPES, "items"}


async def test_trap_06_the_context_is_wrapped_and_the_lifetime_is_a_number(plain: Plain, who: Who):
    for people in (who, Who()):
        for level, body in bodies(people).items():
            answer = await plain.json("POST", f"/v1/context/{level}/fetch", body | {"search_query": None})
            assert isinstance(answer["context"], dict)
            assert type(answer["ttl_seconds"]) is int
            for name in TYPES:
                assert isinstance(answer["context"].get(name, []), list)


async def test_trap_07_a_dropped_connection_sends_a_post_again_under_one_id(proxy: Proxy, who: Who, plain: Plain):
    sdk = new_sdk(api_base_url=proxy.url)
    await sdk.initialize()
    conversation = str(uuid.uuid4())
    proxy.fail("/v1/conversations/messages", LOSE)
    await sdk.conversation.record_message(conversation, "user", "ok", **who.as_alice)
    sent = proxy.sent("/v1/conversations/messages")
    assert len(sent) == 2
    assert len({request.headers["x-correlation-id"] for request in sent}) == 1
    assert await plain.turns(conversation) == [("user", "ok")]
    await sdk.shutdown()


async def test_trap_08_an_event_that_comes_back_is_acknowledged_and_is_one_turn(
    stream: MaximemSynapSDK, who: Who, plain: Plain
):
    conversation, event_id = str(uuid.uuid4()), str(uuid.uuid4())
    transport = stream._grpc_transport
    event = {
        "event_type": "user_message",
        "role": "user",
        "content": "ok",
        "conversation_id": conversation,
        "metadata": {},
        **who.as_alice,
    }

    for _ in range(3):
        await transport.send(event | {"event_id": event_id})
        await acknowledged(stream)
    assert await plain.turns(conversation) == [("user", "ok")]
    await transport.send(event | {"event_id": str(uuid.uuid4())})
    await acknowledged(stream)
    assert await plain.turns(conversation) == [("user", "ok")] * 2


async def test_trap_09_nothing_is_pushed_that_a_fetch_would_be_answered_from(stream: MaximemSynapSDK, who: Who):
    stored = [(await remember(stream, f"Crate {n} holds pears.", **who.as_alice))[0] for n in range(3)]
    conversation = str(uuid.uuid4())
    for content in ("Where are the pears?", "And the plums?"):
        await stream.instance.send_message(content, conversation_id=conversation, **who.as_alice)
    for _ in range(6):
        merged = await stream.fetch(**who.as_alice, conversation_id=conversation, search_query=["pears"])
        assert set(stored) <= {item.id for item in merged.facts}
        assert merged.metadata.source == "cloud"
    assert stream.anticipation_cache_snapshot()["total_entries"] == 0


async def test_trap_10_empty_ids_and_empty_headers_are_absent_ones(plain: Plain, who: Who, keys: dict[str, str]):
    word = fresh("quince").replace("-", "")
    nobody: dict[str, Any] = {"user_id": "", "customer_id": ""}
    for headers in ({}, {"X-Client-ID": "", "X-Instance-ID": ""}, {"X-Client-ID": "other", "X-Instance-ID": "other"}):
        body = {"document": f"The {word} jam is for all.", **nobody}
        receipt = await plain.json("POST", "/api/v1/memories/create", body, **headers)
        path = f"/api/v1/memories/status/{receipt['ingestion_id']}"
        await eventually(lambda path=path: plain.json("GET", path), lambda seen: seen["status"] == "completed")
        answer = await plain.json("POST", "/v1/context/client/fetch", {"search_query": [word], **nobody}, **headers)
        assert word in json.dumps(answer["context"])
    b2c = Plain(keys["b2c"])
    turn = {"conversation_id": str(uuid.uuid4()), "role": "user", "content": "Hi", "user_id": who.alice}
    assert (await b2c.ask("POST", "/v1/conversations/messages", turn | {"customer_id": ""})).status_code == 200
    assert await b2c.turns(turn["conversation_id"]) == [("user", "Hi")]
    await b2c.http.aclose()


async def test_trap_11_closed_words_and_bodies_that_must_be_there(sdk: MaximemSynapSDK, who: Who, plain: Plain):
    (memory_id,) = await remember(sdk, "Alice prefers oolong tea.", **who.as_alice)
    gone = await plain.json("DELETE", f"/api/v1/memories/{memory_id}")
    assert gone["memory_id"] == memory_id
    assert dt.datetime.fromisoformat(gone["deleted_at"]).tzinfo
    conversation = str(uuid.uuid4())
    await sdk.conversation.record_message(conversation, "user", "I prefer the red kayak.", **who.as_alice)
    prompt = await plain.json("GET", f"/v1/conversations/{conversation}/context-for-prompt?style=structured")
    for message in prompt["recent_messages"]:
        assert {"role", "content", "timestamp", "message_id"} <= message.keys()
        assert message["message_id"]
    for strategy in (None, *CompactionLevel):
        await sdk.conversation.context.compact(conversation, strategy=strategy, force=True)
        kept = await plain.json("GET", f"/v1/conversations/{conversation}/compacted?format=structured")
        assert kept["strategy_used"] in list(CompactionLevel)


async def test_trap_12_waiting_times_are_whole_seconds_and_no_reason_is_given(plain: Plain):
    answers = await asyncio.gather(*(plain.ask("GET", f"/api/v1/memories/{uuid.uuid4()}") for _ in range(50)))
    for answer in answers:
        assert answer.status_code == 404
        assert "reason" not in answer.json()
        assert answer.headers.get("retry-after", "1").isdigit()


@pytest.mark.parametrize("shape", ["{}", "{{{}}}", "urn:uuid:{}", "upper", "hex"])
async def test_trap_13_ids_are_uuids_and_every_way_to_write_one_is_the_same(
    sdk: MaximemSynapSDK, who: Who, plain: Plain, shape: str
):
    receipt = await plain.json("POST", "/api/v1/memories/batch", {"documents": [{"document": "x"} | who.as_alice]})
    assert uuid.UUID(receipt["batch_id"])
    status = await done(sdk, uuid.UUID(receipt["results"][0]["ingestion_id"]))
    assert all(uuid.UUID(one) for one in status.memory_ids)
    name = uuid.uuid4()
    other = {"upper": str(name).upper(), "hex": name.hex}.get(shape) or shape.format(name)
    await sdk.conversation.record_message(other, "user", "first", **who.as_alice)
    await sdk.conversation.record_message(str(name), "user", "second", **who.as_alice)
    assert await plain.turns(str(name)) == [("user", "first"), ("user", "second")]
    assert said((await sdk.conversation.context.get_context_for_prompt(other)).recent_messages) == [
        ("user", "first"),
        ("user", "second"),
    ]


def test_trap_14_what_the_pages_promise_and_the_client_does_not_have(sdk: MaximemSynapSDK):
    assert not hasattr(sdk.memories, "list")


async def test_trap_15_a_text_without_a_file_comes_urlencoded(plain: Plain, who: Who):
    form = {"text": "Alice keeps goats & bees = 100 %. Größe: XL", "relationship_type": "b2b", **who.as_alice}
    receipt = (await plain.http.post("/api/v1/memories/upload", data=form)).raise_for_status().json()
    path = f"/api/v1/memories/status/{receipt['ingestion_id']}"
    await eventually(lambda: plain.json("GET", path), lambda seen: seen["status"] == "completed")
    answer = await plain.json("POST", "/v1/context/user/fetch", {"search_query": ["goats", "Größe"], **who.as_alice})
    told = [item["content"] for listed in answer["context"].values() for item in listed if item["scope"] == "user"]
    assert " ".join(told).count("Alice keeps goats & bees = 100 %.") == 1
    assert "Größe: XL" in " ".join(told)


async def test_trap_16_times_without_a_zone_are_taken(sdk: MaximemSynapSDK, who: Who, plain: Plain):
    naive = dt.datetime(2026, 3, 1, 12)  # noqa: DTZ001
    await remember(sdk, "Alice prefers oolong tea.", document_created_at=naive, **who.as_alice)
    turns = [TranscriptTurn(role="user", content="Hello.", timestamp=naive)]
    times = {"started_at": naive, "ended_at": naive}
    answer = await sdk.conversation.ingest_transcript(fresh("call"), transcript=turns, **times, **who.as_alice)
    await done(sdk, answer.ingestion_id)
    event = {"event_type": "sdk_init", "timestamp": "2026-03-01T12:00:00.5", "status": "success", "latency_ms": None}
    batch = {"events": [event], "sdk_version": "0.6.9", "batch_id": "0" * 16, "created_at": "2026-03-01T12:00:00"}
    assert (await plain.ask("POST", "/v1/telemetry/batch", batch)).status_code in {200, 202}


async def test_trap_17_a_document_id_used_again_is_a_new_version_and_no_conflict(sdk: MaximemSynapSDK, who: Who):
    words = {"document_id": "note-1", **who.as_alice}
    (first,) = await remember(sdk, "Alice prefers oolong tea.", **words)
    (second,) = await remember(sdk, "Alice prefers mate.", **words)

    async def look() -> list[str]:
        return own_texts(await sdk.user.context.fetch(**who.as_alice, search_query=["Alice"]))

    assert await eventually(look, lambda seen: len(seen) == 1) == ["Alice prefers mate."]
    assert (await sdk.memories.get(uuid.UUID(second))).content == "Alice prefers mate."
    with pytest.raises(ContextNotFoundError):
        await sdk.memories.get(uuid.UUID(first))
