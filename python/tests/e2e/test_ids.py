"""Ids are opaque: whatever a caller uses works, and is nobody else."""

import asyncio

IDS = [
    "a.b",
    "A.B",
    "*",
    ">",
    "a b",
    "a b ",
    "../x",
    "x",
    ".",
    "..",
    "/",
    "a/b",
    "%2e%2e%2fx",
    "-",
    "=x",
    " ",
    "null",
    "'; --",
    '"}',
    "$SYS",
    "🦀",
    "👩‍👩‍👧",
    "用户:7",
    # The same to a reader, other bytes.
    "\u00e9",
    "e\u0301",
    "e",
    # As long as an id may be, in bytes.
    "x" * 256,
    "x" * 255,
    "\u00e9" * 128,
    "🦀" * 64,
]


async def test_users_see_their_own_alone(sdk, customer):
    async def write(at: int) -> None:
        ids = {"user_id": IDS[at], "customer_id": customer}
        receipt = await sdk.memories.create(document=f"The umbrella of person {at} is red.", **ids)
        assert receipt.scope_path == {"customer": customer, "user": IDS[at]}
        await sdk.memories.wait_for_completion(receipt)

    await asyncio.gather(*map(write, range(len(IDS))))
    for at, user_id in enumerate(IDS):
        for query in ("whose umbrella is red", None):
            context = await sdk.user.context.fetch(
                user_id=user_id, customer_id=customer, search_query=query, max_results=100
            )
            mine = [item for item in context.all_items() if item.scope != "client"]
            assert [item.content for item in mine] == [f"The umbrella of person {at} is red."], user_id
            assert mine[0].scope_path == {"customer": customer, "user": user_id}


async def test_customers_see_their_own_alone(sdk, run):
    # The ids are the same in every run; each run's document replaces the one before it.
    async def write(at: int) -> None:
        text = f"The sign at door {at} says {run}."
        receipt = await sdk.memories.create(document=text, document_id="sign", customer_id=IDS[at])
        assert receipt.scope_path == {"customer": IDS[at]}
        await sdk.memories.wait_for_completion(receipt)

    await asyncio.gather(*map(write, range(len(IDS))))
    for at, customer_id in enumerate(IDS):
        for query in (f"sign {run}", None):
            for context in (
                await sdk.customer.context.fetch(customer_id=customer_id, search_query=query, max_results=100),
                await sdk.user.context.fetch(user_id=run, customer_id=customer_id, search_query=query, max_results=100),
            ):
                seen = [item.content for item in context.all_items() if item.scope != "client"]
                assert seen == [f"The sign at door {at} says {run}."], customer_id


async def test_documents_are_told_apart(sdk, customer):
    documents = [
        {"document": f"Box {at} holds a hat.", "document_id": document_id, "customer_id": customer}
        for at, document_id in enumerate(IDS)
    ]
    result = await sdk.memories.batch_create(documents)
    assert (result.total, result.succeeded, result.failed) == (len(IDS), len(IDS), 0)
    assert [entry.document_id for entry in result.results] == IDS
    for entry in result.results:
        await sdk.memories.wait_for_completion(entry)
    context = await sdk.customer.context.fetch(customer_id=customer, max_results=100)
    found = {item.document_id: item.content for item in context.all_items() if item.scope == "customer"}
    assert found == {document_id: f"Box {at} holds a hat." for at, document_id in enumerate(IDS)}
