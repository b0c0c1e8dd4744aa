"""Dependencies of the routes: the parts of the service, and who makes a request."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service.keys import Caller, caller_of
from service.parts import Parts

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
    parts: PartsHere,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
) -> Caller:
    return caller_of(parts, credentials.credentials if credentials else None)


CallerHere = Annotated[Caller, Depends(_caller)]
"""Type of a route's parameter: who makes the request."""


def _administrator(caller: CallerHere) -> Caller:
    caller.check_administrator()
    return caller


AdministratorHere = Annotated[Caller, Depends(_administrator)]
"""Type of a route's parameter: an administrator who makes the request; others are refused."""
