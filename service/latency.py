"""How long requests took: a histogram that each process keeps of its own answers."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram's classes, in seconds; longer requests are in one beyond them."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER = "other"


@dataclass(frozen=True, slots=True)
class Kind:
    """Requests that are counted together: by method, by route as declared, and by status.

    Addresses without a route, and methods that nobody has, are ``other``: there are only so many
    kinds, whatever clients send. ``status`` is 0 if the client had gone before the answer.
    """

    method: str
    route: str
    status: int


@dataclass(slots=True)
class Times:
    """Number of requests in each class of :data:`BOUNDS` and beyond, and the sum of seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0

    @property
    def count(self) -> int:
        """Number of requests."""
        return sum(self.counts)


class RequestTimes:
    """Times of the requests of this process, since it started.

    >>> times = RequestTimes()
    >>> times.note("GET", "/healthz", 200, 0.003)
    >>> times.all()[Kind("GET", "/healthz", 200)].count
    1
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: dict[Kind, Times] = {}

    def note(self, method: str, route: str | None, status: int | None, seconds: float) -> None:
        """Count a request."""
        kind = Kind(method if method in _METHODS else _OTHER, route or _OTHER, status or 0)
        with self._lock:
            times = self._times.setdefault(kind, Times())
            times.counts[bisect_left(BOUNDS, seconds)] += 1
            times.seconds += seconds

    def all(self) -> Mapping[Kind, Times]:
        """A copy of what was counted."""
        with self._lock:
            return {
                kind: Times(list(times.counts), times.seconds)
                for kind, times in sorted(self._times.items(), key=lambda each: str(each[0]))
            }
