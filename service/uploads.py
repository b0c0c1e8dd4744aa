"""Forms with files, limited while they arrive.

A form is read part by part as its bytes come: a file goes to a temporary file, and is hashed on the
way; whatever is too large, too slow or not expected ends the upload at once. The temporary files
are deleted when the request has been answered, in whatever way, also when the client has gone.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import Depends, Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from fft_tool.limits import MIB
from fft_tool.stores.folder import translated
from service.access import PartsHere
from service.errors import BadRequest, NotMultipart, TooLarge, TooSlow
from service.settings import Settings

FIELD_BYTES = 16 << 10  # of a field that is not a file
HEADER_BYTES = 4 << 10  # of all headers of a part, names included
FILENAME = 255  # characters that are kept
FRAME_BYTES = 64 << 10  # of a body beside its files: fields, headers, boundaries

_WRITTEN = MIB  # bytes that are collected before they are hashed and written, in a thread
_ENCODINGS = ("", "7bit", "8bit", "binary")


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Limits of one form: ``size`` in bytes of each file, and times in seconds.

    ``seconds`` is for the whole form, ``idle_seconds`` for the time without any byte. Temporary
    files are made in ``folder``.
    """

    size: int
    seconds: float
    idle_seconds: float
    folder: Path

    @classmethod
    def of(cls, settings: Settings) -> UploadLimits:
        """The limits that the settings say."""
        return cls(
            settings.max_upload_bytes,
            settings.upload_seconds,
            settings.upload_idle_seconds,
            settings.temporary,
        )


@dataclass(frozen=True, slots=True)
class Received:
    """A file of a form: where its bytes are, how many, their SHA-256, and the name it came with.

    The name is the client's: at most 255 characters, without folders, and not to be trusted.
    """

    path: Path
    size: int
    sha256: str
    filename: str


@dataclass(frozen=True, slots=True)
class Form:
    """What a form holds, by the names of its fields."""

    fields: Mapping[str, str]
    files: Mapping[str, Received]

    def delete(self) -> None:
        """Delete the temporary files, unless they have been moved."""
        for received in self.files.values():
            received.path.unlink(missing_ok=True)


def form_of(
    *, files: tuple[str, ...], fields: tuple[str, ...] = (), optional: tuple[str, ...] = ()
) -> Any:
    """What a route's parameter depends on that takes a form with exactly these files and fields.

    Fields that are ``optional`` may be missing. Its type is
    ``Annotated[Form, form_of(files=("file",))]``.

    What other dependencies check, such as the key or the rate limit, has to stand before it: they
    run before anything of the body is read.
    """

    async def received(request: Request, parts: PartsHere) -> AsyncIterator[Form]:
        limits = UploadLimits.of(parts.settings)
        form = await receive_form(request, limits, files=files, fields=fields, optional=optional)
        try:
            yield form
        finally:
            form.delete()

    return Depends(received)


def described(
    *, files: Mapping[str, str], fields: Mapping[str, str | dict[str, Any]]
) -> dict[str, Any]:
    """``openapi_extra`` of a route that takes a form: each file's and field's description.

    A field that is text has a description, one that holds JSON has the schema of that.
    """
    binary = {"type": "string", "format": "binary"}
    properties = {
        **{name: {**binary, "description": text} for name, text in files.items()},
        **{
            name: {"type": "string", "description": field} if isinstance(field, str) else field
            for name, field in fields.items()
        },
    }
    schema = {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }
    body = {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    return {"requestBody": body}


async def receive_form(
    request: Request,
    limits: UploadLimits,
    *,
    files: tuple[str, ...],
    fields: tuple[str, ...] = (),
    optional: tuple[str, ...] = (),
) -> Form:
    """Read the form of a request; all of its ``files`` and ``fields`` are needed.

    It may have ``optional`` fields beside them, and no others.

    The caller has to :meth:`~Form.delete` it. If an error is raised, nothing is left to delete.
    """
    most = limits.size * len(files) + FRAME_BYTES
    _check_length(request, most)
    reader = _Reader(_boundary(request), limits, files, fields, optional)
    try:
        try:
            async with asyncio.timeout(limits.seconds):
                await _receive(request, reader, limits, most)
        except TimeoutError as exc:
            raise TooSlow(f"the upload took longer than {limits.seconds:g} seconds") from exc
        return await run_in_threadpool(reader.form)
    except BaseException:
        reader.delete()
        raise


async def _receive(request: Request, reader: _Reader, limits: UploadLimits, most: int) -> None:
    count = 0
    more = True
    while more:
        message = await _next(request, limits.idle_seconds)
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        data: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        count += len(data)
        if count > most:
            raise _too_large(most)
        reader.feed(data)
        if reader.waiting >= _WRITTEN:
            await run_in_threadpool(reader.write)


async def _next(request: Request, seconds: float) -> Any:
    try:
        async with asyncio.timeout(seconds):
            return await request.receive()
    except TimeoutError as exc:
        raise TooSlow(f"nothing of the upload came for {seconds:g} seconds") from exc


def _check_length(request: Request, most: int) -> None:
    """Refuse a body that says itself that it is too large, before anything of it is read."""
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdecimal() and int(length) > most:
        raise _too_large(most)


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"the upload has more than the {most:,} bytes that are accepted")


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 1 <= len(boundary) <= 70:
        raise NotMultipart("the body should be a form: multipart/form-data with a boundary")
    return boundary


@dataclass(slots=True)
class _Part:
    """A part of the form while it arrives; ``path`` is set as soon as there is a file."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: str = ""
    filename: str = ""
    is_file: bool = False
    size: int = 0
    text: bytearray = field(default_factory=bytearray)
    path: Path | None = None
    digest: Any = field(default_factory=hashlib.sha256)


class _Reader:
    """Takes the bytes of a form; ``waiting`` of them have not been written to files yet."""

    def __init__(
        self,
        boundary: bytes,
        limits: UploadLimits,
        files: tuple[str, ...],
        fields: tuple[str, ...],
        optional: tuple[str, ...],
    ) -> None:
        self._limits = limits
        self._files, self._fields, self._optional = files, fields, optional
        self._parts: dict[str, _Part] = {}
        self._part = _Part()
        self._header, self._value = bytearray(), bytearray()
        self._header_bytes = 0
        self._chunks: list[tuple[_Part, bytes]] = []
        self.waiting = 0
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_end": self._end,
            },
        )

    def feed(self, data: bytes) -> None:
        """Parse the next bytes."""
        try:
            self._parser.write(data)
        except FormParserError as exc:
            raise BadRequest(f"the form cannot be read: {_UNREADABLE}") from exc

    def write(self) -> None:
        """Hash and write what is waiting."""
        chunks, self._chunks, self.waiting = self._chunks, [], 0
        try:
            for part in dict.fromkeys(id(part) for part, _ in chunks):
                self._append([chunk for chunk in chunks if id(chunk[0]) == part])
        except OSError as exc:
            raise translated(exc, str(self._limits.folder)) from exc

    def _append(self, chunks: list[tuple[_Part, bytes]]) -> None:
        part = chunks[0][0]
        data = b"".join(data for _, data in chunks)
        mode = "ab"
        if part.path is None:
            part.path = self._limits.folder / f"upload-{secrets.token_hex(16)}"
            mode = "xb"
        with open(part.path, mode, buffering=0, opener=_private) as file:
            left = memoryview(data)
            while left:
                left = left[file.write(left) :]
        part.digest.update(data)

    def form(self) -> Form:
        """The form, after its last byte."""
        missing = [name for name in (*self._files, *self._fields) if name not in self._parts]
        if missing or not self._ended:
            raise BadRequest(
                *([] if self._ended else ["the form ends too early"]),
                *(f"{name}: is missing from the form" for name in missing),
            )
        given = [name for name in self._optional if name in self._parts]
        texts = {name: _text(self._parts[name]) for name in (*self._fields, *given)}
        for name in self._files:
            if self._parts[name].size == 0:
                self._chunks.append((self._parts[name], b""))
        self.write()
        return Form(texts, {name: _received(self._parts[name]) for name in self._files})

    def delete(self) -> None:
        """Delete the temporary files."""
        for part in self._parts.values():
            if part.path is not None:
                with suppress(OSError):
                    part.path.unlink(missing_ok=True)

    # What the parser calls.

    def _begin(self) -> None:
        self._part = _Part()
        self._header_bytes = 0

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._value += data[start:end]

    def _count(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > HEADER_BYTES:
            raise BadRequest(f"a part of the form has headers of more than {HEADER_BYTES:,} bytes")

    def _header_end(self) -> None:
        self._part.headers[bytes(self._header).lower()] = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        part, headers = self._part, self._part.headers
        kind, options = parse_options_header(headers.get(b"content-disposition"))
        part.name = options.get(b"name", b"").decode("utf-8", "replace")
        expected = (*self._files, *self._fields)
        if kind != b"form-data" or part.name not in (*expected, *self._optional):
            raise BadRequest(
                f"{part.name[:40]!r}: is not in this form, which has {', '.join(expected)}"
            )
        if part.name in self._parts:
            raise BadRequest(f"{part.name}: should be given once")
        encoding = headers.get(b"content-transfer-encoding", b"").strip().lower()
        if encoding.decode("latin-1") not in _ENCODINGS:
            raise BadRequest(f"{part.name}: should be sent as it is, without a transfer encoding")
        part.is_file = part.name in self._files
        part.filename = _basename(options.get(b"filename", b""))
        self._parts[part.name] = part

    def _data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        part.size += end - start
        most = self._limits.size if part.is_file else FIELD_BYTES
        if part.size > most:
            raise TooLarge(f"{part.name}: has more than the {most:,} bytes that are accepted")
        if part.is_file:
            self._chunks.append((part, data[start:end]))
            self.waiting += end - start
        else:
            part.text += data[start:end]

    def _end(self) -> None:
        self._ended = True


_UNREADABLE = "its parts are not as multipart/form-data has them"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _text(part: _Part) -> str:
    try:
        text = part.text.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise BadRequest(f"{part.name}: should be text as UTF-8") from exc
    if "\0" in text:
        raise BadRequest(f"{part.name}: should not hold the character NUL")
    return text


def _basename(raw: bytes) -> str:
    text = raw.decode("utf-8", "replace").replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in text if character.isprintable())[:FILENAME]


def _received(part: _Part) -> Received:
    assert part.path is not None  # noqa: S101  (written just before)
    return Received(part.path, part.size, part.digest.hexdigest(), part.filename)
