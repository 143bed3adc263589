"""Memories: storing in every way, reading, changing, forgetting."""

import io
import uuid
from pathlib import Path

import pytest
from maximem_synap import ContextNotFoundError, CreateMemoryRequest, InvalidInputError, MaximemSynapSDK

from harness import OF_EVERY_TYPE, Who, done, eventually, items, new_sdk, own, own_texts, remember, scratch, texts
from proxy import Proxy


async def test_create_then_status_then_get(both: MaximemSynapSDK, who: Who):
    receipt = await both.memories.create("Alice prefers oolong tea.", document_id="note-1", **who.as_alice)
    assert receipt.document_id == "note-1"
    status = await both.memories.wait_for_completion(receipt.ingestion_id, timeout_seconds=30, poll_interval_seconds=1)
    assert status.status == "completed"
    assert status.ingestion_id == receipt.ingestion_id
    assert status.document_id == "note-1"
    assert status.memories_created == len(status.memory_ids) == 1
    assert status.completed_at
    memory = await both.memories.get(uuid.UUID(status.memory_ids[0]))
    assert memory.content == "Alice prefers oolong tea."
    assert memory.memory_type == "preference"
    assert memory.source_document_id == "note-1"
    assert 0 <= memory.confidence <= 1
    found = await both.user.context.fetch(who.alice, customer_id=who.acme, search_query=["tea"])
    assert [item.id for item in own(found)] == status.memory_ids


async def test_create_takes_every_document_type_and_mode(sdk: MaximemSynapSDK, who: Who):
    kinds = ("ai-chat-conversation", "document", "email", "pdf", "image", "audio", "meeting-transcript")
    for number, kind in enumerate(kinds):
        mode = ("fast", "long-range")[number % 2]
        await remember(sdk, f"Note {number} says zebra.", document_type=kind, mode=mode, **who.as_alice)
    found = await sdk.user.context.fetch(who.alice, customer_id=who.acme, search_query=["zebra"], max_results=20)
    for number in range(len(kinds)):
        assert any(f"Note {number} says zebra." in text for text in texts(found)), (number, texts(found))


async def test_metadata_comes_back_as_it_was_given(both: MaximemSynapSDK, who: Who):
    metadata = {"namespace": ["a", "b"], "key": "k1", "value": {"n": 1, "f": 2.5, "none": None, "yes": True}, "ü": "ß"}
    await remember(both, "Alice owns a sailing boat.", metadata=metadata, **who.as_alice)
    for shape in ("by_type", "ranked"):
        found = await both.user.context.fetch(
            who.alice, customer_id=who.acme, search_query=["boat"], response_shape=shape
        )
        kept = [item for item in (found.items or items(found)) if "sailing" in item.content]
        assert len(kept) == 1
        assert {name: kept[0].metadata.get(name) for name in metadata} == metadata


async def test_batch_create_stores_each_and_says_which_failed(both: MaximemSynapSDK, who: Who):
    good = [
        CreateMemoryRequest(document=f"Crate {number} holds pears.", document_type="document", **who.as_alice)
        for number in range(5)
    ]
    bad = CreateMemoryRequest(document="Whose is this?", user_id=who.alice)
    answer = await both.memories.batch_create([*good[:2], bad, *good[2:]])
    assert (answer.total, answer.succeeded, answer.failed) == (6, 5, 1)
    assert isinstance(answer.batch_id, uuid.UUID)
    failed = [at for at, result in enumerate(answer.results) if result.status == "failed"]
    assert failed == [2]
    assert "customer_id" in (answer.results[2].error_message or "")
    for result in answer.results:
        if result.status != "failed":
            await done(both, result.ingestion_id)
    found = own_texts(await both.user.context.fetch(who.alice, customer_id=who.acme, search_query=["pears"]))
    assert sorted(found) == [f"Crate {number} holds pears." for number in range(5)]


async def test_batch_create_stores_nothing_if_one_fails_and_it_was_asked_to_fail_fast(sdk: MaximemSynapSDK, who: Who):
    good = CreateMemoryRequest(document="Before the failure.", document_type="document", **who.as_alice)
    bad = CreateMemoryRequest(document="Whose is this?", user_id=who.alice)
    after = CreateMemoryRequest(document="After the failure.", document_type="document", **who.as_alice)
    with pytest.raises(InvalidInputError, match=r"documents\[1\]\.customer_id"):
        await sdk.memories.batch_create([good, bad, after], fail_fast=True)
    await remember(sdk, "Something else.", **who.as_alice)
    assert own_texts(await sdk.user.context.fetch(**who.as_alice, search_query=["Alice"])) == ["Something else."]


@pytest.mark.parametrize(
    ("name", "content"),
    {
        "notes.md": b"# Trip\n\nAlice sails to Bergen in June.\n",
        "page.html": b"<html><body><script>no()</script><p>Alice sails to Bergen in June.</p></body></html>",
        "mail.eml": b"From: a@example.com\r\nTo: b@example.com\r\nSubject: Trip\r\nContent-Type: text/plain\r\n\r\n"
        b"Alice sails to Bergen in June.\r\n",
        "plain.txt": b"Alice sails to Bergen in June.",
    }.items(),
)
async def test_create_from_file(sdk: MaximemSynapSDK, who: Who, name: str, content: bytes):
    path = Path(scratch()) / name
    path.write_bytes(content)
    words = {"relationship_type": "b2b", "metadata": {"from": name}, **who.as_alice}
    receipt = await sdk.memories.create_from_file(file_path=str(path), **words)
    await done(sdk, receipt.ingestion_id)
    found = items(await sdk.user.context.fetch(who.alice, customer_id=who.acme, search_query=["Bergen"]))
    kept = [item for item in found if "Alice sails to Bergen in June." in item.content]
    assert len(kept) == 1
    assert kept[0].metadata["from"] == name
    assert not any("no()" in item.content for item in found)


async def test_create_from_an_open_file_and_from_text(both: MaximemSynapSDK, who: Who):
    first = await both.memories.create_from_file(
        file=io.BytesIO(b"Alice keeps bees."), filename="bees.txt", **who.as_alice
    )
    second = await both.memories.create_from_file(text="Alice keeps goats.", document_type="document", **who.as_alice)
    for receipt in (first, second):
        await done(both, receipt.ingestion_id)
    found = own_texts(await both.user.context.fetch(who.alice, customer_id=who.acme, search_query=["keeps"]))
    assert sorted(found) == ["Alice keeps bees.", "Alice keeps goats."]


@pytest.mark.parametrize(
    ("strategy", "document", "wanted"),
    [
        ("replace", "Alice prefers mate.", ["mate"]),
        ("append", "Alice also likes sencha.", ["oolong", "sencha"]),
        ("smart-merge", "Alice prefers oolong tea. Alice dislikes coffee.", ["oolong", "coffee"]),
    ],
)
async def test_update(sdk: MaximemSynapSDK, who: Who, strategy: str, document: str, wanted: list[str]):
    (memory_id,) = await remember(sdk, "Alice prefers oolong tea.", **who.as_alice)
    changed = await sdk.memories.update(
        uuid.UUID(memory_id), document, merge_strategy=strategy, metadata={"by": strategy}
    )
    assert str(changed.memory_id) == memory_id
    assert changed.updated_at
    for word in ("oolong", "mate", "sencha", "coffee"):
        assert changed.content.count(word) == (1 if word in wanted else 0), changed.content

    async def look():
        return own(await sdk.user.context.fetch(who.alice, customer_id=who.acme, search_query=[wanted[-1]]))

    found = await eventually(look, lambda seen: [item.content for item in seen] == [changed.content])
    assert [(item.id, item.content) for item in found] == [(memory_id, changed.content)]
    assert found[0].metadata["by"] == strategy
    assert (await sdk.memories.get(uuid.UUID(memory_id))).content == changed.content


async def test_update_merges_by_default_and_says_nothing_twice(sdk: MaximemSynapSDK, who: Who):
    (memory_id,) = await remember(sdk, "Alice prefers oolong tea.", **who.as_alice)
    for _ in range(2):
        changed = await sdk.memories.update(uuid.UUID(memory_id), "Alice prefers oolong tea.")
    assert changed.content == "Alice prefers oolong tea."


async def test_delete_hides_the_memory_and_says_when(both: MaximemSynapSDK, who: Who):
    stored = await remember(both, OF_EVERY_TYPE, **who.as_alice)
    gone = await both.memories.delete(uuid.UUID(stored[0]))
    assert str(gone["memory_id"]) == stored[0]
    assert gone["deleted_at"]

    async def look():
        found = await both.user.context.fetch(who.alice, customer_id=who.acme, search_query=["Alice"], max_results=50)
        return {item.id for item in own(found)}

    assert await eventually(look, lambda seen: seen == set(stored[1:])) == set(stored[1:])
    with pytest.raises(ContextNotFoundError):
        await both.memories.get(uuid.UUID(stored[0]))


async def test_forget_previews_and_then_forgets(both: MaximemSynapSDK, who: Who):
    for person in (who.as_alice, who.as_bob, who.as_stranger):
        await remember(both, "The blue bicycle stands in the cellar. The cat is called Pamuk.", **person)
    preview = await both.memories.forget("the blue bicycle", **who.as_alice)
    assert preview.status == "preview"
    assert [candidate.content for candidate in preview.candidates] == ["The blue bicycle stands in the cellar."]
    assert preview.deleted_ids == []
    gone = await both.memories.forget("the blue bicycle", mode="direct", **who.as_alice)
    assert gone.status in {"deleted", "partial"}
    assert gone.deleted_ids == [candidate.memory_id for candidate in preview.candidates]
    assert not gone.failed_ids

    async def look(person: dict[str, str]):
        return own_texts(await both.user.context.fetch(**person, search_query=["bicycle cat"]))

    assert await eventually(lambda: look(who.as_alice), lambda seen: len(seen) == 1) == ["The cat is called Pamuk."]
    assert len(await look(who.as_bob)) == len(await look(who.as_stranger)) == 2
    again = await both.memories.forget("the blue bicycle", mode="direct", **who.as_alice)
    assert (again.status, again.deleted_ids) == ("nothing_matches", [])


async def test_forget_needs_exactly_one_user(sdk: MaximemSynapSDK, who: Who):
    for words in ({}, {"customer_id": who.acme}, {"user_id": who.alice}):
        with pytest.raises(InvalidInputError):
            await sdk.memories.forget("the blue bicycle", **words)


async def test_the_text_form_of_an_upload_is_urlencoded(proxy: Proxy, who: Who):
    sdk = new_sdk(api_base_url=proxy.url)
    await sdk.initialize()
    await sdk.memories.create_from_file(text="Alice keeps goats & bees = 100 %.", **who.as_alice)
    (request,) = proxy.sent("/api/v1/memories/upload")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.status == 200
    await sdk.shutdown()
