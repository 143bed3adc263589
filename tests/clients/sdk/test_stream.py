"""The gRPC stream: turns on it are turns, everything on it is acknowledged, and hints stay hints."""

import asyncio
import uuid

import pytest
from maximem_synap import AuthenticationError, ListeningNotActiveError, MaximemSynapSDK
from maximem_synap.models.errors import ListeningAlreadyActiveError

from harness import PATIENCE_S, Plain, Who, acknowledged, eventually, new_sdk, own_texts, remember

TALK = [("user", "My kayak is yellow."), ("assistant", "A yellow kayak."), ("user", "ok"), ("user", "ok")]


async def say(sdk: MaximemSynapSDK, conversation: str, person: dict[str, str], turns: list[tuple[str, str]]) -> None:
    for role, content in turns:
        await sdk.instance.send_message(
            content, role=role, event_type=f"{role}_message", conversation_id=conversation, **person
        )


async def test_sent_turns_are_listed_in_order_each_once(stream: MaximemSynapSDK, who: Who, plain: Plain):
    assert stream.instance.is_listening
    conversation = str(uuid.uuid4())
    await say(stream, conversation, who.as_alice, TALK)
    await acknowledged(stream)
    assert await plain.turns(conversation) == TALK

    async def look() -> list[str]:
        return own_texts(await stream.user.context.fetch(**who.as_alice, search_query=["kayak"]))

    assert any("My kayak is yellow." in one for one in await eventually(look, bool))
    assert own_texts(await stream.user.context.fetch(**who.as_bob, search_query=["kayak"])) == []


async def test_turns_of_the_stream_and_of_rest_are_one_conversation(stream: MaximemSynapSDK, who: Who, plain: Plain):
    conversation = str(uuid.uuid4())
    await say(stream, conversation, who.as_alice, TALK[:1])
    await acknowledged(stream)
    answer = await stream.conversation.record_message(conversation, *TALK[1], **who.as_alice)
    assert answer["conversation_message_count"] == 2
    await say(stream, conversation, who.as_alice, TALK[2:3])
    await acknowledged(stream)
    assert await plain.turns(conversation) == TALK[:3]


async def test_hints_are_acknowledged_and_are_no_turns(stream: MaximemSynapSDK, who: Who, plain: Plain):
    conversation = str(uuid.uuid4())
    words = {"conversation_id": conversation, **who.as_alice}
    await say(stream, conversation, who.as_alice, TALK[:1])
    await stream.instance.record_thinking("plan: find the colour", step_index=1, thought_type="plan", **words)
    await stream.instance.record_tool_call("lookup", {"q": "colour"}, tool_call_id="t1", **words)
    await stream.instance.record_tool_result({"colour": "yellow"}, tool_name="lookup", tool_call_id="t1", **words)
    await stream.instance.send_message("", role="system", event_type="context_request", search_queries=["x"], **words)
    await say(stream, conversation, who.as_alice, TALK[1:2])
    await stream.instance.end_session(conversation)
    await acknowledged(stream)
    assert await plain.turns(conversation) == TALK[:2]
    told = own_texts(await stream.user.context.fetch(**who.as_alice, search_query=["plan colour lookup"]))
    assert not any("plan:" in one or "lookup" in one for one in told)


async def test_an_event_without_a_user_is_acknowledged_and_no_turn(stream: MaximemSynapSDK, plain: Plain):
    conversation = str(uuid.uuid4())
    await stream.instance.send_message("Whose turn is this?", conversation_id=conversation)
    await acknowledged(stream)
    assert await plain.turns(conversation) == []


async def test_the_server_tells_how_many_turns_there_are(sdk: MaximemSynapSDK, who: Who, monkeypatch):
    told: list[tuple[str, int]] = []
    monkeypatch.setattr(sdk, "_on_conversation_state", lambda *state: told.append(state), raising=True)
    await sdk.instance.listen()
    conversation = str(uuid.uuid4())
    await say(sdk, conversation, who.as_alice, TALK)
    await acknowledged(sdk)

    async def look() -> list[tuple[str, int]]:
        return told

    await eventually(look, lambda seen: (conversation, len(TALK)) in seen)
    assert [count for name, count in told if name == conversation][-1] == len(TALK)
    await sdk.instance.stop_listening()


async def test_stopping_delivers_what_was_just_sent_and_opens_nothing_again(
    sdk: MaximemSynapSDK, who: Who, plain: Plain
):
    """The server waits a moment when the client stops: one that ends at once makes the client connect once more."""
    for _ in range(2):
        opened: list[object] = []
        await sdk.instance.listen(on_reconnect=opened.append, on_disconnect=opened.append)
        conversation = str(uuid.uuid4())
        await say(sdk, conversation, who.as_alice, TALK)
        transport = sdk._grpc_transport
        await sdk.instance.stop_listening()
        assert not sdk.instance.is_listening
        assert opened == []
        assert transport._reconnect_attempts == 0
        turns = await eventually(lambda name=conversation: plain.turns(name), lambda seen: len(seen) == len(TALK))
        assert turns == TALK


async def test_listening_is_once_and_sending_needs_it(sdk: MaximemSynapSDK, who: Who):
    assert not sdk.instance.is_listening
    with pytest.raises(ListeningNotActiveError):
        await sdk.instance.send_message("Hello?", **who.as_alice)
    await sdk.instance.listen()
    with pytest.raises(ListeningAlreadyActiveError):
        await sdk.instance.listen()
    await sdk.instance.stop_listening()
    await sdk.instance.stop_listening()


async def test_a_wrong_key_is_refused_and_nothing_is_kept(who: Who, plain: Plain):
    """The client either raises, or connects for ever without an acknowledgement; it must not be let in."""
    sdk = new_sdk("synap_wrong")
    await sdk.initialize()
    conversation = str(uuid.uuid4())
    try:
        await sdk.instance.listen()
        await say(sdk, conversation, who.as_alice, TALK[:1])
        assert len(sdk._grpc_transport._unacked) + len(sdk._grpc_transport._send_queue) == 1
    except AuthenticationError:
        pass
    finally:
        await sdk.shutdown()
    assert await plain.turns(conversation) == []


async def test_many_users_on_one_stream_stay_apart(stream: MaximemSynapSDK, who: Who, plain: Plain):
    people = [who.as_alice, who.as_bob, who.as_stranger]
    conversations = [str(uuid.uuid4()) for _ in people]
    talks = [[("user", f"Turn {number} of person {at}.") for number in range(20)] for at in range(3)]
    await asyncio.gather(*(say(stream, *each) for each in zip(conversations, people, talks, strict=True)))
    await acknowledged(stream)
    for conversation, talk in zip(conversations, talks, strict=True):
        assert await plain.turns(conversation) == talk
    told = own_texts(await stream.user.context.fetch(**who.as_bob, search_query=["Turn person"], max_results=100))
    assert told
    assert all("person 1" in one for one in told)


async def test_a_fetch_with_an_open_stream_keeps_every_id(stream: MaximemSynapSDK, who: Who):
    """Bundles of anticipated items would take their ids away: the server sends none."""
    bundles: list[object] = []
    stream.instance._on_context_callback = bundles.append
    stored = [(await remember(stream, f"Crate {n} holds pears.", **who.as_alice))[0] for n in range(3)]
    conversation = str(uuid.uuid4())
    await say(stream, conversation, who.as_alice, [("user", "Where are the pears?")])
    await acknowledged(stream)
    merged = await stream.fetch(**who.as_alice, conversation_id=conversation, search_query=["pears"])
    assert set(stored) <= {item.id for item in merged.facts}
    assert bundles == []


async def test_a_ping_is_answered(stream: MaximemSynapSDK):
    transport = stream._grpc_transport
    before = transport._last_pong_time
    await transport._send_heartbeat()

    async def look() -> float:
        return transport._last_pong_time

    assert await eventually(look, lambda seen: seen > before) > before
    assert PATIENCE_S < 40
