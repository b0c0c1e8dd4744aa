"""A wave taken out by local regression: what near each pixel goes along with it.

Around each pixel, with Gaussian weights, an image is fitted by ``mean + a cos + b sin`` of the
wave; the wave's part is subtracted. Away from the borders that is a Gaussian notch in the spectrum.
At the borders the fit uses the pixels that are there, so that a wave goes whatever its phase; the
DFT, which sees the opposite border beyond, would leave half of it.

The amplitude ``a - ib`` changes slowly. It is computed on a grid about as coarse as half the
Gaussian's standard deviation, from few frequencies, and interpolated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Doubles, FloatArray
from fft_tool.parallel import map_rows, rows_per_block
from fft_tool.spectrum.lengths import smooth

_REACH = 4  # standard deviations beyond which weights do not count
_BAND = 6  # radii in frequency, on either side: nodes are 2 pi / 12 standard deviations apart
_TURNS = 8  # of the frequency axis that the widest Gaussian reaches round
_RIDGE = 1e-3  # keeps the fit sound where the wave cannot be told from a constant

ComplexArray = NDArray[np.complexfloating[Any, Any]]


def subtract_wave(
    levels: FloatArray,
    frequency: tuple[float, float],
    radius: tuple[float, float],
    *,
    threads: int = 1,
) -> None:
    """Subtract a wave, in place, from an image (h, w). The mean stays.

    ``frequency`` (down, across) is the wave's in cycles per pixel, ``radius`` (down, across) the
    standard deviation in frequency of what counts as part of it.
    """
    height, width = levels.shape
    down = _Axis(height, frequency[0], radius[0])
    across = _Axis(width, frequency[1], radius[1])
    amplitudes = _amplitudes(levels, down, across, threads)

    def subtract(start: int, stop: int) -> float:
        rows = levels[start:stop]
        lines = down.interpolate(amplitudes, start, stop)
        wave = across.interpolate(lines.T, 0, width).T.real
        rows -= wave
        return float(wave.sum(dtype=np.float64))

    rows = rows_per_block(16 * width)
    taken = math.fsum(map_rows(subtract, height, rows, threads=threads))
    levels += levels.dtype.type(taken / levels.size)


@dataclass(frozen=True)
class _Axis:
    """One axis of the regression: ``length`` pixels, the wave's ``frequency`` and its ``radius``.

    The axis is padded by zeros, beyond which it is cyclic; ``nodes`` divide it evenly.
    """

    length: int
    frequency: float
    radius: float

    @cached_property
    def padded(self) -> int:
        return smooth(self.length + math.ceil(_REACH / (2 * math.pi * self.radius)))

    @cached_property
    def nodes(self) -> int:
        return min(self.padded, math.ceil(2 * _BAND * self.radius * self.padded))

    @cached_property
    def moments(self) -> tuple[ComplexArray, ...]:
        """Local sums of ``exp(-i k wave)`` at the nodes, for k = 0, 1, 2."""
        turn = -2j * np.pi * self.frequency * np.arange(self.length)
        return tuple(self.local(np.exp(k * turn)[:, None], 0.0)[0][:, 0] for k in range(3))

    def local(self, values: NDArray[Any], *frequencies: float) -> tuple[ComplexArray, ...]:
        """Local sums of ``values`` times each ``exp(-i wave)`` at the nodes, along the first axis.

        The waves have the given ``frequencies``.
        """
        if np.iscomplexobj(values):
            whole = np.fft.fft(values, self.padded, axis=0)
        else:
            half = np.fft.rfft(values, self.padded, axis=0)
            mirror = half[1 : (self.padded + 1) // 2][::-1]
            whole = np.concatenate([half, np.conjugate(mirror)])
        return tuple(self._demodulated(whole, frequency) for frequency in frequencies)

    def _demodulated(self, spectrum: ComplexArray, frequency: float) -> ComplexArray:
        """Local sums about one frequency, from the padded line's whole spectrum."""
        centre = round(frequency * self.padded)
        bins = centre + np.rint(np.fft.fftfreq(self.nodes) * self.nodes).astype(np.int64)
        band = spectrum[bins % self.padded]
        band *= self._gaussian(bins / self.padded - frequency)[:, None].astype(band.real.dtype)
        sums = np.fft.ifft(band, axis=0)
        turn = np.exp(2j * np.pi * (centre / self.padded - frequency) * self.places)
        turn *= self.nodes / self.padded
        sums *= turn[:, None].astype(sums.dtype)
        return sums

    def _gaussian(self, distance: Doubles) -> Doubles:
        """Weights by distance in frequency, which is cyclic."""
        turns = range(-_TURNS, _TURNS + 1) if self.nodes == self.padded else (0,)
        weights = [np.exp(-0.5 * np.square((distance + turn) / self.radius)) for turn in turns]
        total: Doubles = np.sum(weights, axis=0)
        return total

    @cached_property
    def places(self) -> Doubles:
        """Where the nodes are, in pixels. The last ones are those before the first pixel."""
        places: Doubles = np.arange(self.nodes, dtype=np.float64) * (self.padded / self.nodes)
        places[places > (self.length + self.padded) / 2] -= self.padded
        return places

    def interpolate(self, values: ComplexArray, start: int, stop: int) -> ComplexArray:
        """Twice the wave with amplitudes ``values`` at the nodes, at pixels ``start`` to ``stop``.

        Along the first axis; by Catmull and Rom's cubic.
        """
        place = np.arange(start, stop)
        node, part = np.divmod(place * (self.nodes / self.padded), 1)
        turn = np.exp(2j * np.pi * self.frequency * place) * math.sqrt(2)
        total = np.zeros((stop - start, values.shape[1]), values.dtype)
        for offset, weight in zip(range(-1, 3), _cubic(part), strict=True):
            factors = (weight * turn).astype(values.dtype)
            total += factors[:, None] * values[(node.astype(np.int64) + offset) % self.nodes]
        return total


def _amplitudes(levels: FloatArray, down: _Axis, across: _Axis, threads: int) -> ComplexArray:
    """Half the wave's complex amplitude at the nodes, shape (nodes down, nodes across)."""
    height, width = levels.shape
    mean = float(levels.mean(dtype=np.float64))
    kind = np.complex64 if levels.dtype == np.float32 else np.complex128
    # In double precision: what a wave and the ground have in common cancels.
    waves = np.empty((height, across.nodes), np.complex128)
    grounds = np.empty((height, across.nodes), np.complex128)

    def along_rows(start: int, stop: int) -> None:
        columns = np.subtract(levels[start:stop], mean, dtype=np.float64).T
        wave, ground = across.local(columns, across.frequency, 0.0)
        waves[start:stop], grounds[start:stop] = wave.T, ground.T

    map_rows(along_rows, height, rows_per_block(32 * width), threads=threads)
    amplitudes = np.empty((down.nodes, across.nodes), kind)

    def along_columns(start: int, stop: int) -> None:
        (wave,) = down.local(waves[:, start:stop], down.frequency)
        (ground,) = down.local(grounds[:, start:stop], 0.0)
        sums = tuple(
            np.outer(one, other[start:stop])
            for one, other in zip(down.moments, across.moments, strict=True)
        )
        amplitudes[:, start:stop] = _fit(wave, ground, *sums)

    _ = down.moments, across.moments  # computed once, not by every thread
    map_rows(along_columns, across.nodes, rows_per_block(16 * height), threads=threads)
    return amplitudes


def _fit(
    wave: ComplexArray,
    ground: ComplexArray,
    zeroth: ComplexArray,
    first: ComplexArray,
    second: ComplexArray,
) -> ComplexArray:
    """Solve for the amplitude A of ``mean + A exp(i wave) + conj(A) exp(-i wave)``.

    ``wave`` and ``ground`` are local sums of the image with and without ``exp(-i wave)``, the
    others those of ``exp(-i k wave)``. The mean is eliminated first.
    """
    weights: Doubles = np.maximum(zeroth.real, 1e-9)
    own = weights - np.square(np.abs(first)) / weights + _RIDGE * weights
    mirrored = second - np.square(first) / weights
    wanted = wave - first * ground.real / weights
    determinant = np.square(own) - np.square(np.abs(mirrored))
    found: ComplexArray = (own * wanted - mirrored * np.conjugate(wanted)) / determinant
    found[zeroth.real < _RIDGE] = 0  # far outside
    return found


def _cubic(part: Doubles) -> tuple[Doubles, Doubles, Doubles, Doubles]:
    """Weights of the four nodes about a place ``part`` of the way from the second to the third."""
    square, cube = part**2, part**3
    return (
        (-cube + 2 * square - part) / 2,
        (3 * cube - 5 * square + 2) / 2,
        (-3 * cube + 4 * square + part) / 2,
        (cube - square) / 2,
    )
