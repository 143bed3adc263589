"""What the tests share: clients, names that no other test uses, and a plain view of the server."""

import asyncio
import os
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from maximem_synap import ContextResponse, MaximemSynapSDK, RetryPolicy, SDKConfig
from maximem_synap.memories.models import MemoryStatusResponse
from maximem_synap.transport.grpc_client import GRPCTransport

# How long anything that is on its way may take. Generous, for a busy machine; nothing waits for it when all is well.
PATIENCE_S = 30.0
ROOT = Path(__file__).resolve().parents[3]
TYPES = ("facts", "preferences", "episodes", "emotions", "temporal_events")

# One sentence of every type.
OF_EVERY_TYPE = (
    "Alice works at Acme as an engineer. Alice prefers oolong tea. "
    "Yesterday Alice visited the Oslo office and met Bob. "
    "Alice felt frustrated about the invoice delay. The renewal deadline is on 2026-12-01."
)

# Retries at once: what is tested is that they happen, not how long they wait.
IMPATIENT = RetryPolicy(max_attempts=3, backoff_base=0.01, backoff_max=0.05, backoff_jitter=False)


def fresh(name: str) -> str:
    """An id that nothing else uses."""
    return f"{name}-{uuid.uuid4().hex[:12]}"


def scratch() -> str:
    """A folder of its own below the scratch folder of the run."""
    return tempfile.mkdtemp(dir=os.environ.get("SYNAP_TEST_DIR"))


def new_sdk(key: str | None = None, **settings: Any) -> MaximemSynapSDK:
    """A client that shares nothing with others: no cache unless asked for, and its files in a folder of its own."""
    settings.setdefault("cache_backend", None)
    settings.setdefault("storage_path", scratch())
    settings.setdefault("retry_policy", IMPATIENT)
    return MaximemSynapSDK(api_key=key, config=SDKConfig(**settings), _force_new=True)


class Who:
    """Two users of one customer, and another customer."""

    def __init__(self) -> None:
        self.acme, self.globex = fresh("acme"), fresh("globex")
        self.alice, self.bob = fresh("alice"), fresh("bob")

    @property
    def as_alice(self) -> dict[str, str]:
        return {"user_id": self.alice, "customer_id": self.acme}

    @property
    def as_bob(self) -> dict[str, str]:
        return {"user_id": self.bob, "customer_id": self.acme}

    @property
    def as_stranger(self) -> dict[str, str]:
        """The same user id at another customer: another person."""
        return {"user_id": self.alice, "customer_id": self.globex}


class Plain:
    """The server over plain HTTP."""

    def __init__(self, key: str | None = None, base_url: str | None = None) -> None:
        self.http = httpx.AsyncClient(
            base_url=base_url or os.environ["SYNAP_BASE_URL"],
            headers={"Authorization": f"Bearer {key or os.environ['SYNAP_API_KEY']}"},
            timeout=PATIENCE_S,
            trust_env=False,
        )

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.http.request(method, path, json=body, headers=headers)

    async def json(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The body of an answer that must be 200."""
        answer = await self.ask(method, path, body, **headers)
        assert answer.status_code == 200, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    async def turns(self, conversation_id: str) -> list[tuple[str, str]]:
        """All turns of a conversation, in order; none if the server does not know it."""
        turns: list[tuple[str, str]] = []
        while True:
            path = f"/v1/conversations/{conversation_id}/messages?start={len(turns) + 1}&limit=500"
            answer = await self.ask("GET", path)
            if answer.status_code == 404:
                return []
            page = answer.raise_for_status().json()["turns"]
            positions = [turn["position"] for turn in page]
            assert positions == list(range(len(turns) + 1, len(turns) + len(page) + 1))
            turns += [(turn["role"], turn["content"]) for turn in page]
            if len(page) < 500:
                return turns


async def eventually(look: Callable[[], Awaitable[Any]], good: Callable[[Any], bool]) -> Any:
    """What `look` sees as soon as it is good, or what it saw last when patience ends."""
    limit = time.monotonic() + PATIENCE_S
    while True:
        seen = await look()
        if good(seen) or time.monotonic() > limit:
            return seen
        await asyncio.sleep(0.05)


def watch_acknowledgements() -> None:
    """From now on, each transport counts what it sent and what was acknowledged, by event id.

    Its own book is not enough: it files an event as unacknowledged after it was written, and overlooks an answer that
    came in between.
    """
    send, take = GRPCTransport.send, GRPCTransport._handle_event_ack

    async def counted_send(self: GRPCTransport, message: dict[str, Any]) -> None:
        await send(self, message)
        books(self)[0][message["event_id"]] += 1

    def counted_take(self: GRPCTransport, ack: Any) -> None:
        books(self)[1].update(ack.event_ids)
        take(self, ack)

    GRPCTransport.send, GRPCTransport._handle_event_ack = counted_send, counted_take


def books(transport: GRPCTransport) -> tuple[Counter[str], Counter[str]]:
    """What a transport sent, and what was acknowledged to it."""
    return vars(transport).setdefault("books", (Counter(), Counter()))


async def acknowledged(sdk: MaximemSynapSDK) -> None:
    """Waits until everything that was sent on the stream is acknowledged."""
    sent, taken = books(sdk._grpc_transport)

    async def missing() -> Counter[str]:
        return sent - taken

    assert not await eventually(missing, lambda seen: not seen)


async def done(sdk: MaximemSynapSDK, ingestion_id: uuid.UUID) -> MemoryStatusResponse:
    """The status of an ingestion once it is complete, so that fetches see it."""
    status = await eventually(lambda: sdk.memories.status(ingestion_id), lambda seen: seen.status != "queued")
    assert status.status == "completed", status
    return status


async def remember(sdk: MaximemSynapSDK, document: str, **words: Any) -> list[str]:
    """Stores a document and returns the ids of its memories, once fetches see them."""
    words.setdefault("document_type", "document")
    receipt = await sdk.memories.create(document, **words)
    return (await done(sdk, receipt.ingestion_id)).memory_ids


def items(response: ContextResponse) -> list[Any]:
    """All items of the typed lists."""
    return [item for name in TYPES for item in getattr(response, name)]


def text(item: Any) -> str:
    """What an item says, whatever its type calls it."""
    return getattr(item, "content", None) or getattr(item, "summary", None) or item.context


def texts(response: ContextResponse) -> list[str]:
    return [text(item) for item in items(response)]


def own(response: ContextResponse) -> list[Any]:
    """The items of the user's own scope: the client scope is shared by all tests."""
    return [item for item in items(response) if item.scope == "user"]


def own_texts(response: ContextResponse) -> list[str]:
    return [text(item) for item in own(response)]


def ids(response: ContextResponse) -> set[str]:
    return {item.id for item in items(response)}


def said(messages: list[Any]) -> list[tuple[str, str]]:
    """Messages of the SDK as (role, content)."""
    return [(message.role, message.content) for message in messages]
