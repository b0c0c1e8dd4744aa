"""Decoded images, and what is known of one before it is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
Pixels = NDArray[np.unsignedinteger[Any]]

CHANNEL_NAMES = {
    1: ("grey",),
    2: ("grey", "alpha"),
    3: ("red", "green", "blue"),
    4: ("red", "green", "blue", "alpha"),
}


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a source before it is decoded.

    ``width`` and ``height`` are those stored, before ``orientation`` (EXIF, 1 to 8) is applied;
    ``depth`` the bits of a sample as stored; ``pixel_size_um`` (x, y) in micrometres and
    ``pixel_size_from`` where that stands, both after orientation; ``file_bytes`` the file's size.
    """

    format: str
    width: int
    height: int
    channels: int
    depth: int
    file_bytes: int = 0
    frames: int = 1
    orientation: int = 1
    pixel_size_um: tuple[float, float] | None = None
    pixel_size_from: str | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the upright image."""
        return turned((self.height, self.width), self.orientation)


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


def turned(pair: tuple[T, T], orientation: int) -> tuple[T, T]:
    """Swap what belongs to the axes if EXIF's ``orientation`` swaps them."""
    return pair if orientation < 5 else pair[::-1]


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
