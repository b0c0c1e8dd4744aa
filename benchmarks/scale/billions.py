"""A billion objects: dollars and days by engine, and how S3 has to be partitioned for them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from prices import ENGINES, PRICES

from scale.answers import Finding, digits, duration, table
from scale.bursts import BILLION
from scale.calibration import (
    GETS,
    LARGE,
    PUTS,
    RESULT_BYTES_PER_PIXEL,
    SMALL,
    measured,
    scan_seconds,
)
from scale.drawing import Chart, Line, Scale
from scale.knobs import DAY, Knobs, defaults
from scale.limits import ACCOUNT_CONCURRENCY, HANDOVER
from scale.limits import GETS as GET_RATE
from scale.limits import PUTS as PUT_RATE

CAPS = (10, 100, 1000, 10_000)
CURVE = tuple(10 ** (1 + n / 20) for n in range(61))
ITEMS, MORE_ITEMS = 10, 50  # objects of one child of a Distributed Map: by default, and more
TRANSITIONS = 3  # of a child: its start in the parent, its own start, and its one state
LISTED = 1000  # keys per request
LOG_BYTES = 1163  # per image, counted by benchmarks/run_lambda.py
STORAGE = 0.023  # dollars per GB and month, docs/cost.md
DOUBLING = 45 * 60.0  # seconds, in the middle of the 30 to 60 minutes that AWS mentions


@dataclass(frozen=True, slots=True)
class Engine:
    """A way of running the function over objects that exist.

    Seconds, requests and dollars are per object; ``dollars`` is what the engine itself costs.
    """

    name: str
    seconds: float
    puts: float
    gets: float
    invocations: float
    log_bytes: float
    dollars: float

    def items(self, knobs: Knobs) -> dict[str, float]:
        """Dollars for a billion objects, by item."""
        gigabytes = self.seconds * knobs.memory_mb / 1024
        return {
            "compute": PRICES["x86-64"].of(BILLION * gigabytes),
            "S3 requests": PRICES["PUT"].of(BILLION * self.puts)
            + PRICES["GET"].of(BILLION * self.gets),
            "engine": PRICES["invocations"].of(BILLION * self.invocations) + BILLION * self.dollars,
            "log": PRICES["logs"].of(BILLION * self.log_bytes / (1 << 30)),
        }

    def days(self, concurrency: float, partitions: float = math.inf) -> float:
        """Days for a billion objects, with results in so many partitions of S3."""
        rate = concurrency / (self.seconds + HANDOVER * self.invocations)
        if self.puts:
            rate = min(rate, partitions * PUT_RATE.value / self.puts)
        return BILLION / rate / DAY


def engines(knobs: Knobs) -> list[Engine]:
    """All engines with 2048² images, and the scan by a Distributed Map."""
    whole, size = measured().seconds(LARGE), knobs.batch_size
    sqs = PRICES["SQS"].of(1 + 2 / size)
    batch = ENGINES["batch objects"].of(1) + ENGINES["batch manifest"].of(1)
    batch += ENGINES["batch jobs"].of(1 / BILLION)
    return [
        Engine("queue, each copied onto itself", whole, PUTS + 1, GETS, 1 / size, LOG_BYTES, sqs),
        Engine("S3 Batch Operations", whole, PUTS, GETS, 1, LOG_BYTES, batch),
        *(
            Engine(
                *(f"Distributed Map, {items} per call", whole, PUTS, GETS, 1 / items, LOG_BYTES),
                map_dollars(items),
            )
            for items in (ITEMS, MORE_ITEMS)
        ),
        *(
            Engine(
                *(f"Distributed Map, scan, {items} per call", scan_seconds(), 1 / items, 1),
                *(1 / items, LOG_BYTES / items, map_dollars(items)),
            )
            for items in (ITEMS, MORE_ITEMS)
        ),
    ]


def map_dollars(items: int) -> float:
    """Dollars per object for listing it, and for the children that have so many ``items``."""
    return PRICES["PUT"].of(1 / LISTED) + ENGINES["transitions"].of(TRANSITIONS / items)


def billion() -> Finding:
    """Dollars and days for a billion objects."""
    knobs = defaults()
    rows = []
    known = engines(knobs)
    for engine in known:
        items = engine.items(knobs)
        rows.append(
            [
                engine.name,
                *(f"{round(amount, -2):,.0f}" for amount in items.values()),
                f"**{round(sum(items.values()), -2):,.0f}**",
                *(digits(engine.days(cap)) for cap in CAPS[1:]),
            ]
        )
    heads = [
        *("engine", "compute", "S3 requests", "engine, calls", "log", "**dollars**"),
        *(f"days, {cap:,} at a time" for cap in CAPS[1:]),
    ]
    whole, scan = known[3], known[5]
    small = Engine("", measured().seconds(SMALL), PUTS, GETS, 1 / MORE_ITEMS, 0, 0)
    floor = whole.days(math.inf, partitions=1)
    chart = Chart(
        "A billion objects by number of images analysed at a time",
        Scale("concurrent invocations", 10, 10_000, log=True),
        Scale("days", 0.1, 500, log=True),
        [
            Line("2048²", [(c, whole.days(c)) for c in CURVE]),
            Line("512²", [(c, small.days(c)) for c in CURVE]),
            Line("2048², scan", [(c, scan.days(c)) for c in CURVE]),
        ],
        [("results in a single partition of S3", floor)],
    )
    stored = BILLION * LARGE**2 * RESULT_BYTES_PER_PIXEL / 1e9
    saved = BILLION * (map_dollars(ITEMS) - map_dollars(MORE_ITEMS))
    words = {
        "billion_table": table(heads, rows),
        "billion_floor": digits(floor),
        "billion_items": str(ITEMS),
        "billion_more_items": str(MORE_ITEMS),
        "billion_saved": f"{round(saved, -2):,.0f}",
        "billion_slowest": digits((knobs.timeout - knobs.reserve) / MORE_ITEMS),
        "billion_storage": f"{round(stored * STORAGE, -3):,.0f}",
        "billion_petabytes": digits(stored / 1e6),
        "scan_seconds": f"{1000 * scan_seconds():.0f}",
    }
    return Finding({"scale_billion.svg": chart}, words)


def partitions(concurrency: float, seconds: float, puts: float, gets: float) -> float:
    """Partitions of S3 that the requests of so many invocations need, not rounded."""
    rate = concurrency / (seconds + HANDOVER / MORE_ITEMS)
    return rate * max(puts / PUT_RATE.value, gets / GET_RATE.value)


def prefixes() -> Finding:
    """How many partitions of S3 the results need."""
    small, large, scan = measured().seconds(SMALL), measured().seconds(LARGE), scan_seconds()
    needs: dict[str, Callable[[float], float]] = {
        "512²": lambda cap: partitions(cap, small, PUTS, GETS),
        "2048²": lambda cap: partitions(cap, large, PUTS, GETS),
        "2048², scan": lambda cap: partitions(cap, scan, 1 / MORE_ITEMS, 1),
    }
    rows = [[f"{cap:,}", *(f"{math.ceil(need(cap)):,}" for need in needs.values())] for cap in CAPS]
    chart = Chart(
        "Partitions of S3 that the requests need",
        Scale("concurrent invocations", 10, 10_000, log=True),
        Scale("partitions", 0.03, 200, log=True),
        [Line(name, [(cap, need(cap)) for cap in CURVE]) for name, need in needs.items()],
        [("one partition", 1.0)],
    )
    knobs = defaults()
    most = ACCOUNT_CONCURRENCY.value
    doublings = math.ceil(math.log2(needs["2048²"](most)))
    waiting = sum(1 - 2**n / needs["2048²"](most) for n in range(doublings)) * DOUBLING
    per_second = PRICES["x86-64"].of(most * knobs.memory_mb / 1024)
    words = {
        "prefix_table": table(["at a time", *needs], rows),
        "prefix_one": digits(1 / needs["2048²"](1)),
        "prefix_one_small": digits(1 / needs["512²"](1)),
        "split_time": duration(doublings * DOUBLING),
        "split_dollars": digits(waiting * per_second),
    }
    return Finding({"scale_prefixes.svg": chart}, words)
