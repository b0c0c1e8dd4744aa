"""Regions of an image: the four ways to write a crop, and how each is resolved to pixels.

==================  ====================================================================
text                region
==================  ====================================================================
``x,y,w,h``         w × h pixels whose top left corner is (x, y)
``pct:x,y,w,h``     the same in per cent of the image's width and height
``square``          the largest square, centred
``centre:w,h``      w × h pixels, centred
==================  ====================================================================

A crop that extends beyond the image is rejected, never clipped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fft_tool.errors import CropOutside

FORM = "x,y,w,h or pct:x,y,w,h or square or centre:w,h"


@dataclass(frozen=True, slots=True)
class Box:
    """A region in pixels; (x, y) is its top left corner."""

    x: int
    y: int
    width: int
    height: int

    def resolve(self, width: int, height: int) -> Box:
        """Return this box if it lies within an image of ``width`` × ``height`` pixels."""
        if self.x + self.width > width or self.y + self.height > height:
            raise CropOutside(
                f"the crop {self} extends to column {self.x + self.width} and row "
                f"{self.y + self.height}, the image has {width} x {height} pixels"
            )
        return self

    def __str__(self) -> str:
        return f"{self.x},{self.y},{self.width},{self.height}"


@dataclass(frozen=True, slots=True)
class Percent:
    """A region in per cent of the image's size; edges are rounded to whole pixels."""

    x: float
    y: float
    width: float
    height: float

    def resolve(self, width: int, height: int) -> Box:
        """Resolve to pixels of an image of ``width`` × ``height``; at least 1 × 1."""
        left, right = _edges(self.x, self.width, width)
        top, bottom = _edges(self.y, self.height, height)
        return Box(left, top, right - left, bottom - top)

    def __str__(self) -> str:
        numbers = (self.x, self.y, self.width, self.height)
        return "pct:" + ",".join(repr(float(number)).removesuffix(".0") for number in numbers)


@dataclass(frozen=True, slots=True)
class Square:
    """The largest centred square."""

    def resolve(self, width: int, height: int) -> Box:
        """Resolve to pixels of an image of ``width`` × ``height``."""
        side = min(width, height)
        return Centre(side, side).resolve(width, height)

    def __str__(self) -> str:
        return "square"


@dataclass(frozen=True, slots=True)
class Centre:
    """A centred region of a given size."""

    width: int
    height: int

    def resolve(self, width: int, height: int) -> Box:
        """Resolve to pixels of an image of ``width`` × ``height``."""
        if self.width > width or self.height > height:
            raise CropOutside(
                f"the crop {self} is larger than the image of {width} x {height} pixels"
            )
        return Box((width - self.width) // 2, (height - self.height) // 2, self.width, self.height)

    def __str__(self) -> str:
        return f"centre:{self.width},{self.height}"


Crop = Box | Percent | Square | Centre


def parse_crop(text: str) -> Crop:
    """Parse a crop; ``ValueError`` names the allowed forms.

    >>> str(parse_crop("pct:25,25,50,50").resolve(200, 100))
    '50,25,100,50'
    """
    word, colon, rest = text.strip().partition(":")
    if word == "square" and not colon:
        return Square()
    if word == "centre" and colon:
        return Centre(*_sizes(rest))
    if word == "pct" and colon:
        return _percent(rest)
    if not colon:
        x, y, width, height = _whole_numbers(text, 4)
        if width and height:
            return Box(x, y, width, height)
    raise ValueError(f"should be {FORM}, with w and h at least 1")


def parse_size(text: str) -> tuple[int, int]:
    """Parse ``w,h`` in pixels; ``ValueError`` if the text has another form."""
    width, height = _sizes(text)
    return width, height


def analysed_size(
    crop: Crop | None, smart_crop: tuple[int, int] | None, width: int, height: int
) -> tuple[int, int]:
    """Width and height of the analysed region of an image of ``width`` × ``height``.

    Raises :class:`~fft_tool.errors.CropOutside` if the region extends beyond the image.
    """
    if smart_crop:
        across, down = smart_crop
        if across > width or down > height:
            raise CropOutside(
                f"the smart crop {across},{down} is larger than the image of "
                f"{width} x {height} pixels"
            )
        return across, down
    if crop is None:
        return width, height
    box = crop.resolve(width, height)
    return box.width, box.height


def _sizes(text: str) -> list[int]:
    numbers = _whole_numbers(text, 2)
    if not all(numbers):
        raise ValueError("should be w,h, both at least 1 pixel")
    return numbers


def _whole_numbers(text: str, count: int) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    digits = all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts)
    if len(parts) != count or not digits:
        form = FORM if count == 4 else "w,h"
        raise ValueError(f"should be {form}, in whole pixels")
    return [int(part) for part in parts]


def _percent(text: str) -> Percent:
    try:
        x, y, width, height = (float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"should be {FORM}") from None
    if not all(map(math.isfinite, (x, y, width, height))) or min(x, y) < 0:
        raise ValueError("per cent should be finite numbers from 0 to 100")
    if width <= 0 or height <= 0 or x + width > 100 or y + height > 100:
        raise ValueError("per cent should stay within 0 to 100, with w and h above 0")
    return Percent(x, y, width, height)


def _edges(start: float, extent: float, size: int) -> tuple[int, int]:
    first = min(math.floor(start * size / 100 + 0.5), size - 1)
    last = math.floor((start + extent) * size / 100 + 0.5)
    return first, min(max(last, first + 1), size)
