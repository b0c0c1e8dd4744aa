"""The deadline of one message: times each step, and refuses to start one too late."""

from __future__ import annotations

import time
from collections.abc import Callable

from handler.errors import OutOfTime

STORE_SECONDS = (30.0, 10.0, 3.0, 1.0)  # few values, since each has its own connections


class Deadline:
    """Times the steps, and stops the work while there is still time to return the message.

    ``remaining_ms`` gives the milliseconds that the invocation has left; no step is started with
    less than ``reserve_ms``. ``restarts`` counts how often the work was restarted for a newer
    version, ``broken_off`` how often its child process crashed or was ended, and
    ``bytes_written`` everything written, including work that was later restarted or broken off.
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
        """End the previous step and start this one, unless it is too late; steps may recur."""
        self.stop()
        left = self._remaining_ms()
        if left < self._reserve_ms:
            raise OutOfTime(
                f"only {max(left, 0):,} ms are left before {name!r}, and {self._reserve_ms:,} are "
                "reserved (FFT_RESERVE_MS): returned for a retry; if this recurs, give the "
                "function more time or memory"
            )
        self._step, self._began = name, time.perf_counter()

    def seconds_to_work(self) -> float:
        """Seconds until work that was started in time has to be broken off and returned."""
        return (self._remaining_ms() - self._reserve_ms / 2) / 1000

    def seconds_for_store(self) -> float:
        """Seconds for which a store may retry and still leave time to return the message."""
        left = (self._remaining_ms() - self._reserve_ms) / 1000
        return next((seconds for seconds in STORE_SECONDS if seconds <= left), STORE_SECONDS[-1])

    def stop(self) -> None:
        """End the current step."""
        self._ended = time.perf_counter()
        if self._step:
            passed = self._ended - self._began
            self._seconds[self._step] = self._seconds.get(self._step, 0.0) + passed
            self._step = ""

    def wrote(self, count: int) -> None:
        """Count bytes that have been written."""
        self._written.append(count)

    @property
    def bytes_written(self) -> int:
        """Total bytes written."""
        return sum(self._written)

    @property
    def milliseconds(self) -> dict[str, float]:
        """Duration of each step, in the order in which they first started."""
        return {name: round(1000 * seconds, 1) for name, seconds in self._seconds.items()}

    @property
    def total_ms(self) -> float:
        """Milliseconds from creation to the last stop."""
        return round(1000 * (self._ended - self._start), 1)
