"""Decoded images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Pixels
from fft_tool.codec.header import Header
from fft_tool.codec.values import ValueScale

CHANNEL_NAMES = {
    1: ("grey",),
    2: ("grey", "alpha"),
    3: ("red", "green", "blue"),
    4: ("red", "green", "blue", "alpha"),
}


@dataclass(frozen=True, slots=True)
class Raster:
    """A decoded, upright image.

    >>> import fft_tool as ft
    >>> from fft_tool.codec.image_file import encode_image
    >>> raster = ft.decode(encode_image(np.zeros((4, 6, 3), np.uint8), 255))
    >>> raster.pixels.shape, raster.names, raster.white
    ((4, 6, 3), ('red', 'green', 'blue'), 255)

    ``pixels`` is uint8 or uint16, of shape (h, w, channels). ``white`` is the largest value that
    the source's depth can hold: 255 for 1 to 8 bits, which are scaled to that range; 65535 for 16
    bits; 4095 for a 12-bit TIFF. Samples of other types are scaled to 16 bits; ``values`` then says
    which value each level stands for.
    """

    pixels: Pixels
    white: int
    header: Header
    values: ValueScale | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channels."""
        return CHANNEL_NAMES[self.pixels.shape[2]]

    def channel(self, name: str) -> Pixels | None:
        """Return the channel called ``name``, shape (h, w), or None if there is none."""
        return self.pixels[:, :, self.names.index(name)] if name in self.names else None


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Rotate and flip stored pixels (h, w, channels) according to EXIF's ``orientation``."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def full_range(pixels: Pixels, white: int) -> Pixels:
    """Scale pixels 0 … ``white`` to the full range of their dtype, as image files require."""
    top = int(np.iinfo(pixels.dtype).max)
    if white == top:
        return pixels
    return ((pixels.astype(np.uint32) * top + white // 2) // white).astype(pixels.dtype)


def channels_last(image: Any) -> Pixels:
    """Pixels of a Pillow image, shape (h, w, channels)."""
    pixels: Pixels = np.asarray(image)
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


def joined(high: Pixels, low: Pixels) -> NDArray[np.uint16]:
    """Combine high and low bytes into 16-bit samples."""
    samples = high.astype(np.uint16)
    samples <<= 8
    samples |= low
    return samples
