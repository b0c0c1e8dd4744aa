"""The spectrum studio: filters set in the spectrum, with the picture that they make.

What the studio shows is said by two keys of a recipe, ``filter`` and ``channel``, which stand in
the address of the page. The script only changes these texts; whatever is shown as exact is made by
the same functions as elsewhere.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from fft_tool.errors import RecipeError
from fft_tool.mask_files import resolve_masks
from fft_tool.recipe import Recipe
from service.access import CallerHere, PartsHere
from service.catalogue import artifacts, assets, masks
from service.catalogue.records import find_record
from service.pages.commands import command_of, python_of
from service.pages.rendering import render
from service.parts import Parts
from service.routes import files
from service.routes.catalogue import AssetId
from service.routes.models import artifact_url
from service.uploads import Form, form_of

ROUTER = APIRouter(include_in_schema=False)

MaskForm = Annotated[Form, form_of(files=("mask",))]
Text = Annotated[str, Query(max_length=20_000)]
Sha256 = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]

_COLOURS = ("red", "green", "blue")
_KINDS = ("filtered", "record")


@ROUTER.get("/assets/{asset_id}/studio")
def show_studio(
    request: Request,
    parts: PartsHere,
    caller: CallerHere,
    asset_id: AssetId,
    filters: Annotated[Text, Query(alias="filter")] = "",
    channel: Text = "",
) -> Response:
    """Show the studio; without scripts, a form for the filter, and the picture that it makes."""
    asset = assets.find_asset(parts, asset_id, caller.sees_only)
    record = find_record(parts, asset)
    fault, said = "", None
    if record is not None and (filters or channel):
        try:
            said = _said(parts, asset, filters, channel, caller.sees_only)
        except RecipeError as exc:
            fault = str(exc)
    return render(
        request,
        caller,
        "studio.html",
        asset=asset,
        record=record,
        facts=record and json.dumps(_facts(asset_id, record)),
        channels=_channels(record) if record else (),
        asked={"filter": filters, "channel": channel or "luma"},
        fault=fault,
        said=said,
    )


@ROUTER.get("/pages/studio/{asset_id}")
def describe_state(
    parts: PartsHere,
    caller: CallerHere,
    asset_id: AssetId,
    filters: Annotated[Text, Query(alias="filter")] = "",
    channel: Text = "",
) -> Response:
    """Tell the script the canonical text of its state, what makes it, and where it is."""
    asset = assets.find_asset(parts, asset_id, caller.sees_only)
    return JSONResponse(_said(parts, asset, filters, channel, caller.sees_only))


@ROUTER.post("/pages/masks/{asset_id}")
def take_mask(parts: PartsHere, caller: CallerHere, asset_id: AssetId, form: MaskForm) -> Response:
    """Keep a mask; the answer says how a filter names it."""
    mask = masks.keep_mask(parts, asset_id, form.files["mask"].path.read_bytes(), caller.sees_only)
    return JSONResponse({"name": mask.file, "sha256": mask.sha256, "filter": str(mask)}, 201)


@ROUTER.get("/pages/masks/{asset_id}/{sha256}")
def send_mask(
    request: Request, parts: PartsHere, caller: CallerHere, asset_id: AssetId, sha256: Sha256
) -> Response:
    """Send a mask."""
    return files.send(
        request, parts, lambda: masks.find_mask(parts, asset_id, sha256, caller.sees_only)
    )


def _said(
    parts: Parts, asset: assets.Asset, filters: str, channel: str, tenant: str | None
) -> dict[str, Any]:
    """What two keys of a recipe say, canonically; raises ``RecipeError`` with every fault."""
    texts = {"filter": filters or "none", "channel": channel or "luma"}
    read = masks.masks_of(parts, asset.asset_id, tenant)
    recipe = resolve_masks(Recipe.parse(texts, artifacts.ANALYSIS), read)
    canonical = recipe.texts()
    urls = {kind: artifact_url(asset.asset_id, kind, str(recipe)) for kind in _KINDS}
    return {
        "filter": "" if recipe.filter is None else canonical["filter"],
        "channel": canonical["channel"],
        "recipe": str(recipe),
        "command": command_of(asset.name, recipe),
        "python": python_of(asset.name, recipe),
        "urls": urls if recipe.filter is not None else {"record": urls["record"]},
    }


def _facts(asset_id: int, record: dict[str, Any]) -> dict[str, Any]:
    """What the script has to know of the image."""
    spectrum, measures = record["spectrum"], record["measures"]
    return {
        "asset": asset_id,
        "width": spectrum["width"],
        "height": spectrum["height"],
        "micrometres": measures["pixel_size_um"],
        "white": record["image"]["white"],
        "peaks": [
            {name: peak[name] for name in ("period", "angle", "fx", "fy", "amplitude")}
            for peak in measures["peaks"]
        ],
    }


def _channels(record: dict[str, Any]) -> tuple[str, ...]:
    """Channels that can be filtered on their own, after all of them together."""
    names = record["image"]["channels"]
    return ("luma", *(name for name in _COLOURS if name in names))
