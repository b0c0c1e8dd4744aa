"""Everything that is measured on a spectrum, in one value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fft_tool.arrays import Doubles
from fft_tool.measures.maxima import MaximaCollector
from fft_tool.measures.orientation import Orientation, angle_of, orientation_of, round_angle
from fft_tool.measures.peaks import Peak, peaks_of
from fft_tool.measures.polar import polar_power
from fft_tool.measures.radial import RadialProfile, high_fraction_of, profile_of
from fft_tool.measures.slope import Slope, slope_of
from fft_tool.measures.taper import tapered
from fft_tool.spectrum.half import Spectrum

MAX_JSON_BINS = 256


@dataclass(frozen=True, slots=True)
class Measures:
    """What a spectrum says about its image.

    ``pixel_size_um`` is a pixel's width and height in micrometres, where known.
    """

    profile: RadialProfile
    slope: Slope | None
    high_frequency_fraction: float | None
    orientation: Orientation | None
    peaks: tuple[Peak, ...]
    pixel_size_um: tuple[float, float] | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; numbers without a unit in their name are in pixels, degrees and grey levels.

        With a known pixel size, peaks also have ``period_um``, ``frequency_per_um`` and
        ``physical_angle``, the orientation ``physical_angle`` and ``physical_anisotropy``, and,
        if pixels are square, the profile ``frequency_per_um``. Rings around the centre of
        a spectrum with oblong pixels have no one physical frequency.
        """
        fraction = self.high_frequency_fraction
        return {
            "pixel_size_um": None if self.pixel_size_um is None else list(self.pixel_size_um),
            "radial_profile": _profile_json(self.profile, self.pixel_size_um),
            "slope": self.slope.to_json() if self.slope else None,
            "high_frequency_fraction": None if fraction is None else _significant(fraction),
            "orientation": _orientation_json(self.orientation, self.pixel_size_um),
            "peaks": [_peak_json(peak, self.pixel_size_um) for peak in self.peaks],
        }


def measure(
    spectrum: Spectrum,
    *,
    window: str = "none",
    step: float = 0.0,
    pixel_size_um: tuple[float, float] | None = None,
) -> Measures:
    """Measure a spectrum: radial profile, slope, high-frequency fraction, orientation, peaks.

    >>> from fft_tool.spectrum.transform import forward
    >>> wave = np.cos(2 * np.pi * np.arange(64) / 8)
    >>> found = measure(forward(np.tile(wave, (64, 1))))
    >>> round(found.orientation.angle, 3), round(found.peaks[0].period, 3)
    (0.0, 8.0)

    Reads the spectrum in blocks of rows.

    Parameters
    ----------
    spectrum : Spectrum
        Of an image in grey levels.
    window : str
        Name of the window that the image was given before the transform. What was transformed
        without one is tapered, so that the jumps at the image's borders are not measured.
    step : float
        Grey levels are whole multiples of this, 1 for an 8- or 16-bit image; 0 if they were not
        rounded. Slope, high-frequency fraction and peaks allow for the noise of rounding.
    pixel_size_um : (float, float), optional
        Width and height of a pixel in micrometres, which add physical units to the JSON.
    """
    if pixel_size_um is not None and not all(0 < size < math.inf for size in pixel_size_um):
        raise ValueError(
            f"pixel size {pixel_size_um} is not usable: give a pixel's width and height in "
            "micrometres, both positive and finite"
        )
    view = tapered(spectrum, window)
    maxima = MaximaCollector(view)
    polar = polar_power(view, visit=maxima.add)
    profile = profile_of(polar)
    return Measures(
        profile=profile,
        slope=slope_of(polar, step),
        high_frequency_fraction=high_fraction_of(polar, step),
        orientation=orientation_of(polar),
        peaks=tuple(peaks_of(view, profile, maxima, step=step)),
        pixel_size_um=pixel_size_um,
    )


def thinned(profile: RadialProfile, most: int = MAX_JSON_BINS) -> RadialProfile:
    """Merge neighbouring rings, equally many each, until at most ``most`` bins are left.

    A merged bin has the mean and standard deviation of all coefficients of its rings, the sum of
    their counts, and as frequency and background the averages of the rings' own, weighted with
    the counts. The last bin may have fewer rings.
    """
    rings = len(profile.frequency)
    if rings <= most:
        return profile
    starts = np.arange(0, rings, math.ceil(rings / most))
    count = np.add.reduceat(profile.count, starts)

    def merged(values: Doubles) -> Doubles:
        return np.add.reduceat(profile.count * values, starts) / count

    mean = merged(profile.mean)
    own_mean = np.repeat(mean, np.diff(starts, append=rings))
    return RadialProfile(
        frequency=merged(profile.frequency),
        mean=mean,
        std=np.sqrt(merged(profile.std**2 + (profile.mean - own_mean) ** 2)),
        count=count,
        background=merged(profile.background),
        rounding=profile.rounding,
    )


def _profile_json(
    profile: RadialProfile, pixel_size_um: tuple[float, float] | None
) -> dict[str, Any]:
    shown = thinned(profile)
    content: dict[str, Any] = {
        "frequency": _list(shown.frequency),
        "mean": _list(shown.mean),
        "std": _list(shown.std),
        "count": shown.count.tolist(),
        "rings_per_bin": max(1, math.ceil(len(profile.frequency) / MAX_JSON_BINS)),
    }
    if pixel_size_um is not None and math.isclose(*pixel_size_um, rel_tol=1e-6):
        content["frequency_per_um"] = _list(shown.frequency / pixel_size_um[0])
    return content


def _orientation_json(
    orientation: Orientation | None, pixel_size_um: tuple[float, float] | None
) -> dict[str, Any] | None:
    if orientation is None or pixel_size_um is None:
        return orientation.to_json() if orientation else None
    angle, anisotropy = orientation.physical(pixel_size_um)
    return orientation.to_json() | {
        "physical_angle": round_angle(angle),
        "physical_anisotropy": round(anisotropy, 6),
    }


def _peak_json(peak: Peak, pixel_size_um: tuple[float, float] | None) -> dict[str, Any]:
    if pixel_size_um is None:
        return peak.to_json()
    fx, fy = peak.fx / pixel_size_um[0], peak.fy / pixel_size_um[1]
    frequency = math.hypot(fx, fy)
    return peak.to_json() | {
        "period_um": _significant(1 / frequency),
        "frequency_per_um": _significant(frequency),
        "physical_angle": round_angle(angle_of(fx, fy)),
    }


def _significant(value: float) -> float:
    return float(f"{value:.6g}")


def _list(values: Doubles) -> list[float]:
    return [_significant(value) for value in values.tolist()]
