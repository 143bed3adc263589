"""Answers as models: scope order, both shapes, and servers that are newer than this client."""

import asyncio
from typing import Any

import httpx
import pytest

from fake import NOW, Fake, refusal
from synap import (
    ContextResponse,
    Emotion,
    Episode,
    IngestionFailedError,
    InvalidInputError,
    NotYetAppliedError,
    Preference,
    Receipt,
    TemporalEvent,
)


def item(rank: int, kind: str, scope: str = "user", **more: Any) -> dict[str, Any]:
    return {
        "id": f"m{rank}",
        "content": f"text {rank}",
        "memory_type": kind,
        "scope": scope,
        "scope_path": {"customer": "acme", "user": "al"} if scope == "user" else {},
        "rank": rank,
        "rank_score": 0.5,
        "confidence": 0.8,
        "document_id": "d",
        "source": "d",
        "extracted_at": NOW,
        "metadata": {"k": 1},
        "tokens": 4,
        **more,
    }


BY_TYPE = {
    "context": {
        "facts": [item(2, "fact"), item(5, "fact", "client")],
        "preferences": [item(1, "preference", category="dark mode", strength=0.8, matched_queries=["q"])],
        "episodes": [item(4, "episode", "client", summary="text 4", occurred_at=NOW, participants=["al"])],
        "emotions": [item(3, "emotion", emotion_type="joy", context="text 3", detected_at=NOW, intensity=0.8)],
        "temporal_events": [item(6, "temporal_event", "client", temporal_category="temporal_fact")],
    },
    "ttl_seconds": -1,
    "scopes": [
        {"scope": "user", "scope_path": {}, "scope_known": True, "items": 3, "candidates": 9, "applied_seq": 4},
        {"scope": "client", "scope_path": {}, "scope_known": False, "items": 3, "candidates": 3, "applied_seq": 4},
    ],
    "tokens": 24,
    "stale": True,
    "retrieval": {"degraded": True},
}


async def test_lists_by_type_merge_into_scope_order(client):
    sdk = client(lambda _: httpx.Response(200, json=BY_TYPE))
    context = await sdk.user.context.fetch(user_id="al", customer_id="acme")
    assert [found.rank for found in context.all_items()] == [1, 2, 3, 4, 5, 6]
    assert context.items == []
    assert (context.stale, context.tokens, context.ttl_seconds) == (True, 24, -1)
    assert [scope.scope_known for scope in context.scopes] == [True, False]
    [preference], [episode], [emotion] = context.preferences, context.episodes, context.emotions
    assert isinstance(preference, Preference)
    assert (preference.category, preference.strength, preference.matched_queries) == ("dark mode", 0.8, ["q"])
    assert isinstance(episode, Episode)
    assert (episode.participants, episode.occurred_at is not None) == (["al"], True)
    assert isinstance(emotion, Emotion)
    assert (emotion.emotion_type, emotion.context) == ("joy", "text 3")
    assert isinstance(context.temporal_events[0], TemporalEvent)
    assert context.facts[0].metadata == {"k": 1}
    assert context.facts[1].scope_path == {}


def test_an_answer_is_a_text_for_a_prompt():
    told = {"conversation_id": "c", "formatted_context": "## Recent Turns (1)\n\n**user**: hi"}
    profile = {"attributes": {}, "overview": "location: Lisbon"}
    past = [{"conversation_id": "b", "summary": {"overview": "They met."}}, {"conversation_id": "a"}]
    answer = {**BY_TYPE, "conversation_context": told, "profile": profile, "conversations": past}
    assert ContextResponse.from_answer(answer).formatted_context.split("\n\n### ") == [
        "### Facts\n- text 2\n- text 5",
        "Preferences\n- text 1",
        "Episodes\n- text 4",
        "Emotions\n- text 3",
        "Temporal Events\n- text 6",
        "Conversation History\n## Recent Turns (1)\n\n**user**: hi",
        "Profile\nlocation: Lisbon",
        "Previous Conversations\nThey met.",
    ]
    assert ContextResponse.from_answer({}).formatted_context == ""


def test_a_ranked_answer_keeps_its_order():
    answer = {"context": {"facts": [item(1, "fact")], "items": [item(1, "fact"), item(2, "episode")]}}
    context = ContextResponse.from_answer(answer)
    assert [found.id for found in context.all_items()] == ["m1", "m2"]


@pytest.mark.parametrize("answer", [{}, {"context": {}}, {"context": None}])
def test_an_answer_may_be_empty(answer):
    context = ContextResponse.from_answer(answer)
    assert (context.all_items(), context.scopes, context.stale) == ([], [], False)


def test_explain_says_why():
    explain = {
        "event_id": "e",
        "seq": 7,
        "span": [0, 12],
        "signals": {"bm25": 1.5},
        "selected_by": "reserved",
        "folded": [{"id": "m9", "scope": "client"}],
    }
    [found] = ContextResponse.from_answer({"context": {"facts": [item(1, "fact", explain=explain)]}}).facts
    assert found.explain is not None
    assert found.explain.span == (0, 12)
    assert found.explain.folded[0].scope == "client"


def test_an_answer_names_what_it_leaves_out():
    shadows = [{"id": "m9", "scope": "client", "reason": "contradiction"}]
    told = item(1, "preference", shadows=shadows, shadowed_by="m7")
    left_out = {"count": 60, "memories": [{"id": "m9", "scope": "client", "rank_score": 0.5, "reason": "max_tokens"}]}
    answer = {"context": {"preferences": [told]}, "prompt": "<memory_data>", "prompt_tokens": 4, "left_out": left_out}
    context = ContextResponse.from_answer(answer)
    assert (context.prompt, context.prompt_tokens) == ("<memory_data>", 4)
    assert [(shadow.id, shadow.reason) for shadow in context.preferences[0].shadows] == [("m9", "contradiction")]
    assert context.preferences[0].shadowed_by == "m7"
    assert context.left_out is not None
    assert (context.left_out.count, context.left_out.memories[0].reason) == (60, "max_tokens")
    empty = ContextResponse.from_answer({})
    assert (empty.prompt, empty.left_out) == (None, None)


def test_newer_servers_work():
    newer = item(1, "premonition", "team", mood={"x": 1}, explain=None)
    answer = {"context": {"facts": [newer], "premonitions": [newer]}, "hint": [1], "scopes": []}
    context = ContextResponse.from_answer(answer)
    assert context.model_extra == {"hint": [1], "premonitions": [newer]}
    assert context.facts[0].model_extra is not None
    assert context.facts[0].model_extra["mood"] == {"x": 1}
    assert (context.facts[0].memory_type, context.facts[0].scope) == ("premonition", "team")
    receipt = Receipt.model_validate(
        {
            "ingestion_id": "i",
            "document_id": "d",
            "status": "new",
            "queued_at": NOW,
            "scope": "s",
            "position": "p",
            "x": 1,
        }
    )
    assert receipt.model_extra == {"x": 1}
    assert Receipt.model_validate_json(receipt.model_dump_json()) == receipt


class Progress:
    """An ingestion that goes through `states`, then stays at the last."""

    def __init__(self, *states: str) -> None:
        self.states, self.asked = list(states), 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        status = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        found = {"ingestion_id": "i", "document_id": "d", "status": status, "queued_at": NOW}
        if status == "failed":
            found["error_message"] = "it is no JSON"
        return httpx.Response(200, json={**found, "memories_created": 2, "memory_ids": ["a", "b"]})


@pytest.fixture
def naps(monkeypatch):
    """The pauses between questions, in seconds; none of them is waited for."""
    taken: list[float] = []
    sleep = asyncio.sleep

    async def nap(seconds: float) -> None:
        taken.append(seconds)
        await sleep(0)

    monkeypatch.setattr("synap._memories.asyncio.sleep", nap)
    return taken


async def test_waiting_goes_on_while_the_server_is_behind(client, naps):
    progress = Progress("queued", "completed")

    def behind_at_first(request: httpx.Request) -> httpx.Response:
        if not naps:
            return refusal(503, "NOT_YET_APPLIED", "behind")
        return progress(request)

    found = await client(behind_at_first).memories.wait_for_completion("i", timeout=1e6)
    assert (found.status, progress.asked) == ("completed", 2)
    naps.clear()
    with pytest.raises(NotYetAppliedError):
        await client(behind_at_first).memories.wait_for_completion("i", timeout=0)


async def test_waiting_asks_less_and_less_often(client, naps):
    progress = Progress(*["queued"] * 12, "completed")
    found = await client(progress).memories.wait_for_completion("i", timeout=1e6, interval=0.1)
    assert (found.status, found.memory_ids, progress.asked) == ("completed", ["a", "b"], 13)
    assert naps[0] == 0.1
    assert naps == sorted(naps)
    assert naps[-1] == 1.0


async def test_waiting_ends(client):
    progress = Progress("queued")
    with pytest.raises(NotYetAppliedError, match=r"ingestion i is still queued after 0\.05 s"):
        await client(progress).memories.wait_for_completion("i", timeout=0.05, interval=0.02)
    assert 2 <= progress.asked <= 5
    with pytest.raises(InvalidInputError, match="^interval must be above 0"):
        await client(progress).memories.wait_for_completion("i", interval=0)


async def test_waiting_for_what_failed_says_why(client):
    with pytest.raises(IngestionFailedError, match="ingestion i failed: it is no JSON") as failed:
        await client(Progress("queued", "failed")).memories.wait_for_completion("i", interval=0.001)
    assert failed.value.details == {"ingestion_id": "i", "document_id": "d"}


async def test_waiting_for_the_unknown_says_so(client):
    def unknown(_: httpx.Request) -> httpx.Response:
        return refusal(404, "NOT_FOUND", "not found")

    with pytest.raises(Exception, match="^not found$"):
        await client(unknown).memories.wait_for_completion("i")


async def test_the_whole_main_job(client):
    fake = Fake()
    sdk = client(fake.answer)
    receipt = await sdk.memories.create(document="Alice likes tea", user_id="al", customer_id="acme")
    await sdk.memories.wait_for_completion(receipt)
    context = await sdk.user.context.fetch(user_id="al", customer_id="acme", search_query=["tea"], position=receipt)
    assert [found.content for found in context.facts] == ["Alice likes tea"]
