"""Conversations: recorded, listed, fetched, summed up, and what they say of their user."""

import asyncio
from uuid import uuid4

import pytest

from synap import ConflictError, InvalidInputError, NotFoundError, Synap, TranscriptConflictError, TranscriptTurn

TRANSCRIPT = [
    TranscriptTurn(role="user", content="My name is Alice and I live in Lisbon.", timestamp="2026-11-20T09:00:00Z"),
    TranscriptTurn(role="assistant", content="Nice to meet you, Alice."),
    {"role": "user", "content": "I prefer dark mode.", "speaker": "Alice"},
    {"role": "assistant", "content": "Noted."},
    *[
        {"role": ("user", "assistant")[at % 2], "content": f"Step {at} of the rollout moves {at + 2} servers."}
        for at in range(20)
    ],
    {"role": "user", "content": "We decided to ship the release on Tuesday."},
]


@pytest.fixture
def ids(customer):
    return {"user_id": "alice", "customer_id": customer}


async def contents(sdk: Synap, conversation_id: object, **options: object) -> list[str]:
    return [turn.content async for turn in sdk.conversation.messages(conversation_id, **options)]


async def test_turns_are_in_order_and_become_memories_of_their_user(sdk, customer, ids, run):
    conversation = uuid4()
    texts = [f"Parcel {run}x{at} stands on shelf {at}." for at in range(7)]
    for at, text in enumerate(texts, 1):
        receipt = await sdk.conversation.record_message(conversation, "user", text, **ids, metadata={"at": at})
        assert (receipt.conversation_message_count, receipt.duplicate) == (at, False)
        assert receipt.scope_path == {"customer": customer, "user": "alice"}
    assert await contents(sdk, conversation, page_turns=3) == texts
    assert await contents(sdk, conversation, start=6) == texts[5:]
    turns = [turn async for turn in sdk.conversation.messages(conversation)]
    assert [turn.position for turn in turns] == list(range(1, 8))
    assert turns[-1].message_id == receipt.message_id
    query = f"where is parcel {run}x3"
    context = await sdk.user.context.fetch(**ids, search_query=query, position=receipt)
    assert any(texts[3] in item.content and item.scope == "user" for item in context.all_items())
    for other in ({"user_id": "bob", "customer_id": customer}, {"user_id": "alice", "customer_id": f"{customer}-2"}):
        context = await sdk.user.context.fetch(**other, search_query=query)
        assert not any(run in item.content for item in context.all_items())


async def test_a_key_makes_two_reports_one_turn(sdk, ids):
    conversation = uuid4()
    first = await sdk.conversation.record_message(conversation, "user", "yes", **ids, idempotency_key="event 1")
    again = await sdk.conversation.record_message(conversation, "user", "yes", **ids, idempotency_key="event 1")
    assert (first.duplicate, again.duplicate, again.message_id) == (False, True, first.message_id)
    unkeyed = await sdk.conversation.record_message(conversation, "user", "yes", **ids)
    assert (unkeyed.duplicate, unkeyed.conversation_message_count) == (False, 2)


async def test_a_batch_of_turns_keeps_their_order_and_names_the_refused(sdk, ids):
    one, two = uuid4(), uuid4()
    messages = [
        {"conversation_id": one, "role": "user", "content": "a", **ids},
        {"conversation_id": two, "role": "user", "content": "b", **ids},
        {"conversation_id": one, "role": "system", "content": "c", **ids},
        {"conversation_id": one, "role": "assistant", "content": "d", **ids},
    ]
    result = await sdk.conversation.record_messages_batch(messages)
    assert (result.total, result.succeeded, result.failed) == (4, 3, 1)
    assert [(error.index, error.code) for error in result.errors] == [(2, "INVALID_INPUT")]
    assert "messages[2].role" in result.errors[0].error
    assert await contents(sdk, one) == ["a", "d"]
    assert await contents(sdk, two) == ["b"]


async def test_writers_side_by_side_lose_no_turn(sdk, ids):
    conversation = uuid4()
    texts = {f"turn {at}" for at in range(30)}
    await asyncio.gather(*(sdk.conversation.record_message(conversation, "user", text, **ids) for text in texts))
    told = await contents(sdk, conversation, page_turns=7)
    assert (len(told), set(told)) == (30, texts)


async def test_a_conversation_has_one_transcript(sdk, customer, ids, run):
    name = f"call:{run}"
    receipt = await sdk.conversation.ingest_transcript(name, transcript=TRANSCRIPT, **ids, conversation_type="voice")
    assert (receipt.status, receipt.external_conversation_id) == ("queued", name)
    again = await sdk.conversation.ingest_transcript(name, transcript=TRANSCRIPT, **ids)
    assert (again.status, again.ingestion_id) == ("duplicate", receipt.ingestion_id)
    with pytest.raises(TranscriptConflictError) as refused:
        await sdk.conversation.ingest_transcript(name, transcript="User: something else", **ids)
    assert isinstance(refused.value, ConflictError)
    assert (refused.value.status, refused.value.code) == (409, "TRANSCRIPT_CONFLICT")
    status = await sdk.memories.wait_for_completion(receipt)
    assert status.memories_created >= 2
    # By the user's name for it and by the server's id; a turn that was said before is told when it was said.
    told = [turn async for turn in sdk.conversation.messages(receipt.conversation_id)]
    assert await contents(sdk, name, **ids) == [turn.content for turn in told]
    assert len(told) == len(TRANSCRIPT)
    assert (told[0].timestamp.isoformat(), told[2].speaker) == ("2026-11-20T09:00:00+00:00", "Alice")
    # A name is the user's own: with another user it is another conversation, and alone it is nobody's.
    bob = {"user_id": "bob", "customer_id": customer}
    of_bob = await sdk.conversation.ingest_transcript(name, transcript="User: I am Bob.", **bob)
    assert of_bob.conversation_id != receipt.conversation_id
    assert len(await contents(sdk, name, **bob)) == 1
    with pytest.raises(NotFoundError):
        await contents(sdk, name)
    # An id that two users have is not enough.
    shared = uuid4()
    for who in (ids, bob):
        await sdk.conversation.record_message(shared, "user", "Hello.", **who)
    with pytest.raises(InvalidInputError) as ambiguous:
        await contents(sdk, shared)
    assert ambiguous.value.field == "conversation_id"


async def test_a_conversation_for_a_prompt_with_and_without_a_summary(sdk, ids, run):
    context = sdk.conversation.context
    receipt = await sdk.conversation.ingest_transcript(f"call:{run}", transcript=TRANSCRIPT, **ids)
    name = receipt.conversation_id
    before = await context.get_context_for_prompt(name)
    assert (before.available, before.context_block, before.is_stale) == (True, None, False)
    assert [message.content for message in before.recent_messages] == await contents(sdk, name)
    assert before.total_message_count == before.recent_message_count == len(TRANSCRIPT)
    assert await context.get_compacted(name) is None
    assert (await context.get_compaction_status(name)).status == "none"

    started = await context.compact(name, "balanced")
    status = await context.get_compaction_status(name)
    assert (status.status, status.compaction_id, status.latest_version) == ("completed", started.compaction_id, 1)
    summary = await context.get_compacted(name)
    assert summary is not None
    assert (summary.compaction_id, summary.strategy_used, summary.is_stale) == (
        started.compaction_id,
        "balanced",
        False,
    )
    assert 0 < summary.compacted_token_count < 0.6 * summary.original_token_count
    ratio = summary.compacted_token_count / summary.original_token_count
    assert summary.compression_ratio == status.compression_ratio == pytest.approx(ratio, abs=1e-4)
    # What matters stays, word by word.
    assert [sentence.content for sentence in summary.decisions] == ["We decided to ship the release on Tuesday."]
    assert [sentence.content for sentence in summary.preferences] == ["I prefer dark mode."]
    assert "I prefer dark mode." in summary.formatted_context
    assert summary.preferences[0].turn == 3

    for style in ("structured", "narrative", "bullet_points"):
        after = await context.get_context_for_prompt(name, style)
        assert (after.recent_messages, after.compacted_message_count) == ([], len(TRANSCRIPT))
        assert after.context_block is not None
        assert after.context_block.startswith("## Conversation so far (compacted")
        assert "dark mode" in after.context_block
    await sdk.conversation.record_message(name, "user", "And one more thing.", **ids)
    stale = await context.get_context_for_prompt(name)
    assert (stale.is_stale, [message.content for message in stale.recent_messages]) == (True, ["And one more thing."])
    assert "And one more thing." in (stale.formatted_context or "")
    # The turns are still there, and so is the first version when there is a second one.
    assert len(await contents(sdk, name)) == len(TRANSCRIPT) + 1
    second = await context.compact(name, "aggressive", force=True)
    assert second.previous_compaction_id == started.compaction_id
    assert (await context.get_compaction_status(name)).latest_version == 2
    versions = [await context.get_compacted(name, version) for version in (1, 2, 3)]
    assert [found and found.compaction_id for found in versions] == [started.compaction_id, second.compaction_id, None]


async def test_harder_strategies_keep_less(sdk, ids):
    conversation = uuid4()
    await sdk.conversation.ingest_transcript(conversation, transcript=TRANSCRIPT, **ids)
    kept = []
    for strategy in ("conservative", "balanced", "aggressive"):
        await sdk.conversation.context.compact(conversation, strategy, force=True)
        summary = await sdk.conversation.context.get_compacted(conversation, format="narrative")
        assert summary is not None
        kept.append(summary.compacted_token_count)
    assert kept[0] > kept[1] > kept[2] > 0


async def test_a_fetch_in_a_conversation_starts_with_what_was_said_in_it(sdk, customer, ids):
    here, elsewhere = uuid4(), uuid4()
    await sdk.conversation.record_message(elsewhere, "user", "The key of the shed hangs in the hall.", **ids)
    last = await sdk.conversation.record_message(here, "user", "The key of the barn hangs in the kitchen.", **ids)
    shared = await sdk.memories.create(document="Keys are handed out by the porter.", customer_id=customer)
    await sdk.memories.wait_for_completion(shared)
    # Whose conversation it is, the server knows.
    for given in ({}, ids):
        for fetch in (sdk.conversation.context.fetch, sdk.fetch):
            context = await fetch(conversation_id=here, **given, search_query="where is the key", position=last)
            items = context.all_items()
            assert "barn" in items[0].content
            assert {"user", "customer"} <= {item.scope for item in items}
            assert any("shed" in item.content for item in items)
            assert context.conversation_context is not None
            told = [turn.content for turn in context.conversation_context.recent_turns]
            assert told == ["The key of the barn hangs in the kitchen."]
    with_user = await sdk.user.context.fetch(**ids, conversation_id=here, search_query="key")
    assert with_user.conversation_context is not None
    without = await sdk.fetch(conversation_id=here, include_conversation_context=False)
    assert without.conversation_context is None
    nobodys = await sdk.fetch(conversation_id=uuid4(), search_query="key")
    assert (nobodys.all_items(), nobodys.conversation_context) == ([], None)
    first = await sdk.fetch(conversation_id=uuid4(), **ids, search_query="where is the key")
    assert {"user", "customer"} <= {item.scope for item in first.all_items()}


async def test_a_merged_fetch_walks_outward_from_what_is_named(sdk, customer, ids):
    for text, whose in [
        ("The lamp of Alice is red.", ids),
        ("The lamp of the hall is blue.", {"customer_id": customer}),
    ]:
        await sdk.memories.wait_for_completion(await sdk.memories.create(document=text, **whose))
    for given, scopes in [(ids, ["user", "customer", "client"]), ({"customer_id": customer}, ["customer", "client"])]:
        context = await sdk.fetch(**given, search_query="lamp")
        assert [report.scope for report in context.scopes] == scopes
        assert [item.scope for item in context.all_items() if item.scope != "client"] == scopes[:-1]
    assert [report.scope for report in (await sdk.fetch(search_query="lamp")).scopes] == ["client"]
    assert len((await sdk.fetch(**ids, search_query="lamp", max_results=1)).all_items()) == 1
    options = {"max_results_per_query": 1, "query_date": "2023/03/11 (Sat) 21:26", "precision_level": "medium"}
    found = await sdk.fetch(**ids, search_query=["the lamp of Alice"], **options)
    assert [item.content for item in found.all_items() if item.scope == "user"] == ["The lamp of Alice is red."]


async def test_a_user_has_a_profile_as_soon_as_something_is_known(sdk, ids, run):
    user = {"user_id": "alice", "customer_id": ids["customer_id"]}
    assert await sdk.user.get_profile(**user) is None
    empty = await sdk.user.context.fetch(**user, context_mode="conversation-summary")
    assert (empty.profile, empty.conversations, empty.all_items()) == (None, [], [])
    name = f"call:{run}"
    await sdk.conversation.ingest_transcript(
        name, transcript=TRANSCRIPT, **ids, conversation_type="voice", analysis={"mood": "calm"}
    )
    await sdk.conversation.record_message(uuid4(), "user", "Hello again.", **ids)
    profile = await sdk.user.get_profile(**user)
    assert profile is not None
    assert profile.attributes["location"].value == "Lisbon"
    assert profile.attributes["name"].value == "Alice"
    assert any(attribute.value == "I prefer dark mode." for attribute in profile.attributes.values())
    assert "Lisbon" in (profile.overview or "")
    assert await sdk.user.get_profile("bob", customer_id=ids["customer_id"]) is None

    await sdk.conversation.context.compact(name, **ids)
    told = await sdk.user.context.fetch(**user, context_mode="conversation-summary")
    assert told.profile == profile
    again, call = told.conversations
    assert (again.message_count, again.summary_status) == (1, "pending")
    assert (call.external_conversation_id, call.conversation_type, call.analysis) == (name, "voice", {"mood": "calm"})
    assert (call.message_count, call.summary_status, call.compaction_version) == (len(TRANSCRIPT), "available", 1)
    assert "dark mode" in (call.summary or {})["narrative_summary"]
    one = await sdk.fetch(**user, context_mode="conversation-summary", include_profile=False, last_n_conversations=1)
    assert (one.profile, [told.message_count for told in one.conversations]) == (None, [1])


async def test_conversations_of_nobody(sdk):
    conversation, context = uuid4(), sdk.conversation.context
    assert not (await context.get_context_for_prompt(conversation)).available
    assert await context.get_compacted(conversation) is None
    for call in (
        context.get_compaction_status(conversation),
        context.compact(conversation),
        contents(sdk, conversation),
    ):
        with pytest.raises(NotFoundError):
            await call


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"role": "system"}, "role"),
        ({"content": 7}, "content"),
        ({"content": "x" * (256 * 1024 + 1)}, "content"),
        ({"user_id": None}, "user_id"),
        ({"customer_id": None}, "customer_id"),
        ({"conversation_id": "x" * 257}, "conversation_id"),
        ({"metadata": {"k": "x" * 64 * 1024}}, "metadata"),
        ({"said_at": "soon"}, "said_at"),
    ],
)
async def test_a_refused_turn_names_the_field(sdk, ids, options, field):
    given = {"conversation_id": "c", "role": "user", "content": "text", **ids, **options}
    with pytest.raises(InvalidInputError) as refused:
        await sdk.conversation.record_message(**given)
    assert (refused.value.status, refused.value.field) == (400, field)


async def test_refused_questions_name_the_field(sdk, customer, ids):
    conversation = sdk.conversation
    await conversation.record_message("c", "user", "x", **ids)
    for call, field in [
        (conversation.context.get_context_for_prompt("c", "loud", **ids), "style"),
        (conversation.context.get_compacted("c", 0, **ids), "version"),
        (conversation.context.get_compacted("c", format="loud", **ids), "format"),
        (conversation.context.compact("c", "loud", **ids), "strategy"),
        (conversation.ingest_transcript("t", transcript=[], **ids), "transcript"),
        (conversation.ingest_transcript("t", transcript=[{"role": "user"}], **ids), "transcript[0].content"),
        (contents(sdk, "c", start=0, **ids), "start"),
        (contents(sdk, "c", page_turns=1_001, **ids), "limit"),
        (sdk.user.context.fetch(**ids, context_mode="loud"), "context_mode"),
        (
            sdk.user.context.fetch(**ids, context_mode="conversation-summary", last_n_conversations=21),
            "last_n_conversations",
        ),
        (sdk.fetch(**ids, max_results_per_query=0), "max_results_per_query"),
    ]:
        with pytest.raises(InvalidInputError) as refused:
            await call
        assert refused.value.field == field
