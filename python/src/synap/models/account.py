"""Whose key it is, how the server is, and what it costs."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from .base import Answer


class WhoAmI(Answer):
    """Whose key it is."""

    client_id: str
    instance_id: str
    #: `strict`: a user is named with its customer. `equals_customer`: by `user_id` alone.
    user_context_isolation: str | None = None


class Health(Answer):
    """How the server is."""

    status: str | None = None


class CreditBucket(Answer):
    """A part of a balance."""

    source_type: str
    balance: float
    expires_at: datetime | None = None


class CreditBalance(Answer):
    """What is left. A server of one's own takes nothing: `unlimited`."""

    client_id: str
    balance_credits: float
    unlimited: bool = False
    warning_low: bool = False
    buckets: list[CreditBucket] = Field(default_factory=list)


class CreditLedgerEntry(Answer):
    """One booking."""

    ledger_id: str
    entry_type: str
    delta: float
    metric_type: str | None = None
    category: str | None = None
    created_at: datetime | None = None


class CreditLedgerPage(Answer):
    """Bookings, from `offset` on."""

    entries: list[CreditLedgerEntry] = Field(default_factory=list)
    total: int
    limit: int
    offset: int


class CreditEstimate(Answer):
    """What something would cost."""

    credits_estimate: float
    unlimited: bool = False


class RedeemResult(Answer):
    """What a code brought."""

    redemption_id: str
    credits_granted: float
    new_balance_credits: float
    expires_at: datetime | None = None
