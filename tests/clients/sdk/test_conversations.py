"""Conversations: turns by every door, in order and once; what is told of them, and to whom."""

import datetime as dt
import uuid

import pytest
from maximem_synap import (
    ContextNotFoundError,
    InvalidConversationIdError,
    InvalidInputError,
    MaximemSynapSDK,
    TranscriptConflictError,
)
from maximem_synap.models.conversations import TranscriptTurn

from harness import Plain, Who, done, eventually, fresh, new_sdk, own_texts, remember, said, texts
from proxy import Proxy

TALK = [
    ("user", "My parcel weighs nineteen kilograms."),
    ("assistant", "Thank you, nineteen kilograms."),
    ("user", "ok"),
    ("user", "ok"),
    ("assistant", ""),
]


async def record(sdk: MaximemSynapSDK, person: dict[str, str], turns: list[tuple[str, str]] = TALK) -> str:
    """A new conversation with these turns."""
    conversation = str(uuid.uuid4())
    for role, content in turns:
        await sdk.conversation.record_message(conversation, role, content, **person)
    return conversation


async def test_recorded_turns_are_listed_in_order_each_once(both: MaximemSynapSDK, who: Who, plain: Plain):
    conversation = str(uuid.uuid4())
    answers = [
        await both.conversation.record_message(
            conversation, role, content, metadata={"n": number}, session_id="s1", model="gpt-4o", **who.as_alice
        )
        for number, (role, content) in enumerate(TALK)
    ]
    assert [answer["conversation_message_count"] for answer in answers] == [1, 2, 3, 4, 5]
    assert len({answer["message_id"] for answer in answers}) == len(TALK)
    assert all(dt.datetime.fromisoformat(answer["recorded_at"]).tzinfo for answer in answers)
    assert await plain.turns(conversation) == TALK


async def test_a_batch_of_turns_keeps_its_order(sdk: MaximemSynapSDK, who: Who, plain: Plain):
    conversation = str(uuid.uuid4())
    messages = [
        {"conversation_id": conversation, "role": role, "content": content, **who.as_alice} for role, content in TALK
    ]
    answer = await sdk.conversation.record_messages_batch(messages)
    assert (answer["total"], answer["succeeded"], answer["failed"]) == (5, 5, 0)
    assert len({result["message_id"] for result in answer["results"]}) == 5
    assert await plain.turns(conversation) == TALK


async def test_a_batch_names_the_turns_that_it_refuses_and_keeps_the_others(
    sdk: MaximemSynapSDK, who: Who, plain: Plain
):
    conversation = str(uuid.uuid4())
    turn = {"conversation_id": conversation, "role": "user", **who.as_alice}
    bad = {"conversation_id": conversation, "role": "user", "content": "No customer.", "user_id": who.alice}
    answer = await sdk.conversation.record_messages_batch([turn | {"content": "a"}, bad, turn | {"content": "b"}])
    assert (answer["total"], answer["succeeded"], answer["failed"]) == (3, 2, 1)
    assert [error["index"] for error in answer["errors"]] == [1]
    assert len(answer["results"]) == 2
    assert await plain.turns(conversation) == [("user", "a"), ("user", "b")]


async def test_turns_become_memories_of_their_user_alone(both: MaximemSynapSDK, who: Who):
    await record(both, who.as_alice)

    async def look(person: dict[str, str]) -> list[str]:
        return texts(await both.user.context.fetch(**person, search_query=["parcel nineteen kilograms"]))

    hers = await eventually(lambda: look(who.as_alice), lambda seen: any("parcel weighs" in one for one in seen))
    assert any("My parcel weighs nineteen kilograms." in one for one in hers)
    for person in (who.as_bob, who.as_stranger):
        assert not any("nineteen" in one for one in await look(person))
    customer = await both.customer.context.fetch(who.acme, search_query=["parcel"])
    assert not any("nineteen" in one for one in texts(customer))


async def test_conversation_fetch_with_a_query_tells_turns_and_the_users_chain(both: MaximemSynapSDK, who: Who):
    await remember(both, "Alice sends parcels on Mondays.", **who.as_alice)
    await remember(both, "Acme ships parcels by sea.", customer_id=who.acme)
    await remember(both, "Globex burns parcels.", customer_id=who.globex)
    conversation = await record(both, who.as_alice)
    for ids in ({}, {"user_id": who.alice}, who.as_alice):
        found = await both.conversation.context.fetch(conversation, search_query=["parcels"], max_results=30, **ids)
        told = texts(found)
        assert "Alice sends parcels on Mondays." in told, ids
        assert "Acme ships parcels by sea." in told, ids
        assert "Globex burns parcels." not in told, ids
        assert [(turn["role"], turn["content"]) for turn in found.conversation_context.recent_turns][:2] == TALK[:2]
        assert found.conversation_context.conversation_id == conversation


async def test_conversation_fetch_without_a_query_tells_the_turns(sdk: MaximemSynapSDK, who: Who):
    conversation = await record(sdk, who.as_alice, TALK[:4])
    found = await sdk.conversation.context.fetch(conversation)
    assert [(turn["role"], turn["content"]) for turn in found.conversation_context.recent_turns] == TALK[:4]
    assert texts(found) == []


async def test_nobody_else_is_told_a_conversation_by_naming_it(both: MaximemSynapSDK, who: Who, keys, plain: Plain):
    conversation = await record(both, who.as_alice)
    for person in (who.as_bob, who.as_stranger):
        for call in (
            both.user.context.fetch(conversation_id=conversation, search_query=["parcel"], **person),
            both.conversation.context.fetch(conversation, search_query=["parcel"], **person),
        ):
            try:
                found = await call
            except ContextNotFoundError:
                continue
            # The SDK itself adds the turns that this process recorded; the answer must not hold them.
            assert not any("nineteen" in one for one in texts(found))
            assert "nineteen" not in str(found.raw.get("items"))
    for body in (who.as_bob, who.as_stranger):
        body = {"conversation_id": conversation, "search_query": ["parcel"], **body}  # noqa: PLW2901
        for level in ("user", "conversation"):
            answer = await plain.ask("POST", f"/v1/context/{level}/fetch", body)
            assert "nineteen" not in answer.text, (level, answer.text)
    stranger = Plain(keys["other"])
    for path in ("messages", "context-for-prompt", "compacted", "compaction/status"):
        answer = await stranger.ask("GET", f"/v1/conversations/{conversation}/{path}")
        assert "nineteen" not in answer.text, path
    answer = await stranger.ask("POST", "/v1/context/conversation/fetch", {"conversation_id": conversation})
    assert "nineteen" not in answer.text
    await stranger.http.aclose()


@pytest.mark.parametrize("style", ["structured", "narrative", "bullet_points"])
async def test_context_for_prompt_in_every_style(sdk: MaximemSynapSDK, who: Who, style: str):
    conversation = await record(sdk, who.as_alice, TALK[:4])
    prompt = await sdk.conversation.context.get_context_for_prompt(conversation, style=style)
    assert prompt.available
    assert said(prompt.recent_messages) == TALK[:4]
    assert len({message.message_id for message in prompt.recent_messages}) == 4
    assert (prompt.recent_message_count, prompt.compacted_message_count, prompt.total_message_count) == (4, 0, 4)
    assert prompt.context_block is None
    for _, content in TALK[:4]:
        assert content in prompt.formatted_context
    assert prompt.formatted_context.index(TALK[0][1]) < prompt.formatted_context.index(TALK[1][1])


async def test_the_styles_differ(sdk: MaximemSynapSDK, who: Who):
    conversation = await record(sdk, who.as_alice, TALK[:4])
    styles = ("structured", "narrative", "bullet_points")
    prompts = [await sdk.conversation.context.get_context_for_prompt(conversation, style=style) for style in styles]
    assert len({prompt.formatted_context for prompt in prompts}) == 3


async def test_an_unknown_conversation_is_empty_and_no_error(both: MaximemSynapSDK, who: Who):
    nowhere = str(uuid.uuid4())
    prompt = await both.conversation.context.get_context_for_prompt(nowhere)
    assert not prompt.available
    assert prompt.recent_messages == []
    assert await both.conversation.context.get_compacted(nowhere) is None
    found = await both.conversation.context.fetch(nowhere, search_query=["anything"], **who.as_alice)
    assert not any("nineteen" in one for one in texts(found))


async def test_a_merged_fetch_without_a_query_tells_memories_and_the_conversation(both: MaximemSynapSDK, who: Who):
    await remember(both, "Alice prefers oolong tea.", **who.as_alice)
    conversation = await record(both, who.as_alice, TALK[:2])
    merged = await both.fetch(conversation_id=conversation, **who.as_alice)
    assert said(merged.conversation_context.recent_messages) == TALK[:2]
    assert "### Conversation History" in merged.formatted_context
    assert "My parcel weighs nineteen kilograms." in merged.formatted_context
    merged = await both.fetch(conversation_id=conversation, search_query=["tea"], **who.as_alice)
    assert "Alice prefers oolong tea." in merged.formatted_context
    assert "conversation" in merged.scopes_queried


TRANSCRIPT = [
    TranscriptTurn(
        role="user", content="My name is Alice and my dog is called Karo.", timestamp="2026-11-01T10:00:00Z"
    ),
    TranscriptTurn(role="assistant", content="Hello Alice.", speaker="Agent", metadata={"n": 2}),
    TranscriptTurn(role="user", content="Karo eats only fish."),
]


async def test_ingest_transcript_then_again_then_another(both: MaximemSynapSDK, who: Who, plain: Plain):
    call = fresh("call:+1555")
    words = {
        "conversation_type": "voice",
        "analysis": {"sentiment": "good"},
        "metadata": {"line": 7},
        "started_at": dt.datetime(2026, 11, 1, 10, tzinfo=dt.UTC),
        "ended_at": dt.datetime(2026, 11, 1, 10, 5, tzinfo=dt.UTC),
        **who.as_alice,
    }
    first = await both.conversation.ingest_transcript(call, transcript=TRANSCRIPT, **words)
    assert (first.status, first.turns_recorded, first.external_conversation_id) == ("queued", 3, call)
    assert str(uuid.UUID(first.conversation_id)) == first.conversation_id
    await done(both, first.ingestion_id)
    again = await both.conversation.ingest_transcript(call, transcript=TRANSCRIPT, **words)
    assert (again.status, again.ingestion_id, again.conversation_id) == (
        "duplicate",
        first.ingestion_id,
        first.conversation_id,
    )
    with pytest.raises(TranscriptConflictError):
        await both.conversation.ingest_transcript(call, transcript=TRANSCRIPT[:2], **words)
    turns = [(turn.role, turn.content) for turn in TRANSCRIPT]
    assert await plain.turns(first.conversation_id) == turns
    prompt = await both.conversation.context.get_context_for_prompt(first.conversation_id)
    assert prompt.total_message_count == 3
    found = own_texts(await both.user.context.fetch(**who.as_alice, search_query=["What does Karo eat?"]))
    assert any("Karo eats only fish." in one for one in found)
    assert not own_texts(await both.user.context.fetch(**who.as_bob, search_query=["Karo"]))


async def test_a_transcript_may_be_a_text(sdk: MaximemSynapSDK, who: Who, plain: Plain):
    call = fresh("chat")
    answer = await sdk.conversation.ingest_transcript(
        call, transcript="User: I lost my key.\nAssistant: Where?\nUser: In Oslo.", **who.as_alice
    )
    assert answer.turns_recorded == 3
    await done(sdk, answer.ingestion_id)
    assert await plain.turns(answer.conversation_id) == [
        ("user", "I lost my key."),
        ("assistant", "Where?"),
        ("user", "In Oslo."),
    ]


async def test_one_conversation_id_of_several_users_is_several_conversations(
    both: MaximemSynapSDK, who: Who, plain: Plain
):
    conversation = str(uuid.uuid4())
    people = {"Alice": who.as_alice, "Bob": who.as_bob, "the other Alice": who.as_stranger}
    for name, person in people.items():
        answer = await both.conversation.record_message(conversation, "user", f"I am {name}.", **person)
        assert answer["conversation_message_count"] == 1
    for name, person in people.items():
        body = {"conversation_id": conversation, "search_query": ["Who am I?"], **person}
        answer = await plain.json("POST", "/v1/context/conversation/fetch", body)
        assert [turn["content"] for turn in answer["conversation_context"]["recent_turns"]] == [f"I am {name}."]
        assert not any(f"I am {other}." in str(answer) for other in people if other != name)
    with pytest.raises(InvalidInputError, match="conversation_id"):
        await both.conversation.context.get_context_for_prompt(conversation)


async def test_one_call_id_of_two_customers_is_two_transcripts(sdk: MaximemSynapSDK, who: Who):
    call = fresh("call")
    first = await sdk.conversation.ingest_transcript(call, transcript=TRANSCRIPT, **who.as_alice)
    second = await sdk.conversation.ingest_transcript(call, transcript=TRANSCRIPT[:2], **who.as_stranger)
    assert (first.status, second.status) == ("queued", "queued")
    assert first.ingestion_id != second.ingestion_id


async def test_a_long_conversation_is_listed_in_pages(sdk: MaximemSynapSDK, who: Who, plain: Plain):
    conversation = str(uuid.uuid4())
    turns = [("user" if number % 2 else "assistant", f"Turn number {number}.") for number in range(720)]
    for start in range(0, len(turns), 240):
        messages = [
            {"conversation_id": conversation, "role": role, "content": content, **who.as_alice}
            for role, content in turns[start : start + 240]
        ]
        assert (await sdk.conversation.record_messages_batch(messages))["failed"] == 0
    assert await plain.turns(conversation) == turns


async def test_a_conversation_id_that_is_no_uuid_never_leaves_the_client(sdk: MaximemSynapSDK, who: Who):
    with pytest.raises(InvalidConversationIdError):
        await sdk.conversation.record_message("call-1", "user", "Hi", **who.as_alice)


async def test_summary_mode_tells_the_latest_conversations_and_no_memories(both: MaximemSynapSDK, who: Who):
    await both.conversation.ingest_transcript(fresh("call"), transcript=TRANSCRIPT, **who.as_alice)
    second = await record(both, who.as_alice)
    await record(both, who.as_bob)

    async def look():
        return await both.user.context.fetch(
            **who.as_alice, context_mode="conversation-summary", last_n_conversations=5, include_profile=True
        )

    found = await eventually(look, lambda seen: len(seen.conversations or []) == 2)
    assert texts(found) == []
    assert [one.message_count for one in found.conversations] == [len(TALK), 3]
    assert found.conversations[0].conversation_id == second
    assert found.conversations[1].conversation_type is None or isinstance(found.conversations[1].conversation_type, str)
    one = await both.user.context.fetch(
        **who.as_alice, context_mode="conversation-summary", last_n_conversations=1, include_profile=False
    )
    assert [each.conversation_id for each in one.conversations] == [second]
    merged = await both.fetch(**who.as_alice, context_mode="conversation-summary", last_n_conversations=2)
    assert len(merged.conversations) == 2


async def test_a_client_that_answers_by_itself_asks_when_somebody_else_wrote(
    sdk: MaximemSynapSDK, who: Who, proxy: Proxy
):
    """It compares its own turns with the count in each answer, which must be of all turns there are."""
    local = new_sdk(api_base_url=proxy.url, sdk_st_authoritative=True)
    await local.initialize()
    conversation = str(uuid.uuid4())
    path = f"/v1/conversations/{conversation}/context-for-prompt"
    for role, content in TALK[:2]:
        await local.conversation.record_message(conversation, role, content, **who.as_alice)
    prompt = await local.conversation.context.get_context_for_prompt(conversation)
    assert said(prompt.recent_messages) == TALK[:2]
    assert not proxy.sent(path)
    await sdk.conversation.record_message(conversation, *TALK[2], **who.as_alice)
    await local.conversation.record_message(conversation, *TALK[3], **who.as_alice)
    prompt = await local.conversation.context.get_context_for_prompt(conversation)
    assert said(prompt.recent_messages) == TALK[:4]
    assert len(proxy.sent(path)) == 1
    await local.shutdown()
