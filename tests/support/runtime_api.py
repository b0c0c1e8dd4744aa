"""The Lambda Runtime API on loopback: what Amazon's client asks for events and posts answers to."""

from __future__ import annotations

import json
import re
import select
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import MappingProxyType
from typing import Any, NoReturn, Self

from tests.support.cloud import REGION
from tests.support.server import LoopbackServer

NAME = "fft-pipeline"
ARN = f"arn:aws:lambda:{REGION}:123456789012:function:{NAME}"
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"
NEXT = "/2018-06-01/runtime/invocation/next"
INIT_ERROR = "/2018-06-01/runtime/init/error"
ANSWER = re.compile(r"/2018-06-01/runtime/invocation/([0-9a-f-]+)/(response|error)")
NOTHING: Mapping[str, str] = MappingProxyType({})


class FunctionDied(Exception):
    """There is no process that answers: it ended, or never asked for the event."""


class TimedOut(FunctionDied):
    """The process was killed, as it had not answered by its deadline."""


@dataclass(frozen=True)
class Answer:
    """What one invocation came to: a result, or the error that the client reports."""

    result: Any
    error: dict[str, Any] | None
    seconds: float
    request_id: str

    @property
    def returned(self) -> Any:
        """The result of an invocation that is expected to have one."""
        assert self.error is None, self.error
        return self.result

    @property
    def raised(self) -> tuple[str, str]:
        """Type and message of an error that is expected."""
        assert self.error is not None, self.result
        return self.error["errorType"], self.error["errorMessage"]


@dataclass
class _Invocation:
    """An event, from its being offered until it is answered or its taker has gone."""

    event: bytes
    remaining: float
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    taker: object = None
    posted: tuple[str, bytes] | None = None
    lost: bool = False
    seconds: float = 0.0

    def take(self, taker: object) -> dict[str, str]:
        """Note who takes it, and give the headers that tell the client about it."""
        self.taker, self.seconds = taker, -time.perf_counter()
        return {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(round((time.time() + self.remaining) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Trace-Id": TRACE,  # the client crashes without
        }

    def post(self, kind: str, body: bytes) -> None:
        self.posted = kind, body
        self.seconds += time.perf_counter()

    def answer(self) -> Answer:
        assert self.posted is not None
        kind, body = self.posted
        value = strict_json(body)
        result, error = (value, None) if kind == "response" else (None, value)
        return Answer(result, error, self.seconds, self.request_id)


class Endpoint:
    """The Runtime API alone, on loopback: for any process that asks it for events.

    ``kill`` is called to end a process that has not answered by its deadline. An init error that
    the process reports is kept in ``init_error``.
    """

    def __init__(self, kill: Callable[[], None] = lambda: None) -> None:
        self.init_error: dict[str, Any] | None = None
        self._kill = kill
        self._turn = threading.Lock()
        self._news = threading.Condition()
        self._current: _Invocation | None = None
        self._ended: str | None = None  # why there is nobody left to ask for events
        self._server = _Server(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        """Value of ``AWS_LAMBDA_RUNTIME_API`` for the process."""
        return self._server.address

    def invoke(self, event: Any, *, remaining: float = 60.0, patience: float = 60.0) -> Answer:
        """Hand an event to the process, and wait for what it posts.

        The process has ``patience`` seconds to ask for the event, and from then on ``remaining``
        seconds to answer. Events of several threads wait for their turn.
        """
        invocation = _Invocation(json.dumps(event).encode(), remaining)
        with self._turn:
            try:
                self._run(invocation, patience)
            except TimedOut:
                self._kill()
                raise
        return invocation.answer()

    def _run(self, invocation: _Invocation, patience: float) -> None:
        with self._news:
            self._current = invocation
            self._news.notify_all()
            try:
                self._await(lambda: invocation.taker is not None, patience)
                if not invocation.taker:
                    raise FunctionDied(self._ended or f"nobody asked for the event, {patience} s")
                self._await(
                    lambda: bool(invocation.posted or invocation.lost), invocation.remaining
                )
                if invocation.posted:
                    return
                if invocation.lost or self._ended:
                    raise FunctionDied(self._ended or "the connection was closed without an answer")
                raise TimedOut(f"no answer after {invocation.remaining} s")
            finally:
                self._current = None

    def _await(self, happened: Callable[[], bool], seconds: float) -> None:
        self._news.wait_for(lambda: happened() or self._ended, seconds)

    def take(self, taker: _Connection) -> tuple[dict[str, str], bytes] | None:
        """Wait for an event; its headers and body, or None if there will be none for the taker."""

        def offered() -> bool:
            return self._current is not None and self._current.taker is None

        with self._news:
            self._news.wait_for(lambda: offered() or self._ended)
            if self._ended or self._current is None or not taker.is_open():
                return None
            self._news.notify_all()
            return self._current.take(taker), self._current.event

    def post(self, request_id: str, kind: str, body: bytes) -> bool:
        """Take an answer; whether it is one to the current event."""
        with self._news:
            if self._current is None or self._current.request_id != request_id:
                return False
            self._current.post(kind, body)
            self._news.notify_all()
            return True

    def leave(self, taker: object) -> None:
        """Note that a connection has ended, perhaps with the process that had taken the event."""
        with self._news:
            if self._current is not None and self._current.taker is taker:
                self._current.lost = True
                self._news.notify_all()

    def end(self, reason: str) -> None:
        """Give up all waiting: the process has ended, or the endpoint is to."""
        with self._news:
            self._ended = self._ended or reason
            self._news.notify_all()

    def close(self) -> None:
        """Close every connection and the port."""
        self.end("the endpoint was closed")
        self._server.close()


class _Server(LoopbackServer):
    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        super().__init__(_Connection)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # the client keeps its connection, whose end is then its own
    disable_nagle_algorithm = True
    server: _Server

    def finish(self) -> None:
        super().finish()
        self.server.endpoint.leave(self)

    def do_GET(self) -> None:
        """Hand out the next event, when there is one."""
        if self.path != NEXT:
            self._answer(404)
        elif taken := self.server.endpoint.take(self):
            self._answer(200, *taken)
        else:
            self.close_connection = True

    def do_POST(self) -> None:
        """Take an answer to an event, or the error that starting has come to."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == INIT_ERROR:
            self.server.endpoint.init_error = json.loads(body)
            self._answer(202)
            return
        found = ANSWER.fullmatch(self.path)
        known = found and self.server.endpoint.post(found[1], found[2], body)
        self._answer(202 if known else 400)

    def _answer(self, status: int, headers: Mapping[str, str] = NOTHING, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def is_open(self) -> bool:
        """Whether the client is still there: it has nothing to say while it waits."""
        return not select.select([self.connection], [], [], 0)[0]

    def log_message(self, *_: object) -> None:
        """Keep requests out of the tests' own output."""


def strict_json(text: str | bytes) -> Any:
    """Read JSON that has to be JSON: Python's own is content with NaN."""

    def refuse(word: str) -> NoReturn:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)
