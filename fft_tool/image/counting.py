"""Counting of black and white pixels, for those who need nothing else of an image."""

from __future__ import annotations

import numpy as np

from fft_tool.arrays import Plane
from fft_tool.image.counts import Counts
from fft_tool.image.statistics import Threshold, cut_of, exact_histogram
from fft_tool.image.tiles import check_plane, tiles

__all__ = ["Counts", "count"]

_COUNTED_AT_ONCE = 1 << 18  # pixels, so that the comparison's result stays in the cache


def count(plane: Plane, *, white: int, threshold: Threshold = "mid") -> Counts:
    """Count the pixels ``value <= threshold`` as black and the others as white.

    >>> count(np.array([[0, 127], [128, 255]], np.uint8), white=255)
    Counts(black=2, white=2)

    The counts are those of :func:`fft_tool.image.statistics.describe`, of which the parameters
    are, too; but only Otsu's threshold takes a histogram.
    """
    plane = check_plane(plane, white)
    cut = cut_of(threshold, white, lambda: exact_histogram(plane, white))
    pieces = tiles(plane, pixels=_COUNTED_AT_ONCE, columns=_COUNTED_AT_ONCE)
    bright = sum(int(np.count_nonzero(piece > cut)) for piece in pieces)
    return Counts(plane.size - bright, bright)
