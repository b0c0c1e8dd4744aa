"""Waiting for a database that is away; loads no library."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from fft_tool.errors import DatabaseUnavailable

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0  # seconds between two attempts

T = TypeVar("T")


def patiently(work: Callable[[], T], patience: float) -> T:
    """Call ``work`` until the database is there, for ``patience`` seconds."""
    end = time.monotonic() + patience
    pause = FIRST_PAUSE
    while True:
        try:
            return work()
        except DatabaseUnavailable:
            left = end - time.monotonic()
            if left <= 0:
                raise
        time.sleep(min(pause, left))
        pause = min(2 * pause, LONGEST_PAUSE)
