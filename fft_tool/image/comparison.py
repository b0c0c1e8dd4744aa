"""Comparison of two grey images: PSNR, SSIM, differences and correlation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Doubles, Plane, check_real, sum_of_squares
from fft_tool.parallel import map_rows, rows_per_block

_WINDOW = 7  # side of the SSIM window in pixels


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


def compare(first: Any, second: Any, *, data_range: float | None = None) -> Comparison:
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

    References
    ----------
    Z. Wang et al., "Image quality assessment: from error visibility to structural similarity",
    IEEE Trans. Image Processing 13 (2004) 600-612; here with a uniform window and the sample
    covariance.
    """
    arrays = check_real(first), check_real(second)
    if arrays[0].shape != arrays[1].shape:
        raise ValueError(
            f"images of shapes {arrays[0].shape} and {arrays[1].shape}: "
            "crop or resize one of them to the shape of the other"
        )
    span = _data_range(arrays, data_range)
    a, b = (array.astype(np.float64) for array in arrays)
    difference = np.abs(a - b)
    squares = float(np.mean(np.square(difference)))
    return Comparison(
        psnr=10 * math.log10(span**2 / squares) if squares else math.inf,
        ssim=_ssim(a, b, span) if min(a.shape) >= _WINDOW else None,
        mean_difference=float(difference.mean()),
        max_difference=float(difference.max()),
        correlation=_correlation(a, b),
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


def _correlation(a: Doubles, b: Doubles) -> float | None:
    a, b = a - a.mean(), b - b.mean()
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    product = float((a * b).sum()) / math.sqrt(float((a * a).sum()) * float((b * b).sum()))
    return min(max(product, -1.0), 1.0)


def _ssim(a: Doubles, b: Doubles, span: float) -> float:
    # Variances are computed about a level near the mean, to reduce cancellation.
    level = float(a.mean())
    a, b = a - level, b - level
    mean_a, mean_b = _window_means(a), _window_means(b)
    unbiased = _WINDOW**2 / (_WINDOW**2 - 1)
    variances = _window_means(a * a + b * b) - (mean_a**2 + mean_b**2)
    covariance = unbiased * (_window_means(a * b) - mean_a * mean_b)
    mean_a += level
    mean_b += level
    low, high = (0.01 * span) ** 2, (0.03 * span) ** 2
    luminance = (2 * mean_a * mean_b + low) / (mean_a**2 + mean_b**2 + low)
    structure = (2 * covariance + high) / (unbiased * variances + high)
    return float(np.mean(luminance * structure))


def _window_means(values: Doubles) -> Doubles:
    """Means over all windows within the image, shape (h - 6, w - 6)."""
    for axis in (0, 1):
        windows = np.lib.stride_tricks.sliding_window_view(values, _WINDOW, axis)
        values = windows.mean(axis=-1)
    return values
