"""Problems told to people: a page that says what is wrong, and where to go on."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from service.pages.rendering import render

TITLES = {
    HTTPStatus.UNAUTHORIZED: "Please sign in",
    HTTPStatus.FORBIDDEN: "This is not allowed",
    HTTPStatus.NOT_FOUND: "There is nothing here",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The file is too large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "This is no image that can be read",
    HTTPStatus.UNPROCESSABLE_ENTITY: "That does not work",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong here",
    HTTPStatus.SERVICE_UNAVAILABLE: "Please try again in a moment",
    HTTPStatus.INSUFFICIENT_STORAGE: "The storage is full",
}


def tell(request: Request, status: HTTPStatus, detail: str) -> Response | None:
    """The page of a problem; who has to sign in is led there."""
    parts = request.app.state.parts
    if status == HTTPStatus.UNAUTHORIZED and parts.settings.authentication != "off":
        wanted = request.url.path if request.method == "GET" else "/"
        if request.method == "GET" and request.url.query:
            wanted += f"?{request.url.query}"
        return RedirectResponse(f"/sign-in?{urlencode({'next': wanted})}", 303)
    return render(
        request,
        None,
        "problem.html",
        status=status,
        reason=f"{status.value} · {status.phrase}",
        title=TITLES.get(status, status.phrase),
        detail=detail,
    )
