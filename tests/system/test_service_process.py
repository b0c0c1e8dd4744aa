"""The service as a process: how it starts, what it takes from the network, and how it stops."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.command import SECONDS, environment
from tests.support.images import noise, png_bytes
from tests.support.service import environ_in

SERVICE = (sys.executable, "-W", "error::SyntaxWarning", "-m", "service")


@contextmanager
def serving(folder: Path, **variables: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A service on a port that the kernel chooses, and the port."""
    process = subprocess.Popen(
        [*SERVICE, "serve"],
        cwd=folder,
        env=environment(**environ_in(folder, **variables)),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        yield process, _port(process)
    finally:
        process.kill()
        process.wait(SECONDS)
        process.stderr.close()


def _port(process: subprocess.Popen[str]) -> int:
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(r"serving at http://127\.0\.0\.1:(\d+)", line)
        if found:
            return int(found[1])
    raise AssertionError(f"it ended with {process.wait()}")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("service")
    with serving(folder, UPLOAD_IDLE_SECONDS="1", MAX_UPLOAD_BYTES="100000") as (_, number):
        yield number


def said(port: int, *pieces: bytes) -> bytes:
    """What the service answers to bytes, until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        for piece in pieces:
            try:
                connection.sendall(piece)
            except ConnectionError:  # it has had enough
                break
        answer = b""
        try:
            while data := connection.recv(65536):
                answer += data
        except ConnectionResetError:
            pass
        return answer


HEAD = (
    b"POST /upload/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Content-Type: multipart/form-data; boundary=b\r\n"
)
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def test_headers_without_end_are_refused(port: int) -> None:
    answer = said(port, b"GET /healthz HTTP/1.1\r\nX: ", *[b"a" * 65536] * 40)
    assert answer.startswith(b"HTTP/1.1 400") or not answer
    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz").status == 200


def test_a_head_that_does_not_come_is_not_waited_for(port: int) -> None:
    assert said(port, b"GET /healthz HT").startswith(b"HTTP/1.1 400")


def test_an_upload_that_stops_is_ended(port: int) -> None:
    answer = said(port, HEAD + b"Content-Length: 5000\r\n\r\n" + PART)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"code":"too-slow"' in answer
    assert b"connection: close" in answer


def test_an_endless_upload_is_answered_and_ended(port: int) -> None:
    """The answer arrives although the client is still sending when it is refused."""
    pieces = [chunk(b"a" * 65536)] * 64
    answer = said(port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", chunk(PART), *pieces)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"code":"too-large"' in answer


def test_answers_do_not_tell_what_serves(port: int) -> None:
    answer = said(
        port, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    ).lower()
    assert b"\r\nserver:" not in answer
    assert b"uvicorn" not in answer


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_and_what_was_uploaded_is_there(
    tmp_path: Path, number: signal.Signals
) -> None:
    image = png_bytes(noise((32, 32)))
    with serving(tmp_path, WORKER="in-process") as (process, port):
        body = PART + image + b'\r\n--b\r\nContent-Disposition: form-data; name="tenant_name"'
        body += b"\r\n\r\nacme\r\n--b--\r\n"
        length = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        answer = said(port, HEAD + length + body)
        assert answer.startswith(b"HTTP/1.1 200"), answer
        process.send_signal(number)
        assert process.wait(SECONDS) == 0
        assert process.stderr is not None
        assert json.loads(process.stderr.read().splitlines()[-1])["message"] == "stopped"
    assert list((tmp_path / "temporary").iterdir()) == []
    with (
        serving(tmp_path) as (_, port),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/retrieve/asset/1") as found,
    ):
        assert json.load(found)["asset_id"] == 1


def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path, port: int) -> None:
    done = subprocess.run(
        [*SERVICE, "serve"],
        cwd=tmp_path,
        env=environment(**environ_in(tmp_path, PORT=str(port))),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert f"PORT={port}: cannot listen there" in line
