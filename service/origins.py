"""Requests that another site has a browser send: refused, if they would change anything.

A browser attaches the cookies of the service, and reaches a service on its own machine, whichever
page makes the request. It says where a request comes from, in ``Sec-Fetch-Site`` or, older ones, in
``Origin``; programs say neither. So no form needs a token.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import Forbidden
from service.problems import answer_to

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OWN = frozenset({"same-origin", "none"})  # none: typed, or from a bookmark


class SameOrigin:
    """Middleware that refuses unsafe requests from pages of other sites."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] == "http" and scope["method"] not in SAFE:
            headers = Headers(scope=scope)
            if is_foreign(headers):
                error = Forbidden("the request comes from a page of another site")
                await answer_to(error, scope)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def is_foreign(headers: Headers) -> bool:
    """Whether a browser says that a page of another site makes this request.

    >>> is_foreign(Headers({"Origin": "https://evil.example", "Host": "127.0.0.1:10000"}))
    True
    >>> is_foreign(Headers({"Host": "127.0.0.1:10000"}))
    False
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in OWN
    origin = headers.get("origin")
    if origin is None:
        return False
    return urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
