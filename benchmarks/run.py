"""Measure against peers, all in one run: ``python benchmarks/run.py``.

Prints tables, and after a complete run writes them to ``docs/benchmarks.md``.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import in_process
import likeness
import resources
import smart_crop
import whole_process
from contenders import THREADS
from machine import describe, use_cores
from measure import Effort
from plan import FULL, QUICK, Plan
from table import Section, as_markdown, as_text, tally

DOCUMENT = Path(__file__).parents[1] / "docs" / "benchmarks.md"
CORES = 2

# MKL's threads would otherwise spin for 200 ms after each call, on the next contender's core.
ENVIRONMENT = {
    "MKL_NUM_THREADS": str(THREADS),
    "OMP_NUM_THREADS": str(THREADS),
    "KMP_BLOCKTIME": "0",
}

SECTIONS: dict[str, Callable[[Plan], Section]] = {
    "pictures": in_process.pictures,
    "transform": in_process.transforms,
    "process": whole_process.process,
    "folder": whole_process.folder,
    "memory": resources.memory,
    "growth": resources.growth,
    "crop": smart_crop.smart_crop,
    "compare": likeness.likeness,
}


class Judged(Protocol):
    """The part that all plans have in common."""

    @property
    def judged(self) -> bool:
        """Whether results are compared with goals."""
        ...


P = TypeVar("P", bound=Judged)

INTRODUCTION = """# Benchmarks

Written by `make bench`. Everything was measured in one run, the contenders in turn (A B C A B C …),
after the result of each had been compared with numpy's in double precision. Times are those of the
best round, with the median in brackets. "As fast" is the peer's time over ours, "its time" is ours
over the peer's.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the selected measurements."""
    options = make_parser().parse_args(arguments)
    cores = use_cores(CORES)
    os.environ |= ENVIRONMENT
    wanted = {name: SECTIONS[name] for name in options.only or SECTIONS}
    sections = measured(_plan(options), wanted)
    out = options.out or (None if options.quick or options.only else DOCUMENT)
    if out is not None:
        out.write_text(document(sections, describe(cores)), "utf-8")
        print(f"written: {out}", file=sys.stderr)
    return 0


def make_parser() -> argparse.ArgumentParser:
    """Build the parser."""
    parser = argparse.ArgumentParser(description="Measure against peers, side by side.")
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, to check that everything works"
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=SECTIONS, help=_names())
    parser.add_argument("--repeats", type=int, metavar="N", help=_rounds())
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="Markdown file (default: docs/benchmarks.md after a complete run, else none)",
    )
    return parser


def measured(plan: P, wanted: Mapping[str, Callable[[P], Section]]) -> list[Section]:
    """Measure sections, and print each as soon as it is done."""
    sections = []
    for name, measure in wanted.items():
        print(f"measuring: {name}", file=sys.stderr)
        section = measure(plan)
        if not plan.judged:
            section = section.without_goals()
        print(as_text(section), flush=True)
        sections.append(section)
    print(tally(sections))
    return sections


def document(
    sections: Sequence[Section],
    machine: Sequence[tuple[str, str]],
    introduction: str = INTRODUCTION,
) -> str:
    """The whole page."""
    facts = "\n".join(f"- {name}: {value}" for name, value in machine)
    parts = (introduction, tally(sections) + "\n", *map(as_markdown, sections))
    return "\n".join((*parts, f"## Machine\n\n{facts}\n"))


def _plan(options: argparse.Namespace) -> Plan:
    plan = QUICK if options.quick else FULL
    if options.repeats is None:
        return plan
    effort = Effort(repeats=max(1, options.repeats), fill=0, budget=math.inf)
    return dataclasses.replace(plan, effort=effort)


def _rounds() -> str:
    return f"rounds (default: {FULL.effort.repeats}, fewer if slow, more if fast)"


def _names() -> str:
    return "some of: " + ", ".join(SECTIONS)


if __name__ == "__main__":
    sys.exit(main())
