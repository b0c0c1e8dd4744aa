"""Orientation and pixel size from EXIF and TIFF tags.

Tags may be wrong or forged: an invalid value is ignored, and is never a reason to reject the
image.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 274, 282, 283, 296
INCH, CENTIMETRE = 2, 3

Tags = Mapping[int, Any]
PixelSize = tuple[float, float]

_MICROMETRES = {INCH: 25_400.0, CENTIMETRE: 10_000.0}


def read_tags(data: bytes | None) -> Tags:
    """Read the tags named above from an EXIF block; empty if it is missing or damaged."""
    if not data:
        return {}
    from PIL.Image import Exif  # noqa: PLC0415  (few images have EXIF data)

    exif = Exif()
    wanted = ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT
    with warnings.catch_warnings(), suppress(Exception):
        warnings.simplefilter("ignore")
        exif.load(data)
        return {tag: exif[tag] for tag in wanted if tag in exif}
    return {}


def orientation_of(tags: Tags) -> int:
    """Orientation, 1 to 8; 1 (upright) if the tags do not state a valid one."""
    value = tags.get(ORIENTATION, 1)
    return int(value) if isinstance(value, int | float) and value in range(1, 9) else 1


def pixel_size_of(tags: Tags) -> PixelSize | None:
    """Pixel size (x, y) in micrometres; None if the tags do not state it."""
    unit = tags.get(RESOLUTION_UNIT, INCH)
    return pixel_size(tags.get(X_RESOLUTION), tags.get(Y_RESOLUTION), unit)


def pixel_size(x: Any, y: Any, unit: Any) -> PixelSize | None:
    """Pixel size in micrometres from pixels per inch or centimetre; None if these are invalid."""
    with suppress(TypeError, ValueError, ZeroDivisionError, OverflowError, KeyError):
        size = _MICROMETRES[unit] / float(x), _MICROMETRES[unit] / float(y)
        if all(0 < side < math.inf for side in size):
            return size
    return None
