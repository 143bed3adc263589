"""Duplicates, versions, keys of the caller, and batches."""

import asyncio

import pytest

from synap import ConflictError, DocumentInput, InvalidInputError, Synap


async def customers_texts(sdk: Synap, customer: str) -> set[str]:
    context = await sdk.customer.context.fetch(customer_id=customer, max_results=100)
    return {item.content for item in context.all_items() if item.scope == "customer"}


@pytest.mark.parametrize("document_id", [None, "doc"])
async def test_the_same_document_is_stored_once(sdk, customer, document_id):
    options = {"document": "Al keeps bees.", "document_id": document_id, "customer_id": customer}
    first = await sdk.memories.create(**options)
    second = await sdk.memories.create(**options)
    assert not first.duplicate
    assert second.duplicate
    same = ("ingestion_id", "document_id", "scope", "scope_path")
    assert [getattr(second, name) for name in same] == [getattr(first, name) for name in same]
    await sdk.memories.wait_for_completion(second)
    third = await sdk.memories.create(**options)
    assert (third.duplicate, third.status, third.ingestion_id) == (True, "completed", first.ingestion_id)
    # In another scope it is another document.
    elsewhere = await sdk.memories.create(**options, user_id="al")
    assert not elsewhere.duplicate
    assert elsewhere.ingestion_id != first.ingestion_id
    assert await customers_texts(sdk, customer) == {"Al keeps bees."}


async def test_other_content_replaces_the_document_unless_refused(sdk, customer):
    options = {"document_id": "doc", "customer_id": customer}
    for text in ("The gate is green.", "The gate is brown."):
        receipt = await sdk.memories.create(document=text, **options)
        assert not receipt.duplicate
        await sdk.memories.wait_for_completion(receipt)
        assert await customers_texts(sdk, customer) == {text}
    with pytest.raises(ConflictError):
        await sdk.memories.create(document="The gate is blue.", on_conflict="reject", **options)
    assert (await sdk.memories.create(document="The gate is brown.", on_conflict="reject", **options)).duplicate
    assert await customers_texts(sdk, customer) == {"The gate is brown."}
    # Going back is a change like any other.
    back = await sdk.memories.create(document="The gate is green.", **options)
    assert not back.duplicate
    await sdk.memories.wait_for_completion(back)
    assert await customers_texts(sdk, customer) == {"The gate is green."}


@pytest.mark.parametrize("key", ["order-7", "ключ 🦀"])
async def test_the_callers_key_makes_two_calls_one(sdk, customer, key):
    first = await sdk.memories.create(document="The order is 7 chairs.", customer_id=customer, idempotency_key=key)
    again = await sdk.memories.create(document="The order is 8 chairs.", customer_id=customer, idempotency_key=key)
    assert (again.duplicate, again.ingestion_id) == (True, first.ingestion_id)
    await sdk.memories.wait_for_completion(again)
    assert await customers_texts(sdk, customer) == {"The order is 7 chairs."}
    other = await sdk.memories.create(
        document="The order is 8 chairs.", customer_id=f"{customer}-2", idempotency_key=key
    )
    assert not other.duplicate


async def test_a_batch_has_a_result_for_every_document(sdk, customer):
    result = await sdk.memories.batch_create(
        [
            {"document": "The office has a garden.", "customer_id": customer},
            {"document": " ", "customer_id": customer},
            DocumentInput(document={"desk": "oak"}, customer_id=customer, user_id="al", metadata={"k": 1}),
            {"document": "Nobody's", "user_id": "al"},
        ]
    )
    assert (result.total, result.succeeded, result.failed) == (4, 2, 2)
    garden, empty, desk, nobody = result.results
    assert [entry.status == "failed" for entry in result.results] == [False, True, False, True]
    assert (garden.scope, desk.scope) == ("customer", "user")
    assert "document must not be empty" in (empty.error_message or "")
    assert "customer_id is required with user_id" in (nobody.error_message or "")
    context = await sdk.user.context.fetch(user_id="al", customer_id=customer, position=desk)
    assert any("oak" in item.content and item.metadata == {"k": 1} for item in context.all_items())
    await sdk.memories.wait_for_completion(garden)
    assert await customers_texts(sdk, customer) == {"The office has a garden."}
    again = await sdk.memories.batch_create([{"document": "The office has a garden.", "customer_id": customer}] * 3)
    assert [(entry.duplicate, entry.ingestion_id) for entry in again.results] == [(True, garden.ingestion_id)] * 3


async def test_fail_fast_stores_nothing_after_the_refused_one(sdk, customer):
    documents = [{"document": text, "customer_id": customer} for text in ("First.", "", "Third.")]
    try:
        result = await sdk.memories.batch_create(documents, fail_fast=True)
        assert result.failed >= 1
        stored = [entry for entry in result.results if entry.status != "failed"]
    except InvalidInputError as refused:
        assert refused.field == "documents[1].document"  # noqa: PT017
        stored = []
    for entry in stored:
        await sdk.memories.wait_for_completion(entry)
    assert await customers_texts(sdk, customer) <= {"First."}


async def test_a_large_batch_is_stored_whole(sdk, customer):
    documents = [{"document": f"Shelf {at} is full.", "customer_id": customer, "user_id": "al"} for at in range(1_000)]
    result = await sdk.memories.batch_create(documents)
    assert (result.succeeded, len({entry.ingestion_id for entry in result.results})) == (1_000, 1_000)
    await sdk.memories.wait_for_completion(result.results[-1])
    # One partition applies its events in order, so all of them are there.
    statuses = await asyncio.gather(*(sdk.memories.status(entry) for entry in result.results))
    assert {(status.status, status.memories_created) for status in statuses} == {("completed", 1)}
