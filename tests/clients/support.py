"""What the scripts of the integrations share: checks that are printed, and a plain HTTP view of the server.

The view speaks to the server without the vendor's code, so that what an integration claims can be compared with what
is stored.
"""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

# How long anything that is on its way may take. Generous, for a busy machine; nothing waits for it when all is well.
PATIENCE_S = 30.0
# How the block of a compacted conversation begins; the integrations look for it.
COMPACTED = "## Conversation so far (compacted"
# How long one child process may take.
CHILD_S = 240.0

Turn = tuple[str, str]


class Checks:
    """Prints one line for each check and remembers whether all of them held."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0
        self.failed: list[str] = []

    def that(self, what: str, holds: bool, seen: Any = None) -> None:
        """Records a check; what was seen instead is printed when it does not hold."""
        self.count += 1
        if holds:
            print(f"ok: {self.name}: {what}", flush=True)
        else:
            self.failed.append(what)
            print(f"FAILED: {self.name}: {what}; seen: {seen!r}", flush=True)

    def equal(self, what: str, seen: Any, wanted: Any) -> None:
        """Records that two values are the same."""
        self.that(what, seen == wanted, {"seen": seen, "wanted": wanted})

    def result(self) -> int:
        """Prints the count and returns the exit code."""
        print(f"{self.name}: {self.count - len(self.failed)} of {self.count} checks hold", flush=True)
        return 1 if self.failed or self.count == 0 else 0


class Server:
    """The server under test, seen over plain HTTP."""

    def __init__(self, key: str | None = None) -> None:
        self.key = key or os.environ["SYNAP_API_KEY"]
        self.http = httpx.Client(
            base_url=os.environ["SYNAP_BASE_URL"],
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=PATIENCE_S,
            trust_env=False,
        )

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """The answer to a request that must succeed."""
        answer = self.http.request(method, path, json=body)
        if answer.status_code != httpx.codes.OK:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()

    def turns(self, conversation_id: str) -> list[Turn]:
        """All turns of a conversation in order, as (role, content); none for one that the server does not know."""
        answer = self.http.get(f"/v1/conversations/{conversation_id}/messages", params={"start": 1, "limit": 500})
        if answer.status_code == httpx.codes.NOT_FOUND:
            return []
        answer.raise_for_status()
        listed = answer.json()["turns"]
        positions = [turn["position"] for turn in listed]
        if positions != list(range(1, len(listed) + 1)):
            raise RuntimeError(f"positions are not 1, 2, 3 …: {positions}")
        return [(turn["role"], turn["content"]) for turn in listed]

    def is_enriched(self) -> bool:
        """Whether every memory has its vector, or never gets one. Until then the order of an answer may change."""
        return not self.json("GET", "/health")["models"]["encoder"].get("pending")

    def status(self, ingestion_id: str) -> dict[str, Any]:
        """The status of an ingestion, once there is nothing more to come."""
        limit = time.monotonic() + PATIENCE_S
        while True:
            body = self.json("GET", f"/api/v1/memories/status/{ingestion_id}")
            if body["status"] in {"completed", "failed", "partial_success"}:
                return body
            if time.monotonic() > limit:
                raise RuntimeError(f"ingestion {ingestion_id} does not end: {body}")
            time.sleep(0.05)

    def stored(self, answer: str) -> dict[str, Any]:
        """The status of the ingestion that a store tool's answer names, once there is nothing more to come."""
        match = re.fullmatch(r"Memory stored \(ingestion_id: ([0-9a-f-]{36})\)", answer.strip())
        if not match:
            raise RuntimeError(f"not the answer of a store tool: {answer}")
        return self.status(match[1])

    def remember(self, text: str, *, user: str | None = None, customer: str | None = None) -> list[str]:
        """Stores a document and returns the ids of its memories, when they can be found."""
        body = {"document": text, "user_id": user, "customer_id": customer}
        return self.status(self.json("POST", "/api/v1/memories/create", body)["ingestion_id"])["memory_ids"]

    def found(self, level: str, query: str, *, user: str | None = None, customer: str | None = None) -> list[str]:
        """The contents of a fetch at `user`, `customer` or `client` level."""
        body: dict[str, Any] = {"search_query": [query], "max_results": 50}
        if user:
            body["user_id"] = user
        if customer:
            body["customer_id"] = customer
        context = self.json("POST", f"/v1/context/{level}/fetch", body)["context"]
        return [item["content"] for items in context.values() if isinstance(items, list) for item in items]


class People:
    """Two users of one customer, and another customer: ids that no earlier run has used."""

    def __init__(self) -> None:
        self.acme, self.other = fresh("acme"), fresh("other")
        self.alice, self.bob = fresh("alice"), fresh("bob")


def fresh(name: str) -> str:
    """An id that no earlier run has used."""
    return f"{name}-{uuid.uuid4().hex[:12]}"


def anywhere(text: str, contents: list[str]) -> bool:
    """Whether one of the contents holds the text."""
    return any(text in content for content in contents)


async def eventually(look: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    """What `look` sees as soon as it is good, or what it saw last when patience ends."""
    limit = time.monotonic() + PATIENCE_S
    while True:
        seen = look()
        if isinstance(seen, Awaitable):
            seen = await seen
        if good(seen) or time.monotonic() > limit:
            return seen
        await asyncio.sleep(0.1)


def soon(look: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    """The same for code without an event loop, which some integrations must not be called under."""
    limit = time.monotonic() + PATIENCE_S
    while not good(seen := look()) and time.monotonic() < limit:
        time.sleep(0.1)
    return seen


async def compact(checks: Checks, server: Server, sdk: Any, conversation: str, word: str) -> None:
    """Has a conversation compacted by the vendor's `sdk`, and waits; the block of the server must hold the word.

    What the integrations show is no proof of it: the SDK adds excerpts from its own memory of the turns.
    """
    context = sdk.conversation.context
    await context.compact(conversation, strategy="conservative", force=True)
    done = await eventually(
        lambda: context.get_compaction_status(conversation), lambda seen: seen.status == "completed"
    )
    checks.equal("the compaction completes", done.status, "completed")
    answer = server.json("GET", f"/v1/conversations/{conversation}/context-for-prompt?style=structured")
    block = answer["context_block"] or ""
    checks.that("its block tells what was said", block.startswith(COMPACTED) and word in block, answer)


def child(script: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a script of ours in a process and a home of its own; its standard error goes where ours goes."""
    home = Path(os.environ.get("SYNAP_TEST_DIR") or tempfile.gettempdir()).resolve() / fresh("home")
    home.mkdir(parents=True)
    return subprocess.run(
        [sys.executable, script, *words],
        env=os.environ | {"HOME": str(home)} | variables,
        stdout=subprocess.PIPE,
        text=True,
        timeout=CHILD_S,
        check=False,
    )


def b2c_mode() -> dict[str, dict[str, str]]:
    """The mode against an instance where a user is the whole identity, if there is a key for one."""
    key = os.environ.get("SYNAP_API_KEY_B2C")
    return {"b2c": {"SYNAP_API_KEY": key}} if key else {}


def run_modes(script: str, modes: dict[str, dict[str, str]]) -> int:
    """Runs a script once for each mode, with the variables of the mode; 0 when all of them pass."""
    worst = 0
    for mode, variables in modes.items():
        done = child(script, mode, **variables)
        print(done.stdout, end="", flush=True)
        if done.returncode != 0:
            print(f"FAILED: mode {mode} ended with {done.returncode}", flush=True)
        worst = max(worst, abs(done.returncode))
    return worst
