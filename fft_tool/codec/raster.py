"""Decoded images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fft_tool.arrays import Pixels
from fft_tool.codec.header import Header

CHANNEL_NAMES = {
    1: ("grey",),
    2: ("grey", "alpha"),
    3: ("red", "green", "blue"),
    4: ("red", "green", "blue", "alpha"),
}


@dataclass(frozen=True, slots=True)
class Raster:
    """A decoded, upright image.

    ``pixels`` is uint8 or uint16 of shape (h, w, channels); ``white`` the largest value that the
    source's depth can hold (255 for 1 to 8 bits, which are spread over the range; 65535; or, for
    a 12-bit TIFF, 4095).
    """

    pixels: Pixels
    white: int
    header: Header

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channels."""
        return CHANNEL_NAMES[self.pixels.shape[2]]

    def channel(self, name: str) -> Pixels | None:
        """Give the channel called ``name``, shape (h, w), or None."""
        return self.pixels[:, :, self.names.index(name)] if name in self.names else None


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turn stored pixels (h, w, channels) as EXIF's ``orientation`` says."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def full_range(pixels: Pixels, white: int) -> Pixels:
    """Spread pixels 0 … ``white`` over their whole type, as files have to have them."""
    top = int(np.iinfo(pixels.dtype).max)
    if white == top:
        return pixels
    return ((pixels.astype(np.uint32) * top + white // 2) // white).astype(pixels.dtype)


def channels_last(image: Any) -> Pixels:
    """Pixels of a Pillow image, shape (h, w, channels)."""
    pixels: Pixels = np.asarray(image)
    return pixels if pixels.ndim == 3 else pixels[:, :, None]
