"""Processes for the work on images that a request waits for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from fft_tool.recipe import Recipe
from fft_tool.runs.child import Child, Patience
from service.errors import Busy

T = TypeVar("T")

LATER = 2  # seconds until there is probably a place again
WAITING = 8  # requests that may wait, for each process; a browser asks for six pictures at once


class Workbench:
    """Processes that work on images, at most ``processes`` at once, each with ``memory`` bytes.

    They start when they are needed first. A few requests may wait for one; the next is refused.
    """

    def __init__(self, processes: int, *, seconds: float, memory: int | None) -> None:
        self._seconds, self._memory = seconds, memory
        self._places = threading.BoundedSemaphore(processes)
        self._lock = threading.Lock()
        self._free = processes * (1 + WAITING)
        self._idle: list[Child] = []
        self._closed = False

    def run(self, work: Callable[[Child, Patience], T]) -> T:
        """Have work done by a process, within the time for one image, waiting included.

        Raises :class:`~service.errors.Busy` if too many wait already, or it was not begun in time.
        """
        deadline = time.monotonic() + self._seconds
        with self._place(deadline), self._child() as child:
            return work(child, lambda _: max(0.0, deadline - time.monotonic()))

    @property
    def free_places(self) -> int:
        """How many more may come, to work or to wait."""
        return self._free

    def close(self) -> None:
        """End the processes; those at work end with it."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for child in idle:
            child.close()

    @contextmanager
    def _place(self, deadline: float) -> Iterator[None]:
        with self._lock:
            if not self._free:
                raise Busy("too many images are being worked on: try again in a moment", LATER)
            self._free -= 1
        try:
            if not self._places.acquire(timeout=max(0.0, deadline - time.monotonic())):
                raise Busy("the images before took too long: try again in a moment", LATER)
            try:
                yield
            finally:
                self._places.release()
        finally:
            with self._lock:
                self._free += 1

    @contextmanager
    def _child(self) -> Iterator[Child]:
        with self._lock:
            child = self._idle.pop() if self._idle else None
        if child is None:
            child = Child()
            child.prepare(Recipe(), memory=self._memory)
        try:
            yield child
        finally:
            with self._lock:
                closed = self._closed
                if not closed:
                    self._idle.append(child)
            if closed:
                child.close()
