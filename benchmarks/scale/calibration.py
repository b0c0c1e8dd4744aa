"""Times of the function, from docs/benchmarks-lambda.md and docs/benchmarks-batches.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scale.limits import REQUEST

SCANNED = Path(__file__).parents[2] / "docs" / "benchmarks-batches.md"
MEASURED = Path(__file__).parents[2] / "docs" / "benchmarks-lambda.md"
SHARE = "1,769 MB"  # one processor
SMALL, LARGE = 512, 2048  # pixels along a side, the sizes that are measured

# Requests that wait for each other: GET, HEAD, two pictures at a time, the record, HEAD.
ROUNDS = 5
AT_ONCE = 2  # pictures that are uploaded at the same time
PUTS, GETS = 3, 3  # requests per image, as counted by the benchmark: 3 PUT, 1 GET and 2 HEAD
RESULT_BYTES_PER_PIXEL = 7.0e6 / LARGE**2  # pictures of a photograph at 8 bits, docs/cost.md

# A process that crashed is replaced (docs/decisions/2026-11-27-contained-images.md).
NEW_CHILD = 0.15


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds as measured on one core: an invocation is ``fixed + per_megapixel × megapixels``."""

    fixed: float
    per_megapixel: float
    start: float

    def seconds(self, side: int) -> float:
        """Seconds that a warm function takes for a square image, with S3 in the same region."""
        return self.fixed + self.per_megapixel * side**2 / 1e6 + ROUNDS * REQUEST


@cache
def measured() -> Measured:
    """Read the medians of the warm and of the cold invocation."""
    text = MEASURED.read_text("utf-8")
    warm = text.partition("## Warm: the whole invocation")[2]
    small, large = (median_of(warm, f"{side}², {SHARE}") for side in (SMALL, LARGE))
    megapixels = (LARGE**2 - SMALL**2) / 1e6
    slope = (large - small) / megapixels
    return Measured(
        fixed=small - slope * SMALL**2 / 1e6,
        per_megapixel=slope,
        start=median_of(text, f"{SMALL}², {SHARE}, init"),
    )


@cache
def scan_seconds(side: int = LARGE) -> float:
    """Seconds for the record of an image alone, which needs one request to S3.

    How much faster it is than a complete analysis was measured by ``benchmarks/workflow.py``.
    """
    text = SCANNED.read_text("utf-8").partition("## Scanning")[2]
    found = re.search(
        rf"^\| {side}² [^|]*\|[^|]*\| complete +\|[^|]*\| ([0-9.]+) × as fast", text, re.MULTILINE
    )
    if found is None:
        raise LookupError(
            f"{SCANNED.name} does not compare the scan of {side}² with the complete one"
        )
    return (measured().seconds(side) - ROUNDS * REQUEST) / float(found[1]) + REQUEST


def median_of(text: str, row: str) -> float:
    """Median of our time in a row of a table: 288 ms (294 ms) is 0.294."""
    found = re.search(rf"^\| {re.escape(row)} +\| [^|(]*\(([0-9.]+) ms\)", text, re.MULTILINE)
    if found is None:
        raise LookupError(f"{MEASURED.name} has no row {row!r} with a median in milliseconds")
    return float(found[1]) / 1000
