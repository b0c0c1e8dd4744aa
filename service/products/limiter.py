"""The limit on requests of one address: at most so many in any period of so many seconds.

An address has as many slots as requests are allowed, and each request that is accepted takes one
for the whole period. Whatever period of that length one looks at, no slot was taken twice within
it: so there are never more than the limit, not even around the turn of an hour, and the next
request is accepted as soon as the oldest one is a period ago.

:class:`MemoryLimiter` counts in this process, :class:`~service.products.dynamodb.TableLimiter` for
all processes together.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque

from service.clock import Clock
from service.products.dynamodb import TableLimiter, make_client
from service.products.rate import Limiter, Rate
from service.settings import Settings

ADDRESSES = 100_000
"""Most addresses that the memory of one process holds."""


class MemoryLimiter:
    """Counts requests in the memory of this process.

    >>> limiter = MemoryLimiter(Rate(2, 3600), Clock())
    >>> limiter.admit("192.0.2.1"), limiter.admit("192.0.2.1")
    (None, None)
    >>> limiter.admit("192.0.2.1")
    Traceback (most recent call last):
        ...
    service.errors.TooManyRequests: this address has sent as many images as are accepted, ...

    At most ``addresses`` are remembered. If more send images in one period, those that have not
    been accepted for longest are forgotten.
    """

    def __init__(self, rate: Rate, clock: Clock, *, addresses: int = ADDRESSES) -> None:
        self._rate, self._clock, self._addresses = rate, clock, addresses
        self._lock = threading.Lock()
        # By address, the times of the last requests; sorted by the last one.
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._times)

    def admit(self, address: str) -> None:
        """Count a request of an address, or refuse it."""
        with self._lock:
            now = self._clock.now().timestamp()
            self._forget(now - self._rate.seconds)
            times = self._times.get(address) or deque(maxlen=self._rate.limit)
            if len(times) == self._rate.limit:
                wait = times[0] + self._rate.seconds - now
                if wait > 0:
                    raise self._rate.refusal(wait)
            times.append(now)
            self._times[address] = times
            self._times.move_to_end(address)

    def _forget(self, before: float) -> None:
        """Forget addresses whose last request was before, and the oldest if there are too many."""
        while self._times:
            oldest = next(iter(self._times.values()))
            if oldest[-1] > before and len(self._times) < self._addresses:
                return
            self._times.popitem(last=False)


class Unlimited:
    """Accepts every request."""

    def admit(self, address: str) -> None:
        """Accept a request."""


def make_limiter(settings: Settings, clock: Clock) -> Limiter:
    """The limiter that the settings ask for."""
    rate = Rate(settings.rate_limit, settings.rate_seconds)
    if rate.limit == 0:
        return Unlimited()
    in_memory = MemoryLimiter(rate, clock)
    if settings.rate_table is None:
        return in_memory
    client = make_client(settings.aws_region, settings.aws_endpoint_url)
    without = in_memory if settings.rate_without_table == "open" else None
    return TableLimiter(client, settings.rate_table, rate, clock, without=without)
