"""`sdk.data` and `sdk.credits`: to delete all that is remembered of somebody, and what it costs."""

from __future__ import annotations

from . import _wire
from ._context import Part
from ._parse import parse
from ._wire import DeleteScope, Id, Moment
from .models import CreditBalance, CreditEstimate, CreditLedgerPage, DeleteDataResult, RedeemResult


class Data(Part):
    """To delete all that is remembered of a user, a customer, a conversation or a document."""

    async def delete(
        self,
        scope: DeleteScope,
        *,
        user_id: str | None = None,
        customer_id: str | None = None,
        conversation_id: Id | None = None,
        document_id: str | None = None,
        memory_id: Id | None = None,
        dry_run: bool = False,
        confirm: str | None = None,
    ) -> DeleteDataResult:
        """Deletes what is remembered of a `user`, a `customer` (its users included), a `conversation` or a `document`.

        A `memory` goes with what it was derived from, if nothing else was; else there is an `InvalidInputError`.
        Nothing of it is told any more when this returns, and its bytes begin to go: `still_present_in` says where they
        are, until `status` tells that it is `fully_removed`. `dry_run` only counts; else `confirm` must repeat the id
        of what is deleted.
        """
        ids = {
            "user_id": user_id,
            "customer_id": customer_id,
            "conversation_id": conversation_id,
            "document_id": document_id,
            "memory_id": memory_id,
        }
        _wire.refuse_empty_ids(ids)
        body = _wire.without_unset({"scope": scope, **ids, "dry_run": dry_run, "confirm": confirm})
        answer = await self._connection.call("POST", "/v1/data/delete", body=body, name_call=True)
        return parse(DeleteDataResult, answer)

    async def status(self, deletion_id: Id) -> DeleteDataResult:
        """What became of a deletion. `NotFoundError` of a dry run, which is not kept."""
        path = f"/v1/data/delete/{_wire.segment('deletion_id', deletion_id)}"
        return parse(DeleteDataResult, await self._connection.call("GET", path))


class Credits(Part):
    """What it costs: nothing, on a server of one's own. Here so that code which asks keeps working."""

    async def get_balance(self) -> CreditBalance:
        """What is left."""
        return parse(CreditBalance, await self._connection.call("GET", "/v1/credits/balance"))

    async def get_ledger(
        self,
        *,
        entry_type: str | None = None,
        from_time: Moment | None = None,
        to_time: Moment | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> CreditLedgerPage:
        """What was booked."""
        values = {"from": from_time, "to": to_time, "entry_type": entry_type, "limit": limit, "offset": offset}
        query = _wire.query(**_wire.without_unset(values))
        return parse(CreditLedgerPage, await self._connection.call("GET", f"/v1/credits/ledger{query}"))

    async def estimate(
        self,
        *,
        metric_type: str,
        units: float,
        item_count: int | None = None,
        endpoint: str | None = None,
        mode: str | None = None,
    ) -> CreditEstimate:
        """What something would cost."""
        body = _wire.without_unset(
            {
                "metric_type": metric_type,
                "units": units,
                "item_count": item_count,
                "endpoint": endpoint,
                "mode": mode,
            }
        )
        return parse(CreditEstimate, await self._connection.call("POST", "/v1/credits/estimate", body=body))

    async def redeem(self, code: str) -> RedeemResult:
        """Redeems a code."""
        answer = await self._connection.call("POST", "/v1/credits/redeem", body={"code": code}, name_call=True)
        return parse(RedeemResult, answer)
