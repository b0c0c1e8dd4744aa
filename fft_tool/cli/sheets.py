"""CSV output of the commands."""

from __future__ import annotations

from collections.abc import Iterable

from fft_tool.results.table import csv_file
from fft_tool.runs.one import Outcome

_STATISTICS = (
    *("mean", "standard_deviation", "minimum", "median", "maximum", "white", "entropy_bits"),
)
_SHARPNESS = ("laplacian_variance", "gradient_energy")
_PROFILE = (
    *("frequency", "period", "mean_power", "standard_deviation", "background", "coefficients"),
    "frequency_per_um",
)


def statistics(outcomes: Iterable[Outcome]) -> bytes:
    """Pixel statistics, one line per channel of each image; sharpness is that of the image."""
    rows = []
    for outcome in outcomes:
        record = outcome.record or {"statistics": {}, "sharpness": None}
        sharpness = record["sharpness"] or {}
        for channel, values in record["statistics"].items():
            numbers = [values[name] for name in _STATISTICS]
            sharp = [sharpness.get(name) for name in _SHARPNESS]
            rows.append((outcome.source, channel, *numbers, *sharp))
    return csv_file(("source", "channel", *_STATISTICS, *_SHARPNESS), rows)


def profiles(outcomes: Iterable[Outcome]) -> bytes:
    """Radial profiles, one line per ring of each image.

    Columns are those of :func:`fft_tool.pipeline.run_radial`; ``frequency_per_um`` is empty if
    the pixel size is unknown.
    """
    rows = []
    for outcome in outcomes:
        columns = outcome.record or {name: [] for name in _PROFILE}
        count = len(columns["frequency"])
        listed = [columns.get(name, [None] * count) for name in _PROFILE]
        rows += [(outcome.source, *ring) for ring in zip(*listed, strict=True)]
    return csv_file(("source", *_PROFILE), rows)
