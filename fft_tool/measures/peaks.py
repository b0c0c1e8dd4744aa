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
from fft_tool.measures.surroundings import RING, least_excess, ring_around, stand_out, typical
from fft_tool.measures.taper import TaperedSpectrum, tapered
from fft_tool.measures.waves import Wave, WaveFitter
from fft_tool.spectrum.half import Spectrum, check_spectrum

_MIN_PERIODS = 2.0
_APART = 4.0  # coefficients: of waves that are closer only the first stays
_OWN = 0.5  # of a maximum's power that is not leakage of other waves, at least
_FEWEST = 8  # waves that are searched for even if fewer are wanted
_FITS = 48  # maxima that are fitted, at most
_ROUNDS = 2  # in which each wave is fitted anew beside the others
_AT_ONCE = 32  # maxima whose surroundings are looked at together
_SLACK = 0.05  # periods: wherein the fit of a wave with two periods may lie lower


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
        Of the cosine, in grey levels: 2·|F| / N (|F| / N where the coefficient is its own mirror)
        of the strongest coefficient. A window lowers it by its mean; a wave that runs between two
        coefficients has part of its power in the other one.
    prominence_db : float
        Power over the background of the ring.
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
    """Doc."""
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
    """Find peaks in what one pass over the spectrum has given."""
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

    The share of each wave that is found is taken off the maxima that are left.
    """

    def __init__(self, view: TaperedSpectrum, rounding: float, step: float) -> None:
        self.found: list[_Found] = []
        self._view = view
        self._size = view.shape[0] * view.shape[1]
        # Along a ring neighbours are correlated in one direction, not in two.
        self._correlated = math.sqrt(view.down.correlated * view.across.correlated)
        self._rounding = rounding * self._size
        self._step = step
        self._fitter = WaveFitter(view)

    def look_at(self, maxima: Maxima, most: int) -> None:
        """Find at most ``most`` waves."""
        fits = 0
        for first in range(0, len(maxima), _AT_ONCE):
            some = maxima[first : first + _AT_ONCE]
            some = some[stand_out(self._view, some)]
            if not len(some):
                continue
            left = self._view.values(some.ky, some.kx)
            for found in self.found:
                left -= self._fitter.share(found.wave, some.ky, some.kx)
            for index in range(len(some)):
                if len(self.found) == most or fits == _FITS:
                    return
                if abs(left[index]) ** 2 < _OWN * some.power[index]:
                    continue
                fits += 1
                found = self._fit(int(some.ky[index]), int(some.kx[index]), float(some.power[index]))
                if found:
                    self.found.append(found)
                    left -= self._fitter.share(found.wave, some.ky, some.kx)

    def refine(self) -> None:
        """Fit each wave anew where others, found later, leak into it."""
        for _ in range(_ROUNDS):
            for place, found in enumerate(self.found):
                others = self._beside(found.wave, but=found)
                if others:
                    wave = self._fitter.refit(found.wave, others)
                    self.found[place] = replace(found, wave=wave)

    def _fit(self, ky: int, kx: int, power: float) -> _Found | None:
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
        """Usual power in the wave's ring without it, and how many times that a wave must have."""
        ky, kx, relative = ring_around(self._view.shape, wave.ky, wave.kx)
        values = self._view.values(ky, kx)
        for each in (wave, *others):
            values -= self._fitter.share(each, ky, kx)
        power = values.real**2 + values.imag**2
        # Beyond the ring, power is taken to fall as it does in photographs.
        power *= np.where(relative > RING, relative, 1.0) ** 2
        least = max(MIN_PROMINENCE, least_excess(len(ky) / self._correlated))
        return max(float(typical(power)), self._rounding), least

    def _may_be_rounding(self, wave: Wave, background: float) -> bool:
        """Whether a wave may be made by the rounding of pixels to whole steps.

        The power of rounding is 1/12, in squared steps. Where there is noise, that spreads evenly
        over the spectrum; where the background is lower, it is in waves.
        """
        spread = background / self._size > self._step**2 / 24
        return not spread and wave.amplitude < self._step / 2


def _close(shape: tuple[int, int], one: Wave, other: Wave) -> bool:
    """Whether two waves, each of which is its own negative too, are nearly one."""
    a, b, period = np.array((one.ky, one.kx)), np.array((other.ky, other.kx)), np.array(shape)
    apart = np.array([a - b, a + b])
    apart -= period * np.rint(apart / period)
    return bool(np.hypot(*apart.T).min() < _APART)


def _peak(shape: tuple[int, int], found: _Found) -> Peak:
    height, width = shape
    wave = found.wave
    # Rows are counted downwards, y upwards.
    fy, fx = _principal(-wave.ky / height), _principal(wave.kx / width)
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
