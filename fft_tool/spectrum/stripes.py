"""Stripes removed by projection: what of an image depends on one coordinate only.

Stripes with their wave vector at one angle are a function of the coordinate along that angle, and
nothing else in an image is. The mean over each line of equal coordinate, the profile, is therefore
an estimate of the stripes; its short periods are subtracted from the lines that they came from. No
transform of the image is needed, and no border is taken for a neighbour of the opposite one: the
DFT of stripes that do not fit the frame leaks along the axes, far from the ray that a mask covers.

Lines are distinguished by steps of 1/64 px. Along the axis that is nearer to the wave vector, rows
of an image are only shifted against each other: projecting and subtracting are sums of slices.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Doubles, FloatArray
from fft_tool.parallel import map_rows, rows_per_block
from fft_tool.spectrum.lengths import smooth
from fft_tool.spectrum.prediction import extended

STEPS = 64
"""Parts of a pixel by which rows are shifted against each other; fewer in long, narrow images."""

CORNER = 1 / 32
"""Length of a line, as a part of the longest, of which half its own mean is believed."""

_FEW_LINES = 1 << 18  # so many are always kept apart
_PIXELS_A_LINE = 8  # beyond that number
_MARGIN = 16  # samples beyond the ends, within which the interpolation fades
_ITERATIONS = 5  # of conjugate gradients: the error shrinks to a tenth with each
_FAINT = 1e-3  # regularisation of the fit, as a part of the longest line
_CORE = 3 / 8  # lines at least so long, as a part of the longest, predict those in the corners

Gain = Callable[[FloatArray], FloatArray]


def subtract_stripes(
    levels: FloatArray, angle: float, gain: Gain, longest: float, *, threads: int = 1
) -> None:
    """Subtract, in place, stripes with wave vector at ``angle`` degrees from an image (h, w).

    ``gain`` is the share that is taken out at frequencies in cycles per pixel; periods over
    ``longest`` px stay. The mean stays.
    """
    turn = math.radians(angle)
    across, down = math.cos(turn), -math.sin(turn)  # wave vector along columns and rows
    image = levels
    if abs(down) > abs(across):
        image, across, down = levels.T, down, across
    lines = Lines(image.shape, down / across)
    profile = lines.profile(image)
    stripes = lines.spread(_short_periods(profile, lines, abs(across), gain, longest))
    stripes -= (stripes * lines.counts).sum() / image.size

    def subtract(start: int, stop: int) -> None:
        rows = image[start:stop]
        taken = np.empty_like(rows)  # laid out alike, also where the image is transposed
        for row, values in enumerate(taken, start):
            values[:] = lines.slice_of(stripes, row)
        rows -= taken

    rows = rows_per_block(image.shape[1] * levels.itemsize)
    map_rows(subtract, image.shape[0], rows, threads=threads)


@dataclass(frozen=True)
class Lines:
    """Lines of pixels with one coordinate ``x + slope * y``, for images of ``shape`` (h, w).

    Coordinates are counted from the first, in ``steps`` to the pixel. Values of lines have shape
    ``(steps, samples)``, the fraction of a pixel first.
    """

    shape: tuple[int, ...]
    slope: float

    @cached_property
    def steps(self) -> int:
        """Parts of a pixel that are distinguished."""
        height, width = self.shape
        samples = math.ceil(width + abs(self.slope) * height)
        lines = max(height * width // _PIXELS_A_LINE, _FEW_LINES)
        return min(STEPS, max(1, lines // samples))

    @cached_property
    def shifts(self) -> NDArray[np.int64]:
        """Shift of each row, in steps."""
        shifts: NDArray[np.int64] = np.rint(
            self.slope * self.steps * np.arange(self.shape[0])
        ).astype(np.int64)
        shifts -= shifts.min()
        return shifts

    @cached_property
    def samples(self) -> int:
        """Number of whole pixels that the coordinate spans."""
        return self.shape[1] + int(self.shifts.max()) // self.steps

    @cached_property
    def counts(self) -> Doubles:
        """How many pixels each line has."""
        counts = np.zeros((self.steps, self.samples + 1))
        whole, part = np.divmod(self.shifts, self.steps)
        np.add.at(counts, (part, whole), 1)
        np.add.at(counts, (part, whole + self.shape[1]), -1)
        np.cumsum(counts, axis=1, out=counts)
        return counts[:, :-1]

    @cached_property
    def lengths(self) -> Doubles:
        """Pixels of the lines about each whole coordinate, shape ``(samples,)``."""
        return np.maximum(self._restrict(self.counts)[self._inside], 0.0)

    def slice_of(self, values: NDArray[Any], row: int) -> NDArray[Any]:
        """Give the values of the lines that the pixels of a row are on."""
        whole, part = divmod(int(self.shifts[row]), self.steps)
        view: NDArray[Any] = values[part, whole : whole + self.shape[1]]
        return view

    def profile(self, image: NDArray[Any]) -> Doubles:
        """Band-limited function of the coordinate that is nearest to ``image`` (h, w).

        Shape ``(samples,)``. Least squares over all pixels, by conjugate gradients: where the
        lines of a row fall between those of another, their means alone would alias.
        """
        mean = float(image.mean(dtype=np.float64))
        sums = np.zeros((self.steps, self.samples))
        height, width = self.shape
        step = rows_per_block(8 * width)
        for start in range(0, height, step):
            # A copy: of a transposed image, rows are columns.
            block = np.subtract(image[start : start + step], mean, dtype=np.float64, order="C")
            for row, values in enumerate(block, start):
                target = self.slice_of(sums, row)
                target += values
        return self._fit(sums) + mean

    def spread(self, profile: Doubles) -> Doubles:
        """Values of all lines, from those at whole coordinates."""
        padded = np.zeros(self._padded)
        padded[self._inside] = profile
        return self._interpolate(padded)

    def _fit(self, sums: Doubles) -> Doubles:
        """Profile whose values on all lines fit the ``sums`` of their pixels best."""
        faint = _FAINT * float(self.lengths.max())
        near = np.full(self._padded, faint)
        near[self._inside] += self.lengths
        wanted = self._restrict(sums)
        found = wanted / near
        rest = wanted - self._normal(found, faint)
        direction = np.zeros_like(rest)
        before = 1.0
        for _ in range(_ITERATIONS):
            scaled = rest / near
            size = float((rest * scaled).sum())
            if size <= 1e-18 * float((wanted * found).sum()):
                break
            direction = scaled + (size / before) * direction
            image = self._normal(direction, faint)
            step = size / float((direction * image).sum())
            found = found + step * direction
            rest = rest - step * image
            before = size
        profile: Doubles = found[self._inside]
        return profile

    def _normal(self, padded: Doubles, faint: float) -> Doubles:
        return self._restrict(self._interpolate(padded) * self.counts) + faint * padded

    @cached_property
    def _padded(self) -> int:
        return smooth(self.samples + 2 * _MARGIN)

    @property
    def _inside(self) -> slice:
        return slice(_MARGIN, _MARGIN + self.samples)

    def _interpolate(self, padded: Doubles) -> Doubles:
        """Values at all lines of a band-limited function of the whole coordinates."""
        spectrum = np.fft.rfft(padded)
        spectrum[-1] *= 0.5  # Nyquist: the padded length is even
        fine = np.fft.irfft(spectrum, self.steps * padded.size) * self.steps
        return np.ascontiguousarray(fine.reshape(-1, self.steps)[self._inside].T, np.float64)

    def _restrict(self, values: Doubles) -> Doubles:
        """Transpose of ``_interpolate``."""
        fine = np.zeros((self._padded, self.steps))
        fine[self._inside] = values.T
        spectrum = np.fft.rfft(fine.ravel())[: self._padded // 2 + 1]
        spectrum[-1] = spectrum[-1].real
        return np.fft.irfft(spectrum, self._padded)


def _short_periods(
    profile: Doubles, lines: Lines, along: float, gain: Gain, longest: float
) -> Doubles:
    """Part of a profile that ``gain`` takes out; ``along`` is the path in pixels of a sample.

    Lines in the corners have few pixels, whose mean is the picture rather than its stripes. They
    are predicted from the others, and corrected by their own mean the more the longer they are.
    """
    lengths = lines.lengths
    longest_line = float(lengths.max())
    core = np.flatnonzero(lengths >= _CORE * longest_line)
    first, last = int(core[0]), int(core[-1]) + 1
    beyond = min(math.ceil(2 * longest / along), 2 * profile.size)
    count = max(first, profile.size - last) + beyond
    predicted = extended(profile[first:last], count)
    taper = np.sin(np.linspace(0, np.pi / 2, beyond + 1)[:-1]) ** 2
    mean = float(profile[first:last].mean())
    predicted -= mean
    predicted[:beyond] *= taper
    predicted[predicted.size - beyond :] *= taper[::-1]
    here = slice(count - first, count - first + profile.size)
    correction = np.zeros_like(predicted)
    correction[here] = profile - mean - predicted[here]

    def short(values: Doubles) -> Doubles:
        padded = smooth(values.size)
        spectrum = np.fft.rfft(values, padded)
        spectrum *= gain(np.fft.rfftfreq(padded) / along)
        return np.fft.irfft(spectrum, padded)[here]

    trust = lengths / (lengths + CORNER * longest_line)
    return short(predicted) + trust * short(correction)
