"""How the power of a spectrum is spread over radial frequency: profile, slope, high frequencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Doubles
from fft_tool.measures.median import median
from fft_tool.measures.polar import PolarPower, polar_power
from fft_tool.measures.taper import tapered
from fft_tool.spectrum.half import Spectrum

_MIN_BINS = 5  # fewest rings through which a slope is fitted
_FEW_SECTORS = 4  # with fewer, a ring's median over directions may be a peak's own power
_NEIGHBOURS = 8  # rings to either side for the median that then stands in
_FIRST_RING = 4  # below, a ring has too few coefficients and the image's trend too much to say


@dataclass(frozen=True, slots=True)
class RadialProfile:
    """Radially averaged power spectrum, one entry per ring from the first step to Nyquist.

    Attributes
    ----------
    frequency : array
        Bin centres, k / max(h, w) for k = 1, 2, …, in cycles per pixel (k / 32,768 for
        longer sides). For even sizes only the inner half of the last bin lies below Nyquist.
    mean, std : array
        Mean and (population) standard deviation of ``|F|² / (h·w)`` in a ring. Standard deviations
        below 1e-7 of the mean are rounding.
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


@dataclass(frozen=True, slots=True)
class Slope:
    """Power falls like 1 / f^beta between ``low`` and ``high`` cycles per pixel.

    ``error`` is beta's standard error, ``bins`` the number of rings in the fit.
    """

    beta: float
    error: float
    low: float
    high: float
    bins: int

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, rounded to what they are good for."""
        return {
            "beta": round(self.beta, 4),
            "error": round(self.error, 5),
            "low": round(self.low, 6),
            "high": round(self.high, 6),
            "bins": self.bins,
        }


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


def fit_slope(profile: RadialProfile, low: float | None = None, high: float = 0.45) -> Slope | None:
    """Fit a power law to a radial profile.

    Weighted least squares of log mean power on log frequency. The logarithm of a mean over n
    independent coefficients lies on average var / (2·n·mean²) below the logarithm of what it
    estimates; this is added back with the ring's own variance. Weights are the counts, since the
    variance of the logarithm is proportional to 1 / n. Strong periodic patterns raise single rings
    and so bend the fit; ``error`` tells.

    Parameters
    ----------
    profile : RadialProfile
        What to fit.
    low, high : float
        Band of bin centres, in cycles per pixel. By default from the fourth ring, since the first
        ones have few coefficients and hold the image's trend, to 0.45, clear of the cut-off at
        Nyquist.

    Returns
    -------
    Slope or None
        None if fewer than five rings of the band have power beyond rounding.
    """
    rings = np.arange(1, len(profile.frequency) + 1)
    start = rings >= _FIRST_RING if low is None else profile.frequency >= low
    band = start & (profile.frequency <= high) & (profile.mean > profile.rounding)
    bins = int(np.count_nonzero(band))
    if bins < _MIN_BINS:
        return None
    frequency, mean, weight = profile.frequency[band], profile.mean[band], profile.count[band]
    independent = weight / 2  # F[-k] is F[k]'s conjugate
    power = np.log(mean) + (profile.std[band] / mean) ** 2 / (2 * independent)
    beta, error = _weighted_line(-np.log(frequency), power, weight / weight.sum())
    return Slope(beta, error, float(frequency[0]), float(frequency[-1]), bins)


def high_frequency_fraction(spectrum: Spectrum, *, window: str = "none") -> float | None:
    """Share of the AC energy at radial frequencies above 0.25 cycles per pixel.

    Both energies are sums of ``|F|²`` over the full spectrum without DC, corners beyond Nyquist
    included; a coefficient at exactly 0.25 counts as low. White noise has 1 - π/16 = 0.80. None
    for a constant image.
    """
    return high_fraction_of(polar_power(tapered(spectrum, window)))


def high_fraction_of(polar: PolarPower) -> float | None:
    """High-frequency fraction from sums that are already there."""
    if polar.total == 0:
        return None
    return min(max(1.0 - polar.low / polar.total, 0.0), 1.0)


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


def _weighted_line(x: Doubles, y: Doubles, weight: Doubles) -> tuple[float, float]:
    """Slope of the weighted least-squares line and its standard error; weights sum to one."""
    dx, dy = x - (weight * x).sum(), y - (weight * y).sum()
    spread = (weight * dx**2).sum()
    slope = (weight * dx * dy).sum() / spread
    residual = (weight * (dy - slope * dx) ** 2).sum()
    return float(slope), float(np.sqrt(residual / spread / (len(x) - 2)))
