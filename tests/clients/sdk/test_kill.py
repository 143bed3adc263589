"""The server is killed in the middle of everything: what it said it has, it has, once and in order."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from maximem_synap import MaximemSynapSDK, RetryPolicy, SynapTransientError

from harness import Plain, acknowledged, eventually, new_sdk, scratch
from serving import Serve

DANA = {"user_id": "dana", "customer_id": "acme"}
# Long enough to outlast a restart.
STUBBORN = RetryPolicy(max_attempts=60, backoff_base=0.05, backoff_max=0.25, backoff_jitter=False)

# How often the server of one test is killed.
KILLS = 3


@pytest.fixture
def server() -> Iterator[Serve]:
    with Serve() as server:
        yield server


@pytest.fixture
async def view(server: Serve) -> AsyncIterator[Plain]:
    view = Plain(server.key, server.url)
    yield view
    await view.http.aclose()


def client(server: Serve, storage: str | None = None) -> MaximemSynapSDK:
    return new_sdk(server.key, retry_policy=STUBBORN, storage_path=storage or scratch(), **server.settings)


async def killed_and_restarted(server: Serve) -> None:
    server.kill()
    await asyncio.to_thread(server.start)


async def test_killed_in_the_middle_of_requests(server: Serve, view: Plain):
    """A call that failed may have been done or not; one that succeeded was done exactly once."""
    sdk = client(server)
    await sdk.initialize()
    conversations = [str(uuid.uuid4()) for _ in range(3)]
    said: dict[str, list[tuple[str, bool]]] = {name: [] for name in conversations}
    stop = asyncio.Event()

    async def talk(conversation: str) -> None:
        for number in itertools.count():
            if stop.is_set():
                return
            content = f"Turn {number}."
            try:
                await sdk.conversation.record_message(conversation, "user", content, **DANA)
            except SynapTransientError:
                said[conversation].append((content, False))
            else:
                said[conversation].append((content, True))

    async def enough(more: int) -> None:
        wanted = {name: len(said[name]) + more for name in conversations}

        async def look() -> bool:
            return all(len(said[name]) >= wanted[name] for name in conversations)

        assert await eventually(look, bool)

    talks = [asyncio.create_task(talk(name)) for name in conversations]
    for _ in range(KILLS):
        await enough(10)
        await killed_and_restarted(server)
    await enough(10)
    stop.set()
    await asyncio.gather(*talks)
    for name in conversations:
        stored = [content for _, content in await view.turns(name)]
        acknowledged = [content for content, good in said[name] if good]
        every = [content for content, _ in said[name]]
        assert len(stored) == len(set(stored)), "a turn is there twice"
        assert set(acknowledged) <= set(stored), "a turn is lost"
        assert stored == [content for content in every if content in set(stored)], "the order is another"
        # A connection that is reset fails the one call on it; all others must have been retried.
        assert len(every) - len(acknowledged) <= KILLS
    await sdk.shutdown()


async def test_killed_after_an_answer_everything_is_there(server: Serve, view: Plain):
    sdk = client(server)
    await sdk.initialize()
    receipt = await sdk.memories.create("Dana prefers oolong tea.", document_type="document", **DANA)
    answer = await sdk.conversation.ingest_transcript(
        "call-1", transcript=[{"role": "user", "content": "My dog is called Karo."}], **DANA
    )
    await killed_and_restarted(server)
    status = await eventually(
        lambda: sdk.memories.status(receipt.ingestion_id), lambda seen: seen.status == "completed"
    )
    assert status.memories_created == 1
    assert await view.turns(answer.conversation_id) == [("user", "My dog is called Karo.")]
    again = await sdk.conversation.ingest_transcript(
        "call-1", transcript=[{"role": "user", "content": "My dog is called Karo."}], **DANA
    )
    assert (again.status, again.ingestion_id) == ("duplicate", answer.ingestion_id)
    await sdk.shutdown()


async def send(sdk: MaximemSynapSDK, conversation: str, numbers: range) -> None:
    for number in numbers:
        role = "user" if number % 2 else "assistant"
        await sdk.instance.send_message(
            f"Turn {number}.", role=role, event_type=f"{role}_message", conversation_id=conversation, **DANA
        )


def turns(numbers: range) -> list[tuple[str, str]]:
    return [("user" if number % 2 else "assistant", f"Turn {number}.") for number in numbers]


async def test_killed_in_the_middle_of_a_stream(server: Serve, view: Plain, monkeypatch):
    monkeypatch.setattr("maximem_synap.transport.grpc_client.GRPCTransport.BACKOFF_BASE", 0.2)
    sdk = client(server)
    await sdk.initialize()
    await sdk.instance.listen()
    conversation = str(uuid.uuid4())
    await send(sdk, conversation, range(20))
    server.kill()
    await send(sdk, conversation, range(20, 40))
    await asyncio.to_thread(server.start)
    await send(sdk, conversation, range(40, 60))
    await acknowledged(sdk)
    # The client sends what it kept back beside what is new, so these two may be mixed; each of them is in order.
    stored = await view.turns(conversation)
    assert sorted(stored) == sorted(turns(range(60))), "a turn is lost, or there twice"
    for kept in (range(40), range(40, 60)):
        assert [turn for turn in stored if turn in turns(kept)] == turns(kept), "the order is another"
    await killed_and_restarted(server)
    assert await view.turns(conversation) == stored
    await sdk.shutdown()


async def test_the_next_process_sends_what_the_last_one_had_no_answer_to(server: Serve, view: Plain):
    """Both processes read one journal; the events of the first may have arrived or not."""
    storage, conversation = scratch(), str(uuid.uuid4())
    first = client(server, storage)
    await first.initialize()
    await first.instance.listen()
    await send(first, conversation, range(10))
    server.kill()
    await send(first, conversation, range(10, 15))
    await first.shutdown()
    await asyncio.to_thread(server.start)
    second = client(server, storage)
    await second.initialize()
    await second.instance.listen()
    await send(second, conversation, range(15, 18))
    await acknowledged(second)
    stored = await eventually(lambda: view.turns(conversation), lambda seen: len(seen) == 18)
    assert stored == turns(range(18))
    await second.shutdown()


async def test_the_same_events_again_after_a_restart_are_acknowledged_and_not_stored(server: Serve, view: Plain):
    """What a client replays although it was acknowledged: the same event ids in a new stream of a new server."""
    sdk = client(server)
    await sdk.initialize()
    await sdk.instance.listen()
    conversation = str(uuid.uuid4())
    sent: list[dict] = []
    transport = sdk._grpc_transport
    write = transport._write_conversation_event

    async def noted(message: dict) -> None:
        sent.append(dict(message))
        await write(message)

    transport._write_conversation_event = noted
    await send(sdk, conversation, range(5))
    await acknowledged(sdk)
    await sdk.instance.stop_listening()
    await killed_and_restarted(server)
    await sdk.instance.listen()
    replayed = [message for message in sent if message.get("event_type", "").endswith("_message")]
    assert len(replayed) == 5
    for message in replayed:
        await sdk._grpc_transport.send(message)
    await acknowledged(sdk)
    assert await view.turns(conversation) == turns(range(5))
    await sdk.shutdown()
