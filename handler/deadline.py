"""The deadline of one message: how long each step took, and whether there is time for the next."""

from __future__ import annotations

import time
from collections.abc import Callable

from handler.errors import OutOfTime

STORE_SECONDS = (30.0, 10.0, 3.0, 1.0)  # few, since each has connections of its own


class Deadline:
    """Times the steps, and ends the work while there is still time to hand it back.

    ``remaining_ms`` gives the milliseconds that the invocation has left; a step is not begun when
    fewer than ``reserve_ms`` are. ``restarts`` counts how often the work was begun again for
    a newer version, ``broken_off`` how often a process that did it had to be ended, and
    ``bytes_written`` what was written, by work that was begun again or broke off too.
    """

    def __init__(self, remaining_ms: Callable[[], int], reserve_ms: int) -> None:
        self._remaining_ms, self._reserve_ms = remaining_ms, reserve_ms
        self._seconds: dict[str, float] = {}
        self._step = ""
        self._start = self._began = self._ended = time.perf_counter()
        self.restarts = 0
        self.broken_off = 0
        self._written: list[int] = []  # appended to by several threads

    def step(self, name: str) -> None:
        """End the step before, and begin this one unless it is too late; steps may recur."""
        self.stop()
        left = self._remaining_ms()
        if left < self._reserve_ms:
            raise OutOfTime(
                f"{max(left, 0):,} ms are left before {name!r}, {self._reserve_ms:,} are kept back "
                "(FFT_RESERVE_MS): handed back; if it recurs, give the function more time or memory"
            )
        self._step, self._began = name, time.perf_counter()

    def seconds_to_work(self) -> float:
        """Seconds until work that was begun in time has to be broken off, to be handed back."""
        return (self._remaining_ms() - self._reserve_ms / 2) / 1000

    def seconds_for_store(self) -> float:
        """Seconds for which a store may be asked, such that there is time to hand back after."""
        left = (self._remaining_ms() - self._reserve_ms) / 1000
        return next((seconds for seconds in STORE_SECONDS if seconds <= left), STORE_SECONDS[-1])

    def stop(self) -> None:
        """End the step that is under way."""
        self._ended = time.perf_counter()
        if self._step:
            passed = self._ended - self._began
            self._seconds[self._step] = self._seconds.get(self._step, 0.0) + passed
            self._step = ""

    def wrote(self, count: int) -> None:
        """Note that so many bytes have been written."""
        self._written.append(count)

    @property
    def bytes_written(self) -> int:
        """Bytes written in all."""
        return sum(self._written)

    @property
    def milliseconds(self) -> dict[str, float]:
        """How long each step took, in the order in which they first began."""
        return {name: round(1000 * seconds, 1) for name, seconds in self._seconds.items()}

    @property
    def total_ms(self) -> float:
        """Milliseconds from when this was made until it was stopped."""
        return round(1000 * (self._ended - self._start), 1)
