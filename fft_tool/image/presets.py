"""Presets: the named sizes of copies of an image for display."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

FORM = "thumb=100x100 card=400x400 zoom=1200"
"""Presets as a setting: names, each with the box that it fits or its longest side, in pixels."""

_PRESET = re.compile(r"([a-z][a-z0-9_-]{0,31})=(\d{1,5})(?:x(\d{1,5}))?", re.ASCII)
_LARGEST = 16_383  # pixels on a side: what every format of pictures can hold


@dataclass(frozen=True, slots=True)
class Preset:
    """A name, and the box of ``width`` × ``height`` pixels that a rendition fits into."""

    name: str
    width: int
    height: int

    def size_of(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the rendition of an upright image, whose aspect is kept.

        >>> Preset("thumb", 100, 100).size_of(3000, 2000)
        (100, 67)

        An image that fits is not enlarged, and no side is shorter than one pixel. The sizes are
        those of Pillow's ``thumbnail``: one side fills the box, the other one is the whole number
        whose aspect is nearest to that of the image.
        """
        if width <= self.width and height <= self.height:
            return width, height
        aspect = width / height
        wide, high = self.width, self.height
        if wide / high >= aspect:
            return _nearest(high * aspect, lambda n: abs(aspect - n / high)), high
        return wide, _nearest(wide / aspect, lambda n: abs(aspect - wide / n) if n else 0.0)

    def __str__(self) -> str:
        return f"{self.name}={self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class Rendition:
    """A copy of an image for display: its preset, format, size in pixels, and bytes."""

    preset: str
    format: str
    width: int
    height: int
    data: bytes = field(repr=False)


def parse_presets(text: str) -> tuple[Preset, ...]:
    """Parse presets written like :data:`FORM`; ``ValueError`` says what is allowed.

    >>> [str(preset) for preset in parse_presets("thumb=100x80 zoom=1200")]
    ['thumb=100x80', 'zoom=1200x1200']
    """
    words = text.replace(",", " ").split()
    found = [_PRESET.fullmatch(word) for word in words]
    wrong = [word for word, match in zip(words, found, strict=True) if not match]
    if wrong or not found:
        what = f"{wrong[0]!r}: " if wrong else ""
        raise ValueError(f"{what}should be names with sizes in pixels, such as {FORM}")
    presets = [_preset(match) for match in found if match]
    names = [preset.name for preset in presets]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ValueError(f"{twice} is given twice: every preset should have a name of its own")
    return tuple(presets)


def _preset(match: re.Match[str]) -> Preset:
    name, width, height = match[1], int(match[2]), int(match[3] or match[2])
    if not (1 <= width <= _LARGEST and 1 <= height <= _LARGEST):
        raise ValueError(f"{match[0]!r}: sides should be from 1 to {_LARGEST:,} pixels")
    return Preset(name, width, height)


def _nearest(exact: float, distance: Callable[[int], float]) -> int:
    """Whole number beside ``exact`` whose distance is smallest, at least 1."""
    return max(1, min(math.floor(exact), math.ceil(exact), key=distance))
