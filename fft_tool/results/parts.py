"""Parts of an analysis that are computed on demand, and released when no longer needed."""

from __future__ import annotations

from typing import Literal, TypeVar

T = TypeVar("T")

Part = Literal["statistics", "channels", "sharpness", "spectrum", "measures", "pictures"]
"""Name of a part. ``statistics`` covers the grey plane, ``channels`` the other channels."""

PIXEL_PARTS: frozenset[Part] = frozenset({"statistics", "channels", "sharpness"})
"""Parts that do not need the spectrum."""


def computed(part: T | None) -> T:
    """Return a part of an analysis that must have been computed."""
    if part is None:
        raise LookupError("a part of the analysis was not computed: add it to `needs`")
    return part
