"""A small synap in one process, for tests without a server: the wire's shapes and the rules of visibility, no more.

Its ranking counts common word stems. `leak` and `shuffle` break it on purpose, to see that a test notices.
"""

import json
import re
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

NOW = "2026-11-22T13:46:12.187179Z"
RECEIPT = {
    "ingestion_id": "607f33d4-8bf7-4800-b517-7fd853e00b5c",
    "document_id": "d",
    "status": "queued",
    "duplicate": False,
    "queued_at": NOW,
    "scope": "user",
    "scope_path": {"customer": "acme", "user": "al"},
    "position": "token",
    "durability": "power-safe",
}
CONTEXT = {"context": {}, "ttl_seconds": -1, "scopes": [], "tokens": 0, "stale": False}
LISTS = {"fact": "facts", "episode": "episodes"}
STOP = {"when", "what", "does", "this", "our", "can", "did", "the", "end", "last"}


@dataclass
class Memory:
    path: dict[str, str]
    text: str
    document_id: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def scope(self) -> str:
        return list(self.path)[-1] if self.path else "client"


class Fake:
    """Answers requests; `Fake().transport` is what a client takes."""

    def __init__(self, *, leak: bool = False, shuffle: bool = False, key: str = "key") -> None:
        self.leak, self.shuffle, self.key = leak, shuffle, key
        self.memories: list[Memory] = []
        self.turns: dict[str, list[dict[str, Any]]] = {}
        self.named: dict[str, dict[str, Any]] = {}
        self.receipts: dict[tuple[str, str], dict[str, Any]] = {}
        self.requests: list[httpx.Request] = []

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = request.url.path
        if path == "/health":
            return httpx.Response(200, json={"status": "ok"})
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return refusal(401, "UNAUTHORIZED", "a valid API key is required: Authorization: Bearer <key>")
        if path.endswith("/api/v1/auth/whoami"):
            isolation = {"client_id": "cli_1", "instance_id": "inst_1", "user_context_isolation": "strict"}
            return httpx.Response(200, json=isolation)
        if path.startswith("/api/v1/memories/status/"):
            return self.status(path.rsplit("/", 1)[1])
        if request.method == "GET" and path.startswith("/v1/conversations/"):
            return self.conversation(path, request.url.params)
        if request.method == "GET":  # profiles and single memories: nothing is known
            return refusal(404, "NOT_FOUND", "not found")
        body = json.loads(request.content)
        if path == "/api/v1/memories/create":
            return httpx.Response(200, json=self.create(body))
        if path == "/api/v1/memories/batch":
            results = [self.create(document) for document in body["documents"]]
            count = len(results)
            batch = {"batch_id": str(uuid.uuid4()), "total": count, "succeeded": count, "failed": 0}
            return httpx.Response(200, json={**batch, "results": results})
        if path == "/v1/conversations/messages":
            return httpx.Response(200, json=self.once(request, lambda: self.record(body)))
        return httpx.Response(200, json=self.fetch(body))

    def once(self, request: httpx.Request, write: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """A write under the key of the caller, or else the name of the call."""
        key = request.headers.get("Idempotency-Key") or f"call {request.headers['X-Correlation-ID']}"
        if key in self.named:
            return {**self.named[key], "duplicate": True}
        self.named[key] = write()
        return self.named[key]

    def record(self, body: dict[str, Any]) -> dict[str, Any]:
        turns = self.turns.setdefault(body["conversation_id"], [])
        turn = {"position": len(turns) + 1, "message_id": str(uuid.uuid4()), "timestamp": NOW}
        turns.append({**turn, "role": body["role"], "content": body["content"]})
        told = {"message_id": turn["message_id"], "conversation_id": body["conversation_id"], "recorded_at": NOW}
        return {**told, "conversation_message_count": len(turns), "duplicate": False, "position": "position"}

    def conversation(self, path: str, query: httpx.QueryParams) -> httpx.Response:
        conversation_id, what = path.removeprefix("/v1/conversations/").split("/", 1)
        turns = self.turns.get(conversation_id)
        if what == "context-for-prompt":
            counted = {"available": bool(turns), "total_message_count": len(turns or [])}
            return httpx.Response(200, json=counted)
        if turns is None or what != "messages":  # it never makes summaries
            return refusal(404, "NOT_FOUND", "not found")
        start, limit = int(query["start"]), int(query["limit"])
        page = turns[start - 1 : start - 1 + limit]
        return httpx.Response(200, json={"conversation_id": conversation_id, "turns": page, "total": len(turns)})

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        path = path_of(body)
        known = (json.dumps(path), json.dumps(body["document"]))
        if known in self.receipts:
            return {**self.receipts[known], "duplicate": True, "status": "completed"}
        document_id = body.get("document_id") or str(uuid.uuid4())
        made = [Memory(path, text, document_id) for text in split(body["document"])]
        self.memories += made
        receipt = {
            "ingestion_id": str(uuid.uuid4()),
            "document_id": document_id,
            "status": "queued",
            "duplicate": False,
            "queued_at": NOW,
            "scope": made[0].scope,
            "scope_path": path,
            "position": f"position-{len(self.receipts)}",
            "durability": "power-safe",
        }
        self.receipts[known] = receipt
        return receipt

    def status(self, ingestion_id: str) -> httpx.Response:
        for receipt in self.receipts.values():
            if receipt["ingestion_id"] == ingestion_id:
                found = {k: receipt[k] for k in ("ingestion_id", "document_id", "queued_at", "scope", "scope_path")}
                return httpx.Response(200, json={**found, "status": "completed", "memories_created": 1})
        return refusal(404, "NOT_FOUND", "not found")

    def fetch(self, body: dict[str, Any]) -> dict[str, Any]:
        path = list(path_of(body).items())
        queries = " ".join(body.get("search_query") or [])
        chain = [dict(path[:levels]) for levels in range(len(path), -1, -1)]
        ranked = [self.candidates(scope, queries) for scope in chain]
        # A share for every wider scope, then what is left to whoever comes first.
        room = body.get("max_results", 10)
        reserved = [found[:2] if at else found[: max(0, room - 4)] for at, found in enumerate(ranked)]
        left = room - sum(map(len, reserved))
        items: list[Memory] = []
        for share, found in zip(reserved, ranked, strict=True):
            more = found[len(share) : len(share) + left]
            left -= len(more)
            items += [*share, *more]
        if self.shuffle:
            items.reverse()
        budget, kept = body.get("max_tokens") or 10**9, []
        for memory in items:
            if tokens(memory) > budget:
                break
            budget -= tokens(memory)
            kept.append(memory)
        return self.lay_out(kept, chain, ranked=body.get("response_shape") == "ranked")

    def candidates(self, path: dict[str, str], queries: str) -> list[Memory]:
        mine = [memory for memory in self.memories if memory.path == path or (self.leak and "user" in memory.path)]
        mine.sort(key=lambda memory: -len(stems(queries) & stems(memory.text)))
        # The best of every document before the second best of any.
        of_document = Counter[str]()
        turns = {}
        for memory in mine:
            turns[memory.id] = of_document[memory.document_id]
            of_document[memory.document_id] += 1
        return sorted(mine, key=lambda memory: turns[memory.id])

    def lay_out(self, kept: list[Memory], chain: list[dict[str, str]], *, ranked: bool) -> dict[str, Any]:
        items = [item(memory, rank) for rank, memory in enumerate(kept, 1)]
        context: dict[str, Any] = {
            name: [entry for entry in items if entry["memory_type"] == kind] for kind, name in LISTS.items()
        }
        context |= {"preferences": [], "emotions": [], "temporal_events": []}
        if ranked:
            context["items"] = [{**entry, "category": LISTS[entry["memory_type"]]} for entry in items]
        scopes = [
            {
                "scope": Memory(path, "", "").scope,
                "scope_path": path,
                "scope_known": any(memory.path == path for memory in self.memories),
                "items": sum(memory.path == path for memory in kept),
                "candidates": sum(memory.path == path for memory in self.memories),
                "applied_seq": len(self.receipts),
            }
            for path in chain
        ]
        total = sum(map(tokens, kept))
        return {"context": context, "ttl_seconds": -1, "scopes": scopes, "tokens": total, "stale": False}


def item(memory: Memory, rank: int) -> dict[str, Any]:
    return {
        "id": memory.id,
        "content": memory.text,
        "memory_type": "episode" if "deployed" in memory.text else "fact",
        "scope": memory.scope,
        "scope_path": memory.path,
        "rank": rank,
        "rank_score": 0.5,
        "confidence": 0.75,
        "document_id": memory.document_id,
        "source": memory.document_id,
        "extracted_at": NOW,
        "metadata": {},
        "tokens": tokens(memory),
    }


def refusal(status: int, code: str, message: str, **details: Any) -> httpx.Response:
    body = {"error": code, "code": code, "message": message, "detail": message, "details": details}
    return httpx.Response(status, json=body)


def path_of(body: dict[str, Any]) -> dict[str, str]:
    return {level: body[f"{level}_id"] for level in ("customer", "user") if f"{level}_id" in body}


def split(document: Any) -> list[str]:
    if not isinstance(document, str):
        return [json.dumps(document)]
    heading, pieces = "", []
    for line in document.splitlines():
        if line.startswith("## "):
            heading = line[3:]
        elif line.startswith("- "):
            pieces.append(f"{heading}: {line[2:]}")
    return pieces or [document]


def stems(text: str) -> set[str]:
    return {word[:5] for word in re.findall(r"\w{3,}", text.lower()) if word not in STOP}


def tokens(memory: Memory) -> int:
    return 1 + len(memory.text) // 4
