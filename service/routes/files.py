"""Answers that send a file which never changes: its tag is the hash of its bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response

from fft_tool.errors import NotFound
from service.catalogue.kept import Kept
from service.parts import Parts
from service.references import forget

MAX_AGE = 86_400  # seconds for which a client need not ask again
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_TAG = re.compile(r'(?:W/)?"([^"]*)"')

HEADERS: dict[str, Any] = {
    "ETag": {"description": "strong, the SHA-256 of the bytes", "schema": {"type": "string"}},
    "Cache-Control": {
        "description": "how long it need not be asked for",
        "schema": {"type": "string"},
    },
}
"""Headers of such answers, as OpenAPI describes them."""


def send(
    request: Request, parts: Parts, find: Callable[[], Kept], *, vary: str | None = None
) -> Response:
    """Send what ``find`` finds, or that the client has it already (304), or only its headers."""
    kept = find()
    headers = {
        "ETag": f'"{kept.sha256}"',
        "Cache-Control": f"private, max-age={MAX_AGE}",
        "Content-Disposition": disposition(kept.name),
    }
    if vary:
        headers["Vary"] = vary
    if has_it(request, kept.sha256):
        return Response(status_code=304, headers=headers)
    if request.method == "HEAD":
        headers["Content-Length"] = str(kept.bytes)
        return Response(headers=headers, media_type=kept.content_type)
    try:
        data = parts.blobs.read(kept.sha256, kept.bytes)
    except NotFound:  # purged at this very moment, or lost with the power: it is made again
        forget(parts, kept.sha256)
        data = parts.blobs.read(find().sha256)
    return Response(data, headers=headers, media_type=kept.content_type)


def disposition(name: str) -> str:
    r"""``Content-Disposition`` under which a browser shows a file, and saves it by a safe name.

    >>> disposition("été_thumb.jpg")
    "inline; filename=\"_t_thumb.jpg\"; filename*=UTF-8''%C3%A9t%C3%A9_thumb.jpg"
    """
    name = name.rpartition("/")[2].replace("\\", "_").lstrip(".") or "image"
    plain = _UNSAFE.sub("_", name)
    text = f'inline; filename="{plain}"'
    # What cannot be encoded, half of a pair of characters, has no place in a name either.
    return (
        text if plain == name else f"{text}; filename*=UTF-8''{quote(name, '', errors='replace')}"
    )


def has_it(request: Request, sha256: str) -> bool:
    """Whether a client says in ``If-None-Match`` that it has a file already."""
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or sha256 in _TAG.findall(given)
