"""Clients on loopback: as many requests as come back, or so many a second, and what they took."""

from __future__ import annotations

import http.client
import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from measure import CommandFailed

TIMEOUT = 30  # seconds for one answer


@dataclass(frozen=True, slots=True)
class Request:
    """A request, and the statuses of the answers that count as success."""

    method: str
    path: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    expected: tuple[int, ...] = (200,)


@dataclass(frozen=True, slots=True)
class Load:
    """Seconds that each answer took, sorted, and the seconds that all of them took together."""

    answers: tuple[float, ...]
    seconds: float

    def within(self, share: float) -> float:
        """Seconds within which this share of the answers came.

        >>> Load((0.1, 0.2, 0.3, 0.4), 1.0).within(0.5)
        0.2
        """
        return self.answers[max(0, math.ceil(share * len(self.answers)) - 1)]

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.answers) / self.seconds


class Connection:
    """A connection that is kept between requests."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._http = http.client.HTTPConnection(place.hostname or "", place.port, timeout=TIMEOUT)

    def answer(self, request: Request) -> tuple[bytes, http.client.HTTPMessage]:
        """Body and headers of the answer; raises :class:`CommandFailed` if it is not expected."""
        self._http.request(request.method, request.path, request.body, dict(request.headers))
        response = self._http.getresponse()
        body = response.read()
        if response.status not in request.expected:
            what = f"{request.method} {request.path}: {response.status}"
            raise CommandFailed(f"{what}: {body[:300]!r}")
        return body, response.headers

    def close(self) -> None:
        """End the connection."""
        self._http.close()


def at_once(url: str, requests: Iterator[Request], *, clients: int, seconds: float) -> Load:
    """Clients that each send a request as soon as the one before is answered.

    They stop after some seconds, or when there are no more requests.
    """
    end = time.perf_counter() + seconds
    return _drive(url, requests, clients, lambda _: time.perf_counter(), end)


def paced(
    url: str, requests: Iterator[Request], *, clients: int, seconds: float, rate: float
) -> Load:
    """So many requests a second, however slow the answers are.

    An answer's time counts from when the request was due, so that a service which is late for one
    request is also late for those that had to wait for a client.
    """
    start = time.perf_counter()
    return _drive(url, requests, clients, lambda number: start + number / rate, start + seconds)


def _drive(
    url: str,
    requests: Iterator[Request],
    clients: int,
    due: Callable[[int], float],
    end: float,
) -> Load:
    answers: list[float] = []
    failures: list[Exception] = []
    turn, numbers = threading.Lock(), itertools.count()

    def client() -> None:
        connection = Connection(url)
        try:
            while not failures:
                with turn:
                    at, request = due(next(numbers)), next(requests, None)
                if at >= end or request is None:
                    return
                time.sleep(max(0.0, at - time.perf_counter()))
                connection.answer(request)
                answers.append(time.perf_counter() - at)
        except (CommandFailed, OSError, http.client.HTTPException) as exc:
            failures.append(exc)
        finally:
            connection.close()

    start = time.perf_counter()
    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise CommandFailed(f"{url}: {failures[0]}") from failures[0]
    return Load(tuple(sorted(answers)), time.perf_counter() - start)
