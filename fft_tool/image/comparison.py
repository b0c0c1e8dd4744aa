"""Comparison of two grey images: PSNR, SSIM, differences and correlation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Plane, check_pair, sum_of_squares
from fft_tool.image.structure import structural_similarity
from fft_tool.parallel import map_rows, rows_per_block

Real = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much two images differ.

    Attributes
    ----------
    psnr : float
        Peak signal-to-noise ratio, 10·log10(data_range² / mean squared difference), in dB;
        infinite for identical images.
    ssim : float or None
        Mean structural similarity, at most 1, over all 7 × 7 windows within the image; None if
        a side is shorter than 7 pixels.
    mean_difference, max_difference : float
        Mean and largest absolute difference, in units of the pixel values.
    correlation : float or None
        Pearson's correlation coefficient of the pixels, from -1 to 1; None if an image is constant.
    data_range : float
        Difference between the largest and the smallest value that the images can hold.
    """

    psnr: float
    ssim: float | None
    mean_difference: float
    max_difference: float
    correlation: float | None
    data_range: float


def compare(
    first: Any, second: Any, *, data_range: float | None = None, threads: int = 1
) -> Comparison:
    """Compare two grey images of the same shape (h, w).

    >>> import numpy as np
    >>> grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> result = compare(grey, grey // 2 * 2)
    >>> result.max_difference, round(result.psnr, 1)
    (1.0, 51.1)

    Parameters
    ----------
    first, second : ndarray
        Real images of one shape, without NaN or infinity.
    data_range : float, optional
        Difference between the largest and the smallest possible value. May be left out if both
        images are uint8 (255) or both are uint16 (65535).
    threads : int
        Number of threads; the result does not depend on it.

    References
    ----------
    Z. Wang et al., "Image quality assessment: from error visibility to structural similarity",
    IEEE Trans. Image Processing 13 (2004) 600-612; here with a uniform window and the sample
    covariance.
    """
    a, b = check_pair(first, second)
    span = _data_range((a, b), data_range)
    levels = (0.0, 0.0) if _whole(a, b) else (float(a.mean()), float(b.mean()))
    sums = _sums(a, b, levels, threads)
    squares = sums.squares / a.size
    return Comparison(
        psnr=10 * math.log10(span**2 / squares) if squares else math.inf,
        ssim=structural_similarity(a, b, span=span, level=levels[0], threads=threads),
        mean_difference=sums.difference / a.size,
        max_difference=sums.largest,
        correlation=sums.correlation(a.size) if np.ptp(a) and np.ptp(b) else None,
        data_range=span,
    )


def psnr(first: Plane, second: Plane, *, white: int, threads: int = 1) -> float | None:
    """Peak signal-to-noise ratio of two planes (h, w) in dB; None if they are equal.

    >>> psnr(np.zeros((2, 2), np.uint8), np.full((2, 2), 255, np.uint8), white=255)
    0.0

    ``white`` is the largest value that both can hold. The result is that of :func:`compare`, which
    computes more, and takes more memory.
    """
    height, width = first.shape

    def squares(start: int, stop: int) -> float:
        return sum_of_squares(first[start:stop].astype(np.float64) - second[start:stop])

    rows = rows_per_block(8 * width)
    total = math.fsum(map_rows(squares, height, rows, threads=threads))
    return 10 * math.log10(white**2 * first.size / total) if total else None


def _data_range(arrays: tuple[NDArray[Any], NDArray[Any]], given: float | None) -> float:
    if given is not None:
        if not 0 < given < math.inf:
            raise ValueError(f"data_range={given}: should be a positive, finite number")
        return float(given)
    types = {array.dtype for array in arrays}
    if types <= {np.dtype(np.uint8)} or types <= {np.dtype(np.uint16)}:
        return float(np.iinfo(arrays[0].dtype).max)
    raise ValueError(
        f"images of types {arrays[0].dtype} and {arrays[1].dtype} have no default range: "
        "pass data_range=, for instance data_range=1.0 for values from 0 to 1"
    )


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums over all pixels: of the differences, and of the pixels less a level of each image."""

    difference: float
    squares: float
    largest: float
    a: float
    b: float
    aa: float
    bb: float
    ab: float

    def correlation(self, count: int) -> float:
        """Pearson's correlation coefficient."""
        covariance = self.ab - self.a * self.b / count
        variances = (self.aa - self.a**2 / count) * (self.bb - self.b**2 / count)
        return min(max(covariance / math.sqrt(variances), -1.0), 1.0)


def _whole(*images: Real) -> bool:
    """Whether sums of products of the pixels of a block are exact in double precision."""
    return all(image.dtype.kind in "bu" and image.dtype.itemsize <= 2 for image in images)


def _sums(a: Real, b: Real, levels: tuple[float, float], threads: int) -> _Sums:
    def block(start: int, stop: int) -> tuple[float, ...]:
        x, y = (image[start:stop].astype(np.float64) for image in (a, b))
        difference = x - y
        np.abs(difference, out=difference)
        x -= levels[0]
        y -= levels[1]
        return (
            float(difference.sum()),
            sum_of_squares(difference),
            float(difference.max()),
            float(x.sum()),
            float(y.sum()),
            sum_of_squares(x),
            sum_of_squares(y),
            float(np.multiply(x, y, out=x).sum()),
        )

    height, width = a.shape
    blocks = map_rows(block, height, rows_per_block(8 * width), threads=threads)
    columns = list(zip(*blocks, strict=True))
    largest = max(columns.pop(2))
    difference, squares, *rest = map(math.fsum, columns)
    return _Sums(difference, squares, largest, *rest)
