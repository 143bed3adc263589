"""Requests as they are sent: routes, headers, bodies, and what is refused before anything is sent."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from fake import CONTEXT, RECEIPT
from synap import BatchEntry, DocumentInput, InvalidInputError, Receipt


async def test_create_sends_only_what_was_given(recorded):
    sdk, sent = recorded()
    receipt = await sdk.memories.create(document="text", customer_id="acme_corp")
    request = sent.requests[0]
    assert (request.method, str(request.url)) == ("POST", "http://127.0.0.1:7117/api/v1/memories/create")
    assert request.headers["Authorization"] == "Bearer key"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"].startswith("synap-python/")
    # Both would be taken for an idempotency key, and hide that two calls bring the same document.
    assert "Idempotency-Key" not in request.headers
    assert "X-Correlation-ID" not in request.headers
    assert sent.body == {"document": "text", "document_type": "document", "customer_id": "acme_corp"}
    assert receipt.position == "token"
    assert receipt.scope_path == {"customer": "acme", "user": "al"}


async def test_create_sends_everything_that_was_given(recorded):
    sdk, sent = recorded()
    await sdk.memories.create(
        document={"a": [1, None]},
        document_type="email",
        document_id="../x",
        document_created_at="2026-11-22",
        user_id="🦀",
        customer_id="*",
        scope={"team": "pay"},
        metadata={"k": None, "ä": 1.5},
        on_conflict="reject",
        idempotency_key="k 1",
    )
    assert sent.body == {
        "document": {"a": [1, None]},
        "document_type": "email",
        "document_id": "../x",
        "document_created_at": "2026-11-22",
        "user_id": "🦀",
        "customer_id": "*",
        "scope": {"team": "pay"},
        "metadata": {"k": None, "ä": 1.5},
        "on_conflict": "reject",
    }
    assert sent.requests[0].headers["Idempotency-Key"] == "k 1"


@pytest.mark.parametrize("key", ["", " k", "k\n", "ключ", "k\x00"])
async def test_keys_that_no_header_carries_go_into_the_body(recorded, key):
    sdk, sent = recorded()
    await sdk.memories.create(document="text", idempotency_key=key)
    assert sent.body["idempotency_key"] == key
    assert "Idempotency-Key" not in sent.requests[0].headers


@pytest.mark.parametrize(
    ("given", "sent_as"),
    [
        (datetime(2026, 11, 22, 13, 46, tzinfo=UTC), "2026-11-22T13:46:00+00:00"),
        (datetime(2026, 11, 22, 13, 46, tzinfo=timezone(timedelta(hours=2))), "2026-11-22T11:46:00+00:00"),
        (datetime(2026, 11, 22, 13, 46), "2026-11-22T13:46:00"),  # noqa: DTZ001
        (date(2026, 11, 22), "2026-11-22"),
        ("yesterday", "yesterday"),
    ],
)
async def test_moments_are_sent_as_text(recorded, given, sent_as):
    sdk, sent = recorded()
    await sdk.memories.create(document="text", document_created_at=given)
    assert sent.body["document_created_at"] == sent_as


async def test_batch_takes_dicts_and_inputs(recorded):
    entry = {"ingestion_id": "i", "document_id": "d", "status": "failed", "error_message": "document must not be empty"}
    sdk, sent = recorded({"batch_id": "b", "total": 2, "succeeded": 1, "failed": 1, "results": [RECEIPT, entry]})
    documents = [{"document": "one", "customer_id": "acme"}, DocumentInput(document="", idempotency_key="k")]
    result = await sdk.memories.batch_create(documents, fail_fast=True)
    assert str(sent.requests[0].url).endswith("/api/v1/memories/batch")
    assert sent.body == {
        "documents": [
            {"document": "one", "customer_id": "acme", "document_type": "document"},
            {"document": "", "idempotency_key": "k", "document_type": "document"},
        ],
        "fail_fast": True,
    }
    assert result.failed == 1
    assert result.results[0].position == "token"
    assert result.results[1].error_message == "document must not be empty"


async def test_fetch_sends_only_what_was_given(recorded):
    sdk, sent = recorded(CONTEXT)
    await sdk.user.context.fetch(user_id="al", customer_id="acme")
    assert str(sent.requests[0].url).endswith("/v1/context/user/fetch")
    defaults = {"max_results": 10, "mode": "fast", "response_shape": "by_type"}
    assert sent.body == {"user_id": "al", "customer_id": "acme", **defaults}
    await sdk.customer.context.fetch(customer_id="acme")
    assert str(sent.requests[1].url).endswith("/v1/context/customer/fetch")
    assert sent.body == {"customer_id": "acme", **defaults}
    await sdk.client.context.fetch()
    assert str(sent.requests[2].url).endswith("/v1/context/client/fetch")
    assert sent.body == defaults


async def test_fetch_sends_everything_that_was_given(recorded):
    sdk, sent = recorded(CONTEXT)
    await sdk.user.context.fetch(
        user_id="al",
        customer_id="acme",
        scope={"team": "pay"},
        search_query="one",
        max_results=3,
        max_tokens=50,
        min_relevance=0,
        include_shadowed=True,
        include_prompt=True,
        types=("facts", "temporal"),
        mode="accurate",
        precision_level="medium",
        query_date=date(2023, 3, 11),
        max_results_per_query=2,
        conversation_id="call:1",
        response_shape="ranked",
        explain=True,
        position=Receipt.model_validate(RECEIPT),
        wait_ms=0,
        if_stale="refuse",
    )
    assert sent.body == {
        "user_id": "al",
        "customer_id": "acme",
        "scope": {"team": "pay"},
        "search_query": ["one"],
        "max_results": 3,
        "max_tokens": 50,
        "min_relevance": 0,
        "include_shadowed": True,
        "include_prompt": True,
        "types": ["facts", "temporal"],
        "mode": "accurate",
        "precision_level": "medium",
        "query_date": "2023-03-11",
        "max_results_per_query": 2,
        "conversation_id": "call:1",
        "response_shape": "ranked",
        "explain": True,
        "position": "token",
        "wait_ms": 0,
        "if_stale": "refuse",
    }


async def test_fetch_waits_longer_than_the_server_may(recorded):
    sdk, sent = recorded(CONTEXT, timeout=7)
    await sdk.client.context.fetch()
    await sdk.client.context.fetch(position="token")
    await sdk.client.context.fetch(position="token", wait_ms=30_000)
    assert [request.extensions["timeout"]["read"] for request in sent.requests] == [7, 9, 37]


async def test_status_quotes_the_id(recorded):
    sdk, sent = recorded({**RECEIPT, "status": "completed", "memory_ids": ["m"]})
    for given, path in [
        ("a/../b?c#d", b"a%2F..%2Fb%3Fc%23d"),
        ("..", b"%2E%2E"),
        ("🦀 ", b"%F0%9F%A6%80%20"),
        (Receipt.model_validate(RECEIPT), RECEIPT["ingestion_id"].encode()),
    ]:
        found = await sdk.memories.status(given)
        assert sent.requests[-1].url.raw_path == b"/api/v1/memories/status/" + path
    assert found.memory_ids == ["m"]


async def test_whoami_and_health(recorded):
    sdk, sent = recorded({"client_id": "cli_1", "instance_id": "inst_1", "user_context_isolation": "strict"})
    assert (await sdk.whoami()).user_context_isolation == "strict"
    assert sent.requests[0].url.path == "/api/v1/auth/whoami"
    sdk, sent = recorded({"status": "ok", "durability": "power-safe"})
    health = await sdk.health()
    assert (health.status, health.model_extra) == ("ok", {"durability": "power-safe"})
    assert "Authorization" not in sent.requests[0].headers


EMPTY = "must not be empty; leave it out to mean the wider scope"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"user_id": "", "customer_id": "acme"}, f"user_id {EMPTY}"),
        ({"customer_id": ""}, f"customer_id {EMPTY}"),
        ({"scope": {"team": ""}}, f"scope.team {EMPTY}"),
        ({"scope": {"user": None}}, f"scope.user {EMPTY}"),
        ({"costumer_id": "acme"}, "costumer_id is not a known field"),
        ({"metadata": {"at": {"when": date(2026, 1, 1)}}}, "metadata.at.when cannot be sent as JSON: "),
        ({"metadata": {"n": float("nan")}}, "metadata.n cannot be sent as JSON: "),
        ({"document_id": "\ud800"}, "document_id cannot be sent as JSON: "),
    ],
)
async def test_what_the_server_could_not_refuse_is_refused_here(recorded, document, message):
    sdk, sent = recorded()
    with pytest.raises(InvalidInputError) as refused:
        await sdk.memories.batch_create([{"document": "text"}, {"document": "text", **document}])
    assert str(refused.value).startswith(f"documents[1].{message}")
    assert refused.value.field == str(refused.value).split()[0]
    if "costumer_id" not in document:
        with pytest.raises(InvalidInputError) as refused:
            await sdk.memories.create(document="text", **document)
        assert str(refused.value).startswith(message)
    assert sent.requests == []


async def test_fetches_refuse_empty_ids_and_missing_positions(recorded):
    sdk, sent = recorded()
    for ids in ({"user_id": "al", "customer_id": ""}, {"user_id": "", "customer_id": "acme"}, {"scope": {"user": ""}}):
        with pytest.raises(InvalidInputError, match="must not be empty"):
            await sdk.user.context.fetch(**ids)
    failed = BatchEntry(ingestion_id="i", document_id="d", status="failed")
    with pytest.raises(InvalidInputError, match="^position is missing"):
        await sdk.client.context.fetch(position=failed)
    with pytest.raises(InvalidInputError, match="^ingestion_id must not be empty"):
        await sdk.memories.status("")
    assert sent.requests == []
