"""The gallery: all images of a tenant, found and sorted by what their records say."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from service.access import CallerHere, PartsHere
from service.catalogue import assets, searching
from service.catalogue.samples import add_samples, has_samples
from service.errors import BadRequest, NotHere
from service.keys import Caller
from service.pages.rendering import render
from service.parts import Parts
from service.uploads import Form, form_of

ROUTER = APIRouter(include_in_schema=False)

UploadForm = Annotated[Form, form_of(files=("file",), fields=("tenant_name",))]
SamplesForm = Annotated[Form, form_of(files=(), fields=("tenant_name",))]
FIRST_TENANT = "default"
"""Tenant that is offered where there is none yet and everybody may act for any."""


@ROUTER.get("/")
def show_gallery(
    request: Request,
    parts: PartsHere,
    caller: CallerHere,
    q: Annotated[str, Query()] = "",
    sort: Annotated[str, Query()] = "newest",
    tenant: Annotated[str, Query()] = "",
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    """Show images, those that match the search, in an order."""
    fault = ""
    try:
        search = searching.Search.parse(q)
    except BadRequest as exc:
        fault, search = exc.public, searching.Search()
    order = sort if sort in searching.ORDERS else "newest"
    seen = caller.sees_only or tenant or None
    found = searching.find_assets(parts, seen, search, order=order, page=page)
    asked = {"q": q, "sort": order, "tenant": tenant}
    return render(
        request,
        caller,
        "gallery.html",
        found=found,
        fault=fault,
        asked=asked,
        orders=searching.ORDERS,
        tenants=searching.tenants_with_assets(parts) if caller.administrator else [],
        uploads_to=_tenant_of(parts, caller, tenant),
        samples=not found.total and has_samples(parts),
        address=str(request.base_url).rstrip("/"),
        link=lambda **changed: "/?" + urlencode({**asked, **changed}),
    )


@ROUTER.get("/pages/cards/{asset_id}")
def show_card(request: Request, parts: PartsHere, caller: CallerHere, asset_id: int) -> Response:
    """Send the card of one image, which a script puts into the gallery."""
    card = searching.find_card(parts, asset_id, caller.sees_only)
    if card is None:
        raise NotHere(f"there is no asset {asset_id}")
    return render(request, caller, "card.html", card=card, tenants=[])


@ROUTER.post("/")
def upload(parts: PartsHere, caller: CallerHere, form: UploadForm) -> Response:
    """Take an image from a form without scripts, and show it."""
    tenant = caller.act_for(form.fields["tenant_name"])
    received = form.files["file"]
    found = assets.upload(parts, tenant, received.filename, received.path, received.sha256)
    return RedirectResponse(f"/assets/{found.asset_id}", 303)


@ROUTER.post("/pages/samples")
def take_samples(parts: PartsHere, caller: CallerHere, form: SamplesForm) -> Response:
    """Add the sample images, and show them in the gallery."""
    add_samples(parts, caller.act_for(form.fields["tenant_name"]))
    return RedirectResponse("/", 303)


def _tenant_of(parts: Parts, caller: Caller, chosen: str) -> str:
    """The tenant to whom uploads go."""
    if caller.tenant is not None:
        return caller.tenant
    names = [name for name, _ in searching.tenants_with_assets(parts)]
    return chosen or (names[0] if names else FIRST_TENANT)
