"""Structural similarity (SSIM) of two grey images, from sums over windows.

Sums over windows are made of shifted copies: two of neighbours give sums of two, two of these sums
of four, and sums of four, two and one give those of seven. Of 8-bit levels they fit into 32-bit
integers, of 16-bit levels into doubles, so that variances are exact however bright an image is.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.parallel import map_rows

WINDOW = 7
"""Side of the window in pixels."""

_AREA = WINDOW**2
_AT_ONCE = 1 << 16  # pixels, so that all sums of a block stay in the cache

Real = NDArray[Any]


def structural_similarity(
    first: Real, second: Real, *, span: float, level: float = 0.0, threads: int = 1
) -> float | None:
    """Mean structural similarity of two images (h, w) over all 7 × 7 windows within them.

    >>> grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    >>> structural_similarity(grey, grey, span=255)
    1.0

    ``span`` is the difference between the largest and the smallest possible value. The result is
    None if a side is shorter than 7 pixels. Of floating-point images, ``level`` is subtracted
    first: their mean, so that little is lost to rounding.
    """
    height, width = first.shape[0] - WINDOW + 1, first.shape[1] - WINDOW + 1
    if height < 1 or width < 1:
        return None
    small = first.dtype == second.dtype == np.uint8
    dtype: Any = np.int32 if small else np.float64
    # Luminance is scaled by the squared area, structure by what makes covariances unbiased.
    low = (0.01 * span * _AREA) ** 2
    high = (0.03 * span) ** 2 * _AREA * (_AREA - 1)

    def total(start: int, stop: int) -> float:
        rows = slice(start, stop + WINDOW - 1)
        a, b = (image[rows].astype(dtype) for image in (first, second))
        if level:
            a -= level
            b -= level
        return float(_similarities(a, b, low=low, high=high, level=level).sum())

    rows = max(1, _AT_ONCE // width)
    sums = map_rows(total, height, rows, threads=threads)
    return math.fsum(sums) / float(height * width)


def _similarities(
    a: Real, b: Real, *, low: float, high: float, level: float
) -> NDArray[np.float64]:
    """Similarity in each window, shape (h - 6, w - 6)."""
    sum_a, sum_b = _window_sums(a), _window_sums(b)
    product = _window_sums(a * b)
    np.square(a, out=a)
    a += np.square(b, out=b)
    squares = _window_sums(a)
    mixed = sum_a * sum_b
    powers = np.square(sum_a)
    powers += np.square(sum_b)
    product *= _AREA
    product -= mixed
    squares *= _AREA
    squares -= powers
    if level:  # of the means themselves; variances do not depend on it
        sum_a += _AREA * level
        sum_b += _AREA * level
        mixed = sum_a * sum_b
        powers = np.square(sum_a) + np.square(sum_b)
    above, below = _fraction(mixed, powers, low)
    structure, spread = _fraction(product, squares, high)
    above *= structure
    below *= spread
    above /= below
    return above


def _fraction(
    mixed: Real, powers: Real, constant: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Twice the mixed and the pure sums, both plus a constant."""
    mixed *= 2
    return np.add(mixed, constant, dtype=np.float64), np.add(powers, constant, dtype=np.float64)


def _window_sums(values: Real) -> Real:
    """Sums over all windows within the image."""
    two = values[:-1] + values[1:]
    four = two[:-2] + two[2:]
    columns = four[:-3] + two[4:-1]
    columns += values[6:]
    two = columns[:, :-1] + columns[:, 1:]
    four = two[:, :-2] + two[:, 2:]
    sums: Real = four[:, :-3] + two[:, 4:-1]
    sums += columns[:, 6:]
    return sums
