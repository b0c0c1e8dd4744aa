"""What is known of an image before it is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


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


def turned(pair: tuple[T, T], orientation: int) -> tuple[T, T]:
    """Swap what belongs to the axes if EXIF's ``orientation`` swaps them."""
    return pair if orientation < 5 else pair[::-1]
