"""How the power of a spectrum is spread over radial frequency: profile, and high frequencies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Doubles
from fft_tool.measures.median import median
from fft_tool.measures.polar import ABOVE_ROUNDING, PolarPower, polar_power
from fft_tool.measures.taper import tapered
from fft_tool.spectrum.half import Spectrum

_FEW_SECTORS = 4  # with fewer, a ring's median over directions may be a peak's own power
_NEIGHBOURS = 8  # rings to either side for the median that then stands in


@dataclass(frozen=True, slots=True)
class RadialProfile:
    """Radially averaged power spectrum, one entry per ring from the first step to Nyquist.

    Attributes
    ----------
    frequency : array
        Bin centres, k / max(h, w) for k = 1, 2, …, in cycles per pixel (k / 32,768 for
        longer sides). For even sizes only the inner half of the last bin lies below Nyquist.
    mean, std : array
        Mean and (population) standard deviation of ``|F|² / (h·w)`` in a ring, over the mean square
        of the window's weights. Standard deviations below 1e-7 of the mean are rounding.
    count : array
        Number of coefficients of the full spectrum in the ring.
    background : array
        What the ring holds beside sharp peaks: the median over directions of its mean power in
        each 5° sector or, where it has coefficients in three sectors at most (in very oblong
        images), the median over the neighbouring rings.
    rounding : float
        Periodogram that rounding may add to a coefficient, on average.
    """

    frequency: Doubles
    mean: Doubles
    std: Doubles
    count: NDArray[np.int64]
    background: Doubles
    rounding: float


def radial_profile(spectrum: Spectrum, *, window: str = "none") -> RadialProfile:
    """Radially averaged power spectrum, in rings of width 1 / max(h, w) up to Nyquist.

    >>> from fft_tool.spectrum.transform import forward
    >>> profile = radial_profile(forward(np.eye(64)))
    >>> profile.frequency[-1]
    np.float64(0.5)

    Frequencies are in cycles per pixel, powers are ``|F|² / (h·w)`` in squared grey levels.

    DC and the corners of the spectrum beyond 0.5 cycles per pixel are left out. ``window`` names
    the window that the image was given before the transform; without one, the spectrum is tapered
    (see :func:`fft_tool.measures.taper.tapered`).
    """
    return profile_of(polar_power(tapered(spectrum, window)))


def profile_of(polar: PolarPower) -> RadialProfile:
    """Radial profile from sums that are already there."""
    count = polar.count.sum(axis=1)
    mean = polar.power.sum(axis=1) / count
    variance = np.maximum(polar.squares / count - mean**2, 0.0)
    return RadialProfile(
        frequency=np.arange(1, len(count) + 1) / polar.longest,
        mean=mean,
        std=np.sqrt(variance),
        count=np.rint(count).astype(np.int64),
        background=_background(polar),
        rounding=polar.rounding,
    )


def high_frequency_fraction(
    spectrum: Spectrum, *, window: str = "none", step: float = 0.0
) -> float | None:
    """Share of the energy beside the mean at radial frequencies above 0.25 cycles per pixel.

    >>> from fft_tool.spectrum.transform import forward
    >>> coarse = forward(np.tile(np.cos(2 * np.pi * np.arange(64) / 8), (64, 1)))
    >>> round(high_frequency_fraction(coarse), 3)
    0.0

    Both energies are sums of ``|F|²`` over the full spectrum without DC, corners beyond Nyquist
    included; a coefficient at exactly 0.25 counts as low. White noise has 1 - π/16 = 0.80. None
    for a constant image.

    ``window`` names the window that the image was given before the transform; without one, the
    spectrum is tapered. Where grey levels are whole multiples of ``step``, the energy of that
    rounding, ``step² / 12`` per pixel, is subtracted, and high frequencies whose energy is less
    than one and a half times that of rounding have none.
    """
    return high_fraction_of(polar_power(tapered(spectrum, window)), step)


def high_fraction_of(polar: PolarPower, step: float = 0.0) -> float | None:
    """High-frequency fraction from sums that are already there."""
    if polar.total == 0:
        return None
    noise = polar.noise_of(step)
    below = polar.count[: polar.longest // 4].sum()
    above = polar.shape[0] * polar.shape[1] - 1 - below
    low = max(polar.low - noise * below, 0.0)
    high = max(polar.total - polar.low, 0.0)
    high = high - noise * above if high > ABOVE_ROUNDING * noise * above else 0.0
    return float(high / (low + high))


def _background(polar: PolarPower) -> Doubles:
    """Lower median of the sectors' mean power in each ring, among sectors that have any."""
    mean = np.full(polar.power.shape, np.inf)
    np.divide(polar.power, polar.count, out=mean, where=polar.count > 0)
    filled = np.count_nonzero(polar.count, axis=1)
    lower = np.sort(mean, axis=1)[np.arange(len(mean)), (filled - 1) // 2]
    background: Doubles = np.where(filled < _FEW_SECTORS, _running_median(lower), lower)
    return background


def _running_median(power: Doubles) -> Doubles:
    """Median over neighbouring rings, leaving a power law as it is right to the ends."""
    if len(power) < 2 or not power.any():
        return power
    level = np.log(np.maximum(power, np.finfo(np.float64).tiny))
    padded = np.pad(level, _NEIGHBOURS, mode="reflect", reflect_type="odd")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _NEIGHBOURS + 1)
    middle = median(windows, axis=1)
    smooth: Doubles = np.exp(np.clip(middle, level.min(), level.max()))
    return smooth
