"""Clients that are refused and try again, with pauses of several kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STEP = 0.05  # seconds
FIRST, FACTOR, PATIENCE = 0.1, 2.0, 30.0  # seconds, as in fft_tool/stores/s3_obstore.py
LONGEST = PATIENCE / 4

Array = NDArray[np.float64]
Draw = np.random.Generator
# The pause after the pause ``last`` (seconds), for many clients.
Pause = Callable[[Array, Draw], Array]


def fixed(last: Array, _: Draw) -> Array:
    """One second each time."""
    return np.ones_like(last)


def doubling(last: Array, _: Draw) -> Array:
    """Twice as long each time, the same for everybody."""
    return np.clip(FACTOR * last, FIRST, LONGEST)


def jittered(last: Array, draw: Draw) -> Array:
    """At random, up to twice the pause before: what the store does."""
    high = np.maximum(FACTOR * last, FACTOR * FIRST)
    return np.minimum(draw.uniform(FIRST, high), LONGEST)


@dataclass(frozen=True, slots=True)
class Storm:
    """Requests per second by time, and how the clients fared."""

    times: Array
    offered: Array
    served: Array  # moment for each client, NaN if it gave up
    requests: int

    @property
    def gave_up(self) -> float:
        """Share of the clients that were refused until their patience was over."""
        return float(np.isnan(self.served).mean())

    @property
    def finish(self) -> float:
        """Moment at which the last client got through."""
        return float(np.nanmax(self.served))


def storm(clients: int, rate: float, pause: Pause, window: float = 1.0, seed: int = 0) -> Storm:
    """Simulate clients that all send one request at once, to a service with a limited rate.

    The service accepts ``rate`` requests a second on average, and what it accepts in ``window``
    seconds at once. It refuses all others immediately.
    """
    draw = np.random.default_rng(seed)
    due, last = np.zeros(clients), np.zeros(clients)
    served, tokens, requests = np.full(clients, np.nan), rate * window, 0
    times = np.arange(0, PATIENCE, STEP)
    offered = np.zeros(len(times))
    for index, now in enumerate(times):
        ready = np.flatnonzero(due <= now + STEP / 2)
        draw.shuffle(ready)
        taken = int(min(len(ready), tokens))
        tokens = min(rate * window, tokens - taken + rate * STEP)
        offered[index] = len(ready) / STEP
        requests += len(ready)
        served[ready[:taken]] = now
        due[ready[:taken]] = np.inf
        refused = ready[taken:]
        last[refused] = pause(last[refused], draw)
        due[refused] = now + last[refused]
    return Storm(times, offered, served, requests)
