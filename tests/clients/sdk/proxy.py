"""A small HTTP proxy that loses answers or refuses requests when it is told to, and remembers what passed."""

import asyncio
import contextlib
from collections import defaultdict
from dataclasses import dataclass
from typing import Self

import httpx

# Faults, each for one request: the server has done its work and the answer is lost …
LOSE = "lose"
# … or it is never asked.
TOO_MANY = "429"
UNAVAILABLE = "503"

REFUSALS = {
    TOO_MANY: b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\n",
    UNAVAILABLE: b"HTTP/1.1 503 Service Unavailable\r\n",
}
REFUSAL_BODY = b'{"error":"busy","detail":"try again later"}'


@dataclass
class Passed:
    """A request, and the status that the server answered; 0 if it was not asked."""

    method: str
    path: str
    headers: httpx.Headers
    body: bytes
    status: int = 0


class Proxy:
    def __init__(self, upstream: str) -> None:
        self.upstream = httpx.AsyncClient(base_url=upstream, timeout=30, trust_env=False)
        self.passed: list[Passed] = []
        self.faults: defaultdict[str, list[str]] = defaultdict(list)
        self.tasks: set[asyncio.Task] = set()

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.upstream.aclose()

    def fail(self, path: str, *faults: str) -> None:
        """The next requests to the path meet these faults, one each."""
        self.faults[path] += faults

    def sent(self, path: str) -> list[Passed]:
        """What the client sent to a path."""
        return [request for request in self.passed if request.path == path]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await self.one(reader, writer):
                await writer.drain()
        writer.close()

    async def one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serves one request; false when the connection is to be closed without a word."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = httpx.Headers([tuple(line.split(": ", 1)) for line in head[1:] if line])
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        request = Passed(method, target.split("?")[0], headers, body)
        self.passed.append(request)
        planned = self.faults[request.path]
        fault = planned.pop(0) if planned else None
        if fault in REFUSALS:
            writer.write(REFUSALS[fault] + f"Content-Length: {len(REFUSAL_BODY)}\r\n\r\n".encode() + REFUSAL_BODY)
            return True
        passed_on = {name: value for name, value in headers.items() if name not in {"host", "connection"}}
        answer = await self.upstream.request(method, target, headers=passed_on, content=body)
        request.status = answer.status_code
        if fault == LOSE:
            return False
        kind = answer.headers.get("content-type", "application/json")
        line = f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}\r\nContent-Type: {kind}\r\n"
        writer.write(f"{line}Content-Length: {len(answer.content)}\r\n\r\n".encode() + answer.content)
        return True
