"""Simulate the system at the scale of a billion objects: ``python benchmarks/run_scale.py``.

Writes ``docs/scale.md`` and its charts; the same code and measurements give the same files.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from string import Template

from prices import DATE
from scale import billions, bursts, neighbours, throttling, validation
from scale.answers import Finding, digits, table
from scale.calibration import LARGE, SMALL, measured
from scale.function import Function
from scale.knobs import DAY, defaults, terraform_default
from scale.limits import HANDOVER, LIMITS

DOCS = Path(__file__).parents[1] / "docs"
TEMPLATE = Path(__file__).parent / "scale" / "page.md"

QUESTIONS: tuple[Callable[[], Finding], ...] = (
    *(bursts.drain, bursts.daily, bursts.batches),
    *(throttling.dead_letters, throttling.storms),
    *(neighbours.hot_key, neighbours.poison),
    *(billions.billion, billions.prefixes),
    validation.agreement,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer all questions, and write the page and its charts."""
    parser = argparse.ArgumentParser(description="Simulate the system at scale.")
    parser.add_argument(
        "--out",
        type=Path,
        default=DOCS,
        metavar="FOLDER",
        help="folder to write to (default: docs)",
    )
    out: Path = parser.parse_args(arguments).out
    for name, text in files().items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    print(f"written: {out / 'scale.md'}", file=sys.stderr)
    return 0


def files() -> dict[str, str]:
    """Contents of all files, by name within ``docs``."""
    words, found = settings(), dict[str, str]()
    for question in QUESTIONS:
        start = time.perf_counter()
        finding = question()
        words |= finding.words
        found |= {f"images/{name}": chart.svg() for name, chart in finding.charts.items()}
        print(f"{question.__name__}: {time.perf_counter() - start:.1f} s", file=sys.stderr)
    return {"scale.md": page(words), **found}


def page(words: dict[str, str]) -> str:
    """Fill the page's template; a word that is missing is an error."""
    return Template(TEMPLATE.read_text("utf-8")).substitute(words)


def settings() -> dict[str, str]:
    """Settings, limits and measured times, as the page writes them."""
    knobs, times = defaults(), measured()
    rows = [[each.meaning, f"{each.value:,.0f}", f"[AWS]({each.page})"] for each in LIMITS]
    return {
        "concurrency": str(knobs.concurrency),
        "batch_size": str(knobs.batch_size),
        "max_receives": str(knobs.max_receives),
        "visibilities": f"{knobs.visibilities:g}",
        "timeout": f"{knobs.timeout:g}",
        "retention_days": f"{knobs.retention / DAY:g}",
        "written_limit": f"{terraform_default('written_gb_per_hour'):g}",
        "last": str(Function.last_factor),
        "handover": f"{1000 * HANDOVER:g}",
        "worst_image": f"{bursts.WORST_IMAGE:g}",
        "small_seconds": digits(times.seconds(SMALL)),
        "large_seconds": digits(times.seconds(LARGE)),
        "start": digits(times.start),
        "price_date": DATE,
        "limits_table": table(["limit", "", "source"], rows),
    }


if __name__ == "__main__":
    sys.exit(main())
