"""`sdk.memories`: to store documents, to ask how far they are, and to change or forget single memories."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any, BinaryIO, TypeAlias

from . import _upload, _wire
from ._http import Connection
from ._parse import parse
from ._wire import Document, DocumentInput, ForgetMode, Id, MergeStrategy, Moment, OnConflict
from .errors import IngestionFailedError, NotYetAppliedError, invalid
from .models import (
    BatchEntry,
    BatchResult,
    DeletedMemory,
    ForgetResponse,
    IngestionStatus,
    Memory,
    MovedMemory,
    Receipt,
    TranscriptReceipt,
    UndoneChange,
)

#: An ingestion, by its id or by what was answered to the write.
Ingestion: TypeAlias = Id | Receipt | BatchEntry | TranscriptReceipt

STATUS_INTERVAL_MAX_S = 1.0


class Memories:
    """To store documents, to ask how far they are, and to change or forget single memories."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def create(
        self,
        document: Document,
        *,
        document_type: str = _wire.DOCUMENT_TYPE,
        document_id: str | None = None,
        document_created_at: Moment | None = None,
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
        # No key of our own by default: one per call would hide from the server that two calls bring the same document.
        # Retries need none, since the server knows a repeated document by its content.
        headers = _wire.key_headers(idempotency_key, body)
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

    async def create_from_file(
        self,
        *,
        file_path: str | PathLike[str] | None = None,
        file: bytes | BinaryIO | None = None,
        filename: str | None = None,
        text: str | None = None,
        document_type: str | None = None,
        document_id: str | None = None,
        document_created_at: Moment | None = None,
        user_id: str | None = None,
        customer_id: str | None = None,
        scope: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        on_conflict: OnConflict | None = None,
        idempotency_key: str | None = None,
    ) -> Receipt:
        """Stores what is in a file: at `file_path`, or the bytes of `file`, or a `text`; one of the three.

        The server reads plain text, Markdown, CSV, JSON, HTML, PDF and e-mail, up to 8 MiB, and tells them apart by
        content and name; anything else is an `UnsupportedMediaTypeError`. Without a `document_id` the document is
        called like the file: another file of that name, in the same scope, replaces it. Type and date come from the
        file where they are not given.
        """
        fields = {
            "document_type": document_type,
            "document_id": document_id,
            "document_created_at": document_created_at,
            "user_id": user_id,
            "customer_id": customer_id,
            "scope": scope,
            "metadata": metadata,
            "on_conflict": on_conflict,
        }
        _wire.refuse_empty_ids(fields)
        fields = _wire.without_unset(fields)
        headers = _wire.key_headers(idempotency_key, fields)
        form = await _upload.form(fields, file_path=file_path, file=file, filename=filename, text=text)
        answer = await self._connection.call("POST", "/api/v1/memories/upload", body=form, headers=headers)
        return parse(Receipt, answer)

    async def get(self, memory_id: Id) -> Memory:
        """One memory by the id that it has in answers. `NotFoundError` if it was forgotten or replaced."""
        return parse(Memory, await self._connection.call("GET", _path_of(memory_id)))

    async def update(
        self,
        memory_id: Id,
        document: Document,
        *,
        merge_strategy: MergeStrategy = "smart-merge",
        document_type: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Memory:
        """Gives a memory other content, and answers with it as it is then.

        `replace` takes the new content alone; `append` puts it after the old one; `smart-merge` goes sentence by
        sentence: what is known is dropped, what says otherwise takes the old one's place, the rest is appended.
        `metadata` replaces the old one, if given.
        """
        body = _wire.without_unset(
            {
                "document": document,
                "merge_strategy": merge_strategy,
                "document_type": document_type,
                "metadata": metadata,
            }
        )
        return parse(Memory, await self._connection.call("PATCH", _path_of(memory_id), body=body, name_call=True))

    async def delete(self, memory_id: Id) -> DeletedMemory:
        """Forgets one memory: nobody is told it any more, and it does not come back with its document.

        Doing it again is no error.
        """
        return parse(DeletedMemory, await self._connection.call("DELETE", _path_of(memory_id)))

    async def promote(
        self,
        memory_id: Id,
        to: str,
        *,
        confirm: bool = False,
        user_id: str | None = None,
        customer_id: str | None = None,
        scope: Mapping[str, str] | None = None,
    ) -> MovedMemory:
        """Moves a memory to a wider scope of its own chain: `customer`, `client`, or a level between.

        `client` only with `confirm`: every customer is told it then. Ids that are given have to be the memory's own.
        Doing it again is no error.
        """
        body = _moving(to, user_id, customer_id, scope)
        if confirm:
            body["confirm"] = True
        answer = await self._connection.call("POST", f"{_ours(memory_id)}/promote", body=body, name_call=True)
        return parse(MovedMemory, answer)

    async def demote(
        self,
        memory_id: Id,
        to: str,
        *,
        user_id: str | None = None,
        customer_id: str | None = None,
        scope: Mapping[str, str] | None = None,
    ) -> MovedMemory:
        """Moves a memory to a narrower scope below its own; the ids say whose.

        Doing it again is no error.
        """
        body = _moving(to, user_id, customer_id, scope)
        answer = await self._connection.call("POST", f"{_ours(memory_id)}/demote", body=body, name_call=True)
        return parse(MovedMemory, answer)

    async def undo(self, event_id: Id) -> UndoneChange:
        """Takes back the last change of a memory (an update, forgetting, a move, an undo), or of a document.

        `ConflictError` if it is not the last one, or an erasure. Doing it again is no error.
        """
        path = f"/v1/events/{_wire.segment('event_id', event_id)}/undo"
        return parse(UndoneChange, await self._connection.call("POST", path, name_call=True))

    async def forget(
        self,
        description: str,
        *,
        user_id: str | None = None,
        customer_id: str | None = None,
        scope: Mapping[str, str] | None = None,
        mode: ForgetMode = "preview",
    ) -> ForgetResponse:
        """Forgets what a description of 3 to 500 characters means among one user's own memories.

        `preview` only says which they are; `direct` forgets them.
        """
        ids = {"user_id": user_id, "customer_id": customer_id, "scope": scope}
        _wire.refuse_empty_ids(ids)
        body = _wire.without_unset({"description": description, "mode": mode, **ids})
        answer = await self._connection.call("POST", "/api/v1/memories/forget", body=body, name_call=True)
        return parse(ForgetResponse, answer)

    async def status(self, ingestion_id: Ingestion) -> IngestionStatus:
        """How far an ingestion is."""
        if isinstance(ingestion_id, Receipt | BatchEntry | TranscriptReceipt):
            ingestion_id = ingestion_id.ingestion_id
        path = f"/api/v1/memories/status/{_wire.segment('ingestion_id', ingestion_id)}"
        return parse(IngestionStatus, await self._connection.call("GET", path))

    async def wait_for_completion(
        self, ingestion_id: Ingestion, *, timeout: float = 60.0, interval: float = 0.05
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
            left_s = give_up_at - clock()
            try:
                found = await self.status(ingestion_id)
            except NotYetAppliedError:
                # The server is behind with everything: so it is with this.
                if left_s <= 0:
                    raise
            else:
                if found.status == "completed":
                    return found
                if found.status == "failed":
                    reason = found.error_message or "the server gave no reason"
                    details = {"ingestion_id": found.ingestion_id, "document_id": found.document_id}
                    raise IngestionFailedError(f"ingestion {found.ingestion_id} failed: {reason}", details=details)
                if left_s <= 0:
                    sentence = f"ingestion {found.ingestion_id} is still {found.status} after {timeout:g} s"
                    raise NotYetAppliedError(sentence, details={"ingestion_id": found.ingestion_id})
            await asyncio.sleep(max(0, min(interval, left_s)))
            interval = min(interval * 1.5, max(interval, STATUS_INTERVAL_MAX_S))


def _moving(to: str, user_id: str | None, customer_id: str | None, scope: Mapping[str, str] | None) -> dict[str, Any]:
    ids = {"user_id": user_id, "customer_id": customer_id, "scope": scope}
    _wire.refuse_empty_ids(ids)
    return _wire.without_unset({"to": to, **ids})


def _ours(memory_id: Id) -> str:
    return f"/v1/memories/{_wire.segment('memory_id', memory_id)}"


def _path_of(memory_id: Id) -> str:
    return f"/api/v1/memories/{_wire.segment('memory_id', memory_id)}"
