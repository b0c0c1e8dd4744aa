"""A child process that communicates over pipes and does not inherit the environment.

This module is separate from :mod:`fft_tool.runs.child`, which is slower to import, so that the
process can be started first.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

PROGRAM = "from fft_tool.runs.child_program import main; main()"

_PIPE = 1 << 20  # bytes, the largest size that Linux allows without privileges

# No other variables are passed on; in particular, no credentials.
_PASSED_ON = ("LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "TZ")
_PYTHON = ("PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONPYCACHEPREFIX")


class Process:
    """A process that runs :data:`PROGRAM`, and the pipes to and from it; starts immediately.

    ``expired`` is true if the process was killed at its deadline.
    """

    def __init__(self) -> None:
        theirs, requests = os.pipe()
        replies, ours = os.pipe()
        actions = [(os.POSIX_SPAWN_DUP2, theirs, 0), (os.POSIX_SPAWN_DUP2, ours, 1)]
        try:
            # Without `site`, for speed: PYTHONPATH says where packages are.
            command = [sys.executable, "-S", "-c", PROGRAM]
            self.pid = os.posix_spawn(sys.executable, command, _environment(), file_actions=actions)
        finally:
            os.close(theirs)
            os.close(ours)
        for pipe in (requests, replies):
            _enlarge(pipe)
        self.requests = FileIO(requests, "w", closefd=False)
        self.replies = open(replies, "rb", closefd=False)  # noqa: SIM115  (no path)
        self._pipes = [requests, replies]
        self._status: int | None = None
        self.expired = False
        self._seconds = 0.0

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[Callable[[float], None]]:
        """Kill the process after the given time; the yielded function sets a new deadline."""
        timers: list[threading.Timer] = []
        began = time.monotonic()

        def extend(seconds: float) -> None:
            stop()
            self._seconds = time.monotonic() - began + seconds
            timers.append(threading.Timer(max(0.0, seconds), self._expire))
            timers[-1].daemon = True
            timers[-1].start()

        def stop() -> None:
            for timer in timers:
                timer.cancel()
                timer.join()
            timers.clear()

        try:
            extend(seconds)
            yield extend
        finally:
            stop()

    def has_ended(self) -> bool:
        """Whether the process has ended."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = status if pid else None
        return self._status is not None

    def kill(self) -> None:
        """Kill the process, which closes its side of the pipes; call it from any thread."""
        if self._status is None:
            with suppress(ProcessLookupError):  # it was waited for at this very moment
                os.kill(self.pid, signal.SIGKILL)

    def end(self) -> None:
        """Kill the process, if it is still running, and close the pipes."""
        if not self.has_ended():
            self.kill()
            self._status = os.waitpid(self.pid, 0)[1]
        while self._pipes:
            os.close(self._pipes.pop())

    def ending(self) -> str:
        """Describe how the process ended, once it has closed its side of the pipe."""
        if self._status is None:
            self._status = os.waitpid(self.pid, 0)[1]
        if self.expired:
            return f"it took longer than the {self._seconds:.3g} s allowed"
        code = os.waitstatus_to_exitcode(self._status)
        if code >= 0:
            return f"the worker process ended with exit code {code}"
        name = signal.Signals(-code).name
        hint = "was there enough memory?" if name == "SIGKILL" else "a decoder crashed"
        return f"the worker process was ended by {name}: {hint}"

    def _expire(self) -> None:
        self.expired = True
        self.kill()


def _environment() -> dict[str, str]:
    """Environment of the child: what Python needs, and nothing else."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *(path for path in sys.path if path and path != root)]
    return {
        **{name: os.environ[name] for name in (*_PASSED_ON, *_PYTHON) if name in os.environ},
        "MALLOC_ARENA_MAX": "1",  # each additional arena would take 128 MiB of address space
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONSAFEPATH": "1",
    }


def _enlarge(pipe: int) -> None:
    """Enlarge a pipe's buffer from the usual 64 KiB, to save context switches for large images."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
