"""Ctrl-C and SIGTERM: the first stops handing out work, the others change nothing.

Whatever is being written is finished, so an interrupt leaves only whole files. What is still being
read or computed is dropped: reading from a pipe or a dead disk may never end.
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
    """Raise ``KeyboardInterrupt`` at the first signal and ignore those that follow.

    Signals are as before afterwards, but after an interrupt: the process is then to end.
    """
    _seen.clear()
    before = [signal.signal(number, _interrupt) for number in SIGNALS]
    yield
    if not _seen.is_set():
        for number, handler in zip(SIGNALS, before, strict=True):
            signal.signal(number, handler)


def check() -> None:
    """Raise again what Python swallows if a signal arrives while it frees an object."""
    if _seen.is_set():
        raise KeyboardInterrupt


def begin_worker() -> None:
    """In a worker process: leave Ctrl-C to the parent, and end on SIGTERM between two tasks.

    It must not be ignored: a pool that has lost a worker ends the others by it, and waits.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end_worker)


@contextlib.contextmanager
def finishing() -> Iterator[Callable[[str], None]]:
    """In a worker process: from the step "write" on, finish what runs inside before ending.

    The function that it gives is to be told each step of :func:`fft_tool.runs.one.process`.
    """
    try:
        yield lambda step: _busy.set() if step == "write" else None
    finally:
        _busy.clear()
        if _seen.is_set():
            os._exit(_TERMINATED)


def end_workers() -> None:
    """In the parent, after an interrupt: wait until no worker process is left.

    Each finishes what it is writing; one that takes longer than :data:`GRACE` is killed.
    """
    multiprocessing = sys.modules.get("multiprocessing")  # who has not imported it has none
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
    # A pool that breaks while its tasks are being cancelled raises in a thread of its own.
    threading.excepthook = _say_nothing
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _say_nothing(_: object) -> None:
    """Let a thread end without a traceback: what it was doing is not wanted any more."""
