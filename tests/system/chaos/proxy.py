"""A proxy in front of an S3 server, in which faults are injected.

Requests are forwarded unchanged. The access key of the signature identifies the sender.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.support.server import LoopbackServer

_SIGNER = re.compile(r"Credential=([^/]+)/")
_NOT_PASSED_ON = ("connection", "date", "server", "transfer-encoding")
_CODES = {
    400: "RequestTimeout",
    403: "AccessDenied",
    409: "OperationAborted",
    500: "InternalError",
    503: "SlowDown",
}


@dataclass(frozen=True)
class Request:
    """A received request; ``given_up`` tells whether its sender has disconnected."""

    signer: str
    method: str
    key: str
    body: bytes
    given_up: Callable[[], bool]


@dataclass(frozen=True)
class Answer:
    """An answer of S3 or a replacement; ``whole`` says whether its whole body is sent."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    whole: bool = True


PassOn = Callable[[], Answer]
Meet = Callable[[Request, PassOn], Answer | None]


def refusal(status: int) -> Answer:
    """An error response of S3."""
    body = f"<Error><Code>{_CODES[status]}</Code><Message>chaos</Message></Error>".encode()
    headers = (("Content-Type", "application/xml"), ("Content-Length", str(len(body))))
    return Answer(status, headers, body)


@contextlib.contextmanager
def proxy(upstream: str, meet: Meet) -> Iterator[str]:
    """Run a proxy in front of the S3 at a URL; yields the URL of the proxy.

    ``meet`` receives every request and a function that forwards it. Its answer is sent to the
    client; for None the connection is closed.
    """
    with _Server(upstream, meet) as server:
        yield f"http://{server.address}"


class _Server(LoopbackServer):
    def __init__(self, upstream: str, meet: Meet) -> None:
        self.upstream, self.meet = urlsplit(upstream).netloc, meet
        super().__init__(_Connection)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _meet(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        signer = _SIGNER.search(self.headers.get("Authorization", ""))
        request = Request(
            signer[1] if signer else "",
            self.command,
            unquote(urlsplit(self.path).path).lstrip("/").partition("/")[2],
            body,
            self._is_given_up,
        )
        answer = self.server.meet(request, lambda: self._pass_on(body))
        if answer is None:
            self._cut()
        else:
            self._send(answer)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _meet  # noqa: N815  (http.server's names)

    def _pass_on(self, body: bytes) -> Answer:
        with contextlib.closing(HTTPConnection(self.server.upstream)) as connection:
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in self.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            headers = [h for h in response.getheaders() if h[0].lower() not in _NOT_PASSED_ON]
            return Answer(response.status, tuple(headers), response.read())

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        # After the response to a HEAD request, a body would be taken for the next response.
        body = b"" if self.command == "HEAD" else answer.body
        if answer.whole:
            self.wfile.write(body)
        else:
            self.wfile.write(body[: len(body) // 2])
            self._cut()

    def _cut(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _is_given_up(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        with contextlib.suppress(OSError):
            return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""
        return True

    def log_message(self, *_: Any) -> None:
        """Log nothing."""
