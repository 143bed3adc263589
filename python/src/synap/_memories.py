"""`sdk.memories`: to store documents and to ask how far they are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from . import _wire
from ._http import Connection
from ._parse import parse
from ._wire import Document, DocumentInput, OnConflict
from .errors import IngestionFailedError, NotYetAppliedError, invalid
from .models import BatchEntry, BatchResult, IngestionStatus, Receipt

STATUS_INTERVAL_MAX_S = 1.0


class Memories:
    """To store documents and to ask how far they are."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def create(
        self,
        document: Document,
        *,
        document_type: str = _wire.DOCUMENT_TYPE,
        document_id: str | None = None,
        document_created_at: datetime | date | str | None = None,
        user_id: str | None = None,
        customer_id: str | None = None,
        scope: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        on_conflict: OnConflict | None = None,
        idempotency_key: str | None = None,
    ) -> Receipt:
        """Stores one document. When this returns, the document is in the log and will not be lost.

        The ids decide whose memory it becomes: `customer_id` and `user_id` that user's, `customer_id` alone the
        customer's, neither the application's own. The receipt echoes it. The same content of the same document is
        stored once; other content under the same `document_id` replaces it.
        """
        given = DocumentInput(
            document=document,
            document_type=document_type,
            document_id=document_id,
            document_created_at=document_created_at,
            user_id=user_id,
            customer_id=customer_id,
            scope=scope,
            metadata=metadata,
            on_conflict=on_conflict,
        )
        body = _wire.document(given)
        headers = {}
        # No key of our own by default: one per call would hide from the server that two calls bring the same document.
        # Retries need none, since the server knows a repeated document by its content.
        if idempotency_key is not None:
            if _fits_a_header(idempotency_key):
                headers["Idempotency-Key"] = idempotency_key
            else:
                body["idempotency_key"] = idempotency_key
        answer = await self._connection.call("POST", "/api/v1/memories/create", body=body, headers=headers)
        return parse(Receipt, answer)

    async def batch_create(
        self, documents: Iterable[DocumentInput | Mapping[str, Any]], *, fail_fast: bool = False
    ) -> BatchResult:
        """Stores up to 1,000 documents, each in its own scope.

        A document that the server refuses does not stop the others unless `fail_fast`: look at `failed` and at each
        result's `error_message`.
        """
        wired = [_wire.document(given, f"documents[{at}].") for at, given in enumerate(documents)]
        body = {"documents": wired, "fail_fast": fail_fast}
        return parse(BatchResult, await self._connection.call("POST", "/api/v1/memories/batch", body=body))

    async def status(self, ingestion_id: str | Receipt | BatchEntry) -> IngestionStatus:
        """How far an ingestion is."""
        given = ingestion_id.ingestion_id if isinstance(ingestion_id, Receipt | BatchEntry) else ingestion_id
        path = f"/api/v1/memories/status/{_wire.segment('ingestion_id', str(given))}"
        return parse(IngestionStatus, await self._connection.call("GET", path))

    async def wait_for_completion(
        self, ingestion_id: str | Receipt | BatchEntry, *, timeout: float = 60.0, interval: float = 0.05
    ) -> IngestionStatus:
        """Waits until an ingestion can be read. Asks every `interval` seconds at first, later once a second.

        `NotYetAppliedError` after `timeout` seconds; `IngestionFailedError` if no memories can be made of it. To read
        one's own write, giving the receipt to a fetch as `position` is faster.
        """
        if not interval > 0:
            raise invalid("interval", "must be above 0")
        clock = asyncio.get_running_loop().time
        give_up_at = clock() + timeout
        while True:
            found = await self.status(ingestion_id)
            if found.status == "completed":
                return found
            if found.status == "failed":
                reason = found.error_message or "the server gave no reason"
                details = {"ingestion_id": found.ingestion_id, "document_id": found.document_id}
                raise IngestionFailedError(f"ingestion {found.ingestion_id} failed: {reason}", details=details)
            left_s = give_up_at - clock()
            if left_s <= 0:
                sentence = f"ingestion {found.ingestion_id} is still {found.status} after {timeout:g} s"
                raise NotYetAppliedError(sentence, details={"ingestion_id": found.ingestion_id})
            await asyncio.sleep(min(interval, left_s))
            interval = min(interval * 1.5, max(interval, STATUS_INTERVAL_MAX_S))


def _fits_a_header(key: str) -> bool:
    # Headers carry ASCII and lose spaces at the ends; the body field carries anything, and lets the server refuse "".
    return bool(key) and key.isascii() and key.isprintable() and key == key.strip()
