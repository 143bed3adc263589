"""From answers, and from their absence, to errors."""

import pickle

import httpx
import pytest

import synap
from fake import refusal
from synap import (
    AuthenticationError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    NotYetAppliedError,
    RateLimitError,
    ServerError,
    ServiceUnavailableError,
    SynapError,
    TranscriptConflictError,
    TransportError,
    UnexpectedAnswerError,
    UnsupportedMediaTypeError,
)

TABLE = [
    (400, "INVALID_INPUT", InvalidInputError, False),
    (401, "UNAUTHORIZED", AuthenticationError, False),
    (404, "NOT_FOUND", NotFoundError, False),
    (405, "METHOD_NOT_ALLOWED", SynapError, False),
    (409, "CONFLICT", ConflictError, False),
    (409, "TRANSCRIPT_CONFLICT", TranscriptConflictError, False),
    (415, "UNSUPPORTED_MEDIA_TYPE", UnsupportedMediaTypeError, False),
    (429, "RATE_LIMITED", RateLimitError, True),
    (503, "NOT_YET_APPLIED", NotYetAppliedError, True),
    (503, "UNAVAILABLE", ServiceUnavailableError, True),
    (500, "INTERNAL", ServerError, False),
    # Codes that this client does not know yet.
    (403, "FORBIDDEN", AuthenticationError, False),
    (413, "TOO_LARGE", InvalidInputError, False),
    (418, "TEAPOT", SynapError, False),
    (504, "SLOW", ServiceUnavailableError, True),
    (507, "FULL", ServerError, False),
]


@pytest.mark.parametrize(("status", "code", "kind", "retryable"), TABLE)
async def test_every_code_has_its_error(client, status, code, kind, retryable):
    sdk = client(lambda _: refusal(status, code, "the server's sentence", field="user_id", limit=256), max_retries=0)
    with pytest.raises(SynapError) as refused:
        await sdk.whoami()
    error = refused.value
    assert type(error) is kind
    assert str(error) == error.message == "the server's sentence"
    assert (error.status, error.code, error.retryable) == (status, code, retryable)
    assert error.details == {"field": "user_id", "limit": 256}
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(again), str(again), again.__dict__) == (kind, str(error), error.__dict__)


async def test_errors_with_names_of_their_own_are_still_of_their_kind(client):
    # As the server words it: the vendor's clients read a code in `detail`.
    conflict = {"code": "transcript_conflict", "message": "another transcript"}
    body = {"error": "TRANSCRIPT_CONFLICT", "code": "TRANSCRIPT_CONFLICT", "message": "another", "detail": conflict}
    sdk = client(lambda _: httpx.Response(409, json=body))
    with pytest.raises(ConflictError, match="^another$"):
        await sdk.conversation.ingest_transcript("c", "al", "User: hi")
    sdk = client(lambda _: refusal(415, "UNSUPPORTED_MEDIA_TYPE", "file is of a kind that is not read", field="file"))
    with pytest.raises(InvalidInputError) as refused:
        await sdk.memories.create_from_file(file=b"PK\x03\x04", filename="a.zip")
    assert refused.value.field == "file"


async def test_invalid_input_names_the_field(client):
    sdk = client(lambda _: refusal(400, "INVALID_INPUT", "user_id has 257 bytes, the limit is 256", field="user_id"))
    with pytest.raises(InvalidInputError) as refused:
        await sdk.whoami()
    assert refused.value.field == "user_id"
    assert InvalidInputError("of a proxy", details={"field": 7}).field is None


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"", b'"text"', b'{"code": 7, "message": null, "details": []}'])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AuthenticationError),
        (413, InvalidInputError),
        (429, RateLimitError),
        (500, ServerError),
        (502, ServiceUnavailableError),
    ],
)
async def test_answers_of_proxies_have_errors_too(client, status, kind, body):
    sdk = client(lambda _: httpx.Response(status, content=body), max_retries=0)
    with pytest.raises(kind, match=f"the server answered {status} and gave no reason"):
        await sdk.whoami()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"client_id": 7}'),
        (200, b"\xff"),
        (204, b""),
        (302, b""),
        (404, b"<html>"),
    ],
)
async def test_answers_of_something_else_say_so(client, status, body):
    sdk = client(lambda _: httpx.Response(status, content=body))
    with pytest.raises(UnexpectedAnswerError, match=r"SYNAP_BASE_URL|client_id: Input should be") as refused:
        await sdk.whoami()
    assert not refused.value.retryable


async def test_unreadable_answers_do_not_show_memory_text(client):
    item = {"id": "m", "content": ["secret"], "memory_type": "fact", "scope": "user", "rank": 1, "document_id": "d"}
    for context in ({"facts": [item]}, "secret"):
        sdk = client(lambda _, context=context: httpx.Response(200, json={"context": context}))
        with pytest.raises(UnexpectedAnswerError) as refused:
            await sdk.client.context.fetch()
        assert "secret" not in str(refused.value)
        assert refused.value.__cause__ is None


async def test_no_answer_says_where_and_what_to_check(client):
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    with pytest.raises(TransportError) as failed:
        await client(refuse, max_retries=0).whoami()
    sentence = str(failed.value)
    assert sentence.startswith("no answer from synap at http://127.0.0.1:7117: connection refused")
    assert "synap serve" in sentence
    assert isinstance(failed.value.__cause__, httpx.ConnectError)


def test_every_error_is_exported():
    kinds = {name for name, value in vars(synap.errors).items() if isinstance(value, type) and name.endswith("Error")}
    assert kinds <= set(synap.__all__)
