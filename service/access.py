"""Dependencies of the routes: the parts of the service, and who makes a request."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service.keys import Caller, caller_of
from service.parts import Parts
from service.sessions import COOKIE, caller_of_session

_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="A key that `fft-service keys make` has made, where authentication is on.",
)


async def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


PartsHere = Annotated[Parts, Depends(_parts)]
"""Type of a route's parameter: the parts of the service."""


def _caller(
    request: Request,
    parts: PartsHere,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
) -> Caller:
    if credentials:
        return caller_of(parts, credentials.credentials)
    token = request.cookies.get(COOKIE)
    found = caller_of_session(parts, token) if token else None
    return found or caller_of(parts, None)


CallerHere = Annotated[Caller, Depends(_caller)]
"""Type of a route's parameter: who makes the request."""


def _administrator(caller: CallerHere) -> Caller:
    caller.check_administrator()
    return caller


AdministratorHere = Annotated[Caller, Depends(_administrator)]
"""Type of a route's parameter: an administrator who makes the request; others are refused."""
