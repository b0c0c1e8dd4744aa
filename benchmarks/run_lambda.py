"""Measure the Lambda and a plain handler side by side: ``python benchmarks/run_lambda.py``.

Prints tables, and after a complete run writes them to ``docs/benchmarks-lambda.md``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import lambda_dollars
import lambda_resources
import lambda_times
from lambda_plan import FULL, QUICK, Plan
from lambda_stage import Stage, open_stage
from machine import describe_python
from run import document, measured
from table import Section

DOCUMENT = Path(__file__).parents[1] / "docs" / "benchmarks-lambda.md"
DISTRIBUTIONS = ("awslambdaric", "numpy", "scipy", "pillow", "isal", "obstore", "boto3")

INTRODUCTION = """# Benchmarks of the Lambda

Written by `make bench-lambda`. The functions are processes of Amazon's own runtime client, which
polls a Runtime API on loopback for events. S3 is a server on loopback, shared by all, on the last
core, which it has to itself unless a function uses all of them. Everything was measured in one
run, the functions in turn (A B C A B C …), after the pictures of each had been compared with
numpy's in double precision. Times are those of the best round, with the median in brackets. "As
fast" is the plain handler's time over ours, "its time" is ours over the plain handler's.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure everything."""
    options = make_parser().parse_args(arguments)
    with open_stage() as stage:
        sections = measured(QUICK if options.quick else FULL, all_sections(stage))
        facts = describe_python(len(stage.cores), DISTRIBUTIONS)
    out = options.out or (None if options.quick else DOCUMENT)
    if out is not None:
        out.write_text(document(sections, facts, INTRODUCTION), "utf-8")
        print(f"written: {out}", file=sys.stderr)
    return 0


def make_parser() -> argparse.ArgumentParser:
    """Build the parser."""
    parser = argparse.ArgumentParser(
        description="Measure the Lambda and a plain handler side by side."
    )
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, to check that everything works"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="Markdown file (default: docs/benchmarks-lambda.md after a complete run, else none)",
    )
    return parser


def all_sections(stage: Stage) -> dict[str, Callable[[Plan], Section]]:
    """Sections by name, in the order of the page; three share the measurements when warm."""
    warm: list[lambda_times.Warm] = []

    def cold(plan: Plan) -> Section:
        lambda_times.check_all(plan, stage)
        return lambda_times.cold(plan, stage)

    def beyond(plan: Plan) -> Section:
        warm.extend(lambda_times.measure_warm(plan, stage))
        return lambda_times.beyond(plan, warm)

    return {
        "start": cold,
        "warm": beyond,
        "whole": partial(lambda_times.whole, warm=warm),
        "memory": partial(lambda_resources.memory, stage=stage),
        "dollars": partial(lambda_dollars.dollars, warm=warm),
        "S3": partial(lambda_resources.loopback, stage=stage),
    }


if __name__ == "__main__":
    sys.exit(main())
