"""How steeply the power of a spectrum falls with frequency: the exponent of a power law.

Between the power law of a scene and the spectrum of its image stand the window, which smears power
and correlates neighbouring coefficients; rings that hold few coefficients, in small and oblong
images; rounding to whole grey levels, which adds white noise; and the fact that real scenes follow
no power law exactly. The fit takes all four into account.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Doubles
from fft_tool.measures.polar import PolarPower, polar_power
from fft_tool.measures.taper import tapered
from fft_tool.spectrum.half import Spectrum

HIGHEST = 0.45  # cycles per pixel, clear of the cut-off at Nyquist
_MIN_RINGS = 5  # fewest rings through which a slope is fitted
_MIN_BANDS = 3
_STEEPEST = 4.0  # exponent up to which the smear is small enough to be corrected
_MOST_SMEAR = 0.35  # as a share of the power
_OBLONG = 2  # times as long as wide
_LEAKING = 10.1  # degrees to either side of the short side of an oblong image
_RINGS_PER_BAND = 3  # at least: neighbouring rings are correlated
_BANDS_PER_OCTAVE = 16  # at most
_INDEPENDENT_PER_BAND = 24  # at least: the logarithm of their mean is biased by 2 %
_ABOVE_NOISE = 4.0  # times the power of rounding, which is not white in smooth images
_MOST_STEPS = 20
_CONVERGED = 1e-7
_NO_POWER_LAW = 20.0  # exponents beyond this are those of lines, not of power laws


@dataclass(frozen=True, slots=True)
class Slope:
    """Power falls like 1 / f^beta between ``low`` and ``high`` cycles per pixel.

    ``error`` is beta's standard error: beta ± 1.96 · error holds the truth in 95 of 100 images.
    ``bins`` is the number of rings in the fit.
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


@dataclass(frozen=True, slots=True)
class _Rings:
    """What a fit uses of each ring: arrays with one entry per ring.

    ``count`` and ``power`` are sums over the directions in use. ``along`` and ``total`` are the
    mean square smear over the frequency's square: along the wave vector, and in all.
    """

    frequency: Doubles
    count: Doubles
    power: Doubles
    along: Doubles
    total: Doubles

    def __getitem__(self, part: slice | NDArray[np.bool_]) -> _Rings:
        return _Rings(
            self.frequency[part],
            self.count[part],
            self.power[part],
            self.along[part],
            self.total[part],
        )

    def expected(self, beta: float) -> Doubles:
        """Mean power of a ring, up to a factor, in an image of a scene with the power 1 / f^beta.

        The smear adds half the second derivative times its mean square distance. That of a power
        law is beta·((beta + 2)·cos² - 1) / f² times itself, with the angle between the smear and
        the wave vector.
        """
        smear = beta * ((beta + 2) * self.along - self.total) / 2
        law: Doubles = self.frequency**-beta * np.maximum(1 + smear, 0.1)
        return law


def fit_slope(
    spectrum: Spectrum,
    *,
    window: str = "none",
    step: float = 0.0,
    low: float = 0.0,
    high: float = HIGHEST,
) -> Slope | None:
    """Fit a power law to a spectrum.

    >>> from fft_tool.spectrum.transform import forward
    >>> noise = np.random.default_rng(1).normal(128, 20, (256, 256))
    >>> slope = fit_slope(forward(noise))
    >>> abs(slope.beta) < 1.96 * slope.error
    True

    Weighted least squares of the logarithm of mean power on the logarithm of frequency, in bands
    of at least three rings. A band's weight is the inverse of its variance: one part follows from
    the number of independent coefficients, which the window lowers; another, the same for all
    bands, is what the bands scatter beyond that, since real scenes follow no power law exactly
    (R. DerSimonian, N. Laird, "Meta-analysis in clinical trials", Control. Clin. Trials 7 (1986)
    177-188).

    Left out are coefficients so near DC that the window's smear could change their power by more
    than a third, in oblong images more along the short side than along the long one, and the
    frequencies from which on rounding to whole grey levels makes up a quarter of the power. The
    smear that is left is corrected.

    Parameters
    ----------
    spectrum : Spectrum
        Of an image in grey levels.
    window : str
        Name of the window that the image was given before the transform. Without one, the
        spectrum is tapered.
    step : float
        Grey levels are whole multiples of this; 0 if they were not rounded.
    low, high : float
        Band of ring centres to fit, in cycles per pixel.

    Returns
    -------
    Slope or None
        None if fewer than five rings or three bands are left: in images smaller than about 32 × 32
        pixels, in longer ones that are 2 to 7 pixels wide, and in those without detail. None, too,
        if the exponent would exceed 20, which no power law has.
    """
    return slope_of(polar_power(tapered(spectrum, window)), step, low=low, high=high)


def slope_of(
    polar: PolarPower, step: float = 0.0, *, low: float = 0.0, high: float = HIGHEST
) -> Slope | None:
    """Slope from sums that are already there."""
    rings = _clear_of_dc(polar)
    rings = rings[(rings.frequency >= low) & (rings.frequency <= high)]
    noise = polar.noise_of(step) + polar.rounding
    starts = _bands(rings, polar.correlated)
    rings, starts = _clear_of_noise(rings, starts, noise)
    if len(rings.frequency) < _MIN_RINGS or len(starts) < _MIN_BANDS:
        return None
    beta, error = _fit(rings, starts, noise, polar.correlated)
    if abs(beta) >= _NO_POWER_LAW:
        return None
    first, last = rings.frequency[[0, -1]].tolist()
    return Slope(beta, error, first, last, len(rings.frequency))


def _clear_of_dc(polar: PolarPower) -> _Rings:
    """Rings without the directions in which the smear of a steep spectrum is too large."""
    rings, sectors = polar.count.shape
    frequency = np.arange(1, rings + 1) / polar.longest
    angle = np.pi * np.arange(sectors) / sectors
    x, y = _smear(polar)
    along = x * np.cos(angle) ** 2 + y * np.sin(angle) ** 2
    most = _STEEPEST * ((_STEEPEST + 2) * along + x + y) / 2  # as if nothing cancelled
    usable = most <= _MOST_SMEAR * frequency[:, None] ** 2
    usable &= ~_leaking(polar.shape, angle)
    count = np.where(usable, polar.count, 0.0)
    power = np.where(count > 0, polar.power, 0.0).sum(axis=1)
    per_ring = count.sum(axis=1)
    used = per_ring > 0
    along = (count[used] * along).sum(axis=1) / per_ring[used]
    frequency = frequency[used]
    # Averaging over a ring's width is a smear along the wave vector, but for the weights of its
    # inner and outer half: beta·(beta - 1) instead of beta·(beta + 1).
    width = 1 / (12 * polar.longest**2) if min(polar.shape) > 1 else 0.0
    return _Rings(
        frequency,
        per_ring[used],
        power[used],
        (along + width) / frequency**2,
        (x + y + 3 * width) / frequency**2,
    )


def _smear(polar: PolarPower) -> tuple[float, float]:
    """Mean square smear along x and y, in cycles² per pixel².

    Along a side that is too short for a taper, leakage has no such mean: one step of frequency,
    the half width of the main lobe, stands for it.
    """
    height, width = polar.shape
    x, y = (
        spread or (1 / length**2 if length > 1 else 0.0)
        for spread, length in zip(polar.spread, (width, height), strict=True)
    )
    return x, y


def _leaking(shape: tuple[int, int], angle: Doubles) -> NDArray[np.bool_]:
    """Directions along the short side of an oblong image.

    There, far from DC, leakage of the lowest frequencies of the long side outweighs a steep
    spectrum, for they are lower by as much as the long side is longer.
    """
    height, width = shape
    if min(shape) == 1 or max(shape) < _OBLONG * min(shape):
        return np.zeros(len(angle), np.bool_)
    along_short = np.cos(angle) if width < height else np.sin(angle)
    leaking: NDArray[np.bool_] = np.abs(along_short) > np.cos(np.radians(_LEAKING))
    return leaking


def _bands(rings: _Rings, correlated: float) -> NDArray[np.intp]:
    """Index of the first ring of each band."""
    frequency = rings.frequency
    independent = np.cumsum(_independent(rings, correlated))
    end = len(frequency)
    starts: list[int] = []
    start, before = 0, 0.0
    while start < end:
        after = max(
            start + _RINGS_PER_BAND,
            int(np.searchsorted(frequency, frequency[start] * 2 ** (1 / _BANDS_PER_OCTAVE))),
            int(np.searchsorted(independent, before + _INDEPENDENT_PER_BAND)) + 1,
        )
        if after <= end or not starts:  # what is left over belongs to the last band
            starts.append(start)
        start, before = after, independent[min(after, end) - 1]
    return np.array(starts, np.intp)


def _clear_of_noise(
    rings: _Rings, starts: NDArray[np.intp], noise: float
) -> tuple[_Rings, NDArray[np.intp]]:
    """The first bands in a row whose power is well above the noise."""
    if len(starts) == 0:
        return rings, starts
    clear = _sums(rings.power, starts) > _ABOVE_NOISE * noise * _sums(rings.count, starts)
    first = int(np.argmax(clear))
    bands = int(np.argmin(np.append(clear[first:], False)))
    ends = np.append(starts, len(rings.frequency))
    begin, end = int(ends[first]), int(ends[first + bands])
    return rings[begin:end], starts[first : first + bands] - begin


def _fit(
    rings: _Rings, starts: NDArray[np.intp], noise: float, correlated: float
) -> tuple[float, float]:
    """Exponent and its standard error: the exponent is right where the residuals have no slope."""
    independent = _independent(rings, correlated)
    count = _sums(independent, starts)
    x = -_sums(independent * np.log(rings.frequency), starts) / count
    mean = _sums(rings.power, starts) / _sums(rings.count, starts)
    variance = (mean / (mean - noise)) ** 2 / count
    beta, error = 2.0, 0.0
    for _ in range(_MOST_STEPS):
        # Each ring over what it should be: a band that is wide or steep has no bias.
        ratio = (rings.power - noise * rings.count) / rings.expected(beta)
        level = _sums(ratio, starts) / _sums(rings.count, starts)
        # The mean of a logarithm lies half a variance below the logarithm of the mean.
        y = np.log(np.maximum(level, np.finfo(np.float64).tiny)) + variance / 2
        weight = 1 / (variance + _misfit(x, y, 1 / variance))
        change, error, _ = _line(x, y, weight)
        beta = min(max(beta + change, -_NO_POWER_LAW), _NO_POWER_LAW)
        if abs(change) < _CONVERGED:
            break
    return beta, error


def _misfit(x: Doubles, y: Doubles, weight: Doubles) -> float:
    """Variance about the line beyond what the weights explain: the moment estimator."""
    _, _, residual = _line(x, y, weight)
    total = weight.sum()
    dx = x - (weight * x).sum() / total
    used = (weight**2).sum() / total + (weight**2 * dx**2).sum() / (weight * dx**2).sum()
    excess = (weight * residual**2).sum() - (len(x) - 2)
    return max(float(excess / (total - used)), 0.0)


def _line(x: Doubles, y: Doubles, weight: Doubles) -> tuple[float, float, Doubles]:
    """Slope of a weighted least-squares line, its standard error and the residuals.

    Weights are inverse variances.
    """
    total = weight.sum()
    dx, dy = x - (weight * x).sum() / total, y - (weight * y).sum() / total
    spread = (weight * dx**2).sum()
    slope = (weight * dx * dy).sum() / spread
    return float(slope), float(1 / np.sqrt(spread)), dy - slope * dx


def _independent(rings: _Rings, correlated: float) -> Doubles:
    """Number of independent coefficients of each ring: each has a mirror that says the same."""
    return rings.count / (2 * correlated)


def _sums(values: Doubles, starts: NDArray[np.intp]) -> Doubles:
    sums: Doubles = np.add.reduceat(values, starts)
    return sums
