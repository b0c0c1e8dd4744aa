"""Waves fitted to a tapered spectrum: frequency and amplitude between the coefficients.

A wave ``A·cos(2π(ky·y/h + kx·x/w) + φ)``, with any real ``(ky, kx)``, makes a known contribution to
each coefficient: the transform of the weights, shifted to ``(ky, kx)``, times ``A·exp(iφ)/2``, plus
its mirror image, with the conjugate, at ``(-ky, -kx)``. Near DC and Nyquist the two overlap, so
both are fitted together. The contributions of other waves that are known are subtracted first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Doubles
from fft_tool.measures.taper import Axis, IndexArray, TaperedSpectrum

Values = NDArray[np.complex128]

_AROUND = 2  # coefficients to either side that are fitted: the main lobe of a Hann window
_STEPS = ((0.4, 2), (0.1, 1), (0.02, 1))  # of ever finer grids, in coefficients, and their reach
_MOVES = 5  # of a grid, while the best fit lies on its edge
_SHORTEST = 8  # pixels; along shorter sides, frequencies stay on a coefficient
_RIDGE = 1e-9  # relative; keeps the fit of a wave that is its own mirror image from being singular
_DISTURBING = 1e-3  # of a wave's amplitude: less leakage from others is not subtracted
_NEAR_DC = 8  # coefficients, beyond which taking out the mean changes nothing
_LEAST = 3e-5  # of a window's mean; smaller Fourier components of it are left out


@dataclass(frozen=True, slots=True)
class Wave:
    """A real wave at ``(ky, kx)``, in coefficients, rows downwards; ``value`` is A·exp(iφ)/2."""

    ky: float
    kx: float
    value: complex

    @property
    def amplitude(self) -> float:
        """A, in grey levels."""
        return 2 * abs(self.value)


class WaveFitter:
    """Fits waves to one spectrum."""

    def __init__(self, view: TaperedSpectrum) -> None:
        self._view = view
        self._down, self._across = _Response(view.down), _Response(view.across)
        self._scale = view.shape[0] * view.shape[1] / np.sqrt(view.down.energy * view.across.energy)

    def share(self, wave: Wave, ky: IndexArray, kx: IndexArray) -> Values:
        """Contribution of a wave to the coefficients at ``ky`` and ``kx``, which broadcast."""
        at, mirrored = self._units(np.array(wave.ky), np.array(wave.kx), ky, kx)
        total: Values = wave.value * at + np.conj(wave.value) * mirrored
        return total

    def rough(self, ky: int, kx: int) -> Wave:
        """First guess of a wave at a coefficient, from its value alone."""
        row, column = np.array([[ky]]), np.array([[kx]])
        at, _ = self._units(row * 1.0, column * 1.0, row, column)
        return Wave(ky, kx, complex((self._view.values(row, column) / at)[0, 0]))

    def fit(self, ky: float, kx: float, others: Sequence[Wave] = ()) -> Wave:
        """Fit a wave near ``(ky, kx)`` beside others that are known."""
        return self._fit(ky, kx, others, _STEPS)

    def refit(self, wave: Wave, others: Sequence[Wave]) -> Wave:
        """Fit a wave again, beside others that are known by now."""
        return self._fit(wave.ky, wave.kx, others, _STEPS[1:])

    def beside(self, wave: Wave, others: Iterable[Wave]) -> list[Wave]:
        """Those of ``others`` whose leakage changes the fit of ``wave``."""
        return [
            other
            for other in others
            if any(
                _leakage(wave.ky - sign * other.ky, self._view.shape[0])
                * _leakage(wave.kx - sign * other.kx, self._view.shape[1])
                * abs(other.value)
                > _DISTURBING * abs(wave.value)
                for sign in (1, -1)
            )
        ]

    def _fit(
        self, ky: float, kx: float, others: Sequence[Wave], steps: Sequence[tuple[float, int]]
    ) -> Wave:
        height, width = self._view.shape
        rows, columns = _patch(ky, height)[:, None], _patch(kx, width)
        data = self._view.values(rows, columns)
        for other in others:
            data -= self.share(other, rows, columns)
        for step, reach in steps:
            for _ in range(_MOVES):
                tried_ky = _around(ky, height, step, reach)
                tried_kx = _around(kx, width, step, reach)
                power, _ = self._explained(data, rows, columns, tried_ky, tried_kx)
                row, column = np.unravel_index(int(np.argmax(power)), power.shape)
                ky, kx = float(tried_ky[row]), float(tried_kx[column])
                if max(abs(row - len(tried_ky) // 2), abs(column - len(tried_kx) // 2)) < reach:
                    break
            ky += step * _summit(power[:, column], int(row))
            kx += step * _summit(power[row], int(column))
        _, value = self._explained(data, rows, columns, np.array([ky]), np.array([kx]))
        return Wave(ky, kx, complex(value[0, 0]))

    def _explained(
        self, data: Values, rows: IndexArray, columns: IndexArray, ky: Doubles, kx: Doubles
    ) -> tuple[Doubles, Values]:
        """Power that the best wave explains at each of ``ky`` × ``kx``, and its value."""
        at, mirrored = self._units(ky[:, None, None, None], kx[None, :, None, None], rows, columns)
        # Least squares for p·real + q·imaginary with real p and q.
        real, imaginary = at + mirrored, 1j * (at - mirrored)
        rr, ii, ri = _inner(real, real), _inner(imaginary, imaginary), _inner(real, imaginary)
        dr, di = _inner(real, data), _inner(imaginary, data)
        ridge = _RIDGE * (rr + ii)
        rr, ii = rr + ridge, ii + ridge
        determinant = rr * ii - ri**2
        p, q = (ii * dr - ri * di) / determinant, (rr * di - ri * dr) / determinant
        return p * dr + q * di, p + 1j * q

    def _units(
        self, ky: Doubles, kx: Doubles, rows: IndexArray, columns: IndexArray
    ) -> tuple[Values, Values]:
        """Coefficients of ``exp(2πi(ky·y/h + kx·x/w))`` and its conjugate without their means."""
        height, width = self._view.shape
        down = self._down.tapered(np.stack([rows - ky, rows + ky]))
        across = self._across.tapered(np.stack([columns - kx, columns + kx]))
        at, mirrored = (self._scale * down[sign] * across[sign] for sign in (0, 1))
        if np.any(np.abs(rows) <= _NEAR_DC) and np.any(np.abs(columns) <= _NEAR_DC):
            of_mean = self._down.tapered(rows) * self._across.tapered(columns)
            mean = self._scale * self._down.mean(-ky) * self._across.mean(-kx)
            is_dc = (rows % height == 0) & (columns % width == 0)
            at = np.where(is_dc, 0.0, at - mean * of_mean)
            mirrored = np.where(is_dc, 0.0, mirrored - np.conj(mean) * of_mean)
        return at, mirrored


class _Response:
    """Transform of the weights along one axis, at any frequency between the coefficients."""

    def __init__(self, axis: Axis) -> None:
        self._length = axis.length
        self._mean = _components(axis)
        self._tapered = _convolved(*self._mean, axis.taps, axis.mean)

    def tapered(self, k: Doubles | IndexArray) -> Values:
        """Mean of the weights of window and taper times exp(-2πi·k·n / length) over pixels n."""
        return self._sum(k, *self._tapered)

    def mean(self, k: Doubles) -> Values:
        """Mean of exp(-2πi·k·n / length), weighted by the window: it is taken out of the image."""
        return self._sum(k, *self._mean)

    def _sum(self, k: Doubles | IndexArray, offsets: Doubles, weights: Doubles) -> Values:
        away = k[..., None] - offsets
        away -= self._length * np.rint(away / self._length)
        away[away == 0] = 1e-9  # the ratio below is 0/0 there, and smooth
        turn = -2j * np.pi * away
        total: Values = (weights * np.expm1(turn) / np.expm1(turn / self._length)).sum(axis=-1)
        return total / self._length


def _components(axis: Axis) -> tuple[Doubles, Doubles]:
    """Offsets, which may be negative, and values of a window's largest Fourier coefficients."""
    kept = np.flatnonzero(np.abs(axis.response) > _LEAST * abs(axis.response[0]))
    # np.unique would load masked arrays.
    offsets = np.array(sorted({*kept.tolist(), *(-kept % axis.length).tolist()}), np.intp)
    offsets = np.where(offsets > axis.length // 2, offsets - axis.length, offsets)
    return offsets.astype(np.float64), axis.response_at(offsets)


def _convolved(
    offsets: Doubles, values: Doubles, taps: Sequence[tuple[int, float]], mean: float
) -> tuple[Doubles, Doubles]:
    """Components of window and taper together, scaled to the mean of their weights."""
    total: dict[float, float] = {}
    for offset, value in zip(offsets.tolist(), values.tolist(), strict=True):
        for shift, weight in taps:
            total[offset + shift] = total.get(offset + shift, 0.0) + weight * value
    scale = mean / total[0.0]
    return np.array(list(total)), scale * np.array(list(total.values()))


def _patch(k: float, length: int) -> IndexArray:
    """Coefficients around ``k`` along an axis, each once."""
    count = min(2 * _AROUND + 1, length)
    return round(k) + np.arange(count) - count // 2


def _around(k: float, length: int, step: float, reach: int) -> Doubles:
    """Frequencies to try along an axis."""
    if length < _SHORTEST:
        return np.array([k])
    return k + step * np.arange(-reach, reach + 1, dtype=np.float64)


def _summit(power: Doubles, at: int) -> float:
    """Offset of the vertex of the parabola through a maximum and its neighbours."""
    if not 0 < at < len(power) - 1:
        return 0.0
    left, middle, right = power[at - 1 : at + 2].tolist()
    curvature = left - 2 * middle + right
    return (left - right) / (2 * curvature) if curvature < 0 else 0.0


def _inner(one: Values, other: Values) -> Doubles:
    """Real inner product over the last two axes."""
    product: Doubles = (one.real * other.real + one.imag * other.imag).sum(axis=(-2, -1))
    return product


def _leakage(offset: float, length: int) -> float:
    """Envelope of a Hann window's response at an offset, relative to its maximum."""
    away = abs(offset - length * round(offset / length))
    return 1.0 if away < _AROUND else 1 / (math.pi * away * (away**2 - 1))
