"""Forward and inverse DFT of real images of any shape, without padding.

Rows are transformed first, block by block, then columns in place: apart from the half spectrum
itself, only a few cache-sized blocks are in memory at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fft_tool.parallel import map_rows, rows_per_block, worth_threads
from fft_tool.spectrum.half import Spectrum, check_spectrum
from fft_tool.spectrum.kernel import UNSCALED, kernel

T = TypeVar("T")
RealArray = NDArray[Any]
ReadRows = Callable[[int, int], RealArray]
TakeRows = Callable[[int, NDArray[np.floating[Any]]], T]

PRECISIONS: dict[str, tuple[type[np.floating[Any]], type[np.complexfloating[Any, Any]]]] = {
    "single": (np.float32, np.complex64),
    "double": (np.float64, np.complex128),
}


def forward(image: RealArray, *, precision: str = "single", threads: int = 1) -> Spectrum:
    """Transform a real image, shape (h, w), any dtype.

    >>> forward(np.full((4, 4), 7, np.uint8)).dc
    112.0

    ``precision`` is "single" or "double". The mean, or for integers an estimate of it, is
    subtracted before the transform and added to the DC term afterwards, so that brightness does not
    reduce the accuracy of other coefficients: the spectrum of a constant image is exactly zero
    except for DC. It is subtracted before values are rounded to ``precision``, so that a faint
    signal on a large offset keeps its digits. The DC term itself is as accurate as ``precision``.
    """
    real, _ = _types(precision)
    level, within = _level_of(image, real)
    spectrum = forward_rows(
        lambda start, stop: np.subtract(image[start:stop], level, dtype=within),
        image.shape,
        precision=precision,
        threads=threads,
    )
    spectrum.half[0, 0] += level * image.size
    return spectrum


def forward_rows(
    read: ReadRows, shape: tuple[int, ...], *, precision: str = "single", threads: int = 1
) -> Spectrum:
    """Transform an image of ``shape`` (h, w) whose row blocks ``read(start, stop)`` returns."""
    height, width = shape
    real, complex_ = _types(precision)
    half = np.empty((height, width // 2 + 1), complex_)

    def transform_rows(start: int, stop: int) -> None:
        block = read(start, stop).astype(real, copy=False)
        kernel().r2c(block, (1,), True, UNSCALED, half[start:stop], 1)

    block_rows = rows_per_block(width * np.dtype(real).itemsize)
    map_rows(transform_rows, height, block_rows, threads=threads)
    if height > 1:
        kernel().c2c(half, (0,), True, UNSCALED, half, worth_threads(half.nbytes, threads))
    return Spectrum(half, width)


def inverse(spectrum: Spectrum, *, threads: int = 1) -> NDArray[np.floating[Any]]:
    """Inverse transform: the real image of ``spectrum``, shape (h, w), in its precision.

    >>> grey = np.arange(12.0).reshape(3, 4)
    >>> bool(np.allclose(inverse(forward(grey)), grey, atol=1e-5))
    True

    The spectrum is not modified.
    """
    check_spectrum(spectrum)
    image = np.empty(spectrum.shape, spectrum.half.real.dtype)

    def place(start: int, rows: NDArray[np.floating[Any]]) -> None:
        image[start : start + rows.shape[0]] = rows

    inverse_rows(Spectrum(spectrum.half.copy(), spectrum.width), place, threads=threads)
    return image


def inverse_rows(spectrum: Spectrum, take: TakeRows[T], *, threads: int = 1) -> list[T]:
    """Pass the real image of ``spectrum`` to ``take(start, rows)`` in row blocks, in any order.

    Returns the results of ``take`` in the order of the blocks. The half spectrum is used as
    workspace and overwritten.
    """
    half, width = spectrum.half, spectrum.width
    height = half.shape[0]
    real = half.real.dtype
    # Subtracted for the same reason as in ``forward``.
    level = half[0, 0].real / (height * width)
    half[0, 0] = 0
    if height > 1:
        kernel().c2c(half, (0,), False, UNSCALED, half, worth_threads(half.nbytes, threads))

    def transform_rows(start: int, stop: int) -> T:
        rows = np.empty((stop - start, width), real)
        kernel().c2r(half[start:stop], (1,), width, False, UNSCALED, rows, 1)
        rows /= height * width
        rows += level
        return take(start, rows)

    return map_rows(transform_rows, height, rows_per_block(width * real.itemsize), threads=threads)


def _types(
    precision: str,
) -> tuple[type[np.floating[Any]], type[np.complexfloating[Any, Any]]]:
    if precision not in PRECISIONS:
        raise ValueError(f"unknown precision {precision!r}, should be single or double")
    return PRECISIONS[precision]


def _level_of(
    image: RealArray, real: type[np.floating[Any]]
) -> tuple[float, type[np.floating[Any]]]:
    """Return the level to subtract from ``image``, and the type in which to subtract it."""
    fits = np.can_cast(image.dtype, real)
    if fits and image.dtype.kind != "f":
        return _rough_mean(image), real
    level = _mean(image)
    return (float(real(level)), real) if fits else (level, np.float64)


def _rough_mean(image: RealArray) -> float:
    """Mean of a coarse grid of pixels, rounded so that subtracting it from integers is exact."""
    height, width = image.shape
    sample = image[:: max(1, height // 64), :: max(1, width // 64)]
    return float(np.rint(sample.mean(dtype=np.float64)))


def _mean(image: RealArray) -> float:
    """Mean of all pixels, relative to one of them: exact for constant images."""
    height, width = image.shape
    first = float(image[0, 0])

    def above(start: int, stop: int) -> float:
        return float(np.subtract(image[start:stop], first, dtype=np.float64).sum())

    return first + math.fsum(map_rows(above, height, rows_per_block(8 * width))) / image.size
