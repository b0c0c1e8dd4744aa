"""The dominant waves of an image: sharp peaks that stand out from their spectrum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Doubles
from fft_tool.measures.median import median
from fft_tool.measures.orientation import angle_of, round_angle
from fft_tool.measures.polar import FoldedRows, folded_rows, polar_power, ring_of, steps_of
from fft_tool.measures.radial import RadialProfile, profile_of
from fft_tool.measures.taper import tapered
from fft_tool.spectrum.half import Spectrum, check_spectrum

IndexArray = NDArray[np.intp]

MIN_PROMINENCE_DB = 15.0  # noise reaches it once in 5e13 coefficients
_MIN_PERIODS = 2
_MIN_SHARE = 1e-5  # of the energy beside DC: 50 dB below
_MIN_LOCAL = 10.0  # times the power of neighbours in line: for ridges and axis crosses
_REACH = 20  # how far those lines go to either side, in coefficients
_CORE = 4  # and where they start, clear of the peak's own main lobe
_CANDIDATES = 1024  # at most so many are looked at closely, the strongest


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
    spectrum: Spectrum, count: int = 8, *, profile: RadialProfile | None = None
) -> list[Peak]:
    """Find the ``count`` strongest waves, strongest first.

    >>> from fft_tool.spectrum.transform import forward
    >>> wave = np.cos(2 * np.pi * np.arange(64) / 8)
    >>> (peak,) = find_peaks(forward(np.tile(100 + 50 * wave, (64, 1))), count=3)
    >>> round(peak.period, 3), round(peak.angle, 3), round(peak.amplitude, 3)
    (8.0, 0.0, 50.0)

    Periods are in pixels, angles in degrees and amplitudes in grey levels.

    A peak is a coefficient that

    * has the largest power among its eight neighbours,
    * lies 15 dB above the background of its ring (beyond Nyquist, of the last ring), so that
      neither noise nor a falling spectrum has peaks,
    * has ten times the usual power of its neighbours along the row, the column and (summed over
      three across) the ray from DC, so that the axis cross of a non-periodic image, the cross of
      another wave's leakage and the ridge of a texture with a direction have none,
    * has at least two periods in the image, along x or along y; less is a trend;
    * has, with its mirror, at least 1e-5 of the energy beside DC, so that what is called a peak
      says something of the image.

    They come in the order of power × prominence in dB. Of peaks less than four coefficients
    apart only the first stays. Frequencies are refined to a small part of a coefficient, for a
    rectangular window as for a tapered one.

    ``profile`` is that of the spectrum without a taper, where it has been computed already.
    """
    check_spectrum(spectrum)
    profile = profile or profile_of(polar_power(tapered(spectrum, taper=False)))
    if len(profile.frequency) == 0:
        return []
    plane = _Plane(spectrum, profile)
    ky, kx = _strongest_maxima(plane)
    local = _stands_out_locally(plane, ky, kx)
    peaks: list[Peak] = []
    centres: list[tuple[float, float]] = []
    for row, column in zip(ky[local].tolist(), kx[local].tolist(), strict=True):
        if len(peaks) == count:
            break
        centre = _refined(plane, row, column)
        if _is_wave(centre) and not any(_close(plane.shape, centre, other) for other in centres):
            peaks.append(_peak(plane, row, column, centre))
            centres.append(centre)
    return peaks


class _Plane:
    """The full, periodic spectrum, read from its half, and the background under it."""

    def __init__(self, spectrum: Spectrum, profile: RadialProfile) -> None:
        self.spectrum = spectrum
        self.shape = spectrum.shape
        self.size = self.shape[0] * self.shape[1]
        self.rounding = profile.rounding * self.size**2  # if all were in one coefficient
        self.energy = float((profile.mean * profile.count).sum()) * self.size
        rings = np.concatenate([profile.background[:1], profile.background])
        rings = np.append(rings, rings[-1]) * self.size
        self.rings: Doubles = np.maximum(rings, profile.rounding * self.size)

    def values(self, ky: IndexArray, kx: IndexArray) -> NDArray[np.complex128]:
        """F at any rows and columns, with DC taken as zero."""
        height, width = self.shape
        mirrored = kx % width > width // 2
        row = np.where(mirrored, -ky, ky) % height
        column = np.where(mirrored, -kx, kx) % width
        value: NDArray[np.complex128] = self.spectrum.half[row, column].astype(np.complex128)
        value[(row == 0) & (column == 0)] = 0.0
        value[mirrored] = value[mirrored].conj()
        return value

    def power(self, ky: IndexArray, kx: IndexArray) -> Doubles:
        """|F|² at any rows and columns."""
        value = self.values(ky, kx)
        return value.real**2 + value.imag**2

    def background(self, ky: IndexArray, kx: IndexArray) -> Doubles:
        """|F|² of the background at rows and columns within half a period of DC."""
        height, width = self.shape
        longest = steps_of(self.shape)
        radius = np.hypot(kx * longest / width, ky * longest / height)
        return self.rings[ring_of(radius, longest)]


def _strongest_maxima(plane: _Plane) -> tuple[IndexArray, IndexArray]:
    """Rows (signed) and columns of the maxima that stand out from their rings, strongest first."""
    least = max(plane.rounding, _MIN_SHARE * plane.energy / 2)
    limit = np.maximum(plane.rings * 10 ** (MIN_PROMINENCE_DB / 10), least)
    untapered = tapered(plane.spectrum, taper=False)
    found = [_maxima(plane, *_above(rows, limit)) for rows in folded_rows(untapered)]
    ky, kx = (np.concatenate(parts) for parts in zip(*found, strict=True))
    power = plane.power(ky, kx)
    order = np.argsort(-power * np.log(power / plane.background(ky, kx)), kind="stable")
    return ky[order[:_CANDIDATES]], kx[order[:_CANDIDATES]]


def _above(rows: FoldedRows, limit: Doubles) -> tuple[IndexArray, IndexArray]:
    """Rows (signed) and columns of all power above its ring's limit."""
    least = limit[ring_of(rows.radius, rows.longest)]
    # Indices of the flattened block: ten times as fast as those of the block itself.
    down, up = np.flatnonzero(rows.down > least), np.flatnonzero(rows.up > least)
    row, kx = np.divmod(np.concatenate([down, up]), least.shape[1])
    ky, kx = rows.first + row, rows.left + kx
    ky[len(down) :] *= -1
    return ky, kx


def _maxima(plane: _Plane, ky: IndexArray, kx: IndexArray) -> tuple[IndexArray, IndexArray]:
    """Keep those that are no trend and no less than any of their eight neighbours."""
    periods = np.maximum(np.abs(ky), kx)
    ky, kx = ky[periods >= _MIN_PERIODS], kx[periods >= _MIN_PERIODS]
    if len(ky) == 0:
        return ky, kx
    power = plane.power(ky, kx)
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1)):
        keep = power >= plane.power(ky + dy, kx + dx)
        ky, kx, power = ky[keep], kx[keep], power[keep]
    return ky, kx


def _stands_out_locally(plane: _Plane, ky: IndexArray, kx: IndexArray) -> NDArray[np.bool_]:
    """Whether each candidate lies well above its neighbours along row, column and ray from DC."""
    height, width = plane.shape
    steep = np.abs(ky) > kx
    steps = np.where(steep, np.abs(ky), kx)
    background = np.maximum(
        _along(plane, (ky, kx), (0, 1), width), _along(plane, (ky, kx), (1, 0), height)
    )
    # A ridge from DC passes between coefficients: three across hold its power.
    ray, reach = (ky / steps, kx / steps), min(height, width)
    across = [_along(plane, (ky + w * ~steep, kx + w * steep), ray, reach) for w in (-1, 0, 1)]
    return plane.power(ky, kx) > _MIN_LOCAL * np.maximum(background, sum(across))


def _along(
    plane: _Plane,
    start: tuple[IndexArray, IndexArray],
    step: tuple[Any, Any],
    length: int,
) -> Doubles:
    """Typical power to both sides of each start, in steps of (ky, kx) along ``length``.

    Zero if the line is too short to say.
    """
    away = np.arange(_CORE, min(_REACH, length // 2) + 1)
    if len(away) <= _CORE:
        return np.zeros(len(start[0]))
    steps = np.concatenate([-away, away])[:, None]
    ky, kx = (np.rint(k + steps * dk).astype(np.intp) for k, dk in zip(start, step, strict=True))
    # Noise has exponentially distributed power, whose median is ln 2 of its mean.
    typical: Doubles = median(plane.power(ky, kx), axis=0) / np.log(2)
    return typical


def _refined(plane: _Plane, ky: int, kx: int) -> tuple[float, float]:
    """Row and column of the wave's true frequency, in fractions of a coefficient."""
    away = np.arange(-3, 4)
    height, width = plane.shape
    down = _offset(plane.values(ky + away, np.full(7, kx))) if height >= 7 else 0.0
    right = _offset(plane.values(np.full(7, ky), kx + away)) if width >= 7 else 0.0
    return ky + down, kx + right


def _offset(line: NDArray[np.complex128]) -> float:
    """Where in a line of seven values of a peak its centre lies, counted from the middle.

    A Hann window, which on frequencies is a convolution with (-¼, ½, -¼), is applied first: with
    it the main lobe of a rectangular window turns into one that a parabola through the logarithm
    of three powers finds to about 0.02 of a coefficient, and those of tapered windows stay so.
    """
    smooth = line[1:-1] / 2 - (line[:-2] + line[2:]) / 4
    power = smooth.real**2 + smooth.imag**2
    middle = 1 + int(np.argmax(power[1:-1]))
    left, centre, right = np.log(power[middle - 1 : middle + 2] + 1e-300)
    curvature = left - 2 * centre + right
    shift = (left - right) / (2 * curvature) if curvature < 0 else 0.0
    return float(middle - 2 + np.clip(shift, -0.5, 0.5))


def _is_wave(centre: tuple[float, float]) -> bool:
    """Whether at least two periods fit, along x or along y; less is a trend."""
    return max(abs(centre[0]), abs(centre[1])) >= _MIN_PERIODS


def _close(shape: tuple[int, int], one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two waves, each of which is its own negative too, are nearly one."""
    a, b, period = np.array(one), np.array(other), np.array(shape)
    apart = np.array([a - b, a + b])
    apart -= period * np.rint(apart / period)
    return bool(np.hypot(*apart.T).min() < _CORE)


def _peak(plane: _Plane, ky: int, kx: int, centre: tuple[float, float]) -> Peak:
    """Describe the peak whose largest coefficient is at (ky, kx) and whose centre is given."""
    height, width = plane.shape
    # Rows are counted downwards, y upwards.
    fy, fx = _principal(-centre[0] / height), _principal(centre[1] / width)
    if fy < 0 or (fy == 0 and fx < 0):
        fy, fx = _principal(-fy), _principal(-fx)
    row, column = np.array([ky]), np.array([kx])
    power = float(plane.power(row, column)[0])
    own_mirror = 2 * ky % height == 0 and 2 * kx % width == 0
    frequency = float(np.hypot(fx, fy))
    return Peak(
        period=1 / frequency,
        frequency=frequency,
        angle=angle_of(fx, fy),
        fx=fx,
        fy=fy,
        amplitude=(1 if own_mirror else 2) * float(np.sqrt(power)) / plane.size,
        prominence_db=10 * float(np.log10(power / plane.background(row, column)[0])),
    )


def _principal(frequency: float) -> float:
    """The alias of a frequency in (-0.5, 0.5] cycles per pixel."""
    return frequency - float(np.ceil(frequency - 0.5))
