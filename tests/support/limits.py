"""What every limiter guarantees, checked against a list of all accepted requests."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from service.errors import TooManyRequests
from service.products.rate import Limiter, Rate
from tests.support.service import FixedClock

QUARTER = 0.25
"""Seconds that are exact in binary, so that no rounding decides."""


def make_table(client: Any) -> str:
    """Create a table as Terraform does, and return its name."""
    name = f"limits-{uuid.uuid4().hex}"
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "ip_address", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "ip_address", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.get_waiter("table_exists").wait(TableName=name)
    return name


def asked(limiter: Limiter, address: str) -> int | None:
    """Ask for one more request; seconds to wait, or None if it is accepted."""
    try:
        limiter.admit(address)
    except TooManyRequests as refused:
        return refused.retry_after
    return None


def check_exact(limiter: Limiter, clock: FixedClock, rate: Rate, pauses: Sequence[int]) -> None:
    """Send requests with these pauses (quarters of a second) before each.

    A request is accepted if, and only if, fewer than the limit were accepted in the period that
    ends with it; and whoever is refused is told truly when the next one is accepted.
    """
    address, accepted = uuid.uuid4().hex, list[float]()
    began = clock.now()
    for pause in pauses:
        clock.advance(QUARTER * pause)
        now = (clock.now() - began).total_seconds()
        recent = [time for time in accepted if time > now - rate.seconds]
        wait = asked(limiter, address)
        assert (wait is None) == (len(recent) < rate.limit)
        if wait is None:
            accepted.append(now)
        else:
            free = recent[-rate.limit] + rate.seconds - now
            assert wait - 1 < free <= wait
    for start in accepted:
        assert sum(start <= time < start + rate.seconds for time in accepted) <= rate.limit
