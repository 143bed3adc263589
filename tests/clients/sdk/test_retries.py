"""The client sends again what it had no answer to. The server does it once, and answers as the first time."""

import io
import uuid
from collections.abc import AsyncIterator

import pytest
from maximem_synap import CreateMemoryRequest, MaximemSynapSDK, SynapTransientError

from harness import Plain, Who, done, eventually, new_sdk, own, own_texts, remember
from proxy import LOSE, TOO_MANY, UNAVAILABLE, Proxy

TWICE = (LOSE, LOSE)


@pytest.fixture
async def shaky(proxy: Proxy) -> AsyncIterator[MaximemSynapSDK]:
    """A client behind the proxy."""
    sdk = new_sdk(api_base_url=proxy.url)
    await sdk.initialize()
    yield sdk
    await sdk.shutdown()


def three_sends_of_one_call(proxy: Proxy, path: str) -> None:
    """The request went out three times under one correlation id, and the server did not refuse any of them."""
    sent = proxy.sent(path)
    assert len(sent) == 3
    assert len({request.headers["x-correlation-id"] for request in sent}) == 1
    assert {request.status for request in sent} == {200}


async def test_create(shaky: MaximemSynapSDK, proxy: Proxy, who: Who):
    proxy.fail("/api/v1/memories/create", *TWICE)
    receipt = await shaky.memories.create("Alice prefers oolong tea.", **who.as_alice)
    three_sends_of_one_call(proxy, "/api/v1/memories/create")
    status = await done(shaky, receipt.ingestion_id)
    found = own(await shaky.user.context.fetch(**who.as_alice, search_query=["oolong"]))
    assert [item.id for item in found] == status.memory_ids
    counted = await shaky.data.delete("user", dry_run=True, **who.as_alice)
    assert counted.counts["memories"] == 1


async def test_batch_create(shaky: MaximemSynapSDK, proxy: Proxy, who: Who):
    proxy.fail("/api/v1/memories/batch", *TWICE)
    documents = [
        CreateMemoryRequest(document=f"Crate {n} holds pears.", document_type="document", **who.as_alice)
        for n in range(4)
    ]
    answer = await shaky.memories.batch_create(documents)
    three_sends_of_one_call(proxy, "/api/v1/memories/batch")
    assert (answer.succeeded, answer.failed) == (4, 0)
    for result in answer.results:
        await done(shaky, result.ingestion_id)
    assert sorted(own_texts(await shaky.user.context.fetch(**who.as_alice, search_query=["Alice"]))) == [
        f"Crate {n} holds pears." for n in range(4)
    ]


async def test_upload(shaky: MaximemSynapSDK, proxy: Proxy, who: Who):
    """The client sends an upload again only if it was refused; others may do so when they had no answer."""
    path = "/api/v1/memories/upload"
    proxy.fail(path, UNAVAILABLE, TOO_MANY)
    receipt = await shaky.memories.create_from_file(
        file=io.BytesIO(b"Alice keeps bees."), filename="bees.txt", **who.as_alice
    )
    first, _, third = proxy.sent(path)
    assert first.headers["x-correlation-id"] == third.headers["x-correlation-id"]
    answer = await shaky._http_transport._client.post(path, content=third.body, headers=third.headers)
    assert answer.json()["ingestion_id"] == str(receipt.ingestion_id)
    await done(shaky, receipt.ingestion_id)
    assert own_texts(await shaky.user.context.fetch(**who.as_alice, search_query=["Alice"])) == ["Alice keeps bees."]
    proxy.fail(path, LOSE)
    with pytest.raises(SynapTransientError):
        await shaky.memories.create_from_file(file=io.BytesIO(b"Alice keeps goats."), filename="g.txt", **who.as_alice)
    assert len(proxy.sent(path)) == 5


async def test_record_message(shaky: MaximemSynapSDK, proxy: Proxy, who: Who, plain: Plain):
    conversation = str(uuid.uuid4())
    path = "/v1/conversations/messages"
    proxy.fail(path, *TWICE)
    answer = await shaky.conversation.record_message(conversation, "user", "ok", **who.as_alice)
    three_sends_of_one_call(proxy, path)
    assert answer["conversation_message_count"] == 1
    assert await plain.turns(conversation) == [("user", "ok")]
    await shaky.conversation.record_message(conversation, "user", "ok", **who.as_alice)
    assert await plain.turns(conversation) == [("user", "ok")] * 2


async def test_record_messages_batch(shaky: MaximemSynapSDK, proxy: Proxy, who: Who, plain: Plain):
    conversation = str(uuid.uuid4())
    path = "/v1/conversations/messages/batch"
    proxy.fail(path, *TWICE)
    turn = {"conversation_id": conversation, "role": "user", "content": "ok", **who.as_alice}
    answer = await shaky.conversation.record_messages_batch([turn] * 3)
    three_sends_of_one_call(proxy, path)
    assert answer["succeeded"] == 3
    assert len({result["message_id"] for result in answer["results"]}) == 3
    assert await plain.turns(conversation) == [("user", "ok")] * 3


async def test_ingest_transcript(shaky: MaximemSynapSDK, proxy: Proxy, who: Who, plain: Plain):
    path = "/v1/conversations/ingest"
    proxy.fail(path, *TWICE)
    turns = [{"role": "user", "content": "ok"}, {"role": "user", "content": "ok"}]
    answer = await shaky.conversation.ingest_transcript(str(uuid.uuid4()), transcript=turns, **who.as_alice)
    three_sends_of_one_call(proxy, path)
    assert answer.turns_recorded == 2
    await done(shaky, answer.ingestion_id)
    assert await plain.turns(answer.conversation_id) == [("user", "ok")] * 2


async def test_update_appends_once(shaky: MaximemSynapSDK, proxy: Proxy, who: Who):
    (memory_id,) = await remember(shaky, "Alice prefers oolong tea.", **who.as_alice)
    path = f"/api/v1/memories/{memory_id}"
    proxy.fail(path, *TWICE)
    changed = await shaky.memories.update(uuid.UUID(memory_id), "Alice also likes sencha.", merge_strategy="append")
    three_sends_of_one_call(proxy, path)
    assert changed.content.count("sencha") == 1
    assert (await shaky.memories.get(uuid.UUID(memory_id))).content == changed.content


async def test_delete_is_answered_as_the_first_time(shaky: MaximemSynapSDK, proxy: Proxy, who: Who):
    (memory_id,) = await remember(shaky, "Alice prefers oolong tea.", **who.as_alice)
    path = f"/api/v1/memories/{memory_id}"
    proxy.fail(path, *TWICE)
    gone = await shaky.memories.delete(uuid.UUID(memory_id))
    three_sends_of_one_call(proxy, path)
    assert str(gone["memory_id"]) == memory_id


async def test_forget_says_what_the_first_one_forgot(shaky: MaximemSynapSDK, proxy: Proxy, who: Who):
    (memory_id,) = await remember(shaky, "The blue bicycle stands in the cellar.", **who.as_alice)
    path = "/api/v1/memories/forget"
    proxy.fail(path, *TWICE)
    gone = await shaky.memories.forget("the blue bicycle", mode="direct", **who.as_alice)
    three_sends_of_one_call(proxy, path)
    assert gone.deleted_ids == [memory_id]


async def test_compact_makes_one_version(shaky: MaximemSynapSDK, proxy: Proxy, who: Who):
    conversation = str(uuid.uuid4())
    for number in range(6):
        await shaky.conversation.record_message(
            conversation, "user", f"The kayak number {number} is red.", **who.as_alice
        )
    path = "/v1/conversations/compact"
    proxy.fail(path, *TWICE)
    started = await shaky.conversation.context.compact(conversation, force=True)
    three_sends_of_one_call(proxy, path)
    status = await eventually(
        lambda: shaky.conversation.context.get_compaction_status(conversation), lambda seen: seen.status == "completed"
    )
    assert (status.latest_version, status.compaction_id) == (1, started.compaction_id)


async def test_data_delete_says_what_the_first_one_deleted(shaky: MaximemSynapSDK, proxy: Proxy, who: Who):
    await remember(shaky, "Alice owns a violin.", **who.as_alice)
    path = "/v1/data/delete"
    proxy.fail(path, *TWICE)
    gone = await shaky.data.delete("user", confirm=who.alice, **who.as_alice)
    three_sends_of_one_call(proxy, path)
    assert gone.found
    assert gone.counts["memories"] == 1


async def test_refusals_before_the_server_was_asked_leave_one_write(
    shaky: MaximemSynapSDK, proxy: Proxy, who: Who, plain: Plain
):
    conversation = str(uuid.uuid4())
    path = "/v1/conversations/messages"
    proxy.fail(path, UNAVAILABLE, LOSE)
    await shaky.conversation.record_message(conversation, "user", "ok", **who.as_alice)
    proxy.fail(path, TOO_MANY, LOSE)
    await shaky.conversation.record_message(conversation, "user", "ok", **who.as_alice)
    assert len(proxy.sent(path)) == 6
    assert await plain.turns(conversation) == [("user", "ok")] * 2


async def test_two_calls_with_one_correlation_id_are_one_only_on_one_path(plain: Plain, who: Who):
    turn = {"conversation_id": str(uuid.uuid4()), "role": "user", "content": "ok", **who.as_alice}
    same = {"X-Correlation-ID": f"syn_{uuid.uuid4()}"}
    first = await plain.json("POST", "/v1/conversations/messages", turn, **same)
    again = await plain.json("POST", "/v1/conversations/messages", turn, **same)
    assert again["message_id"] == first["message_id"]
    await plain.json("POST", "/v1/conversations/messages/batch", {"messages": [turn]}, **same)
    assert len(await plain.turns(turn["conversation_id"])) == 2
