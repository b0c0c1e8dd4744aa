"""Uploading images, and retrieving them, their renditions and their artifacts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from fft_tool.codec.picture_formats import PICTURE_FORMATS
from fft_tool.errors import RecipeError, RecipeFault
from fft_tool.recipe import KEYS, Key
from fft_tool.rendering import DEFAULT, DEFAULT_FORMATS
from service.access import CallerHere, PartsHere
from service.catalogue import artifacts, assets, masks, renditions
from service.problems import responses
from service.routes import files, models
from service.routes.accept import Accept
from service.uploads import Form, described, form_of

ROUTER = APIRouter(tags=["catalogue"])

LARGEST_ID = (1 << 63) - 1

UploadForm = Annotated[Form, form_of(files=("file",), fields=("tenant_name",))]
AssetId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="number of the asset", examples=[1])]
_TYPES = {name: kind.content_type for name, kind in PICTURE_FORMATS.items()}


@ROUTER.post(
    "/upload/",
    operation_id="upload",
    summary="Upload an image",
    responses=responses(401, 403, 408, 413, 415, 422, 503, 507),
    openapi_extra=described(
        files={"file": "the image, in any format that is accepted; its content tells which"},
        fields={"tenant_name": "whose image it is"},
    ),
)
def upload(parts: PartsHere, caller: CallerHere, form: UploadForm) -> models.Uploaded:
    """Take an image, and start the job that makes its renditions and its analysis.

    The same bytes from the same tenant give the same asset and the same job, so that an upload
    may be repeated at will; if that job has failed, it is tried again. The image is decoded by the
    job: whether that succeeds is told by `/retrieve/asset/{asset_id}`.
    """
    tenant = caller.act_for(form.fields["tenant_name"])
    received = form.files["file"]
    found = assets.upload(parts, tenant, received.filename, received.path, received.sha256)
    return models.Uploaded.of(found)


@ROUTER.get(
    "/retrieve/asset/{asset_id}",
    operation_id="retrieve_asset",
    summary="An asset, and what is kept of it",
    responses=responses(401, 404, 422, 503),
)
def retrieve_asset(parts: PartsHere, caller: CallerHere, asset_id: AssetId) -> models.Asset:
    """Tell what is known of an asset: its job, its renditions and its artifacts, with addresses."""
    return models.Asset.of(assets.find_asset(parts, asset_id, caller.sees_only))


def _retrieved(path: str, content: dict[str, Any], **more: Any) -> Callable[..., Any]:
    """Decorator of a route that sends a file to GET, and its headers to HEAD."""
    answers: dict[int | str, dict[str, Any]] = {
        200: {"description": "The file", "content": content, "headers": files.HEADERS},
        304: {"description": "The client has it: see If-None-Match", "headers": files.HEADERS},
    }
    answers |= responses(401, 404, 422, 503, 507)

    def register(endpoint: Callable[..., Any]) -> Callable[..., Any]:
        ROUTER.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)
        ROUTER.add_api_route(
            path, endpoint, methods=["GET"], responses=answers, response_class=Response, **more
        )
        return endpoint

    return register


def _binary(*media_types: str) -> dict[str, Any]:
    return {name: {"schema": {"type": "string", "format": "binary"}} for name in media_types}


@_retrieved(
    "/retrieve/source/{asset_id}",
    _binary(*assets.MEDIA_TYPES.values()),
    operation_id="retrieve_source",
    summary="The image as it was uploaded",
)
def retrieve_source(
    request: Request, parts: PartsHere, caller: CallerHere, asset_id: AssetId
) -> Response:
    """Send the bytes of an asset's image, unchanged."""
    return files.send(request, parts, lambda: assets.find_source(parts, asset_id, caller.sees_only))


@_retrieved(
    "/retrieve/rendition/{asset_id}/{preset}",
    _binary(*(_TYPES[name] for name in (*DEFAULT_FORMATS, *renditions.OFFERED))),
    operation_id="retrieve_rendition",
    summary="A copy of the image for display",
)
def retrieve_rendition(
    request: Request,
    parts: PartsHere,
    caller: CallerHere,
    asset_id: AssetId,
    preset: Annotated[str, Path(description="name of the preset", examples=["thumb"])],
) -> Response:
    """Send a rendition, making it first if need be.

    It fits into the box of the preset, is upright, and keeps its aspect and its opacity; a small
    image is not enlarged. Clients whose `Accept` names WebP or AVIF, and likes it as much as JPEG
    and PNG, get that; all others PNG or JPEG, whichever suits the image.
    """
    accept = Accept.parse(request.headers.get("accept"))
    offered = {_TYPES[name]: name for name in renditions.OFFERED}
    best = accept.best_named(offered, [_TYPES[name] for name in DEFAULT_FORMATS])
    picture_format = offered[best] if best else DEFAULT
    return files.send(
        request,
        parts,
        lambda: renditions.find_rendition(
            parts, asset_id, preset, picture_format, caller.sees_only
        ),
        vary="Accept",
    )


def _parameter(key: Key) -> dict[str, Any]:
    """Description of a key of the recipe as a parameter of the query."""
    schema: dict[str, Any] = {"type": "string"}
    if key.value_type.choices:
        schema["enum"] = list(key.value_type.choices)
    usual = artifacts.ANALYSIS.texts()[key.name]
    text = f"{key.help}. Default: `{usual}`"
    return {"name": key.name, "in": "query", "schema": schema, "description": text}


@_retrieved(
    "/retrieve/artifact/{asset_id}/{kind}",
    _binary("image/png", "application/json", "application/x-npz"),
    operation_id="retrieve_artifact",
    summary="A result of the analysis",
    openapi_extra={"parameters": [_parameter(key) for key in KEYS]},
)
def retrieve_artifact(
    request: Request,
    parts: PartsHere,
    caller: CallerHere,
    asset_id: AssetId,
    kind: Annotated[
        str,
        Path(description=f"one of {', '.join(artifacts.KINDS)}", examples=["magnitude"]),
    ],
) -> Response:
    """Send an artifact of the usual analysis, or of any other recipe: its keys are the query.

    What is not kept is made first. A kind that only needs a yes in the recipe needs no key:
    `/retrieve/artifact/1/spectrum`; others need a value:
    `/retrieve/artifact/1/filtered?filter=lowpass:8`.
    """
    items = request.query_params.multi_items()
    twice = [name for name, count in Counter(name for name, _ in items).items() if count > 1]
    if twice:
        raise RecipeError([RecipeFault(name, "", "given twice") for name in twice])
    return files.send(
        request,
        parts,
        lambda: artifacts.find_artifact(
            parts,
            asset_id,
            kind,
            dict(items),
            caller.sees_only,
            read_mask=masks.masks_of(parts, asset_id, caller.sees_only),
        ),
    )
