"""Ctrl-C and SIGTERM: the first signal stops handing out work, later ones are ignored.

Files being written are finished, so an interrupt leaves only complete files. Reading and computing
are abandoned, since reading from a dead disk may never end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)

GRACE = 10.0  # seconds that a worker process has to finish what it is writing

_TERMINATED = 128 + signal.SIGTERM

_seen = threading.Event()
_busy = threading.Event()


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` at the first signal and ignore later ones.

    Signal handlers are restored afterwards, except after an interrupt, when the process should end.
    """
    _seen.clear()
    before = [signal.signal(number, _interrupt) for number in SIGNALS]
    yield
    if not _seen.is_set():
        for number, handler in zip(SIGNALS, before, strict=True):
            signal.signal(number, handler)


def check() -> None:
    """Raise the interrupt again: Python loses it if the signal arrives in a finaliser."""
    if _seen.is_set():
        raise KeyboardInterrupt


def begin_worker() -> None:
    """In a worker process: leave Ctrl-C to the parent, and end on SIGTERM between tasks.

    SIGTERM must not be ignored: a pool that has lost a worker sends it to the others, and waits.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end_worker)


@contextlib.contextmanager
def finishing() -> Iterator[Callable[[str], None]]:
    """In a worker process: once the step "write" has begun, finish it before ending.

    Yields the function to call with the name of each step of :func:`fft_tool.runs.one.process`.
    """
    try:
        yield _begin_step
    finally:
        _busy.clear()
        if _seen.is_set():
            os._exit(_TERMINATED)


def _begin_step(name: str) -> None:
    if name == "write":
        _busy.set()
        return
    _busy.clear()
    if _seen.is_set():
        os._exit(_TERMINATED)


def end_workers() -> None:
    """In the parent, after an interrupt: end all worker processes and wait for them.

    Each may finish what it is writing; a worker that takes longer than :data:`GRACE` is killed.
    """
    multiprocessing = sys.modules.get("multiprocessing")  # if not imported, there are no workers
    workers = multiprocessing.active_children() if multiprocessing else []
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join(GRACE)
        if worker.is_alive():
            worker.kill()
            worker.join()


def _end_worker(*_: object) -> None:
    _seen.set()
    if not _busy.is_set():
        os._exit(_TERMINATED)


def _interrupt(*_: object) -> NoReturn:
    _seen.set()
    # A pool that breaks while its tasks are being cancelled raises in its own thread.
    threading.excepthook = _ignore
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _ignore(_: object) -> None:
    """Suppress the traceback of a thread whose work is no longer needed."""
