"""Output for people only: the progress bar and the tables."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from fft_tool.cli.changes import SHOWN, changes
from fft_tool.cli.output import put
from fft_tool.printable import printable
from fft_tool.report.sentences import dominant
from fft_tool.runs.one import Outcome

if TYPE_CHECKING:
    from fft_tool.batches.rows import Row

MOST_ROWS = 60  # for longer batches a table on a screen is of little use
OUTPUTS = ("image", "result", "outputs")
FINDINGS = ("image", "size", "dominant wave", "slope β", "sharpness", "inversion")
BATCHES = ("batch", "pixels", "images", "mean", "std", "min", "max")
CHANGES = ("image", "result", *SHOWN, "PSNR")
STATISTICS = ("image", "channel", "mean", "std", "min", "median", "max", "entropy", "sharpness")

TEXTS = ("image", "channel", "result", "outputs", "pixels")  # left-aligned columns

_GAP = 2  # spaces between columns
_NARROWEST = 12  # characters; columns of text may be folded to this width
_LONGEST_NAME, _LONGEST_BAR = 40, 40
_BESIDE_BAR = 30  # characters, for the counts and the time

Cells = Sequence[str]


class HasSource(Protocol):
    """Something that has been done for a source."""

    @property
    def source(self) -> str:
        """Name of the source."""


Item = TypeVar("Item", bound=HasSource)


def with_progress(items: Iterable[Item], total: int, doing: str) -> Iterator[Item]:
    """Yield items, drawing a progress bar on stderr; ``doing`` is shown before the first one."""
    console = Console(stderr=True, markup=False, emoji=False)
    name = min(_LONGEST_NAME, max(console.width - _BESIDE_BAR - 10, 10))
    bar = min(_LONGEST_BAR, max(console.width - _BESIDE_BAR - name, 5))
    columns = (TextColumn("{task.description}"), BarColumn(bar), MofNCompleteColumn())
    # Drawn between outcomes, not by a thread: the worker processes are forked from this one.
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        auto_refresh=False,
        redirect_stdout=False,
    ) as progress:
        task = progress.add_task(doing, total=total)
        progress.refresh()
        for item in items:
            progress.update(task, advance=1, description=printable(item.source[-name:]))
            progress.refresh()
            yield item


def print_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Print a table of what was made or found, and a count of each result.

    Failures have been reported already and are only counted.
    """
    console = _console()
    done = [outcome for outcome in outcomes if outcome.error is None]
    if done and len(outcomes) <= MOST_ROWS:
        records = [outcome.record for outcome in done if outcome.record]
        headings, row = _shown(records)
        _print_table(console, headings, [row(outcome) for outcome in done])
    counts = Counter(outcome.result for outcome in outcomes)
    _print(console, ", ".join(f"{count} {result}" for result, count in counts.items()))


def _shown(records: Sequence[Mapping[str, Any]]) -> tuple[Cells, Callable[[Outcome], Cells]]:
    """Headings of a table, and what makes a row of it: by what has been recorded."""
    if not records:
        return OUTPUTS, _made
    if any("before" in record for record in records):
        return CHANGES, _changed
    return FINDINGS, _found


def print_statistics(outcomes: Sequence[Outcome]) -> None:
    """Print pixel statistics, one row per channel."""
    rows = [
        (outcome.source, channel, *_numbers(values), _sharpness(outcome.record))
        for outcome in outcomes
        if outcome.record
        for channel, values in outcome.record["statistics"].items()
    ]
    if rows:
        _print_table(_console(), STATISTICS, rows)


def print_batches(rows: Sequence[Row]) -> None:
    """Print the statistics of the batches of a job, one row for each batch and colour."""
    cells = [
        (str(row.batch_id), row.color, f"{row.images:,}", *map(_count, row.statistics()))
        for row in rows
    ]
    _print_table(_console(), BATCHES, cells)


def _count(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _console() -> Console:
    # Names are shown verbatim: rich would interpret brackets and colons in them.
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = 200  # output to a file is not limited to the width of a screen
    return console


def _print(console: Console, what: Table | Text | str) -> None:
    """Print as ``console`` would, but raise the errors of :func:`~fft_tool.cli.output.put`."""
    text, colours = io.StringIO(), cast("Any", console.color_system)
    Console(
        file=text,
        width=console.width,
        force_terminal=console.is_terminal,
        color_system=colours,
        no_color=console.no_color,
        markup=False,
        emoji=False,
        highlight=False,
    ).print(what)
    put(text.getvalue().encode(console.encoding, "backslashreplace"))


def _print_table(console: Console, headings: Cells, rows: Iterable[Cells]) -> None:
    """Print a table or, if it would not fit, each row as a list. Numbers are never wrapped."""
    cells = [[printable(cell) for cell in row] for row in rows]
    columns = list(zip(headings, *cells, strict=True))
    widths = [max(map(cell_len, column)) for column in columns]
    least = [
        min(width, _NARROWEST) if heading in TEXTS else width
        for heading, width in zip(headings, widths, strict=True)
    ]
    if sum(least) + _GAP * (len(least) - 1) <= console.width:
        _print(console, _table(headings, cells, least))
        return
    for row in cells:
        _print(console, _listed(headings, row))


def _table(headings: Cells, rows: Iterable[Cells], least: Sequence[int]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading, width in zip(headings, least, strict=True):
        if heading in TEXTS:
            table.add_column(heading, overflow="fold", min_width=width)
        else:
            table.add_column(heading, justify="right", no_wrap=True, min_width=width)
    for row in rows:
        table.add_row(*row)
    return table


def _listed(headings: Cells, row: Cells) -> Text:
    """Format a row as its name, followed by one line per value."""
    width = max(map(cell_len, headings[1:]))
    lines = [
        f"  {heading}{' ' * (width - cell_len(heading))}  {cell}"
        for heading, cell in zip(headings[1:], row[1:], strict=True)
    ]
    return Text("\n".join([row[0], *lines]), overflow="fold")


def _made(outcome: Outcome) -> Cells:
    return outcome.source, outcome.result, ", ".join(outcome.outputs)


def _found(outcome: Outcome) -> Cells:
    record = outcome.record
    if record is None:
        return outcome.source, outcome.result, "", "", "", ""
    spectrum, measures = record["spectrum"], record["measures"]
    return (
        outcome.source,
        f"{spectrum['width']} × {spectrum['height']}",
        _peak(dominant(record)),
        _slope(measures["slope"]),
        _sharpness(record),
        _fidelity(record["certificate"]),
    )


def _changed(outcome: Outcome) -> Cells:
    found = changes(outcome.record) if outcome.record else {}
    return outcome.source, outcome.result, *(found.get(name, "") for name in (*SHOWN, "PSNR"))


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
