"""Bad input: what is refused, how it is named, and what a refusal gives away."""

import os
from functools import reduce
from typing import Any
from uuid import uuid4

import pytest

from synap import AuthenticationError, InvalidInputError, NotFoundError, Synap

KIB = 1024
DEEP: Any = reduce(lambda inner, _: [inner], range(40), "x")


@pytest.mark.parametrize(
    ("options", "field", "limit"),
    [
        ({"user_id": "al", "customer_id": None}, "customer_id", None),
        ({"customer_id": "x" * 257}, "customer_id", 256),
        ({"user_id": "\u00e9" * 129}, "user_id", 256),
        ({"document_id": "x" * 257}, "document_id", 256),
        ({"customer_id": "a\x00b"}, "customer_id", None),
        ({"user_id": "a\nb"}, "user_id", None),
        ({"user_id": "a\x7f"}, "user_id", None),
        ({"user_id": 7}, "user_id", None),
        ({"scope": {"planet": "earth"}}, "scope.planet", None),
        ({"document": ""}, "document", None),
        ({"document": " \n\t\x00"}, "document", None),
        ({"document": {}}, "document", None),
        ({"document": []}, "document", None),
        ({"document": 7}, "document", None),
        ({"document": None}, "document", None),
        ({"document": "x" * (KIB * KIB + 1)}, "document", KIB * KIB),
        ({"document": {"deep": DEEP}}, "body", 32),
        ({"metadata": {"k": "x" * 64 * KIB}}, "metadata", 64 * KIB),
        ({"metadata": ["k"]}, "metadata", None),
        ({"document_created_at": "yesterday"}, "document_created_at", None),
        ({"on_conflict": "merge"}, "on_conflict", None),
    ],
)
async def test_a_refused_document_names_the_field(sdk, customer, options, field, limit):
    with pytest.raises(InvalidInputError) as refused:
        await sdk.memories.create(**{"document": "text", "customer_id": customer, **options})
    check(refused.value, field, limit)


@pytest.mark.parametrize(
    ("options", "field", "limit"),
    [
        ({"user_id": None}, "user_id", None),
        ({"customer_id": None}, "customer_id", None),
        ({"user_id": "x" * 257}, "user_id", 256),
        ({"max_results": 0}, "max_results", 1_000),
        ({"max_results": 1_001}, "max_results", 1_000),
        ({"max_tokens": 0}, "max_tokens", 1_000_000),
        ({"max_tokens": 1.5}, "max_tokens", 1_000_000),
        ({"min_relevance": 1.1}, "min_relevance", None),
        ({"include_shadowed": "yes"}, "include_shadowed", None),
        ({"include_prompt": 1}, "include_prompt", None),
        ({"search_query": ["x"] * 17}, "search_query", 16),
        ({"search_query": [7]}, "search_query[0]", None),
        ({"search_query": "x" * (64 * KIB + 1)}, "search_query[0]", 64 * KIB),
        ({"types": ["facts", "nonsense"]}, "types[1]", None),
        ({"mode": "slow"}, "mode", None),
        ({"response_shape": "round"}, "response_shape", None),
        ({"explain": "yes"}, "explain", None),
        ({"position": "junk"}, "position", None),
        ({"wait_ms": 30_001}, "wait_ms", 30_000),
        ({"if_stale": "cry"}, "if_stale", None),
    ],
)
async def test_a_refused_fetch_names_the_field(sdk, customer, options, field, limit):
    with pytest.raises(InvalidInputError) as refused:
        await sdk.user.context.fetch(**{"user_id": "al", "customer_id": customer, **options})
    check(refused.value, field, limit)


def check(error: InvalidInputError, field: str, limit: int | None) -> None:
    assert (error.status, error.code, error.field) == (400, "INVALID_INPUT", field)
    assert field in str(error)
    if limit is not None:
        assert error.details["limit"] == limit
        assert str(limit) in str(error)
        assert str(error.details["value"]) in str(error)


async def test_too_many_documents_are_refused_whole(sdk, customer):
    with pytest.raises(InvalidInputError) as refused:
        await sdk.memories.batch_create([{"document": "text", "customer_id": customer}] * 1_001)
    check(refused.value, "documents", 1_000)
    context = await sdk.customer.context.fetch(customer_id=customer)
    assert not context.scopes[0].scope_known


async def test_too_long_a_key_is_refused(sdk, customer):
    with pytest.raises(InvalidInputError) as refused:
        await sdk.memories.create(document="text", customer_id=customer, idempotency_key="k" * 257)
    assert "257" in str(refused.value)
    assert "256" in str(refused.value)


@pytest.mark.parametrize("body", [b"", b"[1]", b'{"document": "text"', b"\xff", b"null"])
async def test_a_body_that_is_no_object_is_refused(http, body):
    for path in ("/api/v1/memories/create", "/api/v1/memories/batch", "/v1/context/client/fetch"):
        answer = await http.post(path, content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_INPUT"), path
        assert answer.json()["details"]["field"] == "body"


async def test_without_a_right_key_nothing_is_told(http):
    async with Synap(api_key="wrong") as wrong:
        calls = [
            wrong.whoami,
            lambda: wrong.memories.create(document="text"),
            lambda: wrong.memories.batch_create([{"document": ""}]),
            lambda: wrong.memories.status(str(uuid4())),
            lambda: wrong.user.context.fetch(user_id="al", customer_id="acme_corp"),
            lambda: wrong.customer.context.fetch(customer_id="acme_corp"),
            lambda: wrong.client.context.fetch(max_results=0),
            lambda: wrong.memories.get(uuid4()),
            lambda: wrong.memories.update(uuid4(), ""),
            lambda: wrong.memories.delete(uuid4()),
            lambda: wrong.memories.forget("", user_id="al"),
            lambda: wrong.memories.create_from_file(file=b""),
            lambda: wrong.conversation.record_message("c", "nobody", ""),
            lambda: wrong.conversation.record_messages_batch([]),
            lambda: wrong.conversation.ingest_transcript("c", "al", ""),
            lambda: anext(wrong.conversation.messages("c")),
            lambda: wrong.conversation.context.fetch("c"),
            lambda: wrong.conversation.context.get_context_for_prompt("c"),
            lambda: wrong.conversation.context.compact("c"),
            lambda: wrong.conversation.context.get_compaction_status("c"),
            lambda: wrong.conversation.context.get_compacted("c"),
            lambda: wrong.user.get_profile("al"),
            lambda: wrong.data.delete("user"),
            lambda: wrong.data.status(uuid4()),
            wrong.credits.get_balance,
        ]
        for call in calls:
            with pytest.raises(AuthenticationError) as refused:
                await call()
            assert (refused.value.status, refused.value.code) == (401, "UNAUTHORIZED")
        await wrong.health()
    right = http.headers.pop("Authorization")
    key = right.removeprefix("Bearer ")
    for value in (None, "", key, f"Basic {key}", "Bearer", f"Bearer {key}x", f"Bearer {key[:-1]}"):
        headers = {} if value is None else {"Authorization": value}
        answer = await http.get("/api/v1/auth/whoami", headers=headers)
        assert answer.status_code == 401, value
        assert answer.json()["message"] == str(refused.value)


async def test_ids_of_others_and_of_nobody_are_answered_alike(sdk, http):
    unknown = [str(uuid4()), "no-uuid", "*", "../x", "..", "%2e%2e", "🦀", "x" * 300]
    foreign_key = os.environ.get("SYNAP_FOREIGN_API_KEY")
    if foreign_key:  # a key of another application on the same server
        async with Synap(api_key=foreign_key) as foreign:
            receipt = await foreign.memories.create(document="Not yours.", customer_id="acme_corp")
            await foreign.memories.wait_for_completion(receipt)
        unknown.append(receipt.ingestion_id)
    sentences = set()
    for ingestion_id in unknown:
        with pytest.raises(NotFoundError) as refused:
            await sdk.memories.status(ingestion_id)
        sentences.add(str(refused.value))
    assert sentences == {"not found"}
    ids = [ingestion_id for ingestion_id in unknown if ingestion_id.replace("-", "").isalnum()]
    answers = [await http.get(f"/api/v1/memories/status/{ingestion_id}") for ingestion_id in ids]
    assert len({(answer.status_code, answer.content) for answer in answers}) == 1
    assert answers[0].status_code == 404


async def test_unknown_fields_are_ignored_on_shared_routes(http, customer):
    body = {"document": "text", "customer_id": customer, "user_id": None, "scope": None, "mode": "fast", "mood": "good"}
    answer = await http.post("/api/v1/memories/create", json=body)
    assert answer.status_code == 200
    assert answer.json()["scope"] == "customer"
