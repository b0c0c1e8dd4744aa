"""Fourier ring correlation: up to which frequency two images of one scene agree.

References: W. O. Saxton and W. Baumeister, "The correlation averaging of a regularly arranged
bacterial cell envelope protein", J. Microscopy 127 (1982) 127-138; P. B. Rosenthal and R.
Henderson, "Optimal determination of particle orientation, absolute hand, and contrast loss in
single-particle electron cryomicroscopy", J. Mol. Biol. 333 (2003) 721-745 (0.143); M. van Heel and
M. Schatz, "Fourier shell correlation threshold criteria", J. Structural Biology 151 (2005) 250-262
(half a bit).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Doubles, check_pair
from fft_tool.measures.polar import ring_of, steps_of
from fft_tool.measures.windowed import correlated_by, windowed_spectrum
from fft_tool.parallel import map_rows
from fft_tool.spectrum.half import HalfArray, multiplicity

THRESHOLDS = ("0.143", "half-bit")
"""Names of the thresholds at which a resolution is read off."""

NYQUIST = 0.5
"""Cycles per pixel."""

_SEVENTH = 1 / 7
_SMOOTHED = 64  # of so many rings, one to either side is averaged before the curve is read off
_SIGNIFICANT = 3.0  # standard deviations of the correlation of unrelated images
_AT_ONCE = 1 << 15  # coefficients of a block, so that its arrays stay in the cache


@dataclass(frozen=True, slots=True)
class RingCorrelation:
    """Correlation of two spectra in rings of radial frequency, from the first step to Nyquist.

    Attributes
    ----------
    frequency : array
        Bin centres in cycles per pixel: k / max(h, w) for k = 1, 2, …
    correlation : array
        From -1 to 1: 1 where both images hold the same, 0 where they have nothing in common, or
        where one of them holds nothing at all.
    count : array
        Number of coefficients of the full spectrum in the ring.
    correlated : float
        How many coefficients say as much as one that is independent of all others, because of the
        window.
    """

    frequency: Doubles
    correlation: Doubles
    count: NDArray[np.int64]
    correlated: float

    def threshold(self, name: str) -> Doubles:
        """A threshold, by its name in :data:`THRESHOLDS`, at each frequency.

        ``0.143`` is 1/7: there the mean of both images correlates with the noiseless scene by one
        half. ``half-bit`` is where each coefficient of their mean carries half a bit; it is higher
        in rings of few coefficients, where chance correlates more.
        """
        if name == "0.143":
            return np.full(len(self.frequency), _SEVENTH)
        if name != "half-bit":
            raise ValueError(f"threshold {name!r}: should be one of {', '.join(THRESHOLDS)}")
        # A ring says at least as much as one coefficient and its mirror.
        chance = 1 / np.sqrt(np.maximum(self.count / self.correlated, 2.0))
        ratio = math.sqrt(2) - 1  # of signal to noise in the mean, for log2(1 + ratio) = 1/2
        root = math.sqrt(ratio / 2)
        above = ratio / 2 + (1 + 2 * root) * chance
        return above / (1 + ratio / 2 + 2 * root * chance)

    def resolution(self, threshold: str = "0.143") -> float | None:
        """Frequency in cycles per pixel up to which the curve, slightly smoothed, stays above.

        0.5, which is Nyquist, if it stays above to the end; None if it does not begin above, or if
        what lies above could be chance. The resolution in pixels is its reciprocal.
        """
        limits = self.threshold(threshold)
        smooth = self._smoothed()
        below = np.flatnonzero(smooth < limits)
        stop = int(below[0]) if below.size else len(smooth)
        if not self._is_significant(stop):
            return None
        if stop == len(smooth):
            return NYQUIST
        over, under = (float(smooth[k] - limits[k]) for k in (stop - 1, stop))
        before, after = (float(self.frequency[k]) for k in (stop - 1, stop))
        return before + (after - before) * over / (over - under)

    def _smoothed(self) -> Doubles:
        """Mean over neighbouring rings, by their coefficients."""
        around = max(1, len(self.count) // _SMOOTHED)
        weighted = _moving_sum(self.correlation * self.count, around)
        counts = _moving_sum(self.count.astype(np.float64), around)
        smooth: Doubles = weighted / counts
        return smooth

    def _is_significant(self, rings: int) -> bool:
        """Whether the first rings correlate more than those of unrelated images would."""
        count = self.count[:rings]
        total = float(count.sum())
        if not total:
            return False
        mean = float((self.correlation[:rings] * count).sum()) / total
        return mean > _SIGNIFICANT * math.sqrt(self.correlated / total)


def ring_correlation(
    first: Any, second: Any, *, window: str = "hann", threads: int = 1
) -> RingCorrelation:
    """Fourier ring correlation of two images of one scene, with noise of their own each.

    >>> rng = np.random.default_rng(0)
    >>> scene = rng.normal(size=(128, 128)).cumsum(0).cumsum(1)
    >>> first, second = (scene + rng.normal(scale=20, size=scene.shape) for _ in range(2))
    >>> 0.05 < ring_correlation(first, second).resolution("0.143") < 0.3
    True
    >>> ring_correlation(scene, scene).resolution()
    0.5

    With ``F`` and ``G`` their spectra, ``Σ`` over a ring, ::

        FRC = Re Σ F G* / sqrt(Σ|F|² Σ|G|²)

    If each is the scene plus noise of its own, with the same ratio R of their powers in the ring,
    FRC = R / (1 + R). The images have to be aligned: a shift by s pixels takes detail finer than
    about 4 s pixels away; see :func:`fft_tool.measures.shift.find_shift`. Noise that both have in
    common counts as signal.

    Parameters
    ----------
    first, second : ndarray
        Real images of one shape (h, w), without NaN or infinity.
    window : {"hann", "hamming", "blackman", "tukey", "none"}
        Window by which both are faded out towards their borders. Without one, the jumps between
        opposite borders correlate, too.
    threads : int
        Number of threads; the result does not depend on it.
    """
    a, b = check_pair(first, second)
    spectra = [windowed_spectrum(image, window, threads=threads) for image in (a, b)]
    longest = steps_of(a.shape)
    rings = longest // 2
    halves = spectra[0].half, spectra[1].half
    block_rows = max(1, _AT_ONCE // halves[0].shape[1])

    def block(start: int, stop: int) -> Doubles:
        return _ring_sums(halves, a.shape, longest, start, stop)

    blocks = map_rows(block, a.shape[0] // 2 + 1, block_rows, threads=threads)
    count, cross, power, other = np.sum(blocks, axis=0)[:, 1 : rings + 1]
    both = np.sqrt(power * other)
    correlation = np.zeros(rings)
    np.divide(cross, both, out=correlation, where=both > 0)
    return RingCorrelation(
        np.arange(1, rings + 1) / longest,
        correlation.clip(-1.0, 1.0),
        np.rint(count).astype(np.int64),
        correlated_by(window, a.shape),
    )


def _ring_sums(
    halves: tuple[HalfArray, HalfArray], shape: tuple[int, int], longest: int, start: int, stop: int
) -> Doubles:
    """Sums over rings of rows ``start`` to ``stop`` and their mirrors.

    Four rows: number of coefficients, Re F G*, |F|² and |G|².
    """
    height, width = shape
    ky = np.arange(start, stop)
    # Rows that are their own mirror are counted once.
    twice = ((ky > 0) & (2 * ky != height)).astype(np.float32)[:, None]
    columns = multiplicity(width).astype(np.float32)
    y, x = ky[:, None] * (longest / height), np.arange(width // 2 + 1) * (longest / width)
    rings = ring_of(np.sqrt(x**2 + y**2), longest).ravel()
    sums = [np.broadcast_to((1 + twice) * columns, (len(ky), columns.size))]
    mirrored = -ky % height
    parts = [(half[start:stop], half[mirrored]) for half in halves]
    for f, g in ((0, 1), (0, 0), (1, 1)):
        up, down = (
            parts[f][side].real * parts[g][side].real + parts[f][side].imag * parts[g][side].imag
            for side in (0, 1)
        )
        sums.append((up + down * twice) * columns)
    found = [np.bincount(rings, each.ravel(), longest // 2 + 2) for each in sums]
    return np.stack(found)


def _moving_sum(values: Doubles, around: int) -> Doubles:
    """Sum of each value and of as many neighbours to either side as there are."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    places = np.arange(len(values))
    upper, lower = np.minimum(places + around + 1, len(values)), np.maximum(places - around, 0)
    moving: Doubles = sums[upper] - sums[lower]
    return moving
