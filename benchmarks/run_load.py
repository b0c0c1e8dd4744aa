"""Load the service and its peers, all in one run: ``python benchmarks/run_load.py``.

Prints tables, and after a complete run writes them to ``docs/benchmarks-service.md``.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from load import photographs
from load.clients import Load
from load.contenders import Contender, Plain, Service, Thumbor
from load.measures import Measures, measure
from load.plan import FULL, QUICK, Plan
from machine import describe_python, use_cores
from rows import bytes_text, digits, seconds_text
from run import document
from table import Goal, Row, Section, as_text, tally

DOCUMENT = Path(__file__).parents[1] / "docs" / "benchmarks-service.md"
DISTRIBUTIONS = ("fastapi", "uvicorn", "sqlalchemy", "numpy", "pillow")
CORES = 2
AT_MOST = Goal("≤", 50, "ms")

INTRODUCTION = """# Benchmarks of the service

Written by `make load`. The servers were loaded one after the other in one run, each a process of
its own with whatever it starts itself; the clients shared the same two cores. All images are JPEG
files of about a megabyte with different bytes. Ours is `fft-service serve` with SQLite, a folder
and the worker in the same process. The plain FastAPI service
(`benchmarks/scripts/plain_service.py`) decodes with Pillow, makes the same three renditions and
saves them before it answers. thumbor is a thumbnail server in Python, which stores an upload as it
is and makes a rendition when it is asked for first. Of the three, only ours analyses the images,
checks that they are complete, and still has its work after a restart.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure everything."""
    options = make_parser().parse_args(arguments)
    plan = QUICK if options.quick else FULL
    quiet = os.getloadavg()[0]
    cores = use_cores(CORES)
    sections = measured(plan, options.thumbor)
    print(tally(sections))
    out = options.out or (None if options.quick else DOCUMENT)
    if out is not None:
        facts = [*describe_python(cores, DISTRIBUTIONS), ("load average before", f"{quiet:.1f}")]
        out.write_text(document(sections, facts, INTRODUCTION), "utf-8")
        print(f"written: {out}", file=sys.stderr)
    return 0


def make_parser() -> argparse.ArgumentParser:
    """Build the parser."""
    parser = argparse.ArgumentParser(description="Load the service and its peers, side by side.")
    parser.add_argument(
        "--quick", action="store_true", help="small loads, to check that everything works"
    )
    parser.add_argument("--thumbor", type=Path, metavar="PROGRAM", help="thumbor, if it is there")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="Markdown file (default: docs/benchmarks-service.md after a complete run, else none)",
    )
    return parser


def measured(plan: Plan, thumbor: Path | None) -> list[Section]:
    """Measure all contenders, and print what was found."""
    contenders: list[Contender] = [Service(), Plain()]
    if thumbor is not None:
        contenders.append(Thumbor(thumbor))
    data = photographs.photograph(plan.side)
    found: list[Measures] = []
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        for contender in contenders:
            print(f"loading: {contender.name}", file=sys.stderr)
            place = Path(folder, str(len(found)))
            found.append(measure(contender, place, data, plan))
    sections = sections_of(found[0], found[1:], plan, len(data))
    if not plan.judged:
        sections = [section.without_goals() for section in sections]
    for section in sections:
        print(as_text(section), flush=True)
    return sections


def sections_of(ours: Measures, peers: Sequence[Measures], plan: Plan, size: int) -> list[Section]:
    """The tables, from what was measured."""
    return [
        _uploads(ours, peers, plan, size),
        _most(ours, peers, plan),
        _renditions(ours, peers, plan),
        _memory(ours, peers),
    ]


def _uploads(ours: Measures, peers: Sequence[Measures], plan: Plan, size: int) -> Section:
    return Section(
        "Uploads at a steady rate",
        f"{digits(plan.rate)} uploads a second for {digits(plan.paced)} s, each of "
        f"{digits(size / 1e6)} MB ({plan.side}² pixels), however slow the answers are; a time "
        "counts from when the request was due. These are more images than two cores can analyse, "
        "so our workers are busy from the first second to the last.",
        (_goal_row(ours.paced), *(row for each in peers for row in _both(ours.paced, each))),
    )


def _goal_row(load: Load) -> Row:
    value = load.within(0.99)
    return Row("99 of 100 within", seconds_text(value), value=1000 * value, unit="ms", goal=AT_MOST)


def _both(ours: Load, peer: Measures) -> list[Row]:
    return [
        _times_row("half", ours, peer.name, peer.paced, 0.5),
        _times_row("99 of 100", ours, peer.name, peer.paced, 0.99),
    ]


def _most(ours: Measures, peers: Sequence[Measures], plan: Plan) -> Section:
    rows = []
    for each in peers:
        rows.append(_rate_row("uploads a second", ours.at_once.rate, each, each.at_once.rate))
        rows.append(_times_row("99 of 100", ours.at_once, each.name, each.at_once, 0.99))
        rows.append(_rate_row("finished images a second", ours.images, each, each.images))
    return Section(
        "Uploads as fast as they are answered",
        f"{plan.clients} clients, each of which uploads the next image as soon as the one before "
        "is answered. Our workers are busy meanwhile. An image is finished when it has its three "
        "renditions; for ours also the analysis, which is most of the work (magnitude and phase, "
        "their record with its certificate, histogram).",
        tuple(rows),
    )


def _renditions(ours: Measures, peers: Sequence[Measures], plan: Plan) -> Section:
    rows = []
    loads = {"": ours.kept, "workers busy, ": ours.busy or ours.kept}
    for each in peers:
        for when, load in loads.items():
            rows.append(_rate_row(f"{when}answers a second", load.rate, each, each.kept.rate))
            rows.append(_times_row(f"{when}half", load, each.name, each.kept, 0.5))
            rows.append(_times_row(f"{when}99 of 100", load, each.name, each.kept, 0.99))
    return Section(
        "Retrieving renditions",
        f"{plan.clients} clients retrieve the three renditions of one image over and over. Ours "
        "looks the asset up each time, for its tenant and its tag. The peers have no workers: "
        "their figures are the same in both groups.",
        tuple(rows),
    )


def _memory(ours: Measures, peers: Sequence[Measures]) -> Section:
    rows = []
    for each in peers:
        what, figure = "memory of all processes", bytes_text(each.memory)
        value = ours.memory / each.memory
        rows.append(Row(what, bytes_text(ours.memory), each.name, figure, value, "× its memory"))
    return Section(
        "Memory",
        "Resident memory of all processes of a server at the end of the load, memory that they "
        f"share counted once (`Pss`). Ours were {ours.processes} processes: one that answers, and "
        "those that work on images, one for each core for jobs and, when needed, for requests.",
        tuple(rows),
    )


def _times_row(what: str, ours: Load, peer: str, its: Load, share: float) -> Row:
    mine, other = ours.within(share), its.within(share)
    texts = seconds_text(mine), peer, seconds_text(other)
    return Row(f"{what} within", *texts, other / mine, "× as fast")


def _rate_row(what: str, mine: float, peer: Measures, its: float) -> Row:
    return Row(what, digits(mine), peer.name, digits(its), mine / its, "× as many")


if __name__ == "__main__":
    sys.exit(main())
