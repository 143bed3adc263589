"""Retries: of what, how often, and after which pauses."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from fake import Fake, refusal
from synap import (
    ConflictError,
    NotYetAppliedError,
    RateLimitError,
    ServiceUnavailableError,
    TransportError,
)
from synap._http import BACKOFF_MAX_S, pause_before_retry, retry_after_s


class Flaky:
    """Fails with each of `failures` in turn, then answers as the fake does."""

    def __init__(self, *failures) -> None:
        self.failures, self.sends, self.bodies, self.fake = list(failures), 0, [], Fake()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sends += 1
        self.bodies.append((request.content, request.headers.get("Idempotency-Key")))
        failure = self.failures.pop(0) if self.failures else None
        if failure is None:
            return self.fake.answer(request)
        if isinstance(failure, httpx.Response):
            return failure
        raise failure


def unavailable(**headers: str) -> httpx.Response:
    answer = refusal(503, "UNAVAILABLE", "the log does not answer")
    return httpx.Response(503, content=answer.content, headers=headers)


async def test_a_call_outlives_two_failures(client, pauses):
    flaky = Flaky(httpx.ConnectError("refused"), unavailable())
    receipt = await client(flaky).memories.create(document="text", idempotency_key="k")
    assert (flaky.sends, receipt.duplicate) == (3, False)
    assert len(set(flaky.bodies)) == 1
    assert flaky.bodies[0][1] == "k"
    assert 0.1 <= pauses[0] <= 0.2 <= pauses[1] <= 0.4


async def test_a_create_that_arrived_unseen_is_stored_once(client):
    fake, lost = Fake(), [True]

    def lose_the_answer(request: httpx.Request) -> httpx.Response:
        answer = fake.answer(request)
        if lost and lost.pop():
            raise httpx.ReadError("connection reset")
        return answer

    receipt = await client(lose_the_answer).memories.create(document="text", customer_id="acme")
    assert receipt.duplicate
    assert [memory.text for memory in fake.memories] == ["text"]


async def test_a_turn_that_arrived_unseen_is_recorded_once(client):
    fake, lost = Fake(), [True]

    def lose_the_answer(request: httpx.Request) -> httpx.Response:
        answer = fake.answer(request)
        if lost and lost.pop():
            raise httpx.ReadError("connection reset")
        return answer

    sdk = client(lose_the_answer)
    receipt = await sdk.conversation.record_message("c", "user", "yes", "al", customer_id="acme")
    assert (receipt.duplicate, receipt.conversation_message_count) == (True, 1)
    # What is said twice was said twice, unless the caller says that it was not.
    again = await sdk.conversation.record_message("c", "user", "yes", "al", customer_id="acme")
    assert (again.duplicate, again.conversation_message_count) == (False, 2)
    for duplicate in (False, True):
        keyed = await sdk.conversation.record_message("c", "user", "yes", "al", idempotency_key="k")
        assert (keyed.duplicate, keyed.conversation_message_count) == (duplicate, 3)
    assert [turn["content"] for turn in fake.turns["c"]] == ["yes"] * 3


WRITES = {
    "record_message": lambda sdk: sdk.conversation.record_message("c", "user", "text", "al"),
    "record_messages_batch": lambda sdk: sdk.conversation.record_messages_batch([]),
    "ingest_transcript": lambda sdk: sdk.conversation.ingest_transcript("c", "al", "User: hi"),
    "compact": lambda sdk: sdk.conversation.context.compact("c"),
    "update": lambda sdk: sdk.memories.update("m", "text"),
    "forget": lambda sdk: sdk.memories.forget("the bike", user_id="al"),
    "data.delete": lambda sdk: sdk.data.delete("user", user_id="al", confirm="al"),
    "redeem": lambda sdk: sdk.credits.redeem("code"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_all_tries_of_a_write_carry_one_name(client, write):
    names = []

    def refuse(request: httpx.Request) -> httpx.Response:
        names.append(request.headers["X-Correlation-ID"])
        return unavailable()

    sdk = client(refuse)
    for _ in range(2):
        with pytest.raises(ServiceUnavailableError):
            await write(sdk)
    assert len(names) == 6
    assert len(set(names[:3])) == len(set(names[3:])) == 1
    assert names[0] != names[3]


@pytest.mark.parametrize("retries", [0, 1, 4])
async def test_retries_end(client, pauses, retries):
    flaky = Flaky(*[httpx.ReadTimeout("") for _ in range(20)])
    with pytest.raises(TransportError, match="ReadTimeout"):
        await client(flaky, max_retries=retries).client.context.fetch()
    assert (flaky.sends, len(pauses)) == (retries + 1, retries)


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (refusal(409, "CONFLICT", "exists"), ConflictError),
        # The server has waited as long as the caller allowed.
        (refusal(503, "NOT_YET_APPLIED", "behind"), NotYetAppliedError),
        (httpx.LocalProtocolError("illegal header"), TransportError),
        (httpx.UnsupportedProtocol("gopher"), TransportError),
        (unavailable(**{"Retry-After": "3600"}), ServiceUnavailableError),
    ],
)
async def test_what_would_not_help_is_not_tried(client, failure, kind):
    flaky = Flaky(failure)
    with pytest.raises(kind):
        await client(flaky).whoami()
    assert flaky.sends == 1


async def test_health_is_not_retried(client):
    flaky = Flaky(unavailable())
    with pytest.raises(ServiceUnavailableError):
        await client(flaky).health()
    assert flaky.sends == 1


async def test_the_server_says_how_long_to_wait(client, pauses):
    flaky = Flaky(unavailable(**{"Retry-After": "2"}), httpx.Response(429, headers={"Retry-After": "3"}))
    await client(flaky).whoami()
    assert pauses == [2, 3]


async def test_the_error_tells_how_long_to_wait(client):
    with pytest.raises(RateLimitError) as refused:
        await client(Flaky(httpx.Response(429, headers={"Retry-After": "60"}))).whoami()
    assert refused.value.retry_after == 60


def test_pauses_grow_to_a_bound():
    error = ServiceUnavailableError("busy")
    pauses = [pause_before_retry(error, attempt) for attempt in range(60)]
    assert all(pause is not None and 0.1 <= pause <= BACKOFF_MAX_S for pause in pauses)
    assert all(pause is not None and pause >= BACKOFF_MAX_S / 2 for pause in pauses[6:])


def test_retry_after_is_a_number_or_a_date():
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 80 < (retry_after_s(later) or 0) <= 90
    for header, seconds in [
        (None, None),
        ("5", 5),
        ("1.5", 1.5),
        ("-1", 0),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
    ]:
        assert retry_after_s(header) == seconds, header
