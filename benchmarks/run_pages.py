"""Measure the pages in a browser: ``python benchmarks/run_pages.py``.

Prints tables, and after a complete run writes them to ``docs/benchmarks-pages.md``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from machine import describe_python, use_cores
from rows import digits
from run import document
from table import Goal, Row, Section, as_text, tally

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser  # noqa: E402  (the tests lie beside this folder)
from studio import studio_section  # noqa: E402

from tests.support.browser import chromium, visiting  # noqa: E402
from tests.support.first_view import FirstView, first_view  # noqa: E402
from tests.support.running_service import RunningService  # noqa: E402
from tests.support.sample_service import asset_of, sample_service  # noqa: E402

DOCUMENT = ROOT / "docs" / "benchmarks-pages.md"
DISTRIBUTIONS = ("fastapi", "jinja2", "playwright", "uvicorn")
CORES = 2
VISITS = 7
ACTIONS = 9
SMALL = Goal("≤", 100, "kB")
SOON = Goal("≤", 1000, "ms")
STILL = Goal("≤", 0.001, "shift")

INTRODUCTION = """# Benchmarks of the pages

Written by `make bench-pages`. Chromium without windows and `fft-service serve` with the sample
images share the same two cores. Each visit has an empty cache, in a window of 1440 × 900; a figure
is the median of all visits to a page.
"""

HOW = (
    "kB without images are the page with its styles and scripts, as they are transferred. "
    "Interactive is when all scripts have run. The shift is the cumulative layout shift: how much "
    "of what is shown moves while the page is loading."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure everything."""
    options = make_parser().parse_args(arguments)
    quiet = os.getloadavg()[0]
    cores = use_cores(CORES)
    with tempfile.TemporaryDirectory() as folder, sample_service(Path(folder)) as service:
        sections = [
            first_views(service, 1 if options.quick else VISITS),
            studio_section(service, 1 if options.quick else ACTIONS),
        ]
    for section in sections:
        print(as_text(section))
    print(tally(sections))
    out = options.out or (None if options.quick else DOCUMENT)
    if out is not None:
        facts = [*describe_python(cores, DISTRIBUTIONS), ("load average before", f"{quiet:.1f}")]
        out.write_text(document(sections, facts, INTRODUCTION), "utf-8")
        print(f"written: {out}", file=sys.stderr)
    return 0


def make_parser() -> argparse.ArgumentParser:
    """Build the parser."""
    parser = argparse.ArgumentParser(description="Measure the pages of the service in a browser.")
    parser.add_argument("--quick", action="store_true", help="one visit to each page")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="Markdown file (default: docs/benchmarks-pages.md after a complete run, else none)",
    )
    return parser


def first_views(service: RunningService, visits: int) -> Section:
    """Figures of each page."""
    number = asset_of(service, "landscape_striped.png")
    image = f"/assets/{number}"
    pages = {
        "Gallery": "/",
        "Image": image,
        "Studio": f"{image}/studio",
        "Operations": f"{image}/operations?operations=destripe",
        "Crop": f"{image}/crop",
        "Compare": f"/compare?first={asset_of(service, 'landscape.png')}&second={number}",
        "Jobs": "/jobs/all",
        "Tenants": "/tenants",
    }
    rows: list[Row] = []
    with chromium() as browser:
        for name, path in pages.items():
            rows += _rows(name, [_visit(browser, service, path) for _ in range(visits)])
    return Section("First view", HOW, tuple(rows))


def _visit(browser: Browser, service: RunningService, path: str) -> FirstView:
    with visiting(browser, service) as page:
        return first_view(page, path)


def _rows(name: str, views: Sequence[FirstView]) -> list[Row]:
    size = statistics.median(view.bytes for view in views) / 1000
    images = statistics.median(view.image_bytes for view in views) / 1000
    soon = statistics.median(view.interactive for view in views)
    moved = max(view.moved for view in views)
    return [
        Row(f"{name}, without images", f"{digits(size)} kB", value=size, unit="kB", goal=SMALL),
        Row(f"{name}, its images", f"{digits(images)} kB"),
        Row(f"{name}, interactive", f"{digits(soon)} ms", value=soon, unit="ms", goal=SOON),
        Row(f"{name}, shift", f"{moved:.3f}", value=moved, unit="shift", goal=STILL),
    ]


if __name__ == "__main__":
    sys.exit(main())
