"""Single memories, uploads, forgetting and deletions."""

import asyncio
import io
from uuid import uuid4

import pytest

from synap import ConflictError, InvalidInputError, NotFoundError, Synap, UnsupportedMediaTypeError


@pytest.fixture
def ids(customer):
    return {"user_id": "al", "customer_id": customer}


async def remember(sdk: Synap, text: str, **whose: str) -> str:
    """The id of the one memory that a text becomes."""
    status = await sdk.memories.wait_for_completion(await sdk.memories.create(document=text, **whose))
    [memory_id] = status.memory_ids
    return memory_id


async def texts(sdk: Synap, query: str | None = None, **whose: str) -> list[str]:
    context = await sdk.fetch(**whose, search_query=query, max_results=100)
    return [item.content for item in context.all_items() if item.scope != "client"]


async def test_a_memory_is_updated_and_deleted(sdk, customer, ids):
    memory_id = await remember(sdk, "Al lives in Lisbon.", **ids)
    found = await sdk.memories.get(memory_id)
    assert (found.memory_id, found.content, found.updated_at) == (memory_id, "Al lives in Lisbon.", None)
    assert found.scope_path == {"customer": customer, "user": "al"}
    merged = await sdk.memories.update(memory_id, "Al lives in Porto.")
    assert merged.content == "Al lives in Porto."
    assert merged.updated_at is not None
    appended = await sdk.memories.update(memory_id, "He has a cat.", merge_strategy="append")
    assert "Porto" in appended.content
    assert appended.content.endswith("He has a cat.")
    replaced = await sdk.memories.update(memory_id, "Al is in Faro.", merge_strategy="replace", metadata={"k": 1})
    assert (replaced.memory_id, replaced.content) == (memory_id, "Al is in Faro.")
    assert (await sdk.memories.get(memory_id)).content == "Al is in Faro."
    context = await sdk.user.context.fetch(**ids, search_query="where is Al")
    assert [(item.content, item.metadata) for item in context.all_items() if item.scope == "user"] == [
        ("Al is in Faro.", {"k": 1})
    ]
    deleted = await sdk.memories.delete(memory_id)
    assert deleted.memory_id == memory_id
    assert await sdk.memories.delete(memory_id) == deleted
    for call in (sdk.memories.get(memory_id), sdk.memories.update(memory_id, "x"), sdk.memories.get(uuid4())):
        with pytest.raises(NotFoundError):
            await call
    assert await texts(sdk, **ids) == []


async def test_a_memory_is_moved_and_every_change_can_be_undone(sdk, customer, ids):
    memory_id = await remember(sdk, "Al's office is in Braga.", **ids)
    other = {"user_id": "bo", "customer_id": customer}
    assert await texts(sdk, **other) == []
    moved = await sdk.memories.promote(memory_id, "customer")
    assert (moved.scope_path, moved.moved_from.memory_id) == ({"customer": customer}, memory_id)
    assert await texts(sdk, **other) == ["Al's office is in Braga."]
    with pytest.raises(InvalidInputError, match="confirm"):
        await sdk.memories.promote(moved.memory_id, "client")
    given = await sdk.memories.demote(moved.memory_id, "user", **other)
    assert await texts(sdk, **other) == ["Al's office is in Braga."]
    assert await texts(sdk, **ids) == []
    undone = await sdk.memories.undo(given.event_id)
    assert undone.undoes == given.event_id
    assert {place.scope: place.is_told for place in undone.memories} == {"customer": True, "user": False}
    assert await texts(sdk, **ids) == ["Al's office is in Braga."]
    deleted = await sdk.memories.delete(moved.memory_id)
    await sdk.memories.undo(deleted.event_id)
    assert await texts(sdk, **ids) == ["Al's office is in Braga."]
    with pytest.raises(ConflictError):
        await sdk.memories.undo(given.event_id)


async def test_forgetting_is_looked_at_first(sdk, customer, ids):
    for text in ("Al owns a red bike.", "Al likes tea."):
        await remember(sdk, text, **ids)
    await remember(sdk, "The bike shed is red.", customer_id=customer)
    preview = await sdk.memories.forget("red bike", **ids)
    assert (preview.status, [one.content for one in preview.candidates]) == ("preview", ["Al owns a red bike."])
    assert "Al owns a red bike." in await texts(sdk, **ids)
    done = await sdk.memories.forget("red bike", **ids, mode="direct")
    assert (done.status, done.deleted_ids) == ("deleted", [preview.candidates[0].memory_id])
    # Neither what is the customer's nor what nobody described.
    assert sorted(await texts(sdk, **ids)) == ["Al likes tea.", "The bike shed is red."]
    assert (await sdk.memories.forget("red bike", **ids, mode="direct")).status == "nothing_matches"
    for options, field in [({"description": "ab"}, "description"), ({"description": "bike", "mode": "now"}, "mode")]:
        with pytest.raises(InvalidInputError) as refused:
            await sdk.memories.forget(**options, **ids)
        assert refused.value.field == field


async def test_files_and_texts_are_uploaded(sdk, customer, ids, tmp_path):
    path = tmp_path / "rules ä.md"
    path.write_text("# Rules\n\n- The gate is green.\n", encoding="utf-8")
    receipt = await sdk.memories.create_from_file(file_path=path, **ids, metadata={"from": "wiki"})
    assert (receipt.document_id, receipt.scope_path) == ("rules ä.md", {"customer": customer, "user": "al"})
    status = await sdk.memories.wait_for_completion(receipt)
    [memory_id] = status.memory_ids
    assert (await sdk.memories.get(memory_id)).content == "Rules: The gate is green."
    # The same once more is stored once; the name with other content is a new version.
    assert (await sdk.memories.create_from_file(file_path=path, **ids, metadata={"from": "wiki"})).duplicate
    page = b"<html><body><h1>Rules</h1><p>The gate is brown.</p><script>x</script></body></html>"
    newer = await sdk.memories.create_from_file(file=io.BytesIO(page), filename="rules ä.md", **ids)
    await sdk.memories.wait_for_completion(newer)
    told = await texts(sdk, "which colour has the gate", **ids)
    assert len(told) == 1
    assert "The gate is brown." in told[0]
    text = await sdk.memories.create_from_file(text="The hat & the coat = Al's.", document_id="note", **ids)
    await sdk.memories.wait_for_completion(text)
    assert "The hat & the coat = Al's." in await texts(sdk, "hat", **ids)


async def test_refused_uploads_name_the_reason(sdk, ids):
    with pytest.raises(UnsupportedMediaTypeError) as foreign:
        await sdk.memories.create_from_file(file=b"PK\x03\x04" + bytes(40), filename="a.docx", **ids)
    assert (foreign.value.status, foreign.value.field) == (415, "file")
    assert "PDF" in str(foreign.value)
    for options, field in [
        ({"file": b"", "filename": "a.txt"}, "file"),
        ({"file": b"a" * (1024 * 1024 + 1), "filename": "a.txt"}, "file"),
        ({"text": " "}, "text"),
        ({"text": "x", "document_id": "x" * 257}, "document_id"),
        ({"file": b"x", "filename": "x" * 257 + ".txt"}, "filename"),
    ]:
        with pytest.raises(InvalidInputError) as refused:
            await sdk.memories.create_from_file(**options, **ids)
        assert (refused.value.status, refused.value.field) == (400, field)


async def removed(sdk, deleted):
    """The receipt, once the bytes are gone."""
    for _ in range(500):
        status = await sdk.data.status(deleted.deletion_id)
        if status.completed_at is not None:
            return status
        await asyncio.sleep(0.02)
    raise AssertionError("it was not removed within ten seconds")


async def test_all_of_a_user_is_deleted_once_it_is_confirmed(sdk, customer, ids):
    other = {"user_id": "bo", "customer_id": customer}
    conversation = uuid4()
    for whose in (ids, other):
        await remember(sdk, "A secret of one's own.", **whose)
    await sdk.conversation.record_message(conversation, "user", "I live in Lisbon.", **ids)
    counted = await sdk.data.delete("user", **ids, dry_run=True)
    assert (counted.status, counted.found, counted.counts["memories"]) == ("dry_run", True, 2)
    for confirm in (None, "bo", customer):
        with pytest.raises(InvalidInputError) as refused:
            await sdk.data.delete("user", **ids, confirm=confirm)
        assert refused.value.field == "confirm"
    assert len(await texts(sdk, **ids)) == 2
    done = await sdk.data.delete("user", **ids, confirm="al")
    assert (done.found, done.dry_run, done.counts["memories"]) == (True, False, 2)
    assert done.deletion_id is not None
    # Somebody else said the same words, and keeps them.
    erased = await removed(sdk, done)
    assert (erased.status, erased.counts["memories"]) == ("partial", 2)
    assert erased.searched["found"] > 0
    assert await texts(sdk, **ids) == []
    assert await sdk.user.get_profile(**ids) is None
    assert not (await sdk.conversation.context.get_context_for_prompt(conversation)).available
    assert await texts(sdk, **other) == ["A secret of one's own."]
    with pytest.raises(NotFoundError):
        await sdk.data.status(uuid4())


async def test_one_conversation_is_deleted(sdk, ids):
    gone, kept = uuid4(), uuid4()
    for conversation, text in ((gone, "My hat is red."), (kept, "My coat is blue.")):
        await sdk.conversation.record_message(conversation, "user", text, **ids)
    done = await sdk.data.delete("conversation", conversation_id=gone, confirm=str(gone))
    assert (done.found, done.counts["turns"]) == (True, 1)
    told = await texts(sdk, "what is red or blue", **ids)
    assert any("coat" in text for text in told)
    assert not any("hat" in text for text in told)


async def test_one_document_is_deleted(sdk, ids):
    await sdk.memories.create("The plan is a secret of the house.", document_id="plan", **ids)
    kept = await sdk.memories.create("The menu of the house has soup.", document_id="menu", **ids)
    await sdk.memories.wait_for_completion(kept)
    done = await sdk.data.delete("document", document_id="plan", confirm="plan", **ids)
    assert done.found
    erased = await removed(sdk, done)
    assert (erased.status, erased.fully_removed, erased.searched["found"]) == ("complete", True, 0)
    assert await texts(sdk, **ids) == ["The menu of the house has soup."]


async def test_nothing_is_paid_for(sdk):
    assert (await sdk.credits.get_balance()).unlimited
    assert (await sdk.credits.get_ledger(limit=5)).entries == []
    assert (await sdk.credits.estimate(metric_type="tokens", units=7)).credits_estimate == 0
    assert (await sdk.credits.redeem("code")).credits_granted == 0
