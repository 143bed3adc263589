"""Client of synap, the event-sourced memory store for AI agents.

The main job::

    from synap import Synap

    sdk = Synap(api_key="your_api_key")
    await sdk.memories.create(document="…", document_type="document", customer_id="acme_corp")
    context = await sdk.user.context.fetch(
        user_id="user_alice", customer_id="acme_corp", search_query=["when can I deploy to production"]
    )
    context.facts, context.preferences
"""

from ._client import Synap
from ._wire import DocumentInput
from .errors import (
    AuthenticationError,
    ConflictError,
    IngestionFailedError,
    InvalidInputError,
    NotFoundError,
    NotYetAppliedError,
    RateLimitError,
    ServerError,
    ServiceUnavailableError,
    SynapError,
    TransportError,
    UnexpectedAnswerError,
)
from .models import (
    BatchEntry,
    BatchResult,
    ContextItem,
    ContextResponse,
    Emotion,
    Episode,
    Fact,
    Health,
    IngestionStatus,
    ItemExplain,
    Preference,
    Receipt,
    ScopeReport,
    TemporalEvent,
    WhoAmI,
)

__all__ = [
    "AuthenticationError",
    "BatchEntry",
    "BatchResult",
    "ConflictError",
    "ContextItem",
    "ContextResponse",
    "DocumentInput",
    "Emotion",
    "Episode",
    "Fact",
    "Health",
    "IngestionFailedError",
    "IngestionStatus",
    "InvalidInputError",
    "ItemExplain",
    "NotFoundError",
    "NotYetAppliedError",
    "Preference",
    "RateLimitError",
    "Receipt",
    "ScopeReport",
    "ServerError",
    "ServiceUnavailableError",
    "Synap",
    "SynapError",
    "TemporalEvent",
    "TransportError",
    "UnexpectedAnswerError",
    "WhoAmI",
]
