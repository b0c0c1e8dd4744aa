"""Measure the steps of batches and scans beside plain scripts: ``python benchmarks/workflow.py``.

Prints tables, and after a complete run writes them to ``docs/benchmarks-batches.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from images import pink_file
from machine import describe_python, use_cores
from measure import Effort, Times, side_by_side
from plan import FULL, QUICK, Plan
from reference import WrongResult
from rows import digits, shape_text, times_text
from run import document, measured
from scripts import plain_measures
from table import Row, Section

import fft_tool
from fft_tool.pipeline import run_counts

DOCUMENT = Path(__file__).parents[1] / "docs" / "benchmarks-batches.md"
DISTRIBUTIONS = ("numpy", "scipy", "pillow", "isal")
SIDES = (512, 2048)
PLAIN = "plain script"
SCAN = fft_tool.Recipe(metadata=True, magnitude=False, phase=False)
COMPLETE = fft_tool.Recipe(metadata=True)

INTRODUCTION = """# Benchmarks of counting and scanning

Written by `python benchmarks/workflow.py`. Everything was measured in one run on one core, the
contenders in turn (A B A B …), after their results had been compared. Times are processor times of
the best round, with the median in brackets; images are those of one core in a second. "As fast" is
the peer's time over ours.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure everything."""
    options = make_parser().parse_args(arguments)
    cores = use_cores(1)
    plan = QUICK if options.quick else FULL
    sections = measured(plan, {"counting": counting, "scanning": scanning})
    out = options.out or (None if options.quick else DOCUMENT)
    if out is not None:
        facts = describe_python(cores, DISTRIBUTIONS)
        out.write_text(document(sections, facts, INTRODUCTION), "utf-8")
        print(f"written: {out}", file=sys.stderr)
    return 0


def make_parser() -> argparse.ArgumentParser:
    """Build the parser."""
    parser = argparse.ArgumentParser(description="Measure counting and scanning, one core.")
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, to check that everything works"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="Markdown file (default: docs/benchmarks-batches.md after a complete run, else none)",
    )
    return parser


def sides_of(plan: Plan) -> tuple[int, ...]:
    """Sides of the images in pixels."""
    return SIDES if plan is FULL else plan.picture_sides


def counting(plan: Plan) -> Section:
    """The counting step of a batch."""
    rows: list[Row] = []
    for side in sides_of(plan):
        data = pink_file(side)
        ours = run_counts(_source(data), SCAN)
        if plain_measures.counts(data) != (ours.black, ours.white):
            raise WrongResult(f"the counts of {side}² differ")
        calls: dict[str, Callable[[], object]] = {
            "ours": partial(run_counts, _source(data), SCAN),
            PLAIN: partial(plain_measures.counts, data),
        }
        times = race(calls, plan.effort)
        rows += rows_of(side, times["ours"], times[PLAIN])
    return Section(
        "Counting black and white pixels",
        "The counting step of a batch, from the bytes of a PNG file to its counts. The plain "
        "script (`benchmarks/scripts/plain_measures.py`) decodes with Pillow and compares with "
        "numpy. Both spend nearly all of the time on decoding.",
        tuple(rows),
    )


def scanning(plan: Plan) -> Section:
    """A scan: the record without pictures."""
    rows: list[Row] = []
    for side in sides_of(plan):
        data = pink_file(side)
        _compare(data)
        calls: dict[str, Callable[[], object]] = {
            "ours": partial(fft_tool.run, _source(data), SCAN),
            PLAIN: partial(plain_measures.measures, data),
            "complete": partial(fft_tool.run, _source(data), COMPLETE),
        }
        times = race(calls, plan.effort)
        rows += rows_of(side, times["ours"], times[PLAIN])
        complete = times["complete"]
        value = complete.best / times["ours"].best
        what = shape_text(side, side)
        rows.append(
            Row(
                what,
                times_text(times["ours"]),
                "complete",
                times_text(complete),
                value,
                "× as fast",
            )
        )
    return Section(
        "Scanning",
        "The record without pictures (`magnitude=no phase=no`), from the bytes of a PNG file: "
        "statistics, sharpness, peaks, orientation, radial spectrum and slope with its error. The "
        "plain script calculates statistics, a radial spectrum by `np.fft.fft2`, and a slope. "
        "Complete: with both pictures and the certificate, as by default.",
        tuple(rows),
    )


def race(contenders: Mapping[str, Callable[[], object]], effort: Effort) -> dict[str, Times]:
    """Measure processor times, which other programs on the machine hardly change."""
    found = side_by_side({name: _timed(call) for name, call in contenders.items()}, effort)
    return {name: Times(tuple(seconds)) for name, seconds in found.items()}


def _timed(call: Callable[[], object]) -> Callable[[], float]:
    def seconds() -> float:
        start = time.process_time()
        call()
        return time.process_time() - start

    return seconds


def rows_of(side: int, ours: Times, its: Times) -> list[Row]:
    """Times, and images per second."""
    what, value = shape_text(side, side), its.best / ours.best
    return [
        Row(what, times_text(ours), PLAIN, times_text(its), value, "× as fast"),
        Row(f"{what}, per second", _rate(ours), PLAIN, _rate(its)),
    ]


def _compare(data: bytes) -> None:
    (record,) = fft_tool.run(_source(data), SCAN)
    grey = json.loads(record.data)["statistics"]["grey"]
    plain = plain_measures.measures(data)
    for name in ("mean", "minimum", "maximum"):
        if abs(grey[name] - plain[name]) > 1e-6 * max(1.0, abs(plain[name])):
            raise WrongResult(f"{name} differs: {grey[name]} and {plain[name]}")


def _source(data: bytes) -> fft_tool.Source:
    return fft_tool.Source("image.png", data)


def _rate(times: Times) -> str:
    return f"{digits(1 / times.best)} images"


if __name__ == "__main__":
    sys.exit(main())
