"""Pages from templates, with the headers that confine them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from fft_tool.report.details import name_of
from fft_tool.report.sentences import decimal, file_size, number
from service.keys import Caller
from service.pages.statics import address

POLICY = (
    "default-src 'none'; img-src 'self' blob: data:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content security policy of pages: everything comes from the service itself, nothing is inline."""

_ROOM = (800, 640)  # pixels on the screen for the picture of a tool
_ENLARGED = 8

FOR_ALL = (("Gallery", "/"), ("Compare", "/compare"))
FOR_ADMINISTRATORS = (("Batches", "/batches"), ("Tenants", "/tenants"), ("Jobs", "/jobs/all"))
FOR_TENANTS = (("Usage", "/tenants"),)
"""Entries of the navigation: texts and addresses."""


def shown_size(width: int, height: int) -> tuple[int, int]:
    """Size in which the picture of a tool is shown where there is room: small images are enlarged.

    >>> shown_size(4000, 3000), shown_size(512, 512), shown_size(16, 16)
    ((800, 600), (640, 640), (128, 128))
    """
    scale = min(_ROOM[0] / width, _ROOM[1] / height, _ENLARGED)
    return max(1, round(scale * width)), max(1, round(scale * height))


def render(
    request: Request, caller: Caller | None, name: str, /, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """Fill in a template, which knows the caller, if there is one, and which page this is."""
    told: Mapping[str, Any] = {
        "caller": caller,
        "path": request.url.path,
        "navigation": _navigation(caller),
        **values,
    }
    page = _environment().get_template(name).render(told)
    return HTMLResponse(page, status, headers={"Content-Security-Policy": POLICY})


def _navigation(caller: Caller | None) -> tuple[tuple[str, str], ...]:
    if caller is None:
        return ()
    return FOR_ALL + (FOR_ADMINISTRATORS if caller.administrator else FOR_TENANTS)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("service.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "breakable": name_of,
        "decimal": decimal,
        "file_size": file_size,
        "number": number,
    }
    made.globals |= {"static": address}
    return made
