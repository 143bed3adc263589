"""What can go wrong, as exceptions: one class per thing that a caller can do about it.

The sentence of an error is the server's own wherever there is one. Nothing here holds memory text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SynapError(Exception):
    """Any refusal or failure. `str(error)` is a sentence for a person."""

    #: Whether the same call can succeed later.
    retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        details: Mapping[str, Any] | None = None,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        #: The sentence.
        self.message = message
        #: The server's name for it, such as `INVALID_INPUT`; None if no server said so.
        self.code = code
        #: The sentence in parts, such as `field`, `limit` and `value`.
        self.details: dict[str, Any] = dict(details or {})
        #: HTTP status; None if there was no answer.
        self.status = status
        #: Seconds after which the server wants to be asked again, if it said so.
        self.retry_after = retry_after


class InvalidInputError(SynapError):
    """The request is wrong. Do not repeat it unchanged."""

    @property
    def field(self) -> str | None:
        """What is wrong, such as `user_id` or `documents[3].document`."""
        field = self.details.get("field")
        return field if isinstance(field, str) else None


class AuthenticationError(SynapError):
    """No API key, or not one that the server knows."""


class NotFoundError(SynapError):
    """No such thing, or somebody else's: the two are not told apart."""


class ConflictError(SynapError):
    """It contradicts what is stored."""


class TranscriptConflictError(ConflictError):
    """The conversation was ingested with another transcript."""


class UnsupportedMediaTypeError(InvalidInputError):
    """A file of a kind that the server does not read; the sentence lists the kinds that it does."""


class RateLimitError(SynapError):
    """Too many requests. Repeat after `retry_after` seconds."""

    retryable = True


class ServiceUnavailableError(SynapError):
    """The server cannot do this now. Repeat later."""

    retryable = True


class NotYetAppliedError(ServiceUnavailableError):
    """What was asked for is safe in the log, but was not readable within the given time. Repeat later."""


class IngestionFailedError(SynapError):
    """An accepted document could not be turned into memories; the server keeps it aside."""


class ServerError(SynapError):
    """A defect of the server; the cause stands in its log."""


class UnexpectedAnswerError(SynapError):
    """The answer is none of synap's: something else may be listening at the base URL."""


class TransportError(SynapError):
    """No answer: the server is not running, not there, or too slow."""

    retryable = True


# By status, for every code of the server but those below.
_BY_STATUS: dict[int, type[SynapError]] = {
    400: InvalidInputError,
    401: AuthenticationError,
    403: AuthenticationError,
    404: NotFoundError,
    409: ConflictError,
    413: InvalidInputError,
    415: UnsupportedMediaTypeError,
    422: InvalidInputError,
    429: RateLimitError,
    502: ServiceUnavailableError,
    503: ServiceUnavailableError,
    504: ServiceUnavailableError,
}

# Codes that say more than their status.
_BY_CODE: dict[str, type[SynapError]] = {
    "NOT_YET_APPLIED": NotYetAppliedError,
    "TRANSCRIPT_CONFLICT": TranscriptConflictError,
}


def error_of(status: int, body: object, *, retry_after: float | None = None) -> SynapError:
    """The error that an answer with this status and body (parsed JSON, or None) means."""
    fields = body if isinstance(body, Mapping) else {}
    code = _text(fields.get("code")) or _text(fields.get("error"))
    message = _text(fields.get("message")) or _text(fields.get("detail"))
    details = fields.get("details")
    kind = _BY_CODE.get(code or "") or _BY_STATUS.get(status)
    if kind is None:
        kind = ServerError if 500 <= status < 600 else SynapError  # noqa: PLR2004
    return kind(
        message or f"the server answered {status} and gave no reason",
        code=code,
        details=details if isinstance(details, Mapping) else None,
        status=status,
        retry_after=retry_after,
    )


def invalid(field: str, problem: str) -> InvalidInputError:
    """A refusal of the client's own, worded as the server words them: `problem` reads on after the field's name."""
    return InvalidInputError(f"{field} {problem}", code="INVALID_INPUT", details={"field": field})


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
