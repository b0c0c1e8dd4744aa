"""The page of an image: pictures, spectrum, statistics, and the same as a command."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from fft_tool.recipe import Recipe
from fft_tool.report import details
from service.access import CallerHere, PartsHere
from service.catalogue import artifacts, assets
from service.catalogue.records import find_record
from service.pages.commands import command_of, python_of
from service.pages.rendering import render
from service.routes.catalogue import AssetId
from service.routes.models import artifact_url, source_url

ROUTER = APIRouter(include_in_schema=False)

_EXACT = str(Recipe.parse({"bits": "16"}, artifacts.ANALYSIS))
_PICTURES = ("magnitude", "phase", "record")


@ROUTER.get("/assets/{asset_id}")
def show_image(
    request: Request, parts: PartsHere, caller: CallerHere, asset_id: AssetId
) -> Response:
    """Show what is known of an image; its state, if that is not much yet."""
    asset = assets.find_asset(parts, asset_id, caller.sees_only)
    record = find_record(parts, asset)
    usual = str(artifacts.ANALYSIS)
    made = [each for each in asset.artifacts if each.recipe == usual]
    return render(
        request,
        caller,
        "image.html",
        asset=asset,
        record=record,
        details=details,
        source=source_url(asset_id),
        sixteen={kind: artifact_url(asset_id, kind, _EXACT) for kind in _PICTURES},
        downloads=[(each, artifact_url(asset_id, each.kind, each.recipe)) for each in made],
        command=command_of(asset.name, artifacts.ANALYSIS),
        python=python_of(asset.name, artifacts.ANALYSIS),
    )
