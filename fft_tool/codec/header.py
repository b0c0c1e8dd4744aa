"""Image headers: what is known about an image before it is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Header:
    """What is known about a source before it is decoded.

    ``width`` and ``height`` are those of the stored pixels, before ``orientation`` (EXIF, 1 to 8)
    is applied; ``depth`` is the number of bits per stored sample. ``pixel_size_um`` (x, y), in
    micrometres, refers to the upright image; ``pixel_size_from`` says where the file states it.
    ``file_bytes`` is the size of the file.
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


def turned(pair: tuple[T, T], orientation: int) -> tuple[T, T]:
    """Swap a pair of per-axis values if EXIF's ``orientation`` swaps the axes."""
    return pair if orientation < 5 else pair[::-1]
