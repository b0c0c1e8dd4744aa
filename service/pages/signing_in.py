"""Signing in with a key, and out again."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from service.access import PartsHere
from service.errors import NotAuthenticated
from service.pages.rendering import render
from service.parts import Parts
from service.products.addresses import is_from
from service.sessions import COOKIE, LONGEST, begin_session, end_session
from service.uploads import Form, form_of

ROUTER = APIRouter(include_in_schema=False)

KeyForm = Annotated[Form, form_of(files=(), fields=("key", "next"))]
Next = Annotated[str, Query(max_length=20_000)]

_OWN_PATH = re.compile(r"/(?![/\\])[\x21-\x7e]*")


@ROUTER.get("/sign-in")
def show_sign_in(request: Request, parts: PartsHere, next: Next = "/") -> Response:  # noqa: A002  (the name in the address)
    """Show the form for a key."""
    if parts.settings.authentication == "off":
        return RedirectResponse(own_path(next), 303)
    return render(request, None, "sign_in.html", wanted=own_path(next), fault="")


@ROUTER.post("/sign-in")
def sign_in(request: Request, parts: PartsHere, form: KeyForm) -> Response:
    """Begin a session, and lead to the page that was asked for."""
    wanted = own_path(form.fields["next"])
    if parts.settings.authentication == "off":
        return RedirectResponse(wanted, 303)
    try:
        token = begin_session(parts, form.fields["key"].strip())
    except NotAuthenticated as exc:
        return render(request, None, "sign_in.html", status=401, wanted=wanted, fault=exc.public)
    answer = RedirectResponse(wanted, 303)
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(LONGEST.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=_is_https(request, parts),
    )
    return answer


@ROUTER.post("/sign-out")
def sign_out(request: Request, parts: PartsHere) -> Response:
    """End the session."""
    token = request.cookies.get(COOKIE)
    if token:
        end_session(parts, token)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE)
    return answer


def own_path(text: str) -> str:
    r"""A path of this service to be led to; anything else is the gallery.

    >>> own_path("/assets/1?a=b"), own_path("//evil.example"), own_path("https://evil.example")
    ('/assets/1?a=b', '/', '/')
    """
    return text if _OWN_PATH.fullmatch(text) else "/"


def _is_https(request: Request, parts: Parts) -> bool:
    """Whether the browser asks over https, itself or by what a trusted proxy says."""
    if request.url.scheme == "https":
        return True
    peer = request.client.host if request.client else ""
    trusted = is_from(peer, parts.settings.trusted_proxies)
    return trusted and request.headers.get("x-forwarded-proto", "") == "https"
