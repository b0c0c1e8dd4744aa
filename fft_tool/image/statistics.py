"""Pixel statistics: measures of an image that do not need its spectrum.

Everything in :class:`PixelStatistics` is derived from one exact histogram, with a bin for each
value that the bit depth can hold. Sums are integers up to the final division, so the same image
gives the same numbers on every machine.

A pixel counts as black if ``value <= threshold``, and as white if ``value > threshold``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Plane
from fft_tool.image.tiles import check_plane, tiles, white_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Counts = NDArray[np.int64]
Threshold = Literal["mid", "otsu"] | int

PERCENTS = (1, 5, 25, 75, 95, 99)
BINS = 256

_COUNTED_AT_ONCE = 1 << 19


@dataclass(frozen=True, slots=True)
class PixelStatistics:
    """Statistics of the pixels of a grey image, in units of its values ``0 … white``.

    Attributes
    ----------
    white
        Largest value that the bit depth can hold.
    pixels
        Number of pixels.
    mean, deviation
        Mean and population standard deviation.
    minimum, maximum
        Smallest and largest value that occurs.
    median, percentiles
        Interpolated linearly between the sorted pixels, as by default in numpy; percentiles at
        :data:`PERCENTS`.
    entropy
        Shannon entropy of the full-resolution histogram, in bits per pixel.
    histogram
        Number of pixels in each of 256 bins of width ``(white + 1) / 256``; bin ``k`` holds the
        values ``v`` with ``k <= 256 v / (white + 1) < k + 1``.
    clipped_black, clipped_white
        Fractions of the pixels that are exactly 0 and exactly ``white``.
    threshold, threshold_method
        The largest value that counts as black, and how it was chosen.
    black_pixels, white_pixels
        Number of pixels on either side of the threshold.
    """

    white: int
    pixels: int
    mean: float
    deviation: float
    minimum: int
    maximum: int
    median: float
    percentiles: Mapping[int, float]
    entropy: float
    histogram: tuple[int, ...]
    clipped_black: float
    clipped_white: float
    threshold: int
    threshold_method: Literal["mid", "otsu", "given"]
    black_pixels: int
    white_pixels: int

    @property
    def bin_width(self) -> float:
        """Width of a histogram bin, in pixel values."""
        return (self.white + 1) / BINS

    def to_json(self) -> dict[str, Any]:
        """Return the statistics as plain JSON values."""
        return {
            "white": self.white,
            "pixels": self.pixels,
            "mean": self.mean,
            "standard_deviation": self.deviation,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "median": self.median,
            "percentiles": {str(percent): value for percent, value in self.percentiles.items()},
            "entropy_bits": self.entropy,
            "clipped_share": {"black": self.clipped_black, "white": self.clipped_white},
            "threshold": {
                "method": self.threshold_method,
                "value": self.threshold,
                "black_pixels": self.black_pixels,
                "white_pixels": self.white_pixels,
            },
            "histogram": {
                "first_edge": 0,
                "last_edge": self.white + 1,
                "bin_width": self.bin_width,
                "counts": list(self.histogram),
            },
        }


def describe(
    plane: Plane, *, white: int | None = None, threshold: Threshold = "mid"
) -> PixelStatistics:
    """Statistics of a grey image.

    >>> found = describe(np.arange(256, dtype=np.uint8).reshape(16, 16))
    >>> found.mean, found.median, found.entropy
    (127.5, 127.5, 8.0)

    Parameters
    ----------
    plane
        Pixels, shape ``(h, w)``, uint8 or uint16, at least one.
    white
        Largest value that the bit depth can hold: 255, 65535, or 4095 for 12 bits in uint16. By
        default that of the dtype.
    threshold
        Largest value that counts as black: a number; ``"mid"`` for ``white // 2``, which makes the
        lower half of the values black; or ``"otsu"`` for :func:`otsu_threshold`.
    """
    white = white_of(plane) if white is None else white
    histogram = exact_histogram(plane, white)
    levels = np.flatnonzero(histogram)
    counts = histogram[levels]
    cumulated = np.cumsum(counts)
    total = plane.size
    mean, deviation = _moments(levels, counts)
    cut = cut_of(threshold, white, lambda: histogram)
    black = int(histogram[: cut + 1].sum())
    return PixelStatistics(
        white=white,
        pixels=total,
        mean=mean,
        deviation=deviation,
        minimum=int(levels[0]),
        maximum=int(levels[-1]),
        median=_percentile(levels, cumulated, 50),
        percentiles={percent: _percentile(levels, cumulated, percent) for percent in PERCENTS},
        entropy=_entropy(counts),
        histogram=_folded(levels, counts, white),
        clipped_black=int(histogram[0]) / total,
        clipped_white=int(histogram[white]) / total,
        threshold=cut,
        threshold_method=threshold if isinstance(threshold, str) else "given",
        black_pixels=black,
        white_pixels=total - black,
    )


def otsu_threshold(histogram: Counts) -> int:
    """Otsu's threshold, which maximises the variance between black and white pixels.

    Maximises the between-class variance ``w0 w1 (m1 - m0)²`` of the classes ``value <= t`` and
    ``value > t``, with weights ``w`` and means ``m``; ties are broken in favour of the smallest
    threshold. A constant image does not have two classes: its threshold is the midpoint of the
    range, so that an all-white image counts as white and an all-black one as black.

    Parameters
    ----------
    histogram
        Number of pixels with each value ``0 … white``, integers.

    References
    ----------
    N. Otsu, "A Threshold Selection Method from Gray-Level Histograms", IEEE Trans. Systems, Man,
    and Cybernetics 9 (1979) 62-66.
    """
    levels = np.flatnonzero(histogram)
    if levels.size < 2:
        return _midpoint(histogram.size - 1)
    counts = histogram[levels]
    weight, total = _cumulated(counts)
    moment, whole = _cumulated(levels * counts)
    distance = moment / weight - (whole - moment) / (total - weight)
    between = weight * (total - weight) * np.square(distance)

    def exactly(split: int) -> Fraction:
        below, first_moment = int(weight[split]), int(moment[split])
        return Fraction((whole * below - total * first_moment) ** 2, below * (total - below))

    # Doubles find the few best splits; ties, as in symmetric histograms, are resolved exactly.
    best = np.flatnonzero(between >= between.max() * (1 - 1e-9)).tolist()
    return int(levels[max(best, key=exactly)])


def cut_of(threshold: Threshold, white: int, histogram: Callable[[], Counts]) -> int:
    """Largest value that counts as black; the histogram is asked for only if it matters."""
    if threshold == "mid":
        return _midpoint(white)
    if threshold == "otsu":
        return otsu_threshold(histogram())
    if isinstance(threshold, int) and 0 <= threshold <= white:
        return threshold
    raise ValueError(f"invalid threshold {threshold!r}, should be 'mid', 'otsu' or 0 … {white}")


def exact_histogram(plane: Plane, white: int) -> Counts:
    """Number of pixels with each value ``0 … white``."""
    plane = check_plane(plane, white)
    count = _count_bytes if plane.dtype == np.uint8 else _count_words
    histogram = count(plane)
    if histogram[white + 1 :].any():
        raise ValueError(f"plane has values up to {plane.max()}, should be at most white={white}")
    return histogram[: white + 1]


def _count_words(plane: Plane) -> Counts:
    histogram = np.zeros(1 << 16, np.int64)
    for tile in tiles(plane, pixels=_COUNTED_AT_ONCE, columns=_COUNTED_AT_ONCE):
        histogram += np.bincount(tile.ravel(), minlength=histogram.size)
    return histogram


def _count_bytes(plane: Plane) -> Counts:
    # Pairs of bytes are counted as 16-bit words, and the 2-D histogram of pairs is summed along
    # both axes: half the work, and fewer stalls when equal neighbours increment the same bin.
    pairs = np.zeros((1 << 8, 1 << 8), np.int64)
    single = np.zeros(1 << 8, np.int64)
    for tile in tiles(plane, pixels=_COUNTED_AT_ONCE, columns=_COUNTED_AT_ONCE):
        values = tile.ravel()
        even = values.size // 2 * 2
        words = values[:even].view(np.uint16)
        pairs += np.bincount(words, minlength=pairs.size).reshape(pairs.shape)
        single[values[even:]] += 1
    single += pairs.sum(axis=0) + pairs.sum(axis=1)
    return single


def _moments(levels: Counts, counts: Counts) -> tuple[float, float]:
    """Mean and population standard deviation, each rounded once."""
    total = int(counts.sum())
    first = int((levels * counts).sum())
    second = int((levels * levels * counts).sum())
    return first / total, math.sqrt(total * second - first * first) / total


def _percentile(levels: Counts, cumulated: Counts, percent: int) -> float:
    """Interpolate linearly between the sorted pixels next to rank ``percent (n - 1) / 100``."""
    last = int(cumulated[-1]) - 1
    rank, part = divmod(percent * last, 100)
    below, above = levels[np.searchsorted(cumulated, (rank, min(rank + 1, last)), side="right")]
    return (int(below) * (100 - part) + int(above) * part) / 100


def _entropy(counts: Counts) -> float:
    total = counts.sum()
    return float(np.sum(counts / total * np.log2(total / counts)))


def _folded(levels: Counts, counts: Counts, white: int) -> tuple[int, ...]:
    bins = np.zeros(BINS, np.int64)
    np.add.at(bins, levels * BINS // (white + 1), counts)
    return tuple(bins.tolist())


def _midpoint(white: int) -> int:
    return white // 2


def _cumulated(values: Counts) -> tuple[Counts, int]:
    """Cumulative sums without the last, and the last."""
    sums = np.cumsum(values)
    return sums[:-1], int(sums[-1])
