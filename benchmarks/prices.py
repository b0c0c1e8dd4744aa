"""List prices of AWS, for the pages that calculate costs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Price:
    """The price of ``per`` units, in dollars."""

    dollars: float
    per: int
    unit: str

    def of(self, count: float) -> float:
        """Dollars for ``count`` units."""
        return self.dollars / self.per * count

    def __str__(self) -> str:
        whole, _, cents = f"{self.dollars:.10f}".rstrip("0").partition(".")
        number = "a" if self.per == 1 else f"for {self.per:,}"
        return f"${whole}.{cents:0<2} {number} {self.unit}"


# Amazon's list prices in us-east-1, first tier, without the free tier and without discounts.
DATE = "November 2026"
PRICES = {
    "x86-64": Price(0.0000166667, 1, "GB-second on x86-64"),
    "arm64": Price(0.0000133334, 1, "GB-second on arm64"),
    "invocations": Price(0.20, 1_000_000, "invocations"),
    "PUT": Price(0.005, 1_000, "S3 PUT or POST requests"),
    "GET": Price(0.0004, 1_000, "S3 GET or HEAD requests"),
    "SQS": Price(0.40, 1_000_000, "SQS requests"),
    "logs": Price(0.50, 1, "GB of logs"),
    "metric": Price(0.30, 1, "metric and month"),
}

# What engines for full buckets cost in addition.
ENGINES = {
    "batch objects": Price(1.00, 1_000_000, "objects of S3 Batch Operations"),
    "batch manifest": Price(0.015, 1_000_000, "objects in a manifest that it makes"),
    "batch jobs": Price(0.25, 1, "job of S3 Batch Operations"),
    "transitions": Price(0.025, 1_000, "state transitions of Standard workflows"),
}
