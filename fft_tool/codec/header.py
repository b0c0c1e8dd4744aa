"""Image headers: what is known about an image before it is decoded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

MAX_PROFILE_BYTES = 4 << 20
"""Maximum of a colour profile that is applied. Those of printing presses have up to two MiB."""


@dataclass(frozen=True, slots=True)
class Header:
    """What is known about a source before it is decoded.

    ``width`` and ``height`` are those of the stored pixels, before ``orientation`` (EXIF, 1 to 8)
    is applied; ``depth`` is the number of bits per stored sample, and ``sample_type`` their type:
    uint, int or float. ``frames`` is the number of frames or pages in the file, and ``frame`` the
    one that is decoded, counted from 1. ``pixel_size_um`` (x, y), in micrometres, refers to the
    upright image; ``pixel_size_from`` says where the file states it. ``file_bytes`` is the size of
    the file, and ``profile`` its colour profile (ICC), which concerns only pictures for display.
    """

    format: str
    width: int
    height: int
    channels: int
    depth: int
    file_bytes: int = 0
    frames: int = 1
    frame: int = 1
    orientation: int = 1
    pixel_size_um: tuple[float, float] | None = None
    pixel_size_from: str | None = None
    sample_type: str = "uint"
    profile: bytes | None = field(default=None, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the upright image."""
        return turned((self.height, self.width), self.orientation)

    @property
    def scaled(self) -> bool:
        """Whether the samples are scaled to 16-bit levels: they are not uint8 or uint16."""
        return self.sample_type != "uint" or self.depth > 16

    @property
    def level_bytes(self) -> int:
        """Bytes of a decoded sample: 1 or 2."""
        return 1 if self.depth <= 8 and not self.scaled else 2


def turned(pair: tuple[T, T], orientation: int) -> tuple[T, T]:
    """Swap a pair of per-axis values if EXIF's ``orientation`` swaps the axes."""
    return pair if orientation < 5 else pair[::-1]
