"""The limit on requests of one address, counted for all processes in a DynamoDB table.

An address is one item. Its attributes ``slot_0`` … hold when each slot was last taken, in
milliseconds since 1970, and ``expires_at`` when nothing of it matters any more, in seconds, for the
table's time to live. Taking a slot is one conditional update, which DynamoDB applies only if nobody
has taken that slot within the period: however many ask at once, no slot is taken twice.
"""

from __future__ import annotations

import logging
import math
import random
import time
from typing import Any

from fft_tool.errors import UsageError
from service.clock import Clock
from service.errors import Busy
from service.products.rate import Limiter, Rate

KEY = "ip_address"
"""Partition key of the table, a string."""

EXPIRY = "expires_at"
"""Attribute of the table's time to live."""

CONNECT_SECONDS, ANSWER_SECONDS = 1.0, 2.0
"""How long a request waits for DynamoDB, twice, before it counts as away."""

PAUSE = 5.0
"""Seconds for which DynamoDB is left alone after it was found to be away."""

RETRY_AFTER = 30
"""Seconds after which a client may try again while DynamoDB is away."""

_MARGIN = 3600  # seconds that an item stays after its last slot is free: clocks may differ

log = logging.getLogger(__name__)


class TableLimiter:
    """Counts requests in a table, whose partition key is the string ``ip_address``.

    ``client`` is boto3's. While the table cannot be used, requests go to the limiter ``without``,
    or are refused if there is none.
    """

    def __init__(
        self, client: Any, table: str, rate: Rate, clock: Clock, *, without: Limiter | None
    ) -> None:
        self._client, self._table = client, table
        self._rate, self._clock, self._without = rate, clock, without
        self._paused_until = 0.0  # on the monotonic clock

    def admit(self, address: str) -> None:
        """Count a request of an address, or refuse it.

        Raises :class:`~service.errors.TooManyRequests`, and :class:`~service.errors.Busy` if the
        table cannot be used and requests are refused without it.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  (with boto3)

        if time.monotonic() < self._paused_until:
            self._admit_without(address)
            return
        try:
            wait = self._take(address)
        except (BotoCoreError, ClientError) as exc:
            # Requests that wait for an answer take up threads, which others need.
            self._paused_until = time.monotonic() + PAUSE
            log.warning("the table %s of the rate limit cannot be used: %s", self._table, exc)
            self._admit_without(address)
            return
        if wait is not None:
            raise self._rate.refusal(wait)

    def _admit_without(self, address: str) -> None:
        if self._without is None:
            raise Busy(
                "requests cannot be counted at the moment, so none is accepted: try again later",
                RETRY_AFTER,
            )
        self._without.admit(address)

    def _take(self, address: str) -> float | None:
        """Take a slot of an address; otherwise the seconds until one is free."""
        now = round(1000 * self._clock.now().timestamp())
        before = now - 1000 * self._rate.seconds
        key = {KEY: {"S": address}}
        item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get(
            "Item", {}
        )
        # Whenever a slot is lost to another request, that one was accepted: so this ends.
        while True:
            taken = {slot: _number(item.get(slot)) for slot in self._slots}
            free = [slot for slot, time in taken.items() if time <= before]
            if not free:
                return (min(taken.values()) - before) / 1000
            # Not the first one, which all others who ask at this moment would take as well.
            lost_to = self._update(key, random.choice(free), now, before)
            if lost_to is None:
                return None
            item = lost_to

    @property
    def _slots(self) -> list[str]:
        return [f"slot_{number}" for number in range(self._rate.limit)]

    def _update(
        self, key: dict[str, Any], slot: str, now: int, before: int
    ) -> dict[str, Any] | None:
        """Take a slot if it is free; otherwise return the item as it is."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression="SET #slot = :now, #expiry = :expiry",
                ConditionExpression="attribute_not_exists(#slot) OR #slot <= :before",
                ExpressionAttributeNames={"#slot": slot, "#expiry": EXPIRY},
                ExpressionAttributeValues={
                    ":now": {"N": str(now)},
                    ":before": {"N": str(before)},
                    ":expiry": {"N": str(now // 1000 + self._rate.seconds + _MARGIN)},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as exc:
            found: dict[str, Any] = exc.response["Item"]
            return found
        return None


def make_client(region: str | None, endpoint: str | None) -> Any:
    """A client of DynamoDB whose requests end soon, with or without an answer.

    Raises :class:`~fft_tool.errors.UsageError` if neither ``region`` nor anything else that boto3
    reads says in which region it is.
    """
    import boto3  # noqa: PLC0415  (takes half a second, which only services with a table need)
    from botocore.config import Config  # noqa: PLC0415  (as above)
    from botocore.exceptions import NoRegionError  # noqa: PLC0415  (as above)

    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=ANSWER_SECONDS,
        retries={"total_max_attempts": 2, "mode": "standard"},
        max_pool_connections=50,
    )
    try:
        return boto3.session.Session().client(
            "dynamodb", region_name=region, endpoint_url=endpoint, config=config
        )
    except NoRegionError as exc:
        raise UsageError("RATE_TABLE is set, so AWS_REGION should be: eu-central-1") from exc


def _number(value: dict[str, str] | None) -> float:
    return float(value["N"]) if value else -math.inf
