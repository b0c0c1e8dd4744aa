"""In which directions the waves of a spectrum run, and how strongly they agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fft_tool.arrays import Doubles
from fft_tool.measures.polar import SECTORS, PolarPower, polar_power
from fft_tool.measures.taper import tapered
from fft_tool.spectrum.half import Spectrum


@dataclass(frozen=True, slots=True)
class Orientation:
    """Distribution of a spectrum's power over direction; angles are those of wave vectors.

    Attributes
    ----------
    angle : float
        Dominant angle in degrees, in [0, 180). Says little if ``anisotropy`` is near zero.
    anisotropy : float
        From 0, no direction preferred, to 1, all waves in one direction.
    angles, histogram : arrays
        Centres of the bins, 0, 180/bins, … degrees (the first bin reaches around 0), and the
        share of each bin; the shares sum to one.
    tensor : (xx, xy, yy)
        Mean products of the frequencies (fx, fy), y up, weighted with power; xx + yy = 1.
    """

    angle: float
    anisotropy: float
    angles: Doubles
    histogram: Doubles
    tensor: tuple[float, float, float]

    def physical(self, pixel_size_um: tuple[float, float]) -> tuple[float, float]:
        """Dominant angle and anisotropy for pixels of that width and height."""
        sx, sy = pixel_size_um
        xx, xy, yy = self.tensor
        return _principal(xx / sx**2, xy / (sx * sy), yy / sy**2)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, rounded to what they are good for."""
        return {
            "angle": round_angle(self.angle),
            "anisotropy": round(self.anisotropy, 6),
            "angles": [round(float(angle), 4) for angle in self.angles],
            "histogram": [float(f"{share:.6g}") for share in self.histogram],
        }


def orientation(
    spectrum: Spectrum, bins: int = SECTORS, *, window: str = "none"
) -> Orientation | None:
    """Distribution of power, the mean left out, over the direction of waves, from 0 to 180 degrees.

    Power is weighted with the square of radial frequency, which makes it the power of the image's
    gradient: the lowest frequencies, where images have most of their power, do not decide alone,
    and yet an image that holds one low wave only has its direction. Frequencies beyond Nyquist
    (0.5 cycles per pixel) are left out, because the corners of the spectrum lie in diagonal
    directions only. A bin's share is its weighted mean power, not its sum, so that white noise is
    flat however the coefficients of a small or oblong image fall into the bins (1/f² noise too,
    within a few per cent, up to 9 % at 90° or 0° in an image three times as long as wide).

    Dominant angle θ and anisotropy A do not use the bins but each coefficient's own angle θ(f):

        A·exp(2iθ) = Σ |f|²·|F|²·exp(2iθ(f)) / Σ |f|²·|F|²

    They are the direction and the coherence of the image's mean structure tensor (J. Bigün,
    G. H. Granlund, "Optimal orientation detection of linear symmetry", ICCV 1987). An image one
    pixel high has only one direction, 0, and one that is one pixel wide only 90.

    ``window`` names the window that the image was given before the transform; without one, the
    spectrum is tapered. A window smears a wave of n periods over about 60/n degrees of the
    histogram; from the tensor its smear is subtracted.

    Returns None if there is no power up to Nyquist.
    """
    return orientation_of(polar_power(tapered(spectrum, window), bins))


def orientation_of(polar: PolarPower) -> Orientation | None:
    """Orientation from sums that are already there."""
    xx, xy, yy = polar.tensor
    if xx + yy == 0:
        return None
    xx, yy = _without_smear(xx, yy, polar)
    bins = polar.power.shape[1]
    squared_frequency = np.arange(1, len(polar.power) + 1)[:, None] ** 2.0
    power = (squared_frequency * polar.power).sum(axis=0)
    weight = (squared_frequency * polar.count).sum(axis=0)
    share = np.divide(power, weight, out=np.zeros(bins), where=weight > 0)
    angle, anisotropy = _principal(xx, xy, yy)
    trace = xx + yy
    return Orientation(
        angle,
        anisotropy,
        angles=np.arange(bins) * 180.0 / bins,
        histogram=share / share.sum(),
        tensor=(xx / trace, xy / trace, yy / trace),
    )


def _without_smear(xx: float, yy: float, polar: PolarPower) -> tuple[float, float]:
    """Subtract what the window's smear adds to the mean square frequencies along x and y."""
    power = float(polar.power.sum())
    own_xx, own_yy = (
        max(smeared - spread * power, 0.0)
        for smeared, spread in zip((xx, yy), polar.spread, strict=True)
    )
    return (own_xx, own_yy) if own_xx + own_yy > 0 else (xx, yy)


def angle_of(fx: float, fy: float) -> float:
    """Angle in degrees, in [0, 180), of a wave vector, of which ± are the same wave."""
    return _wrapped(float(np.degrees(np.arctan2(fy, fx))))


def round_angle(angle: float) -> float:
    """Round to 1e-4 degrees and stay in [0, 180)."""
    return round(angle, 4) % 180.0


def _principal(xx: float, xy: float, yy: float) -> tuple[float, float]:
    """Angle in degrees of a tensor's main axis, and its anisotropy."""
    angle = float(np.degrees(np.arctan2(2 * xy, xx - yy))) / 2
    return _wrapped(angle), min(float(np.hypot(xx - yy, 2 * xy)) / (xx + yy), 1.0)


def _wrapped(angle: float) -> float:
    # A tiny negative angle modulo 180 is 180 itself.
    wrapped = angle % 180.0
    return wrapped if wrapped < 180.0 else 0.0
