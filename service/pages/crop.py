"""Cropping an image: to a box that is drawn, or to what stands out in it.

Pages with scripts send the image to ``/images/…`` like any other client. Forms without scripts come
here: they are counted by the same limit, and end in the same functions.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from fft_tool.cropping import AtMost
from fft_tool.errors import FftToolError
from fft_tool.image.region import Box
from service.access import CallerHere, PartsHere
from service.catalogue import assets
from service.errors import BadRequest, NotHere
from service.keys import Caller
from service.pages.commands import crop_command, crop_python
from service.pages.rendering import ZOOM, preset_for, render, shown_size
from service.parts import Parts
from service.problems import RETRY_AFTER, status_of
from service.products import crops
from service.products.asked import parse_manual, parse_smart
from service.references import Blob
from service.routes import files
from service.routes.catalogue import LARGEST_ID, AssetId
from service.routes.models import source_url
from service.routes.products import admit, image_url
from service.uploads import Form, form_of

ROUTER = APIRouter(include_in_schema=False)

BOX = ("x", "y", "width", "height")
FIND, MANUAL, SMART = "find", "manual", "smart"
"""What the buttons do: propose the most salient box, crop to the box, and crop to the former."""

ASPECTS = ["1:1", "4:3", "3:2", "16:9", "4:5"]
INSET = 0.1  # of each side, around the box that is proposed first

CropForm = Annotated[Form, form_of(files=(), fields=(*BOX, "product_id", "action"))]
Side = Annotated[int, Query(ge=1, le=1_000_000)]


@ROUTER.get("/assets/{asset_id}/crop")
def show_crop(
    request: Request,
    parts: PartsHere,
    caller: CallerHere,
    asset_id: AssetId,
    image: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
) -> Response:
    """Show an image with a box, and the crop that was made last; the address holds both."""
    asset = assets.find_asset(parts, asset_id, caller.sees_only)
    made = None if image is None else crops.find_image(parts, image, caller.sees_only)
    return _page(request, caller, asset, _typed(asset, request.query_params), made=made)


@ROUTER.post("/assets/{asset_id}/crop")
def crop_asset(
    request: Request, parts: PartsHere, caller: CallerHere, asset_id: AssetId, form: CropForm
) -> Response:
    """Do what a button of a form without scripts asks for, and show it; if refused, say why."""
    asset = assets.find_asset(parts, asset_id, caller.sees_only)
    typed = dict(form.fields)
    action = typed.pop("action")
    try:
        if action != FIND:
            admit(request, parts)
        done = _do(parts, caller, asset, action, typed)
    except NotHere:
        raise
    except FftToolError as exc:
        return _refused(request, parts, caller, asset, typed, exc)
    return RedirectResponse(f"/assets/{asset_id}/crop?{urlencode(done)}", HTTPStatus.SEE_OTHER)


@ROUTER.get("/pages/salient-box/{asset_id}")
def send_salient_box(
    parts: PartsHere, caller: CallerHere, asset_id: AssetId, width: Side, height: Side
) -> Response:
    """Tell the box that a smart crop of a size takes, in pixels of the upright image."""
    source = assets.source_of(parts, asset_id, caller.sees_only)
    box = crops.find_salient(parts, source.data, AtMost(width, height)).box
    return JSONResponse({name: getattr(box, name) for name in BOX})


@ROUTER.get("/pages/saliency/{asset_id}")
def send_saliency(parts: PartsHere, caller: CallerHere, asset_id: AssetId) -> Response:
    """Send the picture of what stands out, which lies over the whole image."""
    source = assets.source_of(parts, asset_id, caller.sees_only)
    picture = crops.find_salient(parts, source.data, AtMost(1, 1)).picture
    headers = {
        "ETag": f'"{hashlib.sha256(picture).hexdigest()}"',
        "Cache-Control": f"private, max-age={files.MAX_AGE}",
    }
    return Response(picture, media_type="image/png", headers=headers)


def _do(
    parts: Parts, caller: Caller, asset: assets.Asset, action: str, typed: Mapping[str, str]
) -> dict[str, object]:
    """Do one action; returns the query of the page that shows it."""
    box, product_id = {name: _whole(typed[name]) for name in BOX}, typed["product_id"]
    info = {"product_id": product_id}
    source = assets.source_of(parts, asset.asset_id, caller.sees_only)
    if action == MANUAL:
        asked = parse_manual(json.dumps(info), json.dumps(box))
        made = crops.crop_manually(parts, caller.tenant, asked, source.data)
        return {**typed, "image": made.image_id}
    size = {name: box[name] for name in ("width", "height")}
    sized = json.dumps({"product_id": "any", **size} if action == FIND else {**info, **size})
    wanted = parse_smart(sized, parts.settings.smart_crop)
    found = crops.find_salient(parts, source.data, wanted.size).box
    shown: dict[str, object] = {**_query(found), "product_id": product_id, "map": "yes"}
    if action == FIND:
        return shown
    if action == SMART:
        kept = Blob(source.data, asset.content_type)
        queued = crops.queue_smart_crop(parts, caller.tenant, wanted, kept)
        return {**shown, "image": queued.image_id}
    raise BadRequest(f"action: should be {FIND}, {MANUAL} or {SMART}")


def _refused(
    request: Request,
    parts: Parts,
    caller: Caller,
    asset: assets.Asset,
    typed: Mapping[str, str],
    error: FftToolError,
) -> Response:
    """The same page with what was typed, and why it could not be done."""
    wait = getattr(error, "retry_after", RETRY_AFTER) if error.transient else None
    shown = {**typed, "map": ""}
    status = status_of(error)
    when = "" if wait is None else _moment(parts, wait)
    page = _page(request, caller, asset, shown, fault=error.public, when=when, status=status)
    if wait is not None:
        page.headers["Retry-After"] = str(wait)
    return page


def _moment(parts: Parts, wait: int) -> str:
    """When so many seconds will have passed.

    The time is that of the service, rounded up to whole minutes.
    """
    minutes = math.ceil(wait / 60)
    time = parts.clock.now() + timedelta(minutes=minutes)
    return f"in {minutes} minute{'s' if minutes > 1 else ''}, at {time:%H:%M} UTC"


def _page(
    request: Request,
    caller: Caller,
    asset: assets.Asset,
    typed: Mapping[str, str],
    *,
    made: crops.FoundImage | None = None,
    fault: str = "",
    when: str = "",
    status: int = HTTPStatus.OK,
) -> Response:
    zoom = preset_for(request.app.state.parts.settings.presets, ZOOM)
    readable = any(each.preset == zoom for each in asset.renditions)
    box = _box(asset, typed)
    return render(
        request,
        caller,
        "crop.html",
        status=status,
        asset=asset,
        source=source_url(asset.asset_id),
        shown=shown_size(asset.width, asset.height)
        if readable and asset.width and asset.height
        else None,
        typed=typed,
        box=box,
        aspects=ASPECTS,
        made=made,
        made_url=image_url(made.path) if made else None,
        fault=fault,
        when=when,
        command=crop_command(asset.name, box),
        python=crop_python(asset.name, box),
        again=f"{request.url.path}?{request.url.query}",
    )


def _typed(asset: assets.Asset, query: Mapping[str, str]) -> dict[str, str]:
    """What an address says of the form; where it says nothing, the middle of the image."""
    width, height = asset.width or 1, asset.height or 1
    x, y = math.floor(INSET * width), math.floor(INSET * height)
    first = {**_query(Box(x, y, width - 2 * x, height - 2 * y)), "product_id": "", "map": ""}
    return {name: query.get(name, text) for name, text in first.items()}


def _box(asset: assets.Asset, typed: Mapping[str, str]) -> Box:
    """The box that was typed, if it is one; the whole image if not."""
    whole = Box(0, 0, asset.width or 1, asset.height or 1)
    found = [_whole(typed[name]) for name in BOX]
    if not all(isinstance(each, int) for each in found):
        return whole
    box = Box(*found)
    inside = box.x + box.width <= whole.width and box.y + box.height <= whole.height
    return box if inside and box.width and box.height else whole


def _query(box: Box) -> dict[str, str]:
    return {name: str(getattr(box, name)) for name in BOX}


def _whole(text: str) -> Any:
    """A whole number, if a text is one; otherwise the text, which is refused with its name."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text
