"""What only people see: the progress bar and the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from fft_tool.printable import printable
from fft_tool.report.sentences import dominant
from fft_tool.runs.one import Outcome

MOST_ROWS = 60  # of a longer batch the records tell more than a table on a screen
OUTPUTS = ("image", "result", "outputs")
FINDINGS = ("image", "size", "dominant wave", "slope β", "sharpness", "comes back")

TEXTS = ("image", "channel", "result", "outputs")  # columns that are read from the left

Cells = Sequence[str]


def with_progress(outcomes: Iterable[Outcome], total: int) -> Iterator[Outcome]:
    """Pass outcomes on, drawing a bar on stderr."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    # Drawn between outcomes, not by a thread: the worker processes are forked from this one.
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=Console(stderr=True, markup=False, emoji=False),
        auto_refresh=False,
        redirect_stdout=False,
    ) as progress:
        task = progress.add_task("analysing", total=total)
        progress.refresh()
        for outcome in outcomes:
            progress.update(task, advance=1, description=printable(outcome.source[-40:]))
            progress.refresh()
            yield outcome


def print_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Print a table of what was found, and how many sources met which end."""
    console = _console()
    if len(outcomes) <= MOST_ROWS:
        recorded = any(outcome.record for outcome in outcomes)
        row, headings = (_found, FINDINGS) if recorded else (_made, OUTPUTS)
        console.print(_table(headings, [row(outcome) for outcome in outcomes]))
    counts = Counter(outcome.result for outcome in outcomes)
    console.print(", ".join(f"{count} {result}" for result, count in counts.items()))


def print_statistics(outcomes: Sequence[Outcome]) -> None:
    """Print pixel statistics, a row for each channel."""
    headings = ("image", "channel", "mean", "std", "min", "median", "max", "entropy", "sharpness")
    rows = [
        (outcome.source, channel, *_numbers(values), _sharpness(outcome.record))
        for outcome in outcomes
        if outcome.record
        for channel, values in outcome.record["statistics"].items()
    ]
    _console().print(_table(headings, rows))


def _console() -> Console:
    # Names are shown as they are, whatever rich would make of brackets and colons in them.
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = 200  # output that goes to a file is not cut to the width of a screen
    return console


def _table(headings: Cells, rows: Iterable[Cells]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        justify: Literal["left", "right"] = "left" if heading in TEXTS else "right"
        table.add_column(heading, justify=justify, overflow="fold")
    for row in rows:
        table.add_row(*map(printable, row))
    return table


def _made(outcome: Outcome) -> Cells:
    return outcome.source, _end(outcome), ", ".join(outcome.outputs)


def _end(outcome: Outcome) -> str:
    return outcome.error.code if outcome.error else outcome.result


def _found(outcome: Outcome) -> Cells:
    record = outcome.record
    if record is None:
        return outcome.source, _end(outcome)
    spectrum, measures = record["spectrum"], record["measures"]
    return (
        outcome.source,
        f"{spectrum['width']} × {spectrum['height']}",
        _peak(dominant(record)),
        _slope(measures["slope"]),
        _sharpness(record),
        _fidelity(record["certificate"]),
    )


def _peak(peak: Mapping[str, Any] | None) -> str:
    return f"{peak['period']:.4g} px at {peak['angle']:.4g}°" if peak else "none"


def _slope(slope: Mapping[str, Any] | None) -> str:
    return f"{slope['beta']:.2f} ± {slope['error']:.2f}" if slope else "none"


def _sharpness(record: Mapping[str, Any] | None) -> str:
    sharpness = record and record["sharpness"]
    return f"{sharpness['laplacian_variance']:.3g}" if sharpness else "none"


def _fidelity(certificate: Mapping[str, Any] | None) -> str:
    if certificate is None:
        return "no phase"
    if certificate["exact"]:
        return "bit for bit"
    return f"not exact, ± {certificate['max_abs_error']:,}, {certificate['psnr_db']:.1f} dB"


def _numbers(values: Mapping[str, Any]) -> Cells:
    keys = ("mean", "standard_deviation", "minimum", "median", "maximum", "entropy_bits")
    return [f"{values[key]:.5g}" for key in keys]
