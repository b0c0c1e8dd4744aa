"""Coefficients at which a spectrum has a maximum that may be a wave's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Doubles
from fft_tool.measures.polar import FoldedRows, ring_of, steps_of
from fft_tool.measures.radial import RadialProfile
from fft_tool.measures.taper import IndexArray, TaperedSpectrum

MIN_PROMINENCE_DB = 15.0  # noise reaches it once in 5e13 coefficients
MIN_PROMINENCE = 10 ** (MIN_PROMINENCE_DB / 10)  # as a ratio of powers

_MIN_SHARE = 1e-5  # of the energy beside DC: 50 dB below
_LOBE = 2  # coefficients from the centre of a Hann window's main lobe to its end
_MOST = 256  # maxima that are returned
_MANY = 1000  # coefficients above the bound: the block is searched later
_MOST_WAITING = 32  # blocks that are kept for later
_NEARLY = 1 - 1e-4  # slack for the rounding of blocks in single precision
_NEIGHBOURS = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1))


@dataclass(frozen=True, slots=True)
class Maxima:
    """Rows (which may be negative), columns (of the half spectrum) and power |F|² of maxima."""

    ky: IndexArray
    kx: IndexArray
    power: Doubles

    def __len__(self) -> int:
        return len(self.ky)

    def __iter__(self) -> Iterator[tuple[int, int, float]]:
        return zip(self.ky.tolist(), self.kx.tolist(), self.power.tolist(), strict=True)

    def __getitem__(self, kept: NDArray[np.bool_] | IndexArray | slice) -> Maxima:
        return Maxima(self.ky[kept], self.kx[kept], self.power[kept])


class MaximaCollector:
    """Collects maxima from the blocks of rows in which a spectrum is read.

    A maximum is no less than any of its eight neighbours and has, together with its mirror, at
    least 1e-5 of the energy beside DC. The total energy is known after the last block only; until
    then that of the blocks read so far is a lower bound.
    """

    def __init__(self, view: TaperedSpectrum) -> None:
        self._view = view
        self._energy = 0.0
        self._waiting: list[FoldedRows] = []
        self._found: list[tuple[IndexArray, IndexArray]] = []

    def add(self, rows: FoldedRows, energy: float) -> None:
        """Look through a block; ``energy`` is the power of all blocks so far."""
        self._energy = energy
        above = np.count_nonzero(rows.down > self._floor) + np.count_nonzero(rows.up > self._floor)
        if above > _MANY and len(self._waiting) < _MOST_WAITING:
            # As in the first blocks of noise. Few are left once more of the energy is known.
            self._waiting.append(rows)
        else:
            self._collect(rows)

    def strongest(self, profile: RadialProfile, *, min_periods: float) -> Maxima:
        """Maxima that lie 15 dB above the background of their rings, strongest first.

        The lowest background counts among the rings that the main lobe of a wave reaches, since
        in oblong images most of a ring may lie within that lobe. Maxima have at least
        ``min_periods`` periods along x or y. They come in the order of power times prominence; at
        most 256 are returned.
        """
        size = self._view.shape[0] * self._view.shape[1]
        all_rounding = profile.rounding * size**2  # as if it were all in one coefficient
        rings = _lowest_nearby(profile.background, self._view.shape)
        rings = np.maximum(np.concatenate([rings[:1], rings, rings[-1:]]), profile.rounding) * size

        for rows in self._waiting:
            self._collect(rows)
        self._waiting.clear()
        ky, kx = (np.concatenate(parts) for parts in zip(*self._found, strict=True))
        maxima = self._with_power(ky, kx)
        background = rings[_ring(self._view.shape, ky, kx)]
        kept = maxima.power > np.maximum(MIN_PROMINENCE * background, all_rounding)
        kept &= maxima.power > self._floor
        kept &= np.maximum(np.abs(ky), kx) >= min_periods
        maxima, background = maxima[kept], background[kept]
        order = np.argsort(-maxima.power * np.log(maxima.power / background), kind="stable")
        return self._maxima_of_all(maxima[order[:_MOST]])

    @property
    def _floor(self) -> float:
        return _MIN_SHARE * self._energy / 2

    def _collect(self, rows: FoldedRows) -> None:
        for power, sign in ((rows.down, 1), (rows.up, -1)):
            # Indices of the flattened block: ten times as fast as those of the block itself.
            places = np.flatnonzero(power > self._floor)
            row, column = _maxima_within(power, *np.divmod(places, power.shape[1]))
            self._found.append((sign * (rows.first + row), rows.left + column))

    def _maxima_of_all(self, maxima: Maxima) -> Maxima:
        """Drop what is a maximum within its block only."""
        for dy, dx in _NEIGHBOURS:
            beside = self._with_power(maxima.ky + dy, maxima.kx + dx)
            maxima = maxima[maxima.power >= beside.power]
        return maxima

    def _with_power(self, ky: IndexArray, kx: IndexArray) -> Maxima:
        values = self._view.values(ky, kx)
        return Maxima(ky, kx, values.real**2 + values.imag**2)


def _maxima_within(
    power: Doubles, row: IndexArray, column: IndexArray
) -> tuple[IndexArray, IndexArray]:
    """Keep the places that are no less than their neighbours in the same block."""
    for dy, dx in _NEIGHBOURS:
        # At an edge this is another neighbour, or the place itself.
        below = (row + dy).clip(0, power.shape[0] - 1)
        right = (column + dx).clip(0, power.shape[1] - 1)
        kept = power[row, column] >= _NEARLY * power[below, right]
        row, column = row[kept], column[kept]
    return row, column


def _lowest_nearby(background: Doubles, shape: tuple[int, int]) -> Doubles:
    """Lowest background among the rings that the main lobe of a wave may reach."""
    shortest = min(side for side in shape if side > 1)
    reach = min(math.ceil(_LOBE * steps_of(shape) / shortest), len(background))
    lowest = np.pad(background, reach, mode="edge")
    window = 1
    while window < 2 * reach + 1:
        shift = min(window, 2 * reach + 1 - window)
        lowest = np.minimum(lowest[:-shift], lowest[shift:])
        window += shift
    return lowest


def _ring(shape: tuple[int, int], ky: IndexArray, kx: IndexArray) -> IndexArray:
    height, width = shape
    longest = steps_of(shape)
    return ring_of(np.hypot(kx * longest / width, ky * longest / height), longest)
