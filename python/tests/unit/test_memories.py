"""Single memories, uploads, deletions and credits: requests as they are sent, and answers as models."""

import io
import json
from email import message_from_bytes
from email.policy import HTTP
from urllib.parse import parse_qs
from uuid import UUID

import pytest

from fake import NOW
from synap import InvalidInputError, _upload

ID = UUID("5c7f8494-5cb4-465d-a6e8-6d6f9ea20eff")
MEMORY = {"memory_id": str(ID), "memory_type": "fact", "content": "text", "confidence": 0.5, "created_at": NOW}


async def test_single_memories(recorded):
    sdk, sent = recorded({**MEMORY, "deleted_at": NOW, "event_id": str(ID), "subcategory": "x"})
    found = await sdk.memories.get(ID)
    assert (found.memory_id, found.content, found.updated_at) == (str(ID), "text", None)
    assert found.model_extra is not None
    assert found.model_extra["subcategory"] == "x"
    await sdk.memories.update("a/b", "new")
    assert sent.body == {"document": "new", "merge_strategy": "smart-merge"}
    await sdk.memories.update("a/b", {"k": 1}, merge_strategy="append", document_type="email", metadata={})
    assert sent.body == {"document": {"k": 1}, "merge_strategy": "append", "document_type": "email", "metadata": {}}
    deleted = await sdk.memories.delete(ID)
    assert deleted.deleted_at.isoformat() == "2026-11-22T13:46:12.187179+00:00"
    assert [(request.method, request.url.raw_path.decode()) for request in sent.requests] == [
        ("GET", f"/api/v1/memories/{ID}"),
        ("PATCH", "/api/v1/memories/a%2Fb"),
        ("PATCH", "/api/v1/memories/a%2Fb"),
        ("DELETE", f"/api/v1/memories/{ID}"),
    ]


async def test_forgetting_is_a_preview_unless_said_otherwise(recorded):
    candidate = {"memory_id": str(ID), "content": "a bike", "memory_type": "fact", "store": "memory"}
    sdk, sent = recorded({"status": "preview", "request_id": "r", "candidates": [candidate]})
    found = await sdk.memories.forget("bike", user_id="al", customer_id="acme")
    assert sent.requests[0].url.path == "/api/v1/memories/forget"
    assert sent.body == {"description": "bike", "user_id": "al", "customer_id": "acme", "mode": "preview"}
    assert (found.status, found.candidates[0].content, found.deleted_ids) == ("preview", "a bike", [])
    await sdk.memories.forget("bike", user_id="al", mode="direct")
    assert sent.body["mode"] == "direct"


def parts_of(request):
    """The parts of a form by name: file name and content."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + request.content, policy=HTTP).iter_parts()
    return {
        part.get_param("name", header="content-disposition"): (part.get_filename(), part.get_payload(decode=True))
        for part in parts
    }


async def test_a_file_is_sent_as_a_form(recorded, tmp_path):
    path = tmp_path / "rules.md"
    path.write_bytes(b"# Rules\n\n- Al keeps bees.\n")
    sdk, sent = recorded()
    receipt = await sdk.memories.create_from_file(
        file_path=path,
        document_type="document",
        customer_id="acme",
        scope={"team": "pay"},
        metadata={"ä": [1, None]},
        idempotency_key="k",
    )
    assert receipt.document_id == "d"
    request = sent.requests[0]
    assert (request.method, request.url.path) == ("POST", "/api/v1/memories/upload")
    assert request.headers["Idempotency-Key"] == "k"
    parts = parts_of(request)
    assert parts.pop("file") == ("rules.md", path.read_bytes())
    assert {name: content.decode() for name, (_, content) in parts.items()} == {
        "document_type": "document",
        "customer_id": "acme",
        "scope": '{"team":"pay"}',
        "metadata": '{"ä":[1,null]}',
    }


async def test_bytes_and_open_files_are_sent_as_well(recorded, tmp_path):
    sdk, sent = recorded()
    for file, name in [(b"\x00bytes", "a.bin"), (io.BytesIO(b"\x00bytes"), None)]:
        await sdk.memories.create_from_file(file=file, filename=name, user_id="al")
        assert parts_of(sent.requests[-1])["file"] == (name, b"\x00bytes")
    # As with a create, a name of the call would hide that two calls bring the same document.
    assert "X-Correlation-ID" not in sent.requests[-1].headers


async def test_a_text_is_sent_without_a_file(recorded):
    sdk, sent = recorded()
    await sdk.memories.create_from_file(text="Al & Bo keep bees = ä", customer_id="acme", metadata={"k": 1})
    request = sent.requests[0]
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    fields = {name: value for name, [value] in parse_qs(request.content.decode()).items()}
    assert json.loads(fields.pop("metadata")) == {"k": 1}
    assert fields == {"text": "Al & Bo keep bees = ä", "customer_id": "acme"}


async def test_uploads_that_cannot_be_meant_are_refused(recorded, tmp_path, monkeypatch):
    monkeypatch.setattr(_upload, "FILE_BYTES_MAX", 4)
    path = tmp_path / "long.txt"
    path.write_bytes(b"12345")
    sdk, sent = recorded()
    for options, message in [
        ({}, "file or file_path or text is required"),
        ({"file": b"x", "text": "x"}, "file or file_path or text is required"),
        ({"file_path": path}, "file has over 4 bytes"),
        ({"file": path.read_bytes()}, "file has over 4 bytes"),
        ({"file": io.BytesIO(b"12345")}, "file has over 4 bytes"),
        ({"file": io.StringIO("text")}, "file must be open for bytes"),
        ({"text": "x", "customer_id": ""}, "customer_id must not be empty"),
        ({"text": "x", "metadata": {"k": {1}}}, "metadata.k cannot be sent"),
        ({"text": "\ud800"}, "text cannot be sent"),
        ({"file": b"x", "filename": "\ud800"}, "filename cannot be sent"),
    ]:
        with pytest.raises(InvalidInputError) as refused:
            await sdk.memories.create_from_file(**options)
        assert str(refused.value).startswith(message)
    assert sent.requests == []


async def test_deletions_are_confirmed_by_the_caller(recorded):
    answer = {"deletion_id": "d/1", "status": "partial", "scope": "user", "found": True, "counts": {"memories": 7}}
    sdk, sent = recorded({**answer, "still_present_in": ["event_log"], "continue": False})
    result = await sdk.data.delete("user", user_id="al", customer_id="acme", confirm="al")
    assert (sent.requests[0].method, sent.requests[0].url.path) == ("POST", "/v1/data/delete")
    ids = {"user_id": "al", "customer_id": "acme"}
    assert sent.body == {"scope": "user", **ids, "dry_run": False, "confirm": "al"}
    await sdk.data.delete("user", user_id="al")
    assert "confirm" not in sent.body
    assert (result.counts, result.still_present_in, result.fully_removed) == ({"memories": 7}, ["event_log"], False)
    await sdk.data.delete("conversation", conversation_id=ID, dry_run=True)
    assert sent.body == {"scope": "conversation", "conversation_id": str(ID), "dry_run": True}
    await sdk.data.status("d/1")
    assert sent.requests[-1].url.raw_path == b"/v1/data/delete/d%2F1"


async def test_credits_are_asked_for(recorded):
    answer = {"client_id": "cli_1", "balance_credits": 1e9, "unlimited": True, "total": 0, "limit": 5, "offset": 0}
    sdk, sent = recorded({**answer, "credits_estimate": 0, "redemption_id": "r", "credits_granted": 0})
    sent.answer["new_balance_credits"] = 1e9
    assert (await sdk.credits.get_balance()).unlimited
    assert (await sdk.credits.get_ledger(limit=5, from_time="2026-01-01")).entries == []
    assert sent.requests[-1].url.raw_path == b"/v1/credits/ledger?from=2026-01-01&limit=5&offset=0"
    assert (await sdk.credits.estimate(metric_type="tokens", units=2)).credits_estimate == 0
    assert sent.body == {"metric_type": "tokens", "units": 2}
    assert (await sdk.credits.redeem("code")).credits_granted == 0
    assert sent.body == {"code": "code"}
