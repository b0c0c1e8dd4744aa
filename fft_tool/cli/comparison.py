"""The compare command: how much two images are alike, as lines, as JSON, and as files."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator

import numpy as np

from fft_tool import __version__
from fft_tool.cli.messages import about
from fft_tool.cli.output import print_line, say
from fft_tool.codec import png_encode
from fft_tool.comparing import compare_pair, read_plane
from fft_tool.errors import DifferentSizes, FftToolError
from fft_tool.image.matching import Pair, match
from fft_tool.image.selection import Selection
from fft_tool.limits import Limits
from fft_tool.printable import printable
from fft_tool.recipe import Recipe
from fft_tool.report.rings import ring_plot
from fft_tool.report.sentences import number
from fft_tool.results.likeness import Comparison, Rings
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
    told = dict(_measures(found))
    width = max(map(len, told)) + 2
    yield from (f"{name.ljust(width)}{text}" for name, text in told.items())


def _measures(found: Comparison) -> Iterator[tuple[str, str]]:
    pixels, shift = found.likeness, found.shift
    fitted = ", scaled down to a common size" if pixels.fitted else ""
    yield "size", f"{pixels.width:,} × {pixels.height:,}{fitted}"
    ratio = "none: the grey levels are equal" if pixels.psnr_db is None else f"{pixels.psnr_db:.2f}"
    yield "PSNR", ratio if pixels.identical else f"{ratio} dB, of white {pixels.white:,}"
    yield "SSIM", "none: a side is too short" if pixels.ssim is None else f"{pixels.ssim:.4f}"
    mean, most = number(pixels.mean_difference), number(pixels.max_difference)
    yield "difference", f"{mean} grey levels on average, {most} at most"
    constant = "none: an image is constant"
    yield "correlation", constant if pixels.correlation is None else f"{pixels.correlation:.4f}"
    yield "hash", f"{pixels.hash_distance} of 64 bits differ: {' '.join(pixels.hashes)}"
    if shift is None:
        yield "shift", constant
    elif not shift.reliable:
        yield "shift", f"none found: a peak of {shift.peak:.3f} may be chance"
    else:
        right, down = _signed(shift.right), _signed(shift.down)
        yield "shift", f"{right} px to the right, {down} px down, peak {shift.peak:.3f}"
    apart = shift is not None and shift.reliable and max(abs(shift.right), abs(shift.down)) > 0.5
    aligned = ", of images that are not aligned" if apart else ""
    yield "resolution", _resolutions(found.rings) + aligned


def _resolutions(rings: Rings) -> str:
    return "; ".join(f"{_resolution(at)} ({name})" for name, at in rings.resolution.items())


def _resolution(frequency: float | None) -> str:
    if frequency is None:
        return "none"
    nyquist = " Nyquist," if frequency == 0.5 else ""
    return f"{nyquist} {number(frequency)} cycles/px, {number(1 / frequency)} px".strip()


def _signed(value: float) -> str:
    return f"{value + 0.0:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")


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
        f"{base}_difference.png": (_difference(pair), _PNG),
        f"{base}_rings.svg": (ring_plot(found.rings).encode(), _SVG),
        f"{base}_comparison.json": (f"{text}\n".encode(), _JSON),
    }
    for name, (data, content_type) in files.items():
        target.write(name, data, content_type=content_type)
    return list(files)


def _difference(pair: Pair) -> bytes:
    """Absolute differences as PNG: the largest one is white, equal grey levels are black."""
    low, high = np.minimum(pair.first, pair.second), np.maximum(pair.first, pair.second)
    high -= low
    levels = high * (255 / max(1, int(high.max())))
    return png_encode.encode(np.rint(levels).astype(np.uint8), threads=usable_cores())
