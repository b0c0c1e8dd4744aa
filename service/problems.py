"""Errors as ``application/problem+json`` (RFC 9457), from one table of errors and statuses."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import Scope

from fft_tool import errors as core
from service import errors

MEDIA_TYPE = "application/problem+json"

# The first class that fits decides. Errors that are not in the table are ours: 500.
STATUSES: tuple[tuple[type[core.FftToolError], HTTPStatus], ...] = (
    (errors.BadRequest, HTTPStatus.UNPROCESSABLE_ENTITY),
    (errors.NotMultipart, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    (errors.TooSlow, HTTPStatus.REQUEST_TIMEOUT),
    (errors.TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (errors.NotAuthenticated, HTTPStatus.UNAUTHORIZED),
    (errors.Forbidden, HTTPStatus.FORBIDDEN),
    (errors.NotHere, HTTPStatus.NOT_FOUND),
    (errors.Misdirected, HTTPStatus.MISDIRECTED_REQUEST),
    (errors.StillRunning, HTTPStatus.CONFLICT),
    (errors.NotFailed, HTTPStatus.CONFLICT),
    (errors.TooManyRequests, HTTPStatus.TOO_MANY_REQUESTS),
    (core.UnknownFormat, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    (core.TooManyBytes, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (core.Aborted, HTTPStatus.UNPROCESSABLE_ENTITY),
    (core.StoreFull, HTTPStatus.INSUFFICIENT_STORAGE),
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
RETRY_AFTER = 5  # seconds, where an error does not say it

log = logging.getLogger(__name__)


class Problem(BaseModel):
    """What is wrong with a request, or why the service cannot answer it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Not Found",
                    "status": 404,
                    "detail": "there is no asset 7",
                    "code": "not-found",
                    "request_id": "5b1cb2a0c6e1d7f4",
                }
            ]
        }
    )

    type: str = Field("about:blank", description="always `about:blank`: `code` tells the kind")
    title: str = Field(description="the HTTP status in words")
    status: int = Field(description="the HTTP status")
    detail: str = Field(description="what is wrong, where, and what to do")
    code: str = Field(description="the kind of problem, for programs")
    faults: list[str] | None = Field(None, description="each fault, if several were looked for")
    request_id: str | None = Field(None, description="the request, as the log names it")


def status_of(error: core.FftToolError) -> HTTPStatus:
    """Status of the answer to a request that an error ended.

    >>> status_of(core.CorruptImage("the file ends too early")).value
    422
    """
    for kind, status in STATUSES:
        if isinstance(error, kind):
            return status
    if error.permanent:
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.SERVICE_UNAVAILABLE if error.transient else HTTPStatus.INTERNAL_SERVER_ERROR


AsPage = Callable[[Request, HTTPStatus, str], Response | None]
"""Makes the page that tells somebody a problem; None where it cannot be told by a page."""


def install(app: FastAPI, as_page: AsPage) -> None:
    """Have an application answer its errors as problems, or as pages where people look."""
    app.state.as_page = as_page
    app.add_exception_handler(core.FftToolError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _unrouted)
    app.add_exception_handler(ClientDisconnect, _gone)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """``responses`` of a route: the problems that it may answer, by status."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: schema}}
        for status in sorted(statuses)
    }


def describe(schema: dict[str, Any]) -> dict[str, Any]:
    """Put problems into an OpenAPI description, in place of the errors of FastAPI."""
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema()
    for path in schema["paths"].values():
        for operation in path.values():
            if "422" in operation["responses"]:
                operation["responses"]["422"] = responses(422)[422]
    return schema


def problem(
    request_id: str | None,
    status: HTTPStatus,
    code: str,
    detail: str,
    *,
    faults: list[str] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """The answer that tells a problem."""
    body = Problem(
        type="about:blank",
        title=status.phrase,
        status=status,
        detail=detail,
        code=code,
        faults=faults,
        request_id=request_id,
    )
    return JSONResponse(
        body.model_dump(exclude_none=True), status, headers=headers, media_type=MEDIA_TYPE
    )


def bug(scope: Scope) -> Response:
    """The answer to a request that an unexpected exception ended: it tells nothing of it."""
    detail = "this is a fault of the service, not of the request; it was logged"
    return _told(Request(scope), HTTPStatus.INTERNAL_SERVER_ERROR, "bug", detail)


def answer_to(error: core.FftToolError, scope: Scope) -> Response:
    """The answer to a request that is refused before it reaches a route."""
    return _refused(Request(scope), error)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, core.FftToolError)  # noqa: S101  (it is registered for these)
    status = status_of(error)
    headers = {}
    if error.transient:
        headers["Retry-After"] = str(getattr(error, "retry_after", RETRY_AFTER))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, errors.Refused):
        log.error("%s: %s", error.code, error, extra={"request_id": _id_of(request)})
    faults = [str(fault) for fault in getattr(error, "faults", ())] or None
    return _told(request, status, error.code, error.public, faults=faults, headers=headers)


def _invalid(request: Request, error: Exception) -> Response:
    """Parameters in the path, the query or the body that do not have the declared form."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  (as above)
    faults = [
        f"{'.'.join(map(str, each['loc'][1:])) or each['loc'][0]}: {each['msg'].lower()}"
        for each in error.errors()
    ]
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = errors.BadRequest.code
    return _told(request, status, code, "; ".join(faults), faults=faults)


def _unrouted(request: Request, error: Exception) -> Response:
    """Addresses and methods that the service does not have."""
    assert isinstance(error, HTTPException)  # noqa: S101  (as above)
    status = HTTPStatus(error.status_code)
    code = status.phrase.lower().replace(" ", "-").replace("'", "")
    detail = {
        HTTPStatus.NOT_FOUND: "there is nothing at this address: see /openapi.json",
        HTTPStatus.METHOD_NOT_ALLOWED: "this address does not take this method: see Allow",
    }.get(status, status.phrase.lower())
    headers = dict(error.headers or {})
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods_at(request))
    return _told(request, status, code, detail, headers=headers)


def _methods_at(request: Request) -> list[str]:
    """Methods that an address takes; several routes may share it, one for each method."""
    return [
        method
        for method in METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]


def _gone(request: Request, _: Exception) -> Response:
    """The client has gone, so nobody reads this answer."""
    detail = "the client went away before the upload was complete"
    return problem(_id_of(request), HTTPStatus.BAD_REQUEST, "client-gone", detail)


def _told(
    request: Request,
    status: HTTPStatus,
    code: str,
    detail: str,
    *,
    faults: list[str] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """A problem as a page for those who ask for pages, and as JSON for all others."""
    if "text/html" in request.headers.get("accept", ""):
        as_page: AsPage = request.app.state.as_page
        page = as_page(request, status, detail)
        if page is not None:
            page.headers.update(headers or {})
            return page
    return problem(_id_of(request), status, code, detail, faults=faults, headers=headers)


def _id_of(request: Request) -> str | None:
    found: str | None = request.scope.get("state", {}).get("request_id")
    return found
