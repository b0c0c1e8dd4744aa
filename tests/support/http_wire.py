"""HTTP as bytes on a connection: requests that no library would send, and answers as they come."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.support.running_service import SECONDS, RunningService

BOUNDARY = "b0undary"


@dataclass(frozen=True)
class Answer:
    """An answer: status, headers by their names in lower case, and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def get(target: bytes, *headers: bytes) -> bytes:
    """A request for a target that is sent as it is."""
    lines = (b"GET " + target + b" HTTP/1.1", b"Host: 127.0.0.1", b"Connection: close", *headers)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def post(
    target: str, body: bytes, *headers: str, content_type: str = "", length: int = -1
) -> bytes:
    """A request with a body, whose length may be a lie."""
    kind = content_type or f"multipart/form-data; boundary={BOUNDARY}"
    lines = (
        f"POST {target} HTTP/1.1",
        "Host: 127.0.0.1",
        "Connection: close",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body) if length < 0 else length}",
        *headers,
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def part(name: str, data: bytes, filename: str | None = None) -> bytes:
    """A part of a form, without the boundary that ends it."""
    shown = "" if filename is None else f'; filename="{filename}"'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{shown}\r\n\r\n'
    return head.encode() + data + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def answer_of(received: bytes) -> Answer:
    """Take an answer apart."""
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return Answer(int(first.split(" ")[1]), {name.lower(): text for name, text in pairs}, body)


@contextlib.contextmanager
def connected(service: RunningService) -> Iterator[socket.socket]:
    """A connection to a service."""
    with socket.create_connection((service.host, service.port), SECONDS) as connection:
        yield connection


def received_from(connection: socket.socket) -> bytes:
    """All that comes back until the connection ends, by the service or by an error."""
    received = bytearray()
    with contextlib.suppress(ConnectionError):
        while data := connection.recv(1 << 16):
            received += data
    return bytes(received)


def exchange(service: RunningService, *chunks: bytes) -> bytes:
    """Send bytes over a connection of their own, and return all that comes back."""
    with connected(service) as connection:
        with contextlib.suppress(ConnectionError):  # it may have been refused before its end
            for chunk in chunks:
                connection.sendall(chunk)
        return received_from(connection)


def reset(connection: socket.socket) -> None:
    """End a connection as a process does that is killed: without a goodbye."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
