"""The load on the service: clients, contenders and page."""

from __future__ import annotations

import io
import itertools
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler
from importlib import import_module
from pathlib import Path
from unittest import mock

import pytest
from PIL import Image

from tests.support.server import LoopbackServer

FOLDER = Path(__file__).parents[2] / "benchmarks"
DOCUMENT = FOLDER.parent / "docs" / "benchmarks-service.md"

# The folder is not a package: its scripts import each other from the folder they are started in.
with mock.patch.object(sys, "path", [str(FOLDER), *sys.path]):
    clients = import_module("load.clients")
    measure = import_module("measure")
    photographs = import_module("load.photographs")
    run_load = import_module("run_load")


class OneAtATime(BaseHTTPRequestHandler):
    """Takes 20 ms for each answer, whoever asks."""

    protocol_version = "HTTP/1.1"
    turn = threading.Lock()

    def do_GET(self) -> None:
        with self.turn:
            threading.Event().wait(0.02)
        self.send_response(200 if self.path == "/" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@pytest.mark.parametrize(("share", "seconds"), [(0.5, 50), (0.99, 99), (1, 100), (0, 1)])
def test_a_share_of_the_answers_came_within_its_seconds(share: float, seconds: float) -> None:
    load = clients.Load(tuple(range(1, 101)), 10)
    assert (load.within(share), load.rate) == (seconds, 10)


def test_requests_that_had_to_wait_for_a_client_are_late() -> None:
    """Twice as many are due as can be answered: the last one waits for half of all the others."""
    requests = itertools.repeat(clients.Request("GET", "/"))
    with LoopbackServer(OneAtATime) as server:
        load = clients.paced(f"http://{server.address}", requests, clients=2, seconds=0.4, rate=100)
    assert len(load.answers) == 40
    assert load.within(1) > 10 * 0.02


def test_clients_stop_when_there_are_no_more_requests() -> None:
    requests = iter([clients.Request("GET", "/")] * 5)
    with LoopbackServer(OneAtATime) as server:
        load = clients.at_once(f"http://{server.address}", requests, clients=3, seconds=60)
    assert len(load.answers) == 5


def test_a_server_that_fails_is_not_timed() -> None:
    requests = itertools.repeat(clients.Request("GET", "/missing"))
    with LoopbackServer(OneAtATime) as server, pytest.raises(measure.CommandFailed, match="404"):
        clients.at_once(f"http://{server.address}", requests, clients=2, seconds=60)


def test_photographs_differ_in_bytes_alone() -> None:
    some = list(itertools.islice(photographs.copies(photographs.photograph(64)), 3))
    assert len(set(some)) == 3
    pictures = {Image.open(io.BytesIO(data)).tobytes() for data in some}
    assert len(pictures) == 1


@pytest.mark.slow
def test_quick_run_writes_only_the_given_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_load, "use_cores", lambda count: count)  # not of the whole test run
    before, page = DOCUMENT.read_bytes(), tmp_path / "page.md"
    assert run_load.main(["--quick", "--out", str(page)]) == 0
    text = page.read_text("utf-8")
    assert re.findall("^## (.*)$", text, re.MULTILINE) == [
        "Uploads at a steady rate",
        "Uploads as fast as they are answered",
        "Retrieving renditions",
        "Memory",
        "Machine",
    ]
    assert DOCUMENT.read_bytes() == before
