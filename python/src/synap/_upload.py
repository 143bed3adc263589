"""A file, or a text, as the form in which the server takes uploads."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from ._http import Form, encode
from .errors import invalid

# What the server takes as a whole body. Reading more than that is of no use.
FILE_BYTES_MAX = 8 * 1024 * 1024


async def form(
    fields: Mapping[str, Any],
    *,
    file_path: str | PathLike[str] | None,
    file: bytes | BinaryIO | None,
    filename: str | None,
    text: str | None,
) -> Form:
    """The form of an upload. Fields that are objects stand in it as JSON."""
    if sum(given is not None for given in (file_path, file, text)) != 1:
        raise invalid("file", "or file_path or text is required, and one of them alone")
    # Also refuses what is no text, by its name.
    encode({**fields, "filename": filename, "text": text})
    values = {name: value if isinstance(value, str) else encode(value).decode() for name, value in fields.items()}
    if text is not None:
        return _encoded({**values, "text": text}, None)
    if file_path is not None:
        filename = filename or Path(file_path).name
        content = await asyncio.to_thread(_read, file_path)
    else:
        content = file if isinstance(file, bytes) else await asyncio.to_thread(_read_open, file)
    if len(content) > FILE_BYTES_MAX:
        raise invalid("file", f"has over {FILE_BYTES_MAX} bytes, which is the limit")
    return _encoded(values, {"file": (filename, content)})


def _encoded(values: Mapping[str, str], files: Any) -> Form:
    request = httpx.Request("POST", "http://form", data=values, files=files)
    return Form(request.headers["Content-Type"], request.read())


def _read(path: str | PathLike[str]) -> bytes:
    with Path(fspath(path)).open("rb") as file:
        return file.read(FILE_BYTES_MAX + 1)


def _read_open(file: BinaryIO | None) -> bytes:
    content = file.read(FILE_BYTES_MAX + 1) if file is not None else b""
    if not isinstance(content, bytes):
        raise invalid("file", "must be open for bytes, not for text")
    return content
