"""The settings of the system, with Terraform's defaults."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scale.limits import VISIBILITY_TIMEOUTS

TERRAFORM = Path(__file__).parents[2] / "terraform"
DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Knobs:
    """Settings of queue and function; times are in seconds."""

    batch_size: int
    concurrency: int
    max_receives: int
    timeout: float
    reserve: float
    memory_mb: int
    retention: float
    visibilities: float = VISIBILITY_TIMEOUTS.value

    @property
    def visibility(self) -> float:
        """Visibility timeout of the queue."""
        return self.visibilities * self.timeout


@cache
def terraform_default(name: str) -> float:
    """Return the default of a numerical variable of the Terraform files."""
    for path in sorted(TERRAFORM.glob("variables*.tf")):
        found = re.search(
            rf'^variable "{name}" {{$.*?^  default += ([0-9.]+)$.*?^}}$',
            path.read_text("utf-8"),
            re.DOTALL | re.MULTILINE,
        )
        if found:
            return float(found[1])
    raise LookupError(f"terraform/ has no variable {name!r} with a number as its default")


@cache
def retention_days() -> float:
    """Return the days for which Terraform has the queue keep a message."""
    text = (TERRAFORM / "queue.tf").read_text("utf-8")
    found = re.search(r"seven_days += (\d+) \* 24 \* 3600", text)
    if not found or "message_retention_seconds  = local.seven_days" not in text:
        raise LookupError("terraform/queue.tf states the retention of the queue in another way")
    return float(found[1])


def defaults() -> Knobs:
    """Return Terraform's defaults."""
    return Knobs(
        batch_size=int(terraform_default("batch_size")),
        concurrency=int(terraform_default("maximum_concurrency")),
        max_receives=int(terraform_default("max_receive_count")),
        timeout=terraform_default("timeout_seconds"),
        reserve=terraform_default("reserve_ms") / 1000,
        memory_mb=int(terraform_default("memory_mb")),
        retention=retention_days() * DAY,
    )
