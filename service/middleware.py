"""What every answer has: headers, a request id, a line in the log, and an end to its upload."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fft_tool.limits import MIB
from service.latency import RequestTimes
from service.problems import bug

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Headers of every answer, unless a route sets its own."""

LINGER_SECONDS = 5.0  # how long the rest of a refused upload is received
LINGER_IDLE = 1.0
LINGER_BYTES = 64 * MIB

log = logging.getLogger("service.requests")


class Envelope:
    """Outermost middleware of the application."""

    def __init__(self, app: ASGIApp, times: RequestTimes) -> None:
        self._app, self._times = app, times

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        try:
            await exchange.run(self._app)
        finally:
            exchange.tell(self._times)


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._began = time.perf_counter()
        self._id = secrets.token_hex(8)
        self._status: int | None = None
        headers = Headers(scope=scope)
        has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        self._body_left = has_body
        self._body_asked = not headers.get("expect")  # otherwise it comes only when asked for
        scope.setdefault("state", {})["request_id"] = self._id

    async def run(self, app: ASGIApp) -> None:
        """Have the application answer."""
        try:
            await app(self._scope, self.receive, self.send)
        except Exception as exc:
            extra = {"request_id": self._id}
            log.exception("%s", type(exc).__name__, extra=extra)
            if self._status is None:
                await bug(self._scope)(self._scope, self.receive, self.send)
            else:
                raise  # the answer has begun: only ending the connection tells that it is cut off

    async def receive(self) -> Message:
        """Receive a part of the body."""
        self._body_asked = True
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._body_left = False
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, text in HEADERS.items():
                headers.setdefault(name, text)
            headers["X-Request-Id"] = self._id
            if self._body_left:
                headers["Connection"] = "close"
        elif self._body_left and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._linger()
            message = {"type": "http.response.body"}
        await self._send(message)

    async def _linger(self) -> None:
        """Receive the rest of a refused upload, within limits, and drop it.

        If the connection ended while the client is sending, the client would see a broken
        connection instead of the answer.
        """
        count = 0
        if not self._body_asked:
            return
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while self._body_left and count < LINGER_BYTES:
                    async with asyncio.timeout(LINGER_IDLE):
                        count += len((await self.receive()).get("body", b""))
        except TimeoutError:
            return

    def tell(self, times: RequestTimes) -> None:
        """Log the request and count it."""
        seconds = time.perf_counter() - self._began
        # As declared, not as asked for: addresses are the client's, and there are any number.
        route = getattr(self._scope.get("route"), "path", "")
        method, status = self._scope["method"], self._status or 0
        times.note(method, route, status, seconds)
        told = {"method": method, "route": route, "status": status, "ms": round(1000 * seconds, 1)}
        message = "%(method)s %(route)s %(status)s in %(ms)s ms"
        log.info(message, told, extra={**told, "request_id": self._id})
