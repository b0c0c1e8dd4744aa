"""Ctrl-C and SIGTERM: the first stops handing out work, the others change nothing.

Whatever is being written is finished, so an interrupt leaves only whole files.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)

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
def finishing() -> Iterator[None]:
    """In a worker process: what runs inside is finished before the process ends."""
    _busy.set()
    try:
        yield
    finally:
        _busy.clear()
        if _seen.is_set():
            os._exit(_TERMINATED)


def end_workers() -> None:
    """In the parent, after an interrupt: wait until no worker process is left.

    A pool that broke while its tasks were being cancelled does not wait for its own.
    """
    multiprocessing = sys.modules.get("multiprocessing")  # who has not imported it has none
    for worker in multiprocessing.active_children() if multiprocessing else ():
        worker.terminate()
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
