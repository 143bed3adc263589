"""Conversations: requests as they are sent, and answers as models."""

from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest

from fake import CONTEXT, NOW, Fake
from synap import InvalidInputError, MessageInput, NotFoundError, TranscriptTurn

ID = UUID("8e87bb1c-f11b-4ba4-a6dc-c182d7de8fa4")
TURN = {"message_id": "m", "conversation_id": str(ID), "recorded_at": NOW, "conversation_message_count": 1}
STARTED = {"compaction_id": "k", "conversation_id": "c", "status": "completed", "initiated_at": NOW}


async def test_a_turn_is_sent_as_it_was_given(recorded):
    sdk, sent = recorded({**TURN, "position": "token"})
    receipt = await sdk.conversation.record_message(ID, "user", "", "al")
    request = sent.requests[0]
    assert (request.method, request.url.path) == ("POST", "/v1/conversations/messages")
    assert sent.body == {"conversation_id": str(ID), "role": "user", "content": "", "user_id": "al"}
    assert (receipt.conversation_message_count, receipt.position, receipt.duplicate) == (1, "token", False)
    await sdk.conversation.record_message(
        "call:1",
        "assistant",
        "Noted.",
        user_id="al",
        customer_id="acme",
        session_id="s",
        said_at=datetime(2026, 11, 22, tzinfo=UTC),
        metadata={"k": None},
        scope={"team": "pay"},
        idempotency_key="ключ",
    )
    assert sent.body == {
        "conversation_id": "call:1",
        "role": "assistant",
        "content": "Noted.",
        "user_id": "al",
        "customer_id": "acme",
        "session_id": "s",
        "said_at": "2026-11-22T00:00:00+00:00",
        "metadata": {"k": None},
        "scope": {"team": "pay"},
        "idempotency_key": "ключ",
    }
    # A receipt can be waited for.
    sdk, sent = recorded(CONTEXT)
    await sdk.conversation.context.fetch(ID, position=receipt)
    assert sent.body["position"] == "token"


async def test_a_batch_of_turns_takes_dicts_and_inputs(recorded):
    refused = {"index": 1, "error": "messages[1].role must be user or assistant", "code": "INVALID_INPUT"}
    sdk, sent = recorded({"total": 2, "succeeded": 1, "failed": 1, "results": [TURN], "errors": [refused]})
    messages = [
        MessageInput(conversation_id=ID, role="user", content="one", user_id="al"),
        {"conversation_id": "c", "role": "system", "content": "two"},
    ]
    result = await sdk.conversation.record_messages_batch(messages)
    assert sent.requests[0].url.path == "/v1/conversations/messages/batch"
    assert sent.body == {
        "messages": [
            {"conversation_id": str(ID), "role": "user", "content": "one", "user_id": "al"},
            {"conversation_id": "c", "role": "system", "content": "two"},
        ]
    }
    assert (result.results[0].message_id, result.errors[0].index, result.failed) == ("m", 1, 1)


async def test_a_transcript_is_a_text_or_turns(recorded):
    answer = {"conversation_id": str(ID), "ingestion_id": "i", "status": "queued", "queued_at": NOW}
    sdk, sent = recorded({**answer, "summary_status": "skipped", "external_conversation_id": "call:1"})
    receipt = await sdk.conversation.ingest_transcript("call:1", "al", "User: hi")
    assert sent.requests[0].url.path == "/v1/conversations/ingest"
    assert sent.body == {"conversation_id": "call:1", "user_id": "al", "transcript": "User: hi"}
    assert (receipt.external_conversation_id, receipt.summary_status) == ("call:1", "skipped")
    at = datetime(2026, 11, 22, tzinfo=UTC)
    turns = [
        TranscriptTurn(role="user", content="hi", timestamp=at, speaker="Al"),
        {"role": "assistant", "content": "hello", "timestamp": None},
    ]
    await sdk.conversation.ingest_transcript(
        "call:1", "al", turns, customer_id="acme", conversation_type="voice", analysis={"mood": 1}, ended_at=at
    )
    assert sent.body == {
        "conversation_id": "call:1",
        "user_id": "al",
        "customer_id": "acme",
        "transcript": [
            {"role": "user", "content": "hi", "timestamp": "2026-11-22T00:00:00+00:00", "speaker": "Al"},
            {"role": "assistant", "content": "hello"},
        ],
        "conversation_type": "voice",
        "analysis": {"mood": 1},
        "ended_at": "2026-11-22T00:00:00+00:00",
    }


async def test_paths_and_queries_quote_what_is_in_them(recorded):
    sdk, sent = recorded({**STARTED, "turns": [], "available": False, "status": "none"})
    ids = {"user_id": "a&b", "customer_id": "é"}
    context = sdk.conversation.context
    calls = [
        (context.get_context_for_prompt("a/b?c"), "a%2Fb%3Fc/context-for-prompt?style=structured"),
        (context.get_context_for_prompt(ID, "narrative"), f"{ID}/context-for-prompt?style=narrative"),
        (
            context.get_context_for_prompt("c", search_query="a & b", max_tokens=9),
            "c/context-for-prompt?style=structured&search_query=a%20%26%20b&max_tokens=9",
        ),
        (context.get_compaction_status("..", **ids), "%2E%2E/compaction/status?user_id=a%26b&customer_id=%C3%A9"),
        (context.get_compaction_status("c"), "c/compaction/status"),
        (context.get_compacted("c", 2, format="injection"), "c/compacted?format=injection&version=2"),
        (context.get_compacted("c"), "c/compacted?format=structured"),
    ]
    for call, path in calls:
        await call
        assert sent.requests[-1].method == "GET"
        assert sent.requests[-1].url.raw_path.decode() == f"/v1/conversations/{path}"


async def test_compact_sends_only_what_was_given(recorded):
    sdk, sent = recorded(STARTED)
    started = await sdk.conversation.context.compact("c")
    assert sent.requests[0].url.path == "/v1/conversations/compact"
    assert sent.body == {"conversation_id": "c"}
    assert started.status == "completed"
    await sdk.conversation.context.compact(ID, "aggressive", target_tokens=50, force=True, user_id="al")
    options = {"strategy": "aggressive", "target_tokens": 50, "force": True}
    assert sent.body == {"conversation_id": str(ID), "user_id": "al", **options}


async def test_a_summary_is_read(recorded):
    sentence = {"content": "I prefer dark mode.", "speaker": "User", "turn": 1}
    summary = {
        "formatted_context": "## Conversation so far (compacted, 10 turns)",
        "original_token_count": 196,
        "compacted_token_count": 67,
        "compression_ratio": 0.3418,
        "strategy_used": "balanced",
        "preferences": [sentence],
        "current_state": {"turns": 10, "turns_covered": 10},
        "is_stale": True,
    }
    sdk, _ = recorded(summary)
    found = await sdk.conversation.context.get_compacted("c")
    assert found is not None
    assert found.compacted_context == found.formatted_context == summary["formatted_context"]
    assert (found.preferences[0].turn, found.is_stale, found.compression_ratio) == (1, True, 0.3418)


async def test_what_nobody_has(client):
    sdk = client(Fake().answer)
    assert await sdk.conversation.context.get_compacted("c") is None
    assert await sdk.user.get_profile("al", customer_id="acme") is None
    assert not (await sdk.conversation.context.get_context_for_prompt("c")).available
    with pytest.raises(NotFoundError):
        await sdk.conversation.context.get_compaction_status("c")
    with pytest.raises(NotFoundError):
        await anext(sdk.conversation.messages("c"))


@pytest.mark.parametrize(("turns", "pages"), [(1, 1), (2, 1), (3, 2), (6, 3)])
async def test_turns_come_in_pages(client, turns, pages):
    fake = Fake()
    sdk = client(fake.answer)
    for at in range(turns):
        await sdk.conversation.record_message("c", "user", f"turn {at}", "al")
    fake.requests.clear()
    told = [turn async for turn in sdk.conversation.messages("c", page_turns=3)]
    assert [turn.content for turn in told] == [f"turn {at}" for at in range(turns)]
    assert [turn.position for turn in told] == list(range(1, turns + 1))
    # A full page may be the last one, which only the next one tells.
    assert len(fake.requests) == pages
    later = [turn.position async for turn in sdk.conversation.messages("c", start=2)]
    assert later == list(range(2, turns + 1))


async def test_a_profile_and_conversations_are_read(recorded):
    known = {"value": "Lisbon", "confidence": 0.9, "updated_at": NOW, "source_memory_id": "m"}
    profile = {"attributes": {"location": known}, "overview": "location: Lisbon", "extras": {}, "_meta": {}}
    sdk, sent = recorded({"profile": profile})
    found = await sdk.user.get_profile("a/b", customer_id="acme")
    assert sent.requests[0].url.raw_path == b"/v1/users/a%2Fb/profile?customer_id=acme"
    assert found is not None
    assert (found.attributes["location"].value, found.overview) == ("Lisbon", "location: Lisbon")
    told = {"conversation_id": "c", "message_count": 2, "summary_status": "available", "summary": {"overview": "text"}}
    sdk, sent = recorded({**CONTEXT, "profile": profile, "conversations": [told]})
    summaries = {"context_mode": "conversation-summary", "include_profile": True, "last_n_conversations": 5}
    context = await sdk.user.context.fetch(user_id="al", customer_id="acme", **summaries)
    assert sent.requests[0].url.path == "/v1/context/user/fetch"
    assert summaries.items() <= sent.body.items()
    assert context.profile is not None
    assert context.profile.attributes["location"].value == "Lisbon"
    assert context.conversations[0].summary == {"overview": "text"}


MERGED = [
    ({"conversation_id": ID, "user_id": "al", "customer_id": "acme"}, "conversation"),
    ({"conversation_id": ID}, "conversation"),
    ({"user_id": "al", "customer_id": "acme"}, "user"),
    ({"user_id": "al"}, "user"),
    ({"customer_id": "acme"}, "customer"),
    ({}, "client"),
]


@pytest.mark.parametrize(("ids", "level"), MERGED)
async def test_a_merged_fetch_is_one_request(recorded, ids, level):
    sdk, sent = recorded(CONTEXT)
    await sdk.fetch(**ids, search_query=["q"])
    [request] = sent.requests
    assert request.url.path == f"/v1/context/{level}/fetch"
    options = {"search_query": ["q"], "max_results": 20, "mode": "fast", "response_shape": "by_type"}
    assert sent.body == {**{name: str(value) for name, value in ids.items()}, **options}


async def test_a_merged_fetch_may_leave_the_conversation_out_or_be_of_summaries(recorded):
    sdk, sent = recorded(CONTEXT)
    await sdk.fetch(conversation_id=ID, user_id="al", include_conversation_context=False)
    assert sent.body["include_conversation_context"] is False
    # Summaries are of a user.
    await sdk.fetch(conversation_id=ID, user_id="al", context_mode="conversation-summary")
    assert sent.requests[-1].url.path == "/v1/context/user/fetch"
    assert sent.body["context_mode"] == "conversation-summary"


async def test_a_fetch_tells_how_far_the_conversation_is(recorded):
    turn = {"role": "user", "content": "hi", "timestamp": NOW}
    sentence = {"content": "I prefer tea.", "speaker": None, "turn": 1}
    told = {"conversation_id": str(ID), "recent_turns": [turn], "key_extractions": {"preferences": [sentence]}}
    sdk, sent = recorded({**CONTEXT, "conversation_context": {**told, "current_state": {}, "formatted_context": "x"}})
    context = (await sdk.conversation.context.fetch(ID)).conversation_context
    assert sent.requests[0].url.path == "/v1/context/conversation/fetch"
    assert sent.body["conversation_id"] == str(ID)
    assert context is not None
    assert (context.recent_turns[0].content, context.summary, context.formatted_context) == ("hi", None, "x")
    assert context.key_extractions["preferences"][0].content == "I prefer tea."
    sdk, _ = recorded({**CONTEXT, "conversation_context": None})
    assert (await sdk.fetch(conversation_id=ID)).conversation_context is None


async def test_lost_ids_and_unknown_fields_are_refused(recorded):
    sdk, sent = recorded({})
    good = {"conversation_id": "c", "role": "user", "content": "x"}
    refused = [
        (sdk.conversation.record_message("", "user", "x", "al"), "conversation_id must not be empty"),
        (sdk.conversation.record_message("c", "user", "x", ""), "user_id must not be empty"),
        (sdk.conversation.ingest_transcript("c", "al", "x", customer_id=""), "customer_id must not be empty"),
        (sdk.conversation.record_messages_batch([good, {**good, "user": "al"}]), "messages[1].user is not a known"),
        (sdk.conversation.record_messages_batch([{**good, "user_id": ""}]), "messages[0].user_id must not be empty"),
        (sdk.conversation.ingest_transcript("c", "al", [{"text": "x"}]), "transcript[0].text is not a known"),
        (sdk.conversation.context.get_compacted(""), "conversation_id must not be empty"),
        (sdk.conversation.context.get_compacted("c", user_id=""), "user_id must not be empty"),
        (sdk.conversation.context.get_compacted("c", user_id="\ud800"), "user_id is no text"),
        (sdk.conversation.context.compact(""), "conversation_id must not be empty"),
        (sdk.fetch(conversation_id="", user_id="al"), "conversation_id must not be empty"),
        (sdk.fetch(user_id=""), "user_id must not be empty"),
        (sdk.user.get_profile(""), "user_id must not be empty"),
        (sdk.data.delete("customer", customer_id="acme", user_id=""), "user_id must not be empty"),
    ]
    for call, message in refused:
        with pytest.raises(InvalidInputError) as problem:
            await call
        assert str(problem.value).startswith(message)
    assert sent.requests == []


async def test_a_route_of_something_else_is_no_missing_summary(client):
    sdk = client(lambda _: httpx.Response(404, content=b"<html>"))
    with pytest.raises(Exception, match="is no answer of synap"):
        await sdk.conversation.context.get_compacted("c")
