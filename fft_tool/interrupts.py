"""Ctrl-C and SIGTERM: the first stops handing out work, the others change nothing.

Whatever is being written is finished, so an interrupt leaves only whole files.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)

_seen = threading.Event()


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


def leave_to_parent() -> None:
    """In a worker process: finish what is under way whatever arrives; the parent stops giving."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _interrupt(*_: object) -> NoReturn:
    _seen.set()
    leave_to_parent()
    raise KeyboardInterrupt
