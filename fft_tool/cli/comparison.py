"""The compare command: how much two images are alike, as lines, as JSON, and as files."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator

from fft_tool import __version__
from fft_tool.cli.messages import about
from fft_tool.cli.output import print_line, say
from fft_tool.comparing import compare_pair, difference_of_pair, read_plane
from fft_tool.errors import DifferentSizes, FftToolError
from fft_tool.image.matching import Pair, match
from fft_tool.image.selection import Selection
from fft_tool.limits import Limits
from fft_tool.printable import printable
from fft_tool.recipe import Recipe
from fft_tool.report.likeness import measures
from fft_tool.report.rings import ring_plot
from fft_tool.results.likeness import Comparison
from fft_tool.results.naming import base_of
from fft_tool.results.outputs import Source
from fft_tool.runs.machine import usable_cores
from fft_tool.runs.sources import SourceRef
from fft_tool.stores.base import Store, as_folder
from fft_tool.validate import Json

_PNG, _JSON, _SVG = "image/png", "application/json", "image/svg+xml"


def compare_images(
    options: argparse.Namespace,
    refs: tuple[SourceRef, SourceRef],
    recipe: Recipe,
    limits: Limits,
    *,
    read: Callable[[SourceRef], Source],
    target: Store | None,
) -> int:
    """Compare two images, and print or write what is found; return the exit code."""
    threads = usable_cores()
    sources, planes = list[Source](), list[Selection]()
    for ref in refs:
        try:
            sources.append(read(ref))
            planes.append(read_plane(sources[-1], recipe, limits, threads=threads))
        except FftToolError as exc:
            say(about(str(ref), exc))
            return 1
    one, other = planes
    whites = one.white, other.white
    try:
        pair = match(one.plane, other.plane, whites, fit=options.fit, threads=threads)
    except DifferentSizes as exc:
        say(f"{refs[0]} and {refs[1]}: {exc}; --fit scales both down to a common size")
        return 1
    found = compare_pair(pair, threads=threads)
    record = _record(sources, recipe, found)
    written = []
    if target is not None:
        written = _write(target, sources, record, pair, found)
    if options.json:
        print_line(json.dumps(record, allow_nan=False))
    elif not options.quiet:
        for line in (*lines(found), *(as_folder(options.output) + name for name in written)):
            print_line(printable(line))
    return 0


def lines(found: Comparison) -> Iterator[str]:
    """One line for each measure."""
    told = measures(found)
    width = max(len(each.name) for each in told) + 2
    yield from (f"{each.name.ljust(width)}{each.value}" for each in told)


def _record(sources: list[Source], recipe: Recipe, found: Comparison) -> Json:
    first, second = ({"name": each.name, "sha256": each.sha256} for each in sources)
    return {
        "version": __version__,
        "recipe": str(recipe),
        "first": first,
        "second": second,
        **found.to_json(),
    }


def _write(
    target: Store, sources: list[Source], record: Json, pair: Pair, found: Comparison
) -> list[str]:
    """Write the difference picture, the plot and, last, the record; return their names."""
    base = f"{base_of(sources[0])}_{base_of(sources[1]).rpartition('/')[2]}"
    text = json.dumps(record, allow_nan=False, indent=2)
    files = {
        f"{base}_difference.png": (difference_of_pair(pair, threads=usable_cores()), _PNG),
        f"{base}_rings.svg": (ring_plot(found.rings).encode(), _SVG),
        f"{base}_comparison.json": (f"{text}\n".encode(), _JSON),
    }
    for name, (data, content_type) in files.items():
        target.write(name, data, content_type=content_type)
    return list(files)
