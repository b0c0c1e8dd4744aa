"""Comparing two images: how much they are alike, where they differ, and up to which detail."""

from __future__ import annotations

import hashlib
import math
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from fft_tool.errors import FftToolError
from fft_tool.report.likeness import are_apart, measures
from fft_tool.report.rings import ring_chart
from service.access import CallerHere, PartsHere
from service.catalogue import assets, comparison, searching
from service.catalogue.records import find_record
from service.errors import BadRequest
from service.pages.commands import compare_command, compare_python
from service.pages.rendering import render, shown_size
from service.parts import Parts
from service.problems import RETRY_AFTER, status_of
from service.routes.catalogue import LARGEST_ID
from service.routes.files import MAX_AGE

ROUTER = APIRouter(include_in_schema=False)

AssetNumber = Annotated[int, Query(ge=1, le=LARGEST_ID)]
Chosen = Annotated[str, Query(pattern=r"^(|[1-9][0-9]{0,17})$")]
"""Number of an asset; empty where none is chosen in the form."""

SAME_ASPECT = 0.01  # relative tolerance: sizes are whole numbers


@ROUTER.get("/compare")
def show_comparison(
    request: Request,
    parts: PartsHere,
    caller: CallerHere,
    first: Chosen = "",
    second: Chosen = "",
    q: Annotated[str, Query()] = "",
) -> Response:
    """Show two images beside each other with what a comparison says; choose them first."""
    seen = caller.sees_only
    chosen = [
        assets.find_asset(parts, int(each), seen) if each else None for each in (first, second)
    ]
    found, error = None, None
    one, other = chosen
    if one and other:
        try:
            found = _compare(parts, one, other, seen)
        except FftToolError as exc:
            error = exc
    page = render(
        request,
        caller,
        "compare.html",
        status=status_of(error) if error else HTTPStatus.OK,
        chosen=chosen,
        offered=_offered(parts, seen, q),
        q=q,
        fault=error.public if error else "",
        found=found,
        link=lambda **to: "/compare?" + urlencode({"first": first, "second": second, **to}),
    )
    if error and error.transient:
        page.headers["Retry-After"] = str(getattr(error, "retry_after", RETRY_AFTER))
    return page


@ROUTER.get("/pages/differences")
def send_difference(
    parts: PartsHere, caller: CallerHere, first: AssetNumber, second: AssetNumber
) -> Response:
    """Send the picture of the differences between two images."""
    picture = comparison.difference_of_assets(parts, first, second, caller.sees_only)
    headers = {
        "ETag": f'"{hashlib.sha256(picture).hexdigest()}"',
        "Cache-Control": f"private, max-age={MAX_AGE}",
    }
    return Response(picture, media_type="image/png", headers=headers)


def _offered(parts: Parts, tenant: str | None, q: str) -> tuple[searching.Card, ...]:
    """Images that have been analysed and match a search; all, if it cannot be read."""
    try:
        search = searching.Search.parse(q)
    except BadRequest:
        search = searching.Search()
    done = searching.Search(search.words, search.conditions, "done")
    return searching.find_assets(parts, tenant, done).cards


def _compare(
    parts: Parts, first: assets.Asset, second: assets.Asset, tenant: str | None
) -> dict[str, Any]:
    """What the page says of two images."""
    for asset in (first, second):
        if asset.width is None:
            reason = asset.job.error_message or "it has not been analysed yet"
            raise BadRequest(f"cannot compare {asset.name}: {reason}")
    found = comparison.compare_assets(parts, first.asset_id, second.asset_id, tenant)
    fitted = found.likeness.fitted
    comparable = not fitted or _same_aspect(first, second)
    pixel_um = None if fitted else _pixel_um(parts, first, second)
    names = first.name, second.name
    return {
        "comparable": comparable,
        "fitted": fitted,
        "apart": are_apart(found),
        "identical": found.likeness.identical,
        "measures": [
            each for each in measures(found, pixel_um) if comparable or each.name == "hash"
        ],
        "chart": ring_chart(found.rings, pixel_um) if comparable else None,
        "width": found.likeness.width,
        "height": found.likeness.height,
        "shown": shown_size(found.likeness.width, found.likeness.height),
        "most": found.likeness.max_difference,
        "command": compare_command(*names, fit=fitted),
        "python": compare_python(*names, fit=fitted),
    }


def _same_aspect(first: assets.Asset, second: assets.Asset) -> bool:
    """Whether scaling one image to the other's size does not distort it."""
    a, b = ((each.width or 1) / (each.height or 1) for each in (first, second))
    return abs(a / b - 1) <= SAME_ASPECT


def _pixel_um(parts: Parts, first: assets.Asset, second: assets.Asset) -> float | None:
    """Side of a pixel in micrometres, if both images have square ones of the same size."""
    sizes = []
    for asset in (first, second):
        record: Any = find_record(parts, asset)
        sizes.append(record and record["measures"]["pixel_size_um"])
    one, other = sizes
    if not one or not other:
        return None
    side = float(one[0])
    return side if all(math.isclose(side, each, rel_tol=1e-6) for each in (*one, *other)) else None
