"""The gRPC service without the client's buffers and retries: what goes over the wire, and what must never hurt it."""

import contextlib
import os
import time
import uuid
from collections.abc import AsyncIterator

import grpc
import pytest
from maximem_synap.transport.proto import synap_service_pb2 as pb
from maximem_synap.transport.proto import synap_service_pb2_grpc as rpc

from harness import PATIENCE_S, Plain, Who

LISTEN = "/synap.v1.SynapService/Listen"


class Wire:
    """One `Listen` call."""

    def __init__(self, channel: grpc.aio.Channel, key: str | None) -> None:
        metadata = [("authorization", f"Bearer {key}")] if key else []
        self.call = rpc.SynapServiceStub(channel).Listen(metadata=metadata, timeout=PATIENCE_S)
        self.acknowledged: list[str] = []
        self.counts: list[int] = []
        self.others: list[pb.StreamResponse] = []

    async def send(self, **fields: object) -> str:
        """Sends one conversation event and returns its id."""
        fields.setdefault("event_id", str(uuid.uuid4()))
        fields.setdefault("event_type", "user_message")
        fields.setdefault("role", "user")
        await self.call.write(pb.StreamEvent(conversation_event=pb.ConversationEvent(**fields)))
        return str(fields["event_id"])

    async def read(self) -> bool:
        """Takes one message; false at the end."""
        message = await self.call.read()
        if message is grpc.aio.EOF:
            return False
        kind = message.WhichOneof("payload")
        if kind == "event_ack":
            self.acknowledged += message.event_ack.event_ids
        elif kind == "conversation_state":
            self.counts.append(message.conversation_state.message_count)
        else:
            self.others.append(message)
        return True

    async def until(self, *event_ids: str) -> None:
        """Reads until these events are acknowledged."""
        while not set(event_ids) <= set(self.acknowledged):
            assert await self.read(), "the stream ended without an acknowledgement"

    async def ended(self) -> grpc.StatusCode:
        """Reads to the end, good or bad, and returns the status."""
        with contextlib.suppress(grpc.aio.AioRpcError):
            while await self.read():
                pass
        return await self.call.code()

    async def finish(self) -> grpc.StatusCode:
        """Half-closes, reads to the end, and returns the status."""
        await self.call.done_writing()
        return await self.ended()


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    address = f"{os.environ['SYNAP_GRPC_HOST']}:{os.environ['SYNAP_GRPC_PORT']}"
    async with grpc.aio.insecure_channel(address) as channel:
        yield channel


@pytest.fixture
def wire(channel: grpc.aio.Channel) -> Wire:
    return Wire(channel, os.environ["SYNAP_API_KEY"])


def turn(who: Who, conversation: str, content: str) -> dict[str, str]:
    return {"conversation_id": conversation, "content": content, **who.as_alice}


async def test_a_half_closed_stream_is_drained_and_ends_well(wire: Wire, who: Who, plain: Plain):
    conversation = str(uuid.uuid4())
    contents = [f"Turn {number}." for number in range(150)]
    sent = [await wire.send(**turn(who, conversation, content)) for content in contents]
    assert await wire.finish() == grpc.StatusCode.OK
    assert sorted(wire.acknowledged) == sorted(sent)
    assert wire.counts
    assert wire.counts == sorted(wire.counts)
    assert wire.counts[-1] == len(sent)
    assert await plain.turns(conversation) == [("user", content) for content in contents]


async def test_the_server_lingers_when_the_client_has_finished(wire: Wire, who: Who):
    """Only a lower bound: the client takes an end that comes at once for a broken stream."""
    await wire.until(await wire.send(**turn(who, str(uuid.uuid4()), "Hello.")))
    started = time.monotonic()
    assert await wire.finish() == grpc.StatusCode.OK
    assert time.monotonic() - started >= 0.1


async def test_an_event_is_acknowledged_when_it_is_listed(wire: Wire, who: Who, plain: Plain):
    conversation = str(uuid.uuid4())
    for number in range(5):
        await wire.until(await wire.send(**turn(who, conversation, f"Turn {number}.")))
        assert len(await plain.turns(conversation)) == number + 1
    await wire.finish()


async def test_the_same_event_on_two_streams_is_one_turn(wire: Wire, channel: grpc.aio.Channel, who: Who, plain: Plain):
    conversation = str(uuid.uuid4())
    event = turn(who, conversation, "ok")
    name = await wire.send(**event)
    await wire.send(**event, event_id=name)
    await wire.until(name)
    other = Wire(channel, os.environ["SYNAP_API_KEY"])
    await other.send(**event, event_id=name, timestamp_ms=1)
    await other.until(name)
    assert await other.finish() == await wire.finish() == grpc.StatusCode.OK
    assert await plain.turns(conversation) == [("user", "ok")]


async def test_one_event_id_of_two_instances_is_two_events(wire: Wire, channel, who: Who, plain: Plain, keys):
    conversation = str(uuid.uuid4())
    event = turn(who, conversation, "ok")
    name = await wire.send(**event)
    await wire.until(name)
    other = Wire(channel, keys["other"])
    await other.send(**event, event_id=name)
    await other.until(name)
    await other.finish()
    await wire.finish()
    stranger = Plain(keys["other"])
    assert await stranger.turns(conversation) == await plain.turns(conversation) == [("user", "ok")]
    await stranger.http.aclose()


async def test_what_can_never_be_stored_is_acknowledged_so_that_it_does_not_come_back(
    wire: Wire, who: Who, plain: Plain
):
    conversation = str(uuid.uuid4())
    good = turn(who, conversation, "Kept.")
    never = [
        {"conversation_id": conversation, "content": "No user."},
        {"conversation_id": conversation, "content": "No customer.", "user_id": who.alice},
        good | {"conversation_id": ""},
        good | {"user_id": "u" * 300},
        good | {"content": "x" * (2 << 20)},
        good | {"event_type": "tool_call", "role": "assistant", "tool_name": "t", "tool_args_json": "{"},
        good | {"event_type": "agent_thinking", "role": ""},
        good | {"event_type": "context_fetch", "role": "system", "search_queries": ["x"]},
        good | {"event_type": "of_the_future"},
    ]
    names = [await wire.send(**event) for event in never]
    names.append(await wire.send(**good))
    await wire.until(*names)
    assert await wire.finish() == grpc.StatusCode.OK
    assert await plain.turns(conversation) == [("user", "Kept.")]


async def test_a_customer_on_a_b2c_instance_is_not_stored(channel: grpc.aio.Channel, who: Who, keys):
    wire, plain = Wire(channel, keys["b2c"]), Plain(keys["b2c"])
    conversation = str(uuid.uuid4())
    refused = await wire.send(**turn(who, conversation, "With a customer."))
    kept = await wire.send(conversation_id=conversation, content="Without.", user_id=who.alice)
    await wire.until(refused, kept)
    await wire.finish()
    assert await plain.turns(conversation) == [("user", "Without.")]
    await plain.http.aclose()


@pytest.mark.parametrize("key", [None, "", "synap_wrong"])
async def test_without_a_key_the_call_is_refused(channel: grpc.aio.Channel, key: str | None, who: Who):
    wire = Wire(channel, key)
    with contextlib.suppress(grpc.aio.AioRpcError):
        await wire.send(**turn(who, str(uuid.uuid4()), "Let me in."))
    assert await wire.ended() == grpc.StatusCode.UNAUTHENTICATED


async def test_pings_are_answered_and_reports_are_taken(wire: Wire, who: Who):
    ping = pb.HeartbeatPing(timestamp_ms=7)
    control = pb.SessionControl(action="start", session_id="s", conversation_id="c", user_id=who.alice)
    await wire.call.write(pb.StreamEvent(session_control=control))
    await wire.call.write(pb.StreamEvent(context_used=pb.ContextUsedEvent(bundle_id="b", user_id=who.alice)))
    await wire.call.write(pb.StreamEvent(context_assembled=pb.ContextAssembledEvent(correlation_id="x")))
    await wire.call.write(pb.StreamEvent())
    for _ in range(3):
        await wire.call.write(pb.StreamEvent(heartbeat_ping=ping))
    while len(wire.others) < 3:
        assert await wire.read()
    assert {message.WhichOneof("payload") for message in wire.others} == {"heartbeat_pong"}
    assert await wire.finish() == grpc.StatusCode.OK


async def test_telemetry_is_counted(channel: grpc.aio.Channel):
    call = rpc.SynapServiceStub(channel).IngestTelemetry(
        (pb.TelemetryEvent(event_type="sdk_init", status="success") for _ in range(25)),
        metadata=[("authorization", f"Bearer {os.environ['SYNAP_API_KEY']}")],
        timeout=PATIENCE_S,
    )
    assert (await call).events_received == 25


@pytest.mark.parametrize(
    "message",
    [b"\xff" * 64, b"\x0a\xff\xff\xff\xff\x0f", b"\x00", b"\x0a\x7f" + b"\x0a" * 127],
    ids=["ones", "a length without an end", "no field", "nested"],
)
async def test_bytes_that_are_no_message_end_the_call_and_not_the_server(
    channel: grpc.aio.Channel, message: bytes, who: Who
):
    metadata = [("authorization", f"Bearer {os.environ['SYNAP_API_KEY']}")]
    call = channel.stream_stream(LISTEN)(metadata=metadata, timeout=PATIENCE_S)
    await call.write(message)
    with contextlib.suppress(grpc.aio.AioRpcError):
        while await call.read() is not grpc.aio.EOF:
            pass
    assert await call.code() not in {grpc.StatusCode.OK, grpc.StatusCode.DEADLINE_EXCEEDED}
    wire = Wire(channel, os.environ["SYNAP_API_KEY"])
    await wire.until(await wire.send(**turn(who, str(uuid.uuid4()), "Still here.")))
    assert await wire.finish() == grpc.StatusCode.OK


async def test_a_message_over_every_limit_ends_the_call_and_not_the_server(channel: grpc.aio.Channel, who: Who):
    huge = Wire(channel, os.environ["SYNAP_API_KEY"])
    with contextlib.suppress(grpc.aio.AioRpcError):
        await huge.send(**turn(who, str(uuid.uuid4()), "x" * (20 << 20)))
    assert await huge.ended() not in {grpc.StatusCode.OK, grpc.StatusCode.DEADLINE_EXCEEDED}
    wire = Wire(channel, os.environ["SYNAP_API_KEY"])
    await wire.until(await wire.send(**turn(who, str(uuid.uuid4()), "Still here.")))
    assert await wire.finish() == grpc.StatusCode.OK
