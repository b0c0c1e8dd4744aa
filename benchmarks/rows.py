"""Conversion of measurements to rows of the table."""

from __future__ import annotations

from measure import Times
from table import Goal, Row

Figure = Times | str  # or the reason why there is none


def speed_row(what: str, ours: Times, peer: str, its: Figure, goal: Goal | None = None) -> Row:
    """A row with our speed relative to a peer's."""
    if isinstance(its, str):
        return Row(what, times_text(ours), peer, its, goal=goal)
    value = its.best / ours.best
    return Row(what, times_text(ours), peer, times_text(its), value, "× as fast", goal)


def cost_row(what: str, ours: Times, peer: str, its: Figure, goal: Goal | None = None) -> Row:
    """A row with our time relative to a peer's."""
    if isinstance(its, str):
        return Row(what, times_text(ours), peer, its, goal=goal)
    value = ours.best / its.best
    return Row(what, times_text(ours), peer, times_text(its), value, "× its time", goal)


def times_text(times: Times) -> str:
    """The best round, and in brackets the median of several."""
    best = seconds_text(times.best)
    return best if len(times.seconds) == 1 else f"{best} ({seconds_text(times.median)})"


def seconds_text(seconds: float) -> str:
    """A time to about three digits, in ms below one second."""
    return f"{digits(1e3 * seconds)} ms" if seconds < 1 else f"{digits(seconds)} s"


def bytes_text(count: float) -> str:
    """An amount of memory with about three digits, in MiB below one GiB."""
    mib = count / (1 << 20)
    return f"{digits(mib)} MiB" if mib < 1024 else f"{digits(mib / 1024)} GiB"


def shape_text(height: int, width: int) -> str:
    """A shape as "2048²" or "1080 × 1920"."""
    return f"{height}²" if height == width else f"{height} × {width}"


def digits(value: float) -> str:
    """A positive number with about three digits."""
    decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{decimals}f}"
