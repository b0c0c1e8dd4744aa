"""What is measured of each contender, one after the other."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import CommandFailed

from load.clients import Connection, Load, Request, at_once, paced
from load.contenders import Contender, Running, Service, Thumbor, running
from load.photographs import copies
from load.plan import Plan

WAITING = 60  # seconds until an image has to be finished
LOOKING = 0.1  # seconds between two looks


@dataclass(frozen=True, slots=True)
class Measures:
    """Of one contender.

    ``kept`` are retrievals of renditions that are there, ``busy`` the same while the workers of the
    service have jobs; ``images`` are those that get all their renditions in a second. ``memory`` is
    in bytes, of all ``processes`` together.
    """

    name: str
    kept: Load
    paced: Load
    busy: Load | None
    at_once: Load
    images: float
    memory: int
    processes: int


def measure(contender: Contender, folder: Path, data: bytes, plan: Plan) -> Measures:
    """Start a contender, load it, and stop it."""
    images = copies(data)
    with running(contender, folder) as server:
        wanted = _finished(server, contender, next(images))
        kept = _retrieve(server, wanted, plan)
        uploads = map(contender.upload, images)
        clients, seconds = 2 * plan.clients, plan.paced
        steady = paced(server.url, uploads, clients=clients, seconds=seconds, rate=plan.rate)
        busy = _retrieve(server, wanted, plan) if isinstance(contender, Service) else None
        most = at_once(server.url, uploads, clients=plan.clients, seconds=plan.at_once)
        rate = _images(server, contender, images, plan)
        memory, processes = server.memory()
    return Measures(
        name=contender.name,
        kept=kept,
        paced=steady,
        busy=busy,
        at_once=most,
        images=most.rate if rate is None else rate,
        memory=memory,
        processes=processes,
    )


def _finished(server: Running, contender: Contender, data: bytes) -> list[Request]:
    """Upload an image, and return what retrieves its renditions as soon as they are there."""
    answer, headers = _answer(server, contender.upload(data))
    if isinstance(contender, Service):
        number = json.loads(answer)["asset_id"]
        _wait_for(server, number)
    wanted = contender.renditions(answer, headers)
    for request in wanted:  # thumbor makes them now
        _answer(server, request)
    return wanted


def _retrieve(server: Running, wanted: list[Request], plan: Plan) -> Load:
    requests = itertools.cycle(wanted)
    return at_once(server.url, requests, clients=plan.clients, seconds=plan.retrieving)


def _images(
    server: Running, contender: Contender, images: Iterator[bytes], plan: Plan
) -> float | None:
    """Images a second with all renditions; None if these are made by the upload itself."""
    if isinstance(contender, Service):
        start, before = time.perf_counter(), _jobs(server)
        time.sleep(plan.finishing)
        after, seconds = _jobs(server), time.perf_counter() - start
        if plan.judged and not after["queued"]:
            raise CommandFailed("the workers had nothing left to do: give them more uploads")
        return float((after["done"] - before["done"]) / seconds)
    if isinstance(contender, Thumbor):
        some = itertools.islice(images, plan.sources)
        answers = [_answer(server, contender.upload(data)) for data in some]
        requests = [request for answer in answers for request in contender.renditions(*answer)]
        made = at_once(server.url, iter(requests), clients=plan.clients, seconds=WAITING)
        return plan.sources / made.seconds
    return None


def _wait_for(server: Running, number: int) -> None:
    end = time.monotonic() + WAITING
    while time.monotonic() < end:
        status = _json(server, f"/retrieve/asset/{number}")["status"]
        if status == "done":
            return
        if status == "failed":
            break
        time.sleep(LOOKING)
    raise CommandFailed(f"asset {number} was not finished")


def _jobs(server: Running) -> dict[str, int]:
    jobs: dict[str, int] = _json(server, "/metrics/tenant/benchmark")["jobs"]
    return jobs


def _json(server: Running, path: str) -> Any:
    return json.loads(_answer(server, Request("GET", path))[0])


def _answer(server: Running, request: Request) -> tuple[bytes, dict[str, str]]:
    connection = Connection(server.url)
    try:
        body, headers = connection.answer(request)
    finally:
        connection.close()
    return body, dict(headers.items())
