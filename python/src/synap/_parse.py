"""From an answer to its model."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from .errors import UnexpectedAnswerError
from .models import Answer, ContextResponse

T = TypeVar("T", bound=Answer)


def parse(model: type[T], answer: dict[str, Any]) -> T:
    """The answer as a `model`."""
    try:
        return model.model_validate(answer)
    except ValidationError as problem:
        raise _unexpected(problem) from None


def parse_context(answer: dict[str, Any]) -> ContextResponse:
    """The answer to a fetch."""
    try:
        return ContextResponse.from_answer(answer)
    except (ValidationError, TypeError) as problem:
        raise _unexpected(problem) from None


def _unexpected(problem: ValidationError | TypeError) -> UnexpectedAnswerError:
    # Only the field and the rule: the values may be memory text.
    if isinstance(problem, ValidationError):
        first = problem.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = f"{where}: {first['msg']}"
    else:
        reason = "context is no object"
    return UnexpectedAnswerError(f"this client cannot read the server's answer: {reason}", status=200)
