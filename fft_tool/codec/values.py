"""Scaling of measured values, such as floating-point or signed samples, to 16-bit grey levels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Pixels
from fft_tool.errors import UnsupportedImage
from fft_tool.parallel import rows_per_block

TOP = 65535
"""Largest level."""

Samples = NDArray[Any]


@dataclass(frozen=True, slots=True)
class ValueScale:
    """How values were scaled to levels: value = ``offset`` + ``step`` · level.

    >>> scale = ValueScale(offset=-1.0, step=0.5, minimum=-1.0, maximum=3.0)
    >>> scale.value(4)
    1.0

    ``minimum`` and ``maximum`` are the extremes of the stored values. ``clipped`` is the number of
    samples outside the range, which became black or white. If ``exact``, all values are whole
    numbers, and the equation, rounded to whole numbers, gives every one of them back. Otherwise it
    gives them back to within half a step, unless they were clipped.
    """

    offset: float
    step: float
    minimum: float
    maximum: float
    clipped: int = 0
    exact: bool = False

    def value(self, level: float) -> float:
        """Value that a level stands for."""
        return self.offset + self.step * level


def scale(
    samples: Samples, value_range: tuple[float, float] | None = None
) -> tuple[Pixels, ValueScale]:
    """Scale ``samples`` (h, w, channels), any real dtype, to levels from 0 to 65535, as uint16.

    >>> levels, scale_ = scale(np.array([[[-1.0], [0.25], [1.0]]]))
    >>> levels.ravel().tolist(), scale_.value(65535)
    ([0, 40959, 65535], 1.0)

    ``value_range`` holds the values of black and white; by default they are the extremes of the
    samples. All colours share one scale. Whole numbers that span at most 65,535 are by default
    multiplied by a whole number, so that they can be recovered exactly. Opacity, the last of two or
    four channels, is from 0 to 1, or to the maximum of an integer dtype.
    """
    count = samples.shape[2]
    colours = samples[:, :, : count - (count in (2, 4))]
    low, high = _extremes(colours)
    whole = high - low <= TOP and _are_whole(colours)
    if value_range is None:
        first, factor = low, _factor(low, high, whole=whole)
    else:
        first, factor = value_range[0], _per_value(*value_range)
    levels = np.empty(samples.shape, np.uint16)
    clipped = 0
    for part in _blocks(samples):
        exact_levels = _differences(colours[part], first) * factor
        clipped += _clip(exact_levels)
        levels[part, :, : colours.shape[2]] = exact_levels
        if count != colours.shape[2]:
            levels[part, :, -1] = _opacity(samples[part, :, -1])
    kept = whole and not clipped and factor == round(factor) and float(first) == round(first)
    made = ValueScale(float(first), 1 / factor, float(low), float(high), clipped, kept)
    return levels, made


def check_finite(samples: Samples) -> None:
    """Reject NaN and infinite values."""
    if samples.dtype.kind != "f":
        return
    wrong = sum(
        samples[part].size - int(np.count_nonzero(np.isfinite(samples[part])))
        for part in _blocks(samples)
    )
    if wrong:
        raise UnsupportedImage(
            f"{wrong:,} of {samples.size:,} values are NaN or infinite: replace them, for instance "
            "with numpy.nan_to_num"
        )


def _extremes(samples: Samples) -> tuple[Any, Any]:
    check_finite(samples)
    low, high = samples.min(), samples.max()
    return (int(low), int(high)) if samples.dtype.kind in "iu" else (float(low), float(high))


def _are_whole(samples: Samples) -> bool:
    return samples.dtype.kind in "iu" or all(
        bool((np.rint(samples[part]) == samples[part]).all()) for part in _blocks(samples)
    )


def _factor(low: float, high: float, *, whole: bool) -> float:
    """Levels per unit of the values."""
    if low == high:
        return 1.0
    return float(TOP // int(high - low)) if whole else _per_value(low, high)


def _per_value(low: float, high: float) -> float:
    """Levels per unit of the values, for values from ``low`` to ``high``."""
    span = float(high) - float(low)
    factor = TOP / span if math.isfinite(span) else 0.0
    if not 0 < factor < math.inf:
        raise UnsupportedImage(
            f"values from {low:g} to {high:g} cannot be scaled to grey levels in double "
            "precision: multiply them by a constant"
        )
    return factor


def _differences(block: Samples, first: float) -> NDArray[np.float64]:
    """Values minus ``first``, without the loss that large integers have in double precision."""
    if block.dtype.kind in "iu" and isinstance(first, int):
        # Modulo 2^64, this is the true difference: no value is below the first one.
        return (block.astype(np.uint64) - np.uint64(first % (1 << 64))).astype(np.float64)
    return block.astype(np.float64) - first


def _clip(levels: NDArray[np.float64]) -> int:
    """Round to levels, in place; return how many samples were out of range."""
    slack = 1e-6  # of a level: rounding error at the ends of the range
    outside = int(np.count_nonzero((levels < -slack) | (levels > TOP + slack)))
    np.rint(levels, out=levels)
    np.clip(levels, 0, TOP, out=levels)
    return outside


def _opacity(block: Samples) -> Samples:
    check_finite(block[:, :, None])
    top = np.iinfo(block.dtype).max if block.dtype.kind in "iu" else 1
    if block.min() < 0 or block.max() > top:
        raise UnsupportedImage(
            "the last of two or four channels is opacity, which should be from 0 to 1: save the "
            "channels as separate images"
        )
    opacity: Samples = np.rint(block.astype(np.float64) * (TOP / top))
    return opacity


def _blocks(samples: Samples) -> list[slice]:
    """Blocks of rows that are small beside the image."""
    rows = rows_per_block(8 * math.prod(samples.shape[1:]))
    return [slice(start, start + rows) for start in range(0, samples.shape[0], rows)]
