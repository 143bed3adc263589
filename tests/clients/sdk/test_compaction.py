"""Compaction: a summary by rule, its versions, formats and true numbers; the turns stay."""

import uuid

import pytest
from maximem_synap import CompactionLevel, MaximemSynapSDK

from harness import Plain, Who, eventually, said

# A conversation with decisions, preferences, facts and much that is neither.
TOPICS = ("the garden shed", "the old boiler", "the attic window", "the front gate", "the kitchen floor")
TALK = [
    turn
    for number, topic in enumerate(TOPICS)
    for turn in (
        ("user", f"Let us talk about {topic}. It was built in 19{50 + number} and it looks rather tired by now."),
        ("assistant", f"Certainly. I can help with {topic}. Could you tell me a little more about what you need?"),
        ("user", f"I prefer oak for {topic}, and the budget for it is {number + 1}00 euros."),
        ("assistant", f"We decided to order oak for {topic} on Friday. Anything else that I can do for you today?"),
        ("user", "Thanks, that is fine."),
        ("assistant", "You are welcome!"),
    )
]


async def talked(sdk: MaximemSynapSDK, who: Who, turns: list[tuple[str, str]] = TALK) -> str:
    conversation = str(uuid.uuid4())
    messages = [
        {"conversation_id": conversation, "role": role, "content": content, **who.as_alice} for role, content in turns
    ]
    assert (await sdk.conversation.record_messages_batch(messages))["failed"] == 0
    return conversation


async def compacted(sdk: MaximemSynapSDK, conversation: str, version: int = 1, **words):
    """Has a conversation compacted and waits for it."""
    context = sdk.conversation.context
    started = await context.compact(conversation, force=True, **words)
    assert started.conversation_id == conversation
    assert uuid.UUID(started.compaction_id)
    status = await eventually(
        lambda: context.get_compaction_status(conversation),
        lambda seen: seen.status == "completed" and seen.latest_version == version,
    )
    assert (status.status, status.latest_version) == ("completed", version)
    assert status.compaction_id == started.compaction_id
    return await context.get_compacted(conversation)


async def test_before_a_compaction_there_is_none(both: MaximemSynapSDK, who: Who):
    conversation = await talked(both, who, TALK[:2])
    assert await both.conversation.context.get_compacted(conversation) is None
    status = await both.conversation.context.get_compaction_status(conversation)
    assert status.conversation_id == conversation
    assert status.latest_version is None
    assert status.status != "completed"


async def test_a_compaction_is_short_true_and_of_the_conversations_own_words(sdk: MaximemSynapSDK, who: Who):
    conversation = await talked(sdk, who)
    summary = await compacted(sdk, conversation, strategy="balanced")
    assert summary.level_applied == CompactionLevel.BALANCED
    assert summary.strategy_used == "balanced"
    assert 0 < summary.compacted_token_count < summary.original_token_count
    assert summary.compression_ratio == pytest.approx(
        summary.compacted_token_count / summary.original_token_count, abs=0.02
    )
    assert "oak" in summary.compacted_context
    assert summary.preferences
    assert summary.decisions
    assert all("oak" in str(preference) for preference in summary.preferences)


async def test_levels_keep_less_and_less(sdk: MaximemSynapSDK, who: Who):
    conversation = await talked(sdk, who)
    ratios = []
    for version, level in enumerate(("conservative", "balanced", "aggressive"), 1):
        summary = await compacted(sdk, conversation, version, compaction_level=level)
        assert summary.level_applied == level
        ratios.append(summary.compression_ratio)
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[0] > ratios[1] > ratios[2] > 0
    for ratio, aim in zip(ratios, (0.70, 0.40, 0.15), strict=True):
        assert ratio == pytest.approx(aim, abs=0.15)


@pytest.mark.parametrize(
    "strategy", ["adaptive", "aggressive", "balanced", "conservative", "low", "medium", "high", None]
)
async def test_every_strategy_of_the_sdk_is_answered_with_one_that_it_knows(
    sdk: MaximemSynapSDK, who: Who, strategy: str | None
):
    conversation = await talked(sdk, who)
    summary = await compacted(sdk, conversation, strategy=strategy)
    assert summary.level_applied in list(CompactionLevel)


async def test_target_tokens_is_a_limit(sdk: MaximemSynapSDK, who: Who):
    conversation = await talked(sdk, who)
    summary = await compacted(sdk, conversation, target_tokens=60)
    assert 0 < summary.compacted_token_count <= 60


async def test_formats_hold_the_same_and_look_different(sdk: MaximemSynapSDK, who: Who):
    conversation = await talked(sdk, who)
    await compacted(sdk, conversation)
    context = sdk.conversation.context
    shapes = {
        name: await context.get_compacted(conversation, format=name)
        for name in ("structured", "narrative", "injection")
    }
    for name, shape in shapes.items():
        assert "oak" in shape.compacted_context, name
        assert shape.compaction_id == shapes["structured"].compaction_id
    assert shapes["structured"].compacted_context != shapes["narrative"].compacted_context


async def test_versions_stay_readable(sdk: MaximemSynapSDK, who: Who):
    conversation = await talked(sdk, who)
    first = await compacted(sdk, conversation, strategy="conservative")
    second = await compacted(sdk, conversation, 2, strategy="aggressive")
    context = sdk.conversation.context
    assert first.compaction_id != second.compaction_id
    assert (await context.get_compacted(conversation, version=1)).compacted_context == first.compacted_context
    assert (await context.get_compacted(conversation, version=2)).compacted_context == second.compacted_context
    assert await context.get_compacted(conversation, version=3) is None


async def test_the_prompt_has_the_summary_and_the_turns_since(both: MaximemSynapSDK, who: Who, plain: Plain):
    conversation = await talked(both, who)
    summary = await compacted(both, conversation)
    later = [("user", "Now for the roof."), ("assistant", "What about the roof?")]
    for role, content in later:
        await both.conversation.record_message(conversation, role, content, **who.as_alice)
    prompt = await both.conversation.context.get_context_for_prompt(conversation, search_history=False)
    assert prompt.available
    assert prompt.compaction_id == summary.compaction_id
    assert prompt.context_block.startswith("## Conversation so far (compacted")
    assert "oak" in prompt.context_block
    assert "Now for the roof." not in prompt.context_block
    assert said(prompt.recent_messages) == later
    assert (prompt.compacted_message_count, prompt.recent_message_count) == (len(TALK), 2)
    assert prompt.total_message_count == len(TALK) + 2
    assert prompt.compression_ratio == pytest.approx(summary.compression_ratio, abs=0.02)
    assert prompt.compaction_age_seconds >= 0
    assert prompt.formatted_context.startswith(prompt.context_block)
    assert prompt.formatted_context.index("Now for the roof.") > len(prompt.context_block)
    assert await plain.turns(conversation) == [*TALK, *later]


async def test_earlier_turns_are_searched_on_the_client_after_a_compaction(sdk: MaximemSynapSDK, who: Who):
    conversation = str(uuid.uuid4())
    for role, content in TALK:
        await sdk.conversation.record_message(conversation, role, content, **who.as_alice)
    await compacted(sdk, conversation, strategy="aggressive")
    prompt = await sdk.conversation.context.get_context_for_prompt(conversation, query="budget for the old boiler")
    assert any("old boiler" in excerpt.text for excerpt in prompt.history_excerpts)


async def test_the_same_turns_have_the_same_summary(sdk: MaximemSynapSDK, who: Who):
    summaries = [await compacted(sdk, await talked(sdk, who), strategy="balanced") for _ in range(2)]
    assert summaries[0].compacted_context == summaries[1].compacted_context


async def test_a_summary_is_told_in_the_conversation_fetch_and_in_summary_mode(both: MaximemSynapSDK, who: Who):
    conversation = await talked(both, who)
    summary = await compacted(both, conversation)
    found = await both.conversation.context.fetch(conversation, search_query=["oak"], **who.as_alice)
    assert found.conversation_context.compaction_id == summary.compaction_id
    assert "oak" in (found.conversation_context.summary or "")
    modes = await both.user.context.fetch(**who.as_alice, context_mode="conversation-summary", last_n_conversations=1)
    assert modes.conversations[0].summary_status == "available"
    assert "oak" in str(modes.conversations[0].summary)


async def test_subscribers_can_come_and_go(both: MaximemSynapSDK):
    context = both.conversation.context
    conversation = str(uuid.uuid4())
    leave = context.subscribe_to_compaction_updates(conversation, lambda _: None)
    context.subscribe_to_compaction_updates(conversation, lambda _: None)
    leave()
    assert context.unsubscribe_all_compaction_updates(conversation) == 1
    assert context.unsubscribe_all_compaction_updates() == 0
