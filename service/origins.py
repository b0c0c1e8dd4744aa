"""Requests that another site has a browser send: refused, if they would change or tell anything.

A browser attaches the cookies of the service, and reaches a service on its own machine, whichever
page makes the request. It says where a request comes from, in ``Sec-Fetch-Site`` or, older ones, in
``Origin``; programs say neither. So no form needs a token.

A page whose name is made to lead to this machine (DNS rebinding) is of the same origin for the
browser. But it asks for the service by that name, which is not one of the service's.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import Forbidden, Misdirected
from service.problems import answer_to
from service.settings import Settings, is_loopback

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OWN = frozenset({"same-origin", "none"})  # none: typed, or from a bookmark


LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
CHECKS = frozenset({"/healthz", "/readyz"})  # which load balancers ask by any name


def known_hosts(settings: Settings) -> frozenset[str] | None:
    """Names by which the service may be asked; None: any.

    On loopback they are those of loopback and what the settings add. Elsewhere the settings may
    limit them, but authentication is required anyway.
    """
    if is_loopback(settings.host):
        return LOOPBACK | settings.allowed_hosts
    return settings.allowed_hosts or None


class KnownHosts:
    """Middleware that refuses requests for hosts that the service is not."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] == "http" and scope["path"] not in CHECKS:
            host = host_of(Headers(scope=scope).get("host", ""))
            if host not in self._hosts:
                error = Misdirected(
                    f"this service is not known as {host[:100]!r}: ask for it as one of "
                    f"{', '.join(sorted(self._hosts))}, or add the name to ALLOWED_HOSTS"
                )
                await answer_to(error, scope)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def host_of(header: str) -> str:
    """Name or address in a ``Host`` header, without its port.

    >>> host_of("LocalHost:10000"), host_of("[::1]:10000"), host_of("fft.example")
    ('localhost', '::1', 'fft.example')
    """
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.rpartition(":")[0].lower() if ":" in header else header.lower()


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
