"""The expected results, from numpy in double precision: only right results are timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

OFF_BY_MORE = 1e-3  # share of pixels that may differ by more than one grey level
RELATIVE_ERROR = 1e-5  # of a transform in single precision, in the L2 norm


class WrongResult(Exception):
    """A contender's result is not what numpy gives."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Modulus and angle (radians) of a centred spectrum, or of its middle row or column."""

    modulus: Array
    phase: Array

    @classmethod
    def of(cls, pixels: Array) -> Reference:
        """Transform a whole image, shape (h, w)."""
        return cls._from(np.fft.fft2(pixels))

    @classmethod
    def middle_row(cls, pixels: Array) -> Reference:
        """The picture's row through DC: the 1-D spectrum of the image's column sums.

        This is the projection-slice theorem; it takes little time even for large images.
        """
        return cls._from(np.fft.fft(pixels.sum(axis=0, dtype=np.float64)))

    @classmethod
    def middle_column(cls, pixels: Array) -> Reference:
        """The picture's column through DC, in the same way."""
        return cls._from(np.fft.fft(pixels.sum(axis=1, dtype=np.float64)))

    @classmethod
    def _from(cls, spectrum: Array) -> Reference:
        centred = np.fft.fftshift(spectrum)
        return cls(np.abs(centred), np.angle(centred))


@dataclass(frozen=True, slots=True)
class Codes:
    """Grey values of a magnitude and a phase picture, the latter None if there is none."""

    magnitude: Array
    phase: Array | None

    def at(self, index: Any) -> Codes:
        """Take a part of both, such as ``np.s_[0]`` for the first row."""
        return Codes(self.magnitude[index], None if self.phase is None else self.phase[index])


Look = Callable[[Reference], Codes]


def fixed(reference: Reference) -> Codes:
    """Ours: log from 0 to the maximum, phase from -π to π."""
    shown = np.log1p(reference.modulus)
    return Codes(255 * shown / shown.max(), _circle(reference.phase + np.pi, 255))


def stretched(reference: Reference) -> Codes:
    """The plain script's: both from minimum to maximum."""
    return Codes(_stretch(np.log1p(reference.modulus)), _stretch(reference.phase))


def from_zero(reference: Reference) -> Codes:
    """OpenCV's: log from minimum to maximum, phase from 0 to 2π."""
    angles = np.mod(reference.phase, 2 * np.pi)
    return Codes(_stretch(np.log1p(reference.modulus)), _circle(angles, 255))


def clipped(reference: Reference) -> Codes:
    """ImageMagick's, 16 bits: the modulus itself, clipped at white; phase from -π to π."""
    white = np.minimum(reference.modulus / 255, 1)
    return Codes(65535 * white, _circle(reference.phase + np.pi, 65535))


def fourth_root(reference: Reference) -> Codes:
    """``vips spectrum``: the log of one plus the fourth root of the mean modulus; no phase."""
    shown = np.log1p((reference.modulus / reference.modulus.size) ** 0.25)
    return Codes(255 * shown / shown.max(), None)


def check_pictures(found: Codes, reference: Reference, look: Look) -> None:
    """Compare pictures with numpy's: to one grey level, except at a few coefficients near zero."""
    expected = look(reference)
    _check("magnitude", _distance(found.magnitude, expected.magnitude))
    if found.phase is not None and expected.phase is not None:
        apart = _distance(found.phase, expected.phase)
        circle = np.iinfo(found.phase.dtype).max
        _check("phase", np.minimum(apart, circle - apart))


def check_transform(found: Array, expected: Array) -> None:
    """Compare a spectrum with numpy's."""
    if found.shape != expected.shape:
        raise WrongResult(f"spectrum of shape {found.shape}, not {expected.shape}")
    error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
    if not error <= RELATIVE_ERROR:
        raise WrongResult(f"spectrum is wrong by {error:.1e} of its norm")


def _check(what: str, apart: Array) -> None:
    share = float((apart > 1).mean())
    if share > OFF_BY_MORE:
        raise WrongResult(f"{what} picture: {share:.2%} of it is off by more than a grey level")


def _distance(found: Array, expected: Array) -> Array:
    if found.shape != expected.shape:
        raise WrongResult(f"picture of shape {found.shape}, not {expected.shape}")
    apart: Array = np.abs(found - expected)
    return apart


def _circle(angles: Array, top: int) -> Array:
    codes: Array = angles * (top / (2 * np.pi))
    return codes


def _stretch(values: Array) -> Array:
    low, high = values.min(), values.max()
    codes: Array = (values - low) * (255 / (high - low))
    return codes
