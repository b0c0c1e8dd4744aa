"""The cost of a million images on AWS, from measured times and list prices."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contenders import OURS
from lambda_plan import ONE_CPU, Plan, Share
from lambda_stage import PLAIN
from lambda_times import Usage, Warm
from measure import Times
from prices import DATE, PRICES
from rows import shape_text
from table import NOTHING, Row, Section

IMAGES = 1_000_000
GB = 1 << 30


PER_MESSAGE = 3  # requests to SQS: S3 sends it, Lambda receives and deletes it

# The lines that Lambda itself logs for every invocation, as JSON.
PLATFORM_LINES = """\
{"time":"2026-11-20T12:00:00.000Z","type":"platform.start","record":{"requestId":\
"6d68ca91-49c9-448d-89b8-7ca3e6dc66aa","version":"$LATEST"}}
{"time":"2026-11-20T12:00:00.300Z","type":"platform.report","record":{"requestId":\
"6d68ca91-49c9-448d-89b8-7ca3e6dc66aa","metrics":{"durationMs":300.123,\
"billedDurationMs":301,"memorySizeMB":1769,"maxMemoryUsedMB":300},"status":"success"}}
"""


@dataclass(frozen=True, slots=True)
class Bill:
    """Dollars for a million images, by item."""

    x86_64: float
    arm64: float
    invocations: float
    puts: float
    gets: float
    queue: float
    logs: float

    @classmethod
    def of(cls, seconds: float, share: Share, usage: Usage, *, queued: bool) -> Bill:
        """Calculate the bill for one image per invocation, ``seconds`` each."""
        gb_seconds = IMAGES * billed_seconds(seconds) * share.memory / 1024
        asked = Counter(usage.requests)
        written = usage.log_bytes + len(PLATFORM_LINES)
        return cls(
            x86_64=PRICES["x86-64"].of(gb_seconds),
            arm64=PRICES["arm64"].of(gb_seconds),
            invocations=PRICES["invocations"].of(IMAGES),
            puts=PRICES["PUT"].of(IMAGES * (asked["PUT"] + asked["POST"])),
            gets=PRICES["GET"].of(IMAGES * (asked["GET"] + asked["HEAD"])),
            queue=PRICES["SQS"].of(IMAGES * PER_MESSAGE * queued),
            logs=PRICES["logs"].of(IMAGES * written / GB),
        )

    @property
    def beside_compute(self) -> float:
        """Everything but compute."""
        return self.invocations + self.puts + self.gets + self.queue + self.logs


def billed_seconds(seconds: float) -> float:
    """Billed duration: Lambda rounds up to whole milliseconds."""
    return math.ceil(1000 * seconds) / 1000


def dollars(plan: Plan, warm: Sequence[Warm]) -> Section:
    """Bills for ours and for the plain handler."""
    found = next(w for w in warm if (w.side, w.share) == (plan.large, ONE_CPU))
    bills = {
        name: Bill.of(found.times[name].median, found.share, usage, queued=name == OURS)
        for name, usage in found.usage.items()
    }
    size = shape_text(plan.large, plan.large)
    return Section(
        f"Dollars for a million images of {size}",
        _how(found.times, found.usage),
        tuple(_rows(bills[OURS], bills[PLAIN])),
    )


def _rows(ours: Bill, its: Bill) -> list[Row]:
    def row(what: str, mine: float, theirs: float) -> Row:
        ratio = theirs / mine if mine and theirs else None
        return Row(what, dollars_text(mine), PLAIN, dollars_text(theirs), ratio, "× as cheap")

    return [
        row("compute, x86-64", ours.x86_64, its.x86_64),
        row("compute, arm64", ours.arm64, its.arm64),
        row("Lambda requests", ours.invocations, its.invocations),
        row("S3 PUT and POST", ours.puts, its.puts),
        row("S3 GET and HEAD", ours.gets, its.gets),
        row("SQS", ours.queue, its.queue),
        row("CloudWatch logs", ours.logs, its.logs),
        row("all, x86-64", ours.x86_64 + ours.beside_compute, its.x86_64 + its.beside_compute),
        row("all, arm64", ours.arm64 + ours.beside_compute, its.arm64 + its.beside_compute),
    ]


def dollars_text(amount: float) -> str:
    """Amount with cents."""
    return f"${amount:,.2f}" if amount else NOTHING


def _how(times: Mapping[str, Times], usage: Mapping[str, Usage]) -> str:
    metrics = usage[OURS].metrics
    listed = "; ".join(str(price) for price in PRICES.values())
    mine, theirs = (1000 * billed_seconds(times[name].median) for name in (OURS, PLAIN))
    return (
        f"Compute is the median of the warm invocations above with {ONE_CPU}, {mine:.0f} and "
        f"{theirs:.0f} ms on a core of this machine. Lambda's cores differ, and its S3 is "
        "further away, so only the ratio is meaningful. For arm64 the same durations are assumed. "
        "Requests to S3 and bytes of the log were counted: "
        f"{_usage_text(usage[OURS])} per image, and {_usage_text(usage[PLAIN])} for the plain "
        f"handler, plus {len(PLATFORM_LINES)} bytes that Lambda itself "
        "logs. Ours is invoked through a queue, one message per invocation "
        f"({PER_MESSAGE} requests), the plain handler by S3 itself. Not included are cold starts, "
        "storage, transfer, the uploads, and the queue's empty receives; our "
        f"{metrics} metrics come to {dollars_text(PRICES['metric'].of(metrics))} a month for any "
        f"number of images. List prices of us-east-1 in {DATE}, first tier: {listed}."
    )


def _usage_text(usage: Usage) -> str:
    asked = ", ".join(f"{count} {method}" for method, count in sorted(usage.requests.items()))
    return f"{asked} and {usage.log_bytes} bytes"
