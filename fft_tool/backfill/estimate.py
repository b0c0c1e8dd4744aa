"""What a backfill costs and how long it takes, by the figures of docs/cost.md.

An estimate, not a promise: the time of an image depends on its size, which a listing does not tell,
so that it is assumed from the bytes of the file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

# List prices of us-east-1, November 2026, in US dollars; docs/cost.md, which a test compares.
GB_SECOND = 0.0000166667
INVOCATION = 0.20e-6
PUT = 5e-6
GET = 0.4e-6
TRANSITION = 25e-6  # of a standard workflow of Step Functions
BATCH_JOB, BATCH_OBJECT = 0.25, 1e-6
LISTED_OBJECT = 0.015e-6  # of the manifest that S3 Batch Operations makes by itself
LOG_BYTE = 0.50 / (1 << 30)

MEMORY_GB = 1769 / 1024
LOG_BYTES = 900  # for an image
PER_LIST = 1000  # objects in one answer to a request for a listing

# Milliseconds for an image: the two sizes of docs/cost.md and the bytes of such a source, between
# which the time is taken to grow with the bytes. A scan makes, writes and certifies no pictures.
BASE_MS, MS_PER_BYTE = 12.0, 6.4e-5
SCAN_SHARE = 0.6

TRANSITIONS_PER_CHILD = 3  # its start in the parent, its own start, and its one state


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a bill, in US dollars."""

    name: str
    dollars: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """The bill of a backfill by item, and how long it takes, in seconds."""

    items: tuple[Item, ...]
    seconds: float

    @property
    def dollars(self) -> float:
        """The whole bill."""
        return sum(item.dollars for item in self.items)

    def of(self, *names: str) -> float:
        """The sum of some items."""
        return sum(item.dollars for item in self.items if item.name in names)


def estimate(
    engine: str,
    images: int,
    size: int,
    *,
    table: bool = False,
    artifacts: int = 3,
    concurrency: int = 20,
    per_invocation: int = 20,
) -> Estimate:
    """Estimate for an ``engine`` of AWS, "batch" or "map".

    ``images`` have ``size`` bytes in all. For each, ``artifacts`` objects are written, unless a
    ``table`` is made. One processor works on ``per_invocation`` images in turn, ``concurrency`` of
    them at the same time.
    """
    at_once = 1 if engine == "batch" else per_invocation
    invocations = math.ceil(images / at_once)
    seconds = seconds_of(images, size, table=table)
    items = [
        Item("compute", seconds * MEMORY_GB * GB_SECOND),
        Item("invocations", invocations * INVOCATION),
        # A scan reads each source once; an analysis makes sure twice that it is still the same.
        Item("reading", images * GET * (1 if table else 3)),
        Item("writing", (invocations if table else images * artifacts) * PUT),
        Item("listing", math.ceil(images / PER_LIST) * PUT),
        Item("log", (invocations if table else images) * LOG_BYTES * LOG_BYTE),
    ]
    if engine == "batch":
        dollars = BATCH_JOB + images * (BATCH_OBJECT + LISTED_OBJECT)
        items.append(Item("S3 Batch Operations", dollars))
    else:
        transitions = TRANSITIONS_PER_CHILD * invocations
        items.append(Item("Step Functions", transitions * TRANSITION))
    return Estimate(tuple(items), seconds / concurrency)


def seconds_of(images: int, size: int, *, table: bool = False) -> float:
    """Seconds of one processor for images of ``size`` bytes in all."""
    share = SCAN_SHARE if table else 1.0
    return share * (images * BASE_MS + size * MS_PER_BYTE) / 1000
