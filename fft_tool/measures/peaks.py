"""The dominant waves of an image: sharp peaks that stand out from their spectrum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fft_tool.measures.maxima import MIN_PROMINENCE, Maxima, MaximaCollector
from fft_tool.measures.orientation import angle_of, round_angle
from fft_tool.measures.polar import polar_power
from fft_tool.measures.radial import RadialProfile, profile_of
from fft_tool.measures.surroundings import RING, least_excess, ring_around, standing_out, typical
from fft_tool.measures.taper import TaperedSpectrum, tapered
from fft_tool.measures.waves import Wave, WaveFitter
from fft_tool.spectrum.half import Spectrum, check_spectrum

_MIN_PERIODS = 2.0
_SLACK = 0.05  # periods: how far below two the fit of a wave with two periods may lie
_APART = 4.0  # coefficients: of waves that are closer, only the first is kept
_OWN = 0.5  # share of a maximum's power that must not be leakage from other waves
_FEWEST = 8  # waves that are searched for, even if fewer are asked for
_MOST_FITS = 48  # maxima that are fitted
_ROUNDS = 2  # how often each wave is fitted again beside the others
_AT_ONCE = 32  # maxima whose surroundings are read together
_DECIMALS = 6  # of a position in coefficients; beyond them, waves along an axis would lie beside it


@dataclass(frozen=True, slots=True)
class Peak:
    """One wave. Its vector (fx, fy), y up, is the one of ± with an angle in [0, 180).

    Attributes
    ----------
    period, frequency : float
        In pixels, and in cycles per pixel.
    angle : float
        Of the wave vector, in degrees.
    fx, fy : float
        Cycles per pixel, each in (-0.5, 0.5].
    amplitude : float
        Of the cosine, in grey levels of the image before any window. At exactly the Nyquist
        frequency, where phase and amplitude cannot be told apart, that of the pixels.
    prominence_db : float
        Power of the strongest coefficient over the background at its radial frequency.
    """

    period: float
    frequency: float
    angle: float
    fx: float
    fy: float
    amplitude: float
    prominence_db: float

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, rounded to what they are good for."""
        return {
            "period": float(f"{self.period:.6g}"),
            "frequency": float(f"{self.frequency:.6g}"),
            "angle": round_angle(self.angle),
            "fx": round(self.fx, 7) + 0.0,  # not -0.0
            "fy": round(self.fy, 7) + 0.0,
            "amplitude": float(f"{self.amplitude:.6g}"),
            "prominence_db": round(self.prominence_db, 2),
        }


def find_peaks(
    spectrum: Spectrum,
    count: int = 8,
    *,
    window: str = "none",
    step: float = 0.0,
) -> list[Peak]:
    """Find the ``count`` strongest waves, strongest first.

    >>> from fft_tool.spectrum.transform import forward
    >>> wave = np.cos(2 * np.pi * np.arange(64) / 8.3)
    >>> (peak,) = find_peaks(forward(np.tile(100 + 50 * wave, (64, 1))), count=3)
    >>> round(peak.period, 3), round(peak.angle, 3), round(peak.amplitude, 3)
    (8.3, 0.0, 50.0)

    Periods are in pixels, angles in degrees and amplitudes in grey levels.

    The spectrum is read through a taper (see :func:`fft_tool.measures.taper.tapered`). A peak is a
    coefficient that

    * has the largest power among its eight neighbours,
    * lies 15 dB above the background at its radial frequency, which is measured without the wave
      itself; more where few coefficients tell what the background is, so that neither noise nor
      a falling spectrum has peaks,
    * has ten times the usual power of its neighbours along the row, the column and (summed over
      three across) the ray from DC, so that axis crosses and the ridges of textures have none,
    * has at least two periods in the image, along x or along y; less is a trend,
    * has, with its mirror, at least 1e-5 of the energy beside DC,
    * is not leakage from stronger waves.

    Frequency and amplitude are those of the wave that fits the coefficients around it best,
    beside the other waves and its own mirror image. Waves less than four coefficients apart are
    one peak. The order is that of amplitude² times prominence in dB.

    Parameters
    ----------
    spectrum : Spectrum
        Of an image in grey levels.
    count : int
        The most peaks to return.
    window : str
        Name of the window that the image was given before the transform.
    step : float
        Grey levels are whole multiples of this, 1 for an 8- or 16-bit image; 0 if they were not
        rounded. In images without noise, waves of less than half a step may come from rounding,
        and are left out.
    """
    check_spectrum(spectrum)
    view = tapered(spectrum, window)
    maxima = MaximaCollector(view)
    profile = profile_of(polar_power(view, visit=maxima.add))
    return peaks_of(view, profile, maxima, count, step=step)


def peaks_of(
    view: TaperedSpectrum,
    profile: RadialProfile,
    maxima: MaximaCollector,
    count: int = 8,
    *,
    step: float = 0.0,
) -> list[Peak]:
    """Peaks from the maxima and the profile that one pass over the spectrum has collected."""
    if len(profile.frequency) == 0:
        return []
    search = _Search(view, profile.rounding, step)
    search.look_at(maxima.strongest(profile, min_periods=_MIN_PERIODS), max(count, _FEWEST))
    search.refine()
    peaks = [_peak(view.shape, found) for found in search.found]
    peaks.sort(key=lambda peak: -(peak.amplitude**2) * peak.prominence_db)
    return peaks[:count]


@dataclass(frozen=True, slots=True)
class _Found:
    """A wave, the power of its strongest coefficient, and that of the background."""

    wave: Wave
    power: float
    background: float


class _Search:
    """The search for waves, from the strongest maximum to the weakest.

    What a wave that has been found contributes to the remaining maxima is subtracted from them.
    """

    def __init__(self, view: TaperedSpectrum, rounding: float, step: float) -> None:
        self.found: list[_Found] = []
        self._view = view
        self._size = view.shape[0] * view.shape[1]
        # Along a ring neighbours are correlated in one direction, not in two.
        self._correlated = math.sqrt(view.down.correlated * view.across.correlated)
        self._rounding = rounding * self._size
        self._step = step
        self._fits = 0
        self._fitter = WaveFitter(view)

    def look_at(self, maxima: Maxima, most: int) -> None:
        """Search until ``most`` waves are found."""
        for first in range(0, len(maxima), _AT_ONCE):
            some = maxima[first : first + _AT_ONCE]
            self._look_at(standing_out(self._view, some), most)

    def _look_at(self, maxima: Maxima, most: int) -> None:
        left = self._view.values(maxima.ky, maxima.kx)
        for found in self.found:
            left -= self._fitter.share(found.wave, maxima.ky, maxima.kx)
        for index, (ky, kx, power) in enumerate(maxima):
            if len(self.found) == most or self._fits == _MOST_FITS:
                return
            if abs(left[index]) ** 2 < _OWN * power:
                continue
            new = self._fit(ky, kx, power)
            if new:
                self.found.append(new)
                left -= self._fitter.share(new.wave, maxima.ky, maxima.kx)

    def refine(self) -> None:
        """Fit each wave again beside those, found later, that leak into it."""
        for _ in range(_ROUNDS):
            for place, found in enumerate(self.found):
                others = self._beside(found.wave, but=found)
                if others:
                    wave = self._fitter.refit(found.wave, others)
                    self.found[place] = replace(found, wave=wave)

    def _fit(self, ky: int, kx: int, power: float) -> _Found | None:
        """Wave that has its maximum at (ky, kx), or None if that is not a peak."""
        self._fits += 1
        others = self._beside(self._fitter.rough(ky, kx))
        wave = self._fitter.fit(ky, kx, others)
        shape = self._view.shape
        if max(abs(wave.ky), abs(wave.kx)) < _MIN_PERIODS - _SLACK:
            return None
        if any(_close(shape, wave, found.wave) for found in self.found):
            return None
        background, least = self._background(wave, others)
        if power < least * background or self._may_be_rounding(wave, background):
            return None
        return _Found(wave, power, background)

    def _beside(self, wave: Wave, but: _Found | None = None) -> list[Wave]:
        others = (found.wave for found in self.found if found is not but)
        return self._fitter.beside(wave, others)

    def _background(self, wave: Wave, others: Sequence[Wave]) -> tuple[float, float]:
        """Usual power at the wave's radial frequency without it, and the least ratio to it."""
        ky, kx, relative = ring_around(self._view.shape, wave.ky, wave.kx)
        values = self._view.values(ky, kx)
        for each in (wave, *others):
            values -= self._fitter.share(each, ky, kx)
        power = values.real**2 + values.imag**2
        # From higher frequencies, power is extrapolated as it falls in photographs.
        power *= np.where(relative > RING, relative, 1.0) ** 2
        least = max(MIN_PROMINENCE, least_excess(len(ky) / self._correlated))
        return max(float(typical(power)), self._rounding), least

    def _may_be_rounding(self, wave: Wave, background: float) -> bool:
        """Whether a wave may be an effect of the rounding of pixels to whole steps.

        The error of rounding has the power step²/12. Noise spreads it evenly over the spectrum;
        where the background is lower than half of that, it is concentrated in waves.
        """
        spread = background / self._size > self._step**2 / 24
        return not spread and wave.amplitude < self._step / 2


def _close(shape: tuple[int, int], one: Wave, other: Wave) -> bool:
    """Whether two waves, or one and the mirror image of the other, are nearly the same."""
    a, b, period = np.array((one.ky, one.kx)), np.array((other.ky, other.kx)), np.array(shape)
    apart = np.array([a - b, a + b])
    apart -= period * np.rint(apart / period)
    return bool(np.hypot(*apart.T).min() < _APART)


def _peak(shape: tuple[int, int], found: _Found) -> Peak:
    """Describe a wave with y up."""
    height, width = shape
    wave = found.wave
    ky, kx = round(wave.ky, _DECIMALS), round(wave.kx, _DECIMALS)
    # Rows are counted downwards, y upwards.
    fy, fx = _principal(-ky / height), _principal(kx / width)
    if fy < 0 or (fy == 0 and fx < 0):
        fy, fx = _principal(-fy), _principal(-fx)
    frequency = float(np.hypot(fx, fy))
    return Peak(
        period=1 / frequency,
        frequency=frequency,
        angle=angle_of(fx, fy),
        fx=fx,
        fy=fy,
        amplitude=wave.amplitude,
        prominence_db=10 * float(np.log10(found.power / found.background)),
    )


def _principal(frequency: float) -> float:
    """The alias of a frequency in (-0.5, 0.5] cycles per pixel."""
    return frequency - float(np.ceil(frequency - 0.5))
