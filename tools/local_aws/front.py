"""ministack behind a front that answers nobody but who has started it.

The emulator checks no keys, and whatever listens on loopback can be asked by every web page that is
open in a browser of the same machine, and by its other users. With Lambda in it, that would have
them run code.

A program of its own, ``python front.py``, which imports nothing else of the project: it is started
with ministack's environment, and ``LOCAL_AWS_KEY`` and ``GATEWAY_PORT`` in it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qs

KEY = "LOCAL_AWS_KEY"  # the environment variable

HOSTS = ("127.0.0.1", "localhost")
# Of whence a browser says that a request comes: typed into it, or from this very server.
OWN_SITES = ("none", "same-origin")

# An object may be a page: opened in a browser, it runs no script and passes its address on to
# nobody, for that has the key in it.
HARMLESS = [
    (b"content-security-policy", b"sandbox"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Front:
    """An ASGI application before another one, which gets only what has the run's ``key``."""

    app: App
    key: str
    port: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        reason = self.refusal(scope) if scope["type"] in ("http", "websocket") else ""
        if not reason:
            await self.app(scope, receive, _harmless(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            body = json.dumps({"message": f"refused by the local AWS: {reason}"}).encode()
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    def refusal(self, scope: Scope) -> str:
        """Why a request is refused; nothing if it is not.

        A foreign host is one that somebody else's name server leads here.
        """
        headers = _headers(scope)
        own = [f"{host}:{self.port}" for host in HOSTS]
        if headers.get("host", [""]) not in [[host] for host in own]:
            return f"it is for another host; this is {own[0]}"
        if not set(headers.get("origin", [])) <= {f"http://{host}" for host in own}:
            return "it comes from a web page"
        if not set(headers.get("sec-fetch-site", [])) <= set(OWN_SITES):
            return "it comes from a web page"
        if not any(compare_digest(key.encode(), self.key.encode()) for key in _keys(scope)):
            return "it does not have the keys that `make up` has printed"
        return ""


def _harmless(send: Send) -> Send:
    """Send answers with what keeps a browser from running them."""

    async def sending(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *HARMLESS]}
        await send(message)

    return sending


def _headers(scope: Scope) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _keys(scope: Scope) -> list[str]:
    """Keys that a request has: of its signature, or of the session in which it was signed."""
    headers = _headers(scope)
    query = parse_qs(scope["query_string"].decode("latin-1"))
    signed = [
        *re.findall(
            r"^AWS4-HMAC-SHA256 Credential=([^/,]+)/", headers.get("authorization", [""])[0]
        ),
        *(credential.partition("/")[0] for credential in query.get("X-Amz-Credential", [])),
    ]
    session = [*headers.get("x-amz-security-token", []), *query.get("X-Amz-Security-Token", [])]
    return [key for key in (*signed, *session) if key]


def main() -> None:
    """Run ministack behind the front, until it is ended."""
    from ministack import app as emulator  # type: ignore[import-untyped]  # noqa: PLC0415

    emulator.app = Front(emulator.app, os.environ.pop(KEY), int(os.environ["GATEWAY_PORT"]))
    emulator.main()


if __name__ == "__main__":
    main()
