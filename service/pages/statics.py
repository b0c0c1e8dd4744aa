"""Style sheets and scripts, under addresses that change with their content."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

from fastapi import APIRouter, Request, Response

from service.errors import NotHere
from service.routes.files import has_it

ROUTER = APIRouter(prefix="/static", include_in_schema=False)

YEAR = 31_536_000  # seconds
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
# Pages look like the reports of the command line.
_SHARED = {
    "report.css": ("fft_tool.report", "page.css"),
    "batches.css": ("fft_tool.batches", "page.css"),
}


@ROUTER.get("/{name}")
def retrieve_static(request: Request, name: str) -> Response:
    """Send a file; one that is asked for by its version never changes."""
    data, version = _file(name)
    kept = f"public, max-age={YEAR}, immutable" if request.query_params.get("v") else "no-cache"
    headers = {"ETag": f'"{version}"', "Cache-Control": kept}
    if has_it(request, version):
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type=_TYPES[name.rpartition(".")[2]])


def address(name: str) -> str:
    """Address of a file, with the version of its content.

    >>> address("pages.css").startswith("/static/pages.css?v=")
    True
    """
    return f"/static/{name}?v={_file(name)[1]}"


@cache
def _names() -> frozenset[str]:
    found = resources.files("service.pages") / "static"
    names = (each.name for each in found.iterdir())
    return frozenset({*_SHARED, *(name for name in names if name.rpartition(".")[2] in _TYPES)})


@cache
def _file(name: str) -> tuple[bytes, str]:
    if name not in _names():
        raise NotHere(f"there is no file {name[:40]!r}")
    package, file = _SHARED.get(name, ("service.pages", f"static/{name}"))
    data = (resources.files(package) / file).read_bytes()
    return data, hashlib.sha256(data).hexdigest()[:16]
