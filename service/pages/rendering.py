"""Pages from templates, with the headers that confine them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from fft_tool.image.presets import Preset
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

CARD, ZOOM = 400, 1200
"""Pixels of the longer side of small and large pictures of images."""

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


def preset_for(presets: Iterable[Preset], side: int) -> str:
    """Name of the preset for pictures of this side: the smallest that is not smaller, if any.

    >>> presets = Preset("small", 100, 100), Preset("wide", 800, 200), Preset("tall", 200, 900)
    >>> preset_for(presets, 400), preset_for(presets, 2000)
    ('wide', 'tall')
    """
    sides = sorted((max(each.width, each.height), each.name) for each in presets)
    return next((name for longer, name in sides if longer >= side), sides[-1][1])


def render(
    request: Request, caller: Caller | None, name: str, /, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """Fill in a template, which knows the caller, if there is one, and which page this is."""
    presets = request.app.state.parts.settings.presets
    told: Mapping[str, Any] = {
        "caller": caller,
        "path": request.url.path,
        "navigation": _navigation(caller),
        "presets": {"card": preset_for(presets, CARD), "zoom": preset_for(presets, ZOOM)},
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
