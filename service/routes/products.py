"""Product images over HTTP: crops, their status, and the images themselves."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, Field

from service.access import CallerHere, PartsHere
from service.database.tables import FAILED, READY, WAITING
from service.parts import Parts
from service.problems import responses
from service.products import crops
from service.products.addresses import client_of
from service.products.asked import BOX, INFO, LARGEST, parse_manual, parse_smart
from service.products.crops import ProductImage
from service.products.names import LONGEST_ID
from service.products.rate import Limiter
from service.products.results import CONTENT_TYPE, Results
from service.routes.files import HEADERS, has_it
from service.settings import LARGEST_SIDE
from service.uploads import Form, described, form_of

ROUTER = APIRouter(prefix="/images", tags=["products"])

CACHED = "public, max-age=3600"  # images do not change

_LARGEST_ID = 2**63 - 1

SOURCE = "source_image"
_JPEG = {CONTENT_TYPE: {"schema": {"type": "string", "format": "binary"}}}
_IMAGE = "the image, of any format that is accepted; it is turned upright first"


def _json(description: str, example: dict[str, Any], **properties: dict[str, Any]) -> Any:
    """Schema of a field that holds JSON; what the example has is required."""
    return {
        "type": "object",
        "description": f"JSON: {description}",
        "required": list(example),
        "properties": properties,
        "additionalProperties": False,
        "examples": [example],
    }


def _pixels(least: int, most: int, description: str) -> dict[str, Any]:
    limits = {"minimum": least, "maximum": most}
    return {"type": "integer", **limits, "description": description}


_PRODUCT_ID = {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGEST_ID,
    "description": "id of the product, any printable text",
}
_INFO = _json("the product", {"product_id": "ABC-123"}, product_id=_PRODUCT_ID)
_INFO_SMART = _json(
    "the product, and how large the crop should be",
    {"product_id": "ABC-123"},
    product_id=_PRODUCT_ID,
    width=_pixels(1, LARGEST_SIDE, "of the crop; default: as the service is set"),
    height=_pixels(1, LARGEST_SIDE, "of the crop; default: as the service is set"),
)
_BOX = _json(
    "the region in pixels of the upright image",
    {"x": 0, "y": 0, "width": 640, "height": 480},
    x=_pixels(0, LARGEST, "left edge"),
    y=_pixels(0, LARGEST, "upper edge"),
    width=_pixels(1, LARGEST, "to the right"),
    height=_pixels(1, LARGEST, "downwards"),
)


def image_url(path: str) -> str:
    """Address of an image on this host."""
    return f"{ROUTER.prefix}/{quote(path)}"


class State(StrEnum):
    """States of an image."""

    WAITING = WAITING
    READY = READY
    FAILED = FAILED


class Made(BaseModel):
    """An image that is there, or will be."""

    image_id: Annotated[int, Field(description="number of the image", examples=[17])]
    retrieval_url: Annotated[
        str,
        Field(description="where to get it, on this host", examples=["/images/abc-123-17.jpg"]),
    ]

    @classmethod
    def of(cls, image: ProductImage) -> Made:
        """What a client is told of an image."""
        return cls(image_id=image.image_id, retrieval_url=image_url(image.path))


class ImageError(BaseModel):
    """Why an image could not be made."""

    code: Annotated[str, Field(description="for programs", examples=["corrupt-image"])]
    message: Annotated[str, Field(examples=["JPEG cannot be decoded: image file is truncated"])]


class Status(BaseModel):
    """What has become of an image."""

    image_id: Annotated[int, Field(examples=[17])]
    status: Annotated[State, Field(description="`ready`: its URL answers")]
    error: Annotated[ImageError | None, Field(description="if it failed")] = None


def _admitted(
    request: Request,
    parts: PartsHere,
    _: CallerHere,  # a request without a key is not counted
) -> None:
    """Count the request before anything of its body is read."""
    admit(request, parts)


def admit(request: Request, parts: Parts) -> None:
    """Count a request for its address; raises :class:`~service.errors.TooManyRequests`."""
    limiter: Limiter = request.app.state.limiter
    peer = request.client.host if request.client else None
    limiter.admit(client_of(peer, _forwarded(request), parts.settings.trusted_proxies))


def _forwarded(request: Request) -> Mapping[str, list[str]]:
    return {name: request.headers.getlist(name) for name in ("x-forwarded-for", "forwarded")}


_COUNTED = [Depends(_admitted)]
ManualForm = Annotated[Form, form_of(files=(SOURCE,), fields=(INFO, BOX))]
SmartForm = Annotated[Form, form_of(files=(SOURCE,), fields=(INFO,))]
_PROBLEMS = (401, 408, 413, 415, 422, 429, 503, 507)


@ROUTER.post(
    "/manual-crop",
    operation_id="crop_manually",
    summary="Crop a product's image to a box",
    dependencies=_COUNTED,
    responses=responses(*_PROBLEMS),
    openapi_extra=described(files={SOURCE: _IMAGE}, fields={INFO: _INFO, BOX: _BOX}),
)
def crop_manually(parts: PartsHere, caller: CallerHere, form: ManualForm) -> Made:
    """Crop at once, and keep the crop as JPEG. Counted by the rate limit, also if it is refused."""
    asked = parse_manual(form.fields[INFO], form.fields[BOX])
    data = form.files[SOURCE].path.read_bytes()
    return Made.of(crops.crop_manually(parts, caller.tenant, asked, data))


@ROUTER.post(
    "/smart-crop",
    operation_id="crop_smartly",
    summary="Crop a product's image to what stands out",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=_COUNTED,
    responses=responses(*_PROBLEMS),
    openapi_extra=described(files={SOURCE: _IMAGE}, fields={INFO: _INFO_SMART}),
)
def crop_smartly(parts: PartsHere, caller: CallerHere, form: SmartForm) -> Made:
    """Answer at once, and crop in the background: until then, the URL answers 404.

    Counted by the rate limit, also if it is refused.
    """
    asked = parse_smart(form.fields[INFO], parts.settings.smart_crop)
    source = form.files[SOURCE]
    made = crops.crop_smartly(parts, caller.tenant, asked, source.path, source.sha256)
    return Made.of(made)


@ROUTER.get(
    "/status/{image_id}",
    operation_id="image_status",
    summary="What has become of a product's image",
    response_model_exclude_none=True,
    responses=responses(404, 422),
)
def image_status(
    parts: PartsHere,
    image_id: Annotated[
        int, Path(ge=1, le=_LARGEST_ID, description="number of the image", examples=[17])
    ],
) -> Status:
    """Whether an image is waiting for its crop, ready, or failed, and why."""
    found = crops.status_of(parts, image_id)
    error = None
    if found.status == FAILED and found.error_code is not None:
        error = ImageError(code=found.error_code, message=found.error_message or "")
    return Status(image_id=found.image_id, status=State(found.status), error=error)


@ROUTER.head("/{image_path:path}", include_in_schema=False)
@ROUTER.get(
    "/{image_path:path}",
    operation_id="retrieve_image",
    summary="A product's image",
    response_class=Response,
    responses={
        200: {"description": "The image", "content": _JPEG, "headers": HEADERS},
        304: {"description": "The client has it: see If-None-Match", "headers": HEADERS},
        **responses(404, 503),
    },
)
def retrieve_image(
    request: Request,
    parts: PartsHere,
    image_path: Annotated[
        str, Path(description="the end of its `retrieval_url`", examples=["abc-123-17.jpg"])
    ],
) -> Response:
    """A JPEG; 404 until it is ready, and for whatever is not an image of the folder of results."""
    found = Results(parts.settings.processed_images).read(image_path)
    headers = {"ETag": f'"{found.sha256}"', "Cache-Control": CACHED}
    if has_it(request, found.sha256):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(found.data, media_type=CONTENT_TYPE, headers=headers)
