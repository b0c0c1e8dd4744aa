"""ministack behind a front that refuses requests without the key of the run.

The emulator does not check keys. A server on loopback can be reached by any web page that is open
in a browser on the same machine, and by the machine's other users; through Lambda, they could run
code.

It also lets failed functions be reported as Lambda reports them.

This module is a program of its own, ``python front.py``, and imports nothing else of the project.
It needs ministack's environment, with ``LOCAL_AWS_KEY`` and ``GATEWAY_PORT``.
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
# Sec-Fetch-Site values of requests that the user typed in, or that come from this server's pages.
OWN_SITES = ("none", "same-origin")

# An object may be an HTML page. Opened in a browser, it must not run scripts, and its address,
# which contains the key, must not reach other servers.
SAFE_HEADERS = [
    (b"content-security-policy", b"sandbox"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Execute = Callable[..., dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Front:
    """ASGI middleware that passes on only requests that have ``key``."""

    app: App
    key: str
    port: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        reason = self.refusal(scope) if scope["type"] in ("http", "websocket") else ""
        if not reason:
            await self.app(scope, receive, _safe(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            body = json.dumps({"message": f"refused by the local AWS: {reason}"}).encode()
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    def refusal(self, scope: Scope) -> str:
        """Why a request is refused; empty if it is accepted.

        A different host name means that someone else's DNS name resolves to this machine.
        """
        headers = _headers(scope)
        own = [f"{host}:{self.port}" for host in HOSTS]
        if headers.get("host", [""]) not in [[host] for host in own]:
            return f"its host is not {own[0]}"
        if not set(headers.get("origin", [])) <= {f"http://{host}" for host in own}:
            return "it comes from a web page"
        if not set(headers.get("sec-fetch-site", [])) <= set(OWN_SITES):
            return "it comes from a web page"
        if not any(compare_digest(key.encode(), self.key.encode()) for key in _keys(scope)):
            return "it does not have the key that `make up` printed"
        return ""


def _safe(send: Send) -> Send:
    """Add the headers that keep a browser from running an object as a page."""

    async def sending(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *SAFE_HEADERS]}
        await send(message)

    return sending


def _headers(scope: Scope) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _keys(scope: Scope) -> list[str]:
    """Access keys of a request, from its signature and its session token."""
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


def with_error_types(execute: Execute) -> Execute:
    """Let a failed function be reported by the class of its exception, as Lambda does.

    Step Functions matches that name. ministack reports every exception under one name; the class
    stands in the traceback, which it adds to the log.
    """

    def executing(*arguments: Any) -> dict[str, Any]:
        result = execute(*arguments)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict):
            message = re.escape(str(body.get("errorMessage", "")))
            raised = rf"^(?:\w+\.)*(\w+)(?:: {message})?\s*\Z"
            found = re.search(raised, str(result.get("log", "")), re.MULTILINE)
            if found and body.get("errorType") == "Runtime.HandlerError":
                body["errorType"] = found[1]
        return result

    return executing


def main() -> None:
    """Run ministack behind the front."""
    from ministack import app as emulator  # type: ignore[import-untyped]  # noqa: PLC0415  (slow to import)
    from ministack.services import lambda_svc  # type: ignore[import-untyped]  # noqa: PLC0415  (as above)

    # The executor of Python code. If another version names it otherwise, this fails at once.
    lambda_svc._execute_function_warm = with_error_types(lambda_svc._execute_function_warm)  # noqa: SLF001
    emulator.app = Front(emulator.app, os.environ.pop(KEY), int(os.environ["GATEWAY_PORT"]))
    emulator.main()


if __name__ == "__main__":
    main()
