"""How far one image is shifted against another, by phase correlation, to a fraction of a pixel.

The spectrum of a shifted image differs only in its phases. The inverse transform of the phase
differences alone is a peak at the shift, which is found to the pixel and then, between pixels, by
the transform's own interpolation (a matrix DFT of the few positions around the peak).

References: C. D. Kuglin and D. C. Hines, "The phase correlation image alignment method", Proc. IEEE
Int. Conf. Cybernetics and Society (1975) 163-165; M. Guizar-Sicairos, S. T. Thurman and J. R.
Fienup, "Efficient subpixel image registration algorithms", Optics Letters 33 (2008) 156-158.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Doubles, check_pair
from fft_tool.measures.windowed import correlated_by, windowed_spectrum
from fft_tool.parallel import map_rows, rows_per_block
from fft_tool.spectrum.half import Spectrum, multiplicity
from fft_tool.spectrum.transform import inverse_rows

Singles = NDArray[np.float32]

_FINE = np.linspace(-0.6, 0.6, 13)  # pixels around the highest sample; the peak is within a half
_ROUNDING = 16 * float(np.finfo(np.float32).eps)  # of a coefficient, in the spectrum's mean size
_CHANCE = 1e-3  # how often unrelated images may pass for one scene


@dataclass(frozen=True, slots=True)
class Shift:
    """Where the second image shows what the first one shows.

    Attributes
    ----------
    right, down : float
        Pixels by which the scene lies further to the right, and further down, in the second image.
        A pixel (x, y) of the first is found at (x + right, y + down). Shifts are circular: of one
        by more than half a side, the rest that is left to a whole side is found, with the opposite
        sign.
    peak : float
        Height of the correlation's peak: 1 for a copy that is shifted circularly by whole pixels,
        near 0 for unrelated images, negative if the second image is a negative.
    reliable : bool
        Whether the peak is so high that fewer than one in 1000 pairs of unrelated images reach it.
    """

    right: float
    down: float
    peak: float
    reliable: bool


def find_shift(first: Any, second: Any, *, window: str = "hann", threads: int = 1) -> Shift | None:
    """Find how far the scene of ``second`` is shifted against that of ``first``.

    >>> grey = np.random.default_rng(0).normal(128, 20, (96, 128))
    >>> shift = find_shift(grey, np.roll(grey, (3, -5), axis=(0, 1)))
    >>> round(shift.right, 1), round(shift.down, 1), shift.reliable
    (-5.0, 3.0, True)

    Parameters
    ----------
    first, second : ndarray
        Real images of one shape (h, w), without NaN or infinity.
    window : {"hann", "hamming", "blackman", "tukey", "none"}
        Window by which both are faded out towards their borders, which otherwise stay where they
        are while the scene moves. Without one, the result is that of scikit-image's
        ``phase_cross_correlation`` with the opposite signs.
    threads : int
        Number of threads; the result does not depend on it.

    Returns
    -------
    Shift or None
        None if an image is constant, or has no frequencies in common with the other.
    """
    a, b = check_pair(first, second)
    if not (np.ptp(a) and np.ptp(b)):
        return None
    phases = _phase_differences(a, b, window, threads)
    if phases is None:
        return None
    surface = np.empty(a.shape, np.float32)

    def place(start: int, rows: NDArray[np.floating[Any]]) -> None:
        surface[start : start + rows.shape[0]] = rows

    spectrum, share = phases
    inverse_rows(spectrum, place, threads=threads)
    surface *= 1 / share
    y, x, height = _highest(surface, threads)
    right, down = (
        offset - length if offset > length / 2 else offset
        for offset, length in ((x, a.shape[1]), (y, a.shape[0]))
    )
    peak = min(max(height, -1.0), 1.0)
    return Shift(right, down, peak, abs(peak) > _chance_peak(a.shape, share, window))


def _phase_differences(
    a: NDArray[Any], b: NDArray[Any], window: str, threads: int
) -> tuple[Spectrum, float] | None:
    """Spectrum of phase differences alone, and the share of coefficients that have one."""
    spectrum = windowed_spectrum(a, window, threads=threads)
    half, other = spectrum.half, windowed_spectrum(b, window, threads=threads).half
    least = np.float32(_least(half, threads) * _least(other, threads))

    columns = multiplicity(spectrum.width)[0]

    def block(start: int, stop: int) -> float:
        rows = half[start:stop]
        np.conjugate(rows, out=rows)
        rows *= other[start:stop]
        size = np.abs(rows)
        weak = size <= least
        size[weak] = np.inf
        rows /= size
        return float((np.count_nonzero(~weak, axis=0) * columns).sum())

    rows = rows_per_block(2 * half.itemsize * half.shape[1])
    counted = math.fsum(map_rows(block, half.shape[0], rows, threads=threads))
    return (spectrum, counted / a.size) if counted else None


def _least(half: NDArray[Any], threads: int) -> float:
    """Size of a coefficient below which its phase is mere rounding."""

    def power(start: int, stop: int) -> float:
        rows = half[start:stop]
        return float((np.square(rows.real) + np.square(rows.imag)).sum(dtype=np.float64))

    height, columns = half.shape
    rows = rows_per_block(half.itemsize * columns)
    total = math.fsum(map_rows(power, height, rows, threads=threads))
    return _ROUNDING * math.sqrt(total / half.size)


def _highest(surface: Singles, threads: int) -> tuple[float, float, float]:
    """Row, column and height of the peak, between samples."""
    height, width = surface.shape

    def extremes(start: int, stop: int) -> tuple[float, int]:
        rows = surface[start:stop].ravel()
        low, high = int(rows.argmin()), int(rows.argmax())
        place = high if rows[high] >= -rows[low] else low
        return float(rows[place]), start * width + place

    rows = rows_per_block(surface.itemsize * width)
    found = map_rows(extremes, height, rows, threads=threads)
    sample, place = max(found, key=lambda each: abs(each[0]))
    y, x = divmod(place, width)
    fine = _interpolated(surface, y + _FINE, x + _FINE, threads)
    fine *= math.copysign(1.0, sample)
    row, column = np.unravel_index(int(fine.argmax()), fine.shape)
    step = float(_FINE[1] - _FINE[0])
    down = y + float(_FINE[row]) + step * _vertex(fine[:, column], int(row))
    right = x + float(_FINE[column]) + step * _vertex(fine[row], int(column))
    return down % height, right % width, math.copysign(float(fine[row, column]), sample)


def _interpolated(surface: Singles, y: Doubles, x: Doubles, threads: int) -> Doubles:
    """Values of the surface at rows ``y`` and columns ``x``, which may lie between samples."""
    height, width = surface.shape
    down, across = _weights(y, height), _weights(x, width)

    def block(start: int, stop: int) -> Doubles:
        # Not by BLAS, which would start threads of its own.
        part = np.einsum("yk,kx->yx", down[:, start:stop], surface[start:stop])
        values: Doubles = np.einsum("yx,zx->yz", part, across, dtype=np.float64)
        return values

    rows = rows_per_block(surface.itemsize * width)
    total: Doubles = np.sum(map_rows(block, height, rows, threads=threads), axis=0)
    return total


def _weights(positions: Doubles, length: int) -> Singles:
    """What each sample of a period adds at each position: a periodic sinc function.

    It is what zero-padding the spectrum, or a matrix DFT of it, amounts to.
    """
    distance = positions[:, None] - np.arange(length)
    angle = np.pi * distance / length
    whole = np.abs(np.sin(angle)) < 1e-9
    below = np.tan(angle) if length % 2 == 0 else np.sin(angle)
    weights = np.sin(np.pi * distance) / (length * np.where(whole, 1.0, below))
    return np.asarray(np.where(whole, 1.0, weights), np.float32)


def _vertex(values: Doubles, place: int) -> float:
    """Vertex of the parabola through a maximum and its neighbours, in steps from the maximum."""
    if not 0 < place < len(values) - 1:
        return 0.0
    before, middle, after = (float(value) for value in values[place - 1 : place + 2])
    bend = before - 2 * middle + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0


def _chance_peak(shape: tuple[int, int], share: float, window: str) -> float:
    """Height that the peak of unrelated images exceeds at most once in 1000 cases.

    Their surface is noise, of variance 1 / (share · N) on average. A window crowds it together in
    the middle, by at most as many times as coefficients are correlated.
    """
    count = shape[0] * shape[1]
    crowded = correlated_by(window, shape)
    return math.sqrt(2 * math.log(count / _CHANCE) * crowded / (count * share))
