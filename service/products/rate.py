"""How many requests are allowed, and the answer to those beyond."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from service.errors import TooManyRequests

_MINUTES = 120  # seconds from which on a wait is told in minutes


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``limit`` requests in any ``seconds``; a limit of 0 allows any number."""

    limit: int
    seconds: int

    def refusal(self, wait: float) -> TooManyRequests:
        """The error for an address that has to wait so many seconds."""
        seconds = max(1, math.ceil(wait))
        return TooManyRequests(
            f"this address has sent as many images as are accepted, {self.limit:,} in "
            f"{_period(self.seconds)}: try again in {_period(_rounded(seconds))}",
            seconds,
        )


class Limiter(Protocol):
    """Counts requests."""

    def admit(self, address: str) -> None:
        """Count a request of an address, or refuse it.

        Raises :class:`~service.errors.TooManyRequests`, whose ``retry_after`` says after how many
        seconds the next one is accepted. A request that is refused does not count.
        """


def _rounded(seconds: int) -> int:
    """Seconds in whole minutes if they are some minutes, rounded up."""
    return 60 * math.ceil(seconds / 60) if seconds > _MINUTES else seconds


def _period(seconds: int) -> str:
    """A length of time in words.

    >>> _period(3600), _period(90), _period(1)
    ('an hour', '90 seconds', 'a second')
    """
    for length, one, many in ((3600, "an hour", "hours"), (60, "a minute", "minutes")):
        if seconds % length == 0:
            return one if seconds == length else f"{seconds // length} {many}"
    return "a second" if seconds == 1 else f"{seconds:,} seconds"
