"""The vendor's MCP server on synap, unmodified, with a real MCP client session.

Starts the MCP server twice, with and without its reports of turns, calls every tool at every level, and compares what
the tools say with what is stored.
"""

import asyncio
import contextlib
import os
import re
import socket
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))

import httpx
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult

from support import PATIENCE_S, Checks, Server, anywhere, b2c_mode, eventually, fresh

TOOLS = {"log_exchange", "recall_context", "list_recent_memories", "check_memory_status"}
ALL_S = 180
END_S = 10
LOGGED = re.compile(r"Logged to memory \(ingestion_id=([0-9a-f-]{36}), scope: (.+?)\)\.")


class Tools:
    """One client session's tools, answered as text."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session

    async def result(self, name: str, **arguments: Any) -> CallToolResult:
        """The whole answer of a tool."""
        return await self.session.call_tool(name, arguments)

    async def text(self, name: str, **arguments: Any) -> str:
        """The text that a tool answers with."""
        return "\n".join(part.text for part in (await self.result(name, **arguments)).content if part.type == "text")

    async def log(self, checks: Checks, what: str, scope: str, **arguments: Any) -> str:
        """Logs an exchange, checks the scope that the tool names, waits until it is done, and returns its id."""
        answer = await self.text("log_exchange", **arguments)
        match = LOGGED.match(answer)
        checks.that(f"{what} is logged for {scope}", bool(match) and match[2].startswith(scope), answer)
        if not match:
            return ""
        status = await eventually(
            lambda: self.text("check_memory_status", ingestion_id=match[1]), lambda text: not text.startswith("Still")
        )
        done = re.match(r"Processing complete, (\d+) memor(?:y|ies) stored\.", status)
        checks.that(f"{what} is processed and became memories", bool(done) and int(done[1]) > 0, status)
        return match[1]


@contextlib.contextmanager
def mcp_server(**variables: str) -> Iterator[str]:
    """Runs the vendor's MCP server on a free port; gives its URL. Ends it at the end."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        settings = {"SYNAP_API_URL": os.environ["SYNAP_BASE_URL"], "MCP_ALLOWED_HOSTS": address, "LOG_LEVEL": "WARNING"}
        command = [sys.executable, "-m", "uvicorn", "synap_mcp_server.server:app", "--log-level", "warning"]
        command += ["--timeout-graceful-shutdown", "3", "--fd", str(listener.fileno())]
        process = subprocess.Popen(command, env=os.environ | settings | variables, pass_fds=[listener.fileno()])
    try:
        # The socket is open already: a request waits until the server takes it.
        health = httpx.get(f"http://{address}/health", timeout=PATIENCE_S, trust_env=False)
        if health.json()["status"] != "ok":
            raise RuntimeError(f"the MCP server is not well: {health.text}")
        yield f"http://{address}/mcp"
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(END_S)


@contextlib.asynccontextmanager
async def connect(url: str, key: str | None) -> AsyncIterator[Tools]:
    """An MCP session with a bearer token, or without one."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        httpx.AsyncClient(headers=headers, timeout=PATIENCE_S, trust_env=False) as http,
        streamable_http_client(url, http_client=http) as (reading, writing, _),
        ClientSession(reading, writing) as session,
    ):
        await session.initialize()
        yield Tools(session)


async def listing(checks: Checks, tools: Tools) -> None:
    """What the client is told about the tools."""
    listed = {tool.name: tool for tool in (await tools.session.list_tools()).tools}
    checks.equal("the tools are listed", set(listed), TOOLS)
    ids = {"user_id", "customer_id"}
    with_ids = {name for name, tool in listed.items() if ids <= tool.inputSchema["properties"].keys()}
    checks.equal("all but one take a user and a customer", with_ids, TOOLS - {"check_memory_status"})


async def levels(checks: Checks, server: Server, tools: Tools) -> None:
    """Store, status and search at user, customer and client level: each is found from below, never from beside."""
    acme, other, alice, bob, marker = (fresh(name) for name in ("acme", "other", "alice", "bob", "marker"))
    user = {"user_id": alice, "customer_id": acme}
    await tools.log(
        checks,
        "a user's exchange",
        "this user",
        user_message="I am vegetarian and I dislike coriander.",
        assistant_message="I will keep that in mind.",
        **user,
    )
    await tools.log(
        checks, "a customer's exchange", "this customer", user_message="Our canteen closes at three.", customer_id=acme
    )
    await tools.log(checks, "an exchange without ids", "the shared", user_message=f"The code word of all is {marker}.")

    async def recall(query: str, **ids: str) -> str:
        return await tools.text("recall_context", query=query, **ids)

    seen = await recall("Do I like coriander?", **user)
    checks.that("the user's own is recalled", "coriander" in seen and seen.startswith("- ("), seen)
    seen = await recall("When does the canteen close?", **user)
    checks.that("the customer's is recalled for its user", "canteen closes at three" in seen, seen)
    seen = await recall("When does the canteen close?", customer_id=acme)
    checks.that("and for the customer", "canteen closes at three" in seen, seen)
    checks.that(
        "which does not see its user's", "coriander" not in (seen := await recall("coriander", customer_id=acme)), seen
    )
    for who, ids in {"a user": user, "a customer": {"customer_id": other}, "nobody in particular": {}}.items():
        checks.that(
            f"what is shared is recalled for {who}",
            marker in (seen := await recall(f"code word {marker}", **ids)),
            seen,
        )
    for who, ids in {
        "another user": {"user_id": bob, "customer_id": acme},
        "the same name at another customer": {"user_id": alice, "customer_id": other},
        "nobody in particular": {},
    }.items():
        checks.that(
            f"{who} does not get the user's", "coriander" not in (seen := await recall("coriander", **ids)), seen
        )
    for who, ids in {"another customer": {"customer_id": other}, "nobody in particular": {}}.items():
        checks.that(
            f"{who} does not get the customer's",
            "canteen closes" not in (seen := await recall("canteen closes", **ids)),
            seen,
        )

    seen = await tools.text("list_recent_memories", max_results=50, **user)
    checks.that(
        "recent memories are listed, the user's and the customer's", "coriander" in seen and "canteen" in seen, seen
    )
    seen = await tools.text("list_recent_memories", max_results=1, **user)
    checks.equal("as many as were asked for", len(seen.splitlines()), 1)
    checks.that("and the user's own first", "canteen" not in seen and marker not in seen, seen)
    stored = server.found("user", "coriander", user=alice, customer=acme)
    checks.that("what the tools stored is in the user's scope", anywhere("coriander", stored), stored)


async def waiting(checks: Checks, tools: Tools) -> None:
    """A caller may wait for the end of processing."""
    user = {"user_id": fresh("carol"), "customer_id": fresh("acme")}
    seen = await tools.text("log_exchange", user_message="My bicycle is orange.", wait_for_processing=True, **user)
    checks.that("a caller that waits is told that it is done", "Processing complete, 1 memory stored." in seen, seen)
    seen = await tools.text("recall_context", query="What colour is my bicycle?", **user)
    checks.that("and can recall it at once", "orange" in seen, seen)


async def turns_reported(checks: Checks, server: Server, tools: Tools) -> None:
    """With reports on, an exchange is also two turns of its conversation."""
    acme, alice, conversation = fresh("acme"), fresh("alice"), str(uuid.uuid4())
    exchange = {
        "user_message": "My dog is called Bruno.",
        "assistant_message": "A fine name.",
        "conversation_id": conversation,
    }
    ids = {"user_id": alice, "customer_id": acme}
    ingestion = await tools.log(checks, "an exchange with a conversation", "this user", **exchange, **ids)
    pair = [("user", exchange["user_message"]), ("assistant", exchange["assistant_message"])]
    seen = await eventually(lambda: server.turns(conversation), lambda seen: len(seen) >= len(pair))
    checks.equal("the exchange is two turns, in order", seen, pair)

    # The same report again, as after a lost answer.
    event = {"event_type": "user_message", "role": "user", "content": pair[0][1], "conversation_id": conversation}
    event |= ids | {"event_id": f"mcp:{ingestion}:user", "metadata": {"source": "mcp-server"}}
    answer = server.json("POST", "/v1/events/batch", {"events": [event]})
    checks.equal("a report that comes again is accepted", (answer["accepted"], answer["rejected"]), (1, 0))
    checks.equal(
        "and is named in the answer",
        [(one["event_id"], one["status"]) for one in answer["results"]],
        [(event["event_id"], "accepted")],
    )
    checks.equal("but is no turn again", server.turns(conversation), pair)
    # The document is the same, so its ingestion may be, and the event ids of a report are made of it.
    second = str(uuid.uuid4())
    await tools.log(
        checks, "the same exchange elsewhere", "this user", **(exchange | {"conversation_id": second}), **ids
    )
    seen = await eventually(lambda: server.turns(second), lambda seen: len(seen) >= len(pair))
    checks.equal("the same words in another conversation are turns of that one", seen, pair)
    checks.equal("and the first has no more of them", server.turns(conversation), pair)

    seen = await tools.text("recall_context", query="What is my dog called?", max_results=50, **ids)
    checks.that("the turn's text is recalled", "Bruno" in seen, seen)
    seen = await tools.text("recall_context", query="What is my dog called?", user_id=fresh("bob"), customer_id=acme)
    checks.that("but not for another user", "Bruno" not in seen, seen)

    lonely = str(uuid.uuid4())
    await tools.log(
        checks,
        "an exchange without a user",
        "this customer",
        user_message="Hello.",
        conversation_id=lonely,
        customer_id=acme,
    )
    checks.equal("without a user nothing is reported", server.turns(lonely), [])
    answer = server.json("POST", "/v1/events/batch", {"events": [event | {"event_id": fresh("event"), "user_id": ""}]})
    checks.equal("an event without a user is rejected", (answer["accepted"], answer["rejected"]), (0, 1))
    checks.that("with a reason", bool(answer["results"][0].get("reason")), answer)


async def turns_not_reported(checks: Checks, server: Server, tools: Tools) -> None:
    """As the vendor ships it, an exchange is a document and no turns."""
    conversation = str(uuid.uuid4())
    ids = {"user_id": fresh("alice"), "customer_id": fresh("acme")}
    await tools.log(
        checks, "an exchange without reports", "this user", user_message="Hello.", conversation_id=conversation, **ids
    )
    checks.equal("makes no turns", server.turns(conversation), [])


async def refusals(checks: Checks, url: str, server: Server, tools: Tools) -> None:
    """What the server refuses is shown as a sentence to act on."""
    alice = fresh("alice")
    seen = await tools.text("log_exchange", user_message="Hello.", user_id=alice)
    checks.that(
        "a user without a customer is an error that names the field",
        seen.startswith("ERROR: the memory service rejected") and "customer_id" in seen,
        seen,
    )
    seen = await tools.text("recall_context", query="Hello", user_id=alice)
    checks.that("for reading, too", seen.startswith("ERROR: recall request rejected.") and "customer_id" in seen, seen)
    seen = await tools.text("check_memory_status", ingestion_id=str(uuid.uuid4()))
    checks.that("an unknown ingestion is said to be unknown", seen.startswith("Unknown ingestion_id"), seen)
    seen = await tools.text("check_memory_status", ingestion_id="nonsense")
    checks.that(
        "and one that cannot be", seen.startswith(("Unknown ingestion_id", "ERROR: the memory service rejected")), seen
    )
    ids = {"user_id": alice, "customer_id": fresh("acme")}
    seen = await tools.text("log_exchange", user_message="long " * 500_000, **ids)
    checks.that("an exchange that is too long is an error", seen.startswith("ERROR:"), seen[:500])
    stored = server.found("user", "long", user=alice, customer=ids["customer_id"])
    checks.that("of which nothing is stored", not anywhere("long long", stored), stored)
    seen = await tools.result("log_exchange", **ids)
    checks.that("a call without a message is a tool error", seen.isError, seen)
    async with connect(url, "synap_wrong") as stranger:
        seen = await stranger.text("log_exchange", user_message="Hello.")
        checks.that("a wrong key cannot write", seen.startswith("ERROR: token rejected"), seen)
        seen = await stranger.text("recall_context", query="Hello")
        checks.equal("nor read", seen, "No memory available right now.")
        seen = await stranger.text("check_memory_status", ingestion_id=str(uuid.uuid4()))
        checks.that("nor ask for a status", seen.startswith("ERROR: token rejected"), seen)
    async with connect(url, None) as stranger:
        seen = await stranger.text("list_recent_memories")
        checks.that("nor without any key", seen.startswith("ERROR: No Synap token"), seen)


async def without_customers(checks: Checks, url: str, key: str) -> None:
    """An instance where a user is the whole identity: a customer is refused with a sentence to act on."""
    server, alice, conversation = Server(key), fresh("alice"), str(uuid.uuid4())
    async with connect(url, key) as tools:
        exchange = {"user_message": "I keep a parrot.", "conversation_id": conversation, "user_id": alice}
        await tools.log(checks, "an exchange of a user alone", "this user", **exchange)
        turns = await eventually(lambda: server.turns(conversation), bool)
        checks.equal("is a turn, too", turns, [("user", "I keep a parrot.")])
        seen = await tools.text("recall_context", query="parrot", user_id=alice)
        checks.that("is recalled for the user", "parrot" in seen, seen)
        seen = await tools.text("recall_context", query="parrot", user_id=fresh("bob"))
        checks.that("and not for another", "parrot" not in seen, seen)
        seen = await tools.text("log_exchange", customer_id="acme", **exchange)
        checks.that("a customer is refused", seen.startswith("ERROR: customer_id is not accepted"), seen)


async def scenario(checks: Checks) -> None:
    """Everything, with a limit in time."""
    server = Server()
    async with asyncio.timeout(ALL_S):
        with mcp_server(MCP_STREAM_EVENTS="1") as url:
            async with connect(url, server.key) as tools:
                await listing(checks, tools)
                await levels(checks, server, tools)
                await waiting(checks, tools)
                await turns_reported(checks, server, tools)
                await refusals(checks, url, server, tools)
            for mode in b2c_mode().values():
                await without_customers(checks, url, mode["SYNAP_API_KEY"])
        with mcp_server() as url:
            async with connect(url, server.key) as tools:
                await turns_not_reported(checks, server, tools)


def main() -> int:
    """The exit code."""
    checks = Checks("mcp")
    asyncio.run(scenario(checks))
    return checks.result()


if __name__ == "__main__":
    sys.exit(main())
