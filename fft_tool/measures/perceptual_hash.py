"""Perceptual hash: 64 bits that stay nearly the same when an image is scaled or compressed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fft_tool.arrays import Plane, check_levels
from fft_tool.spectrum.kernel import UNSCALED, kernel

BITS = 64

_SIDE, _KEPT = 32, 8  # of the small copy, and of its lowest frequencies
_DIGITS = BITS // 4


@dataclass(frozen=True, slots=True)
class PerceptualHash:
    """A hash of 64 bits; its text is 16 hexadecimal digits.

    >>> first = PerceptualHash.parse("ff00ff00ff00ff00")
    >>> first.distance(PerceptualHash.parse("ff00ff00ff00ff07"))
    3
    """

    bits: int

    def distance(self, other: PerceptualHash) -> int:
        """Number of bits that differ, 0 to 64."""
        return (self.bits ^ other.bits).bit_count()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read 16 hexadecimal digits; ``ValueError`` if the text has another form."""
        if len(text) != _DIGITS or not set(text.lower()) <= set("0123456789abcdef"):
            raise ValueError(f"{text[:40]!r} is not a hash: it should be 16 hexadecimal digits")
        return cls(int(text, 16))

    def __str__(self) -> str:
        return f"{self.bits:0{_DIGITS}x}"


def perceptual_hash(plane: Plane, *, white: int | None = None) -> PerceptualHash:
    """Hash of a grey image by the signs of its lowest frequencies, as ``imagehash.phash`` has it.

    >>> y, x = np.mgrid[:120, :160]
    >>> grey = (x + y / 2).astype(np.uint8)
    >>> small = grey[::2, ::2]
    >>> perceptual_hash(grey).distance(perceptual_hash(small)) <= 2
    True

    The image is scaled to 32 × 32 pixels of 8 bits (Lanczos); a bit is set where one of the 8 × 8
    lowest coefficients of the cosine transform exceeds their median. The first bit is that of the
    mean, and the bits follow row by row.

    Parameters
    ----------
    plane : ndarray
        Grey levels, shape (h, w), uint8 or uint16.
    white : int, optional
        Largest value that the bit depth can hold, by default that of the dtype.
    """
    levels = _eight_bits(check_levels(plane), white)
    small = Image.fromarray(levels).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    coefficients = np.asarray(small).astype(np.float64)
    kernel().dct(coefficients, 2, (0, 1), UNSCALED, coefficients, 1)
    low = coefficients[:_KEPT, :_KEPT]
    middle = np.sort(low, axis=None)[BITS // 2 - 1 : BITS // 2 + 1].mean()
    return PerceptualHash(int.from_bytes(np.packbits(low > middle).tobytes(), "big"))


def _eight_bits(plane: Plane, white: int | None) -> NDArray[np.uint8]:
    white = int(np.iinfo(plane.dtype).max) if white is None else white
    if white == 255 and plane.dtype == np.uint8:
        return np.ascontiguousarray(plane, np.uint8)
    levels = np.arange(np.iinfo(plane.dtype).max + 1) * (255 / white)
    eight: NDArray[np.uint8] = np.rint(np.minimum(levels, 255)).astype(np.uint8)[plane]
    return eight
