"""Operations on an image: a list whose state is the text in the address, and runs of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from fft_tool.codec.picture_formats import PICTURE_FORMATS
from fft_tool.errors import FftToolError
from fft_tool.image.presets import Preset
from fft_tool.operations.registry import (
    MOST_OPERATIONS,
    OPERATIONS,
    format_operations,
    parse_operations,
)
from fft_tool.report import charts
from service.access import CallerHere, PartsHere
from service.catalogue import assets
from service.catalogue.records import find_record
from service.errors import BadRequest
from service.keys import Caller
from service.operations import lists, runs
from service.pages.commands import command_of_operations, python_of_operations
from service.pages.rendering import render, shown_size
from service.parts import Parts
from service.routes import files
from service.routes.catalogue import AssetId
from service.uploads import Form, form_of

ROUTER = APIRouter(include_in_schema=False)

MOST_PARAMETERS = max(len(lists.parameters_of(kind)) for kind in OPERATIONS.values())
SETTLED = ("done", "failed", runs.PURGED)
LOOKING = 0.3  # seconds between two looks at a run
LASTING = 15.0  # seconds, then the browser asks again
SCREEN = Preset("screen", 900, 900)

_FIELDS = tuple(
    name
    for place in range(1, MOST_OPERATIONS + 1)
    for name in (f"name-{place}", *(f"value-{place}-{n}" for n in range(MOST_PARAMETERS)))
)
ListForm = Annotated[Form, form_of(files=(), fields=("do",), optional=("kind", *_FIELDS))]
Text = Annotated[str, Query(max_length=4000)]
RunId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@ROUTER.get("/assets/{asset_id}/operations")
def show_operations(
    request: Request,
    parts: PartsHere,
    caller: CallerHere,
    asset_id: AssetId,
    operations: Text = "",
) -> Response:
    """Show a list, what is wrong with it, and what it makes."""
    return _show(request, parts, caller, asset_id, operations)


@ROUTER.post("/assets/{asset_id}/operations")
def change_list(
    request: Request, parts: PartsHere, caller: CallerHere, asset_id: AssetId, form: ListForm
) -> Response:
    """Do what a button of the form says: change the list, or run it."""
    texts = _texts(form.fields)
    todo = form.fields["do"]
    verb, _, where = todo.partition("-")
    if verb == "add":
        texts.append(lists.first_text(form.fields.get("kind", "")))
    elif verb in ("up", "down", "remove"):
        texts = _changed(texts, verb, where)
    elif verb not in ("show", "run"):
        raise BadRequest(
            f"do: should be show, add, run, up-N, down-N or remove-N, not {todo[:40]!r}"
        )
    text = lists.read_list(",".join(texts), None, parts.settings.limits).text
    if verb != "run":
        query = f"?{urlencode({'operations': text})}" if text else ""
        return RedirectResponse(f"/assets/{asset_id}/operations{query}", 303)
    asset = assets.find_asset(parts, asset_id, caller.sees_only)
    record = find_record(parts, asset)
    layout = lists.layout_of(record) if record else None
    if record is None or not lists.read_list(text, layout, parts.settings.limits).fits:
        return _show(request, parts, caller, asset_id, text, status=422)
    run_id = runs.ask_run(parts, asset_id, text, caller.sees_only)
    return RedirectResponse(f"/assets/{asset_id}/operations/{run_id}", 303)


@ROUTER.get("/pages/operations/{asset_id}/preview")
def preview(
    request: Request, parts: PartsHere, caller: CallerHere, asset_id: AssetId, operations: Text
) -> Response:
    """Send what a list makes of the whole image, at the size of a screen."""
    text = format_operations(parse_operations(operations))
    source = assets.source_of(parts, asset_id, caller.sees_only)
    made = parts.workbench.run(
        lambda child, patience: child.preview(
            source, text, SCREEN, parts.settings.limits, patience=patience
        )
    )
    headers = {"Cache-Control": f"private, max-age={files.MAX_AGE}"}
    del request
    return Response(
        made.data, headers=headers, media_type=PICTURE_FORMATS[made.format].content_type
    )


@ROUTER.get("/assets/{asset_id}/operations/{run_id}")
def show_run(
    request: Request, parts: PartsHere, caller: CallerHere, asset_id: AssetId, run_id: RunId
) -> Response:
    """Show how far a run has come; its results, when they are there."""
    asset = assets.find_asset(parts, asset_id, caller.sees_only)
    run = runs.find_run(parts, asset_id, run_id, caller.sees_only)
    results = _results(parts, asset_id, run) if run.state == "done" else None
    return render(
        request,
        caller,
        "operations_run.html",
        asset=asset,
        run=run,
        results=results,
        editing=f"/assets/{asset_id}/operations?{urlencode({'operations': run.operations})}",
        names=[str(each) for each in parse_operations(run.operations)],
        listing=lists.read_list(run.operations, None, parts.settings.limits),
        url=lambda name: f"/assets/{asset_id}/operations/{run_id}/files/{quote(name)}",
        command=command_of_operations(asset.name, run.operations),
        python=python_of_operations(asset.name, run.operations),
    )


@ROUTER.get("/assets/{asset_id}/operations/{run_id}/files/{name:path}")
def send_file(
    request: Request,
    parts: PartsHere,
    caller: CallerHere,
    asset_id: AssetId,
    run_id: RunId,
    name: str,
) -> Response:
    """Send a file of a run."""
    return files.send(
        request, parts, lambda: runs.find_file(parts, asset_id, run_id, name, caller.sees_only)
    )


@ROUTER.get("/pages/operations/{asset_id}/{run_id}/events")
async def stream_progress(
    parts: PartsHere, caller: CallerHere, asset_id: AssetId, run_id: RunId
) -> StreamingResponse:
    """Stream how far a run has come, as ``{"state", "progress"}``."""
    await run_in_threadpool(runs.find_run, parts, asset_id, run_id, caller.sees_only)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        _progress(parts, caller, asset_id, run_id), headers=headers, media_type="text/event-stream"
    )


async def _progress(parts: Parts, caller: Caller, asset_id: int, run_id: int) -> AsyncIterator[str]:
    told = ""
    for _ in range(round(LASTING / LOOKING)):
        run = await run_in_threadpool(runs.find_run, parts, asset_id, run_id, caller.sees_only)
        text = json.dumps({"state": run.state, "progress": list(run.progress)})
        if text != told:
            told = text
            yield f"data: {text}\n\n"
        if run.state in SETTLED:
            return
        await asyncio.sleep(LOOKING)


def _show(
    request: Request,
    parts: Parts,
    caller: Caller,
    asset_id: int,
    text: str,
    *,
    status: int = 200,
) -> Response:
    asset = assets.find_asset(parts, asset_id, caller.sees_only)
    record = find_record(parts, asset)
    layout = lists.layout_of(record) if record else None
    listing = lists.read_list(text, layout, parts.settings.limits)
    query = urlencode({"operations": listing.text})
    after = listing.entries[-1].size if listing.fits else None
    return render(
        request,
        caller,
        "operations.html",
        status=status,
        asset=asset,
        record=record,
        listing=listing,
        known=OPERATIONS,
        most=MOST_OPERATIONS,
        shown=shown_size(*after or (asset.width or 1, asset.height or 1)),
        preview=f"/pages/operations/{asset_id}/preview?{query}" if listing.fits else None,
        command=command_of_operations(asset.name, listing.text),
    )


def _texts(fields: Mapping[str, str]) -> list[str]:
    """Texts of the operations in a form, in the order in which they are numbered."""
    found = []
    for place in range(1, MOST_OPERATIONS + 1):
        name = fields.get(f"name-{place}", "").strip()
        if not name:
            continue
        given = [fields.get(f"value-{place}-{n}", "") for n in range(MOST_PARAMETERS)]
        found.append(lists.text_of(name, given) if name in OPERATIONS else name)
    return found


def _changed(texts: list[str], verb: str, where: str) -> list[str]:
    """Move or remove one; a place that does not exist changes nothing."""
    place = int(where) - 1 if where.isascii() and where.isdigit() and len(where) < 3 else -1
    if not 0 <= place < len(texts):
        return texts
    moved = texts.pop(place)
    if verb != "remove":
        texts.insert(max(0, place + (-1 if verb == "up" else 1)), moved)
    return texts


def _results(parts: Parts, asset_id: int, run: runs.Run) -> dict[str, Any] | None:
    """What the page of a finished run shows; None if a file was lost at this very moment."""

    def read(name: str) -> Any:
        kept = runs.find_file(parts, asset_id, run.run_id, name, None)
        return json.loads(parts.blobs.read(kept.sha256, kept.bytes))

    try:
        manifest, changes = read("manifest.json"), read(runs.CHANGES)["changes"]
        before = read("original_metadata.json")["statistics"]
        after = read("combined_metadata.json")["statistics"]
    except FftToolError:
        return None
    beside = [before, after, *(each["statistics"] for each in changes if "statistics" in each)]
    return {
        "manifest": manifest,
        "before": charts.histogram_plot(before, beside=beside),
        "after": charts.histogram_plot(after, beside=beside),
        "changes": [
            {
                **each,
                "plot": charts.histogram_plot(each["statistics"], beside=beside)
                if "statistics" in each
                else None,
            }
            for each in changes
        ],
    }
