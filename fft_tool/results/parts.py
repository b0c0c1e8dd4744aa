"""Parts of an analysis that are computed on demand, and let go when nothing needs them."""

from __future__ import annotations

from typing import Literal, TypeVar

T = TypeVar("T")

Part = Literal["statistics", "channels", "sharpness", "spectrum", "measures", "pictures"]
"""Name of a part: ``statistics`` are those of the grey plane, ``channels`` those of the others."""

PIXEL_PARTS: frozenset[Part] = frozenset({"statistics", "channels", "sharpness"})
"""What can be computed without the spectrum."""


def computed(part: T | None) -> T:
    """Give a part of an analysis that must be there."""
    if part is None:
        raise LookupError("a part of the analysis is missing: what is made of it must say so")
    return part
