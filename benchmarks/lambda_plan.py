"""Sizes and numbers of cores for the measurements of the Lambda."""

from __future__ import annotations

from dataclasses import dataclass

from measure import Effort

MB_PER_CPU = 1769  # Lambda allocates one vCPU per this many megabytes


@dataclass(frozen=True, slots=True)
class Share:
    """Resources of a function: cores of this machine, and a memory setting in MB."""

    cores: int
    memory: int

    def __str__(self) -> str:
        return f"{self.memory:,} MB"


ONE_CPU, TWO_CPUS = Share(1, MB_PER_CPU), Share(2, 2 * MB_PER_CPU)
SMALL = Share(1, 512)


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes in pixels of a side, and in bytes of an object.

    ``large`` is the one of ``sides`` that the goal for speed and the bills refer to. Goals apply to
    the full sizes only: ``judged`` says whether to compare results with them.
    """

    effort: Effort
    cold_side: int
    sides: tuple[int, ...]
    large: int
    memory_side: int
    memory_runs: int
    object_sizes: tuple[int, ...]
    judged: bool


FULL = Plan(
    effort=Effort(repeats=15, fill=5),
    cold_side=512,
    sides=(512, 2048),
    large=2048,
    memory_side=4096,
    memory_runs=3,
    object_sizes=(1, 256 << 10, 3 << 20),
    judged=True,
)

QUICK = Plan(
    effort=Effort(repeats=1, fill=0),
    cold_side=64,
    sides=(64, 96),
    large=96,
    memory_side=128,
    memory_runs=1,
    object_sizes=(1, 1000),
    judged=False,
)
