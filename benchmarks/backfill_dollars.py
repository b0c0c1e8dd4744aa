"""The cost of a million images by engine of a backfill: ``python benchmarks/backfill_dollars.py``.

Writes the table in docs/backfill.md, between its two comments, from the figures that the command
line uses for its estimates.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from fft_tool.backfill.estimate import Estimate, estimate  # noqa: E402
from fft_tool.backfill.run import CONCURRENCY, PER_INVOCATION, PER_SCAN  # noqa: E402

PAGE = ROOT / "docs" / "backfill.md"
BEGIN, END = "<!-- backfill_dollars.py -->\n", "<!-- end -->\n"

IMAGES = 1_000_000
SIZES = {"512 × 512": 220_000, "2048 × 2048": 3_500_000}  # bytes of a source

REQUESTS = ("reading", "writing", "listing", "invocations", "Step Functions", "S3 Batch Operations")
COLUMNS = ("compute", "invocations", "reading", "writing", "listing", "log")


def made(engine: str, size: int, *, table: bool) -> Estimate:
    """Estimate for a million images of ``size`` bytes each."""
    return estimate(
        engine,
        IMAGES,
        IMAGES * size,
        table=table,
        concurrency=CONCURRENCY,
        per_invocation=PER_SCAN if table else PER_INVOCATION,
    )


def table() -> str:
    """Markdown table: dollars by item for each engine and size."""
    heads = [*COLUMNS, "engine", "total", "of it requests", "hours"]
    lines = [
        f"| engine, image | {' | '.join(heads)} |",
        f"| --- |{' ---: |' * len(heads)}",
    ]
    for label, engine, scan in (
        ("`batch`", "batch", False),
        ("`map`", "map", False),
        ("`map --table`", "map", True),
    ):
        for shape, size in SIZES.items():
            told = made(engine, size, table=scan)
            cells = [told.of(name) for name in COLUMNS]
            cells += [told.of("Step Functions", "S3 Batch Operations"), told.dollars]
            cells.append(told.of(*REQUESTS))
            numbers = " | ".join(f"{dollars:,.2f}" for dollars in cells)
            hours = f"{told.seconds / 3600:,.1f}"
            lines.append(f"| {label}, {shape} | {numbers} | {hours} |")
    return "".join(f"{line}\n" for line in lines)


def with_table(page: str) -> str:
    """Return the page with the table in its place."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8")
