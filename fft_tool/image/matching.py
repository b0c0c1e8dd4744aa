"""Grey planes of two images, made comparable: of one depth and, if wanted, of one size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fft_tool.arrays import Plane
from fft_tool.errors import DifferentSizes
from fft_tool.parallel import map_rows, rows_per_block


@dataclass(frozen=True, slots=True)
class Pair:
    """Two planes (h, w) with levels from 0 to ``white``.

    ``fitted`` says whether at least one of them was scaled down to a common size.
    """

    first: Plane
    second: Plane
    white: int
    fitted: bool


def match(
    first: Plane,
    second: Plane,
    whites: tuple[int, int],
    *,
    fit: bool = False,
    threads: int = 1,
) -> Pair:
    """Make two planes comparable.

    >>> eight, sixteen = np.full((4, 6), 255, np.uint8), np.full((2, 3), 65535, np.uint16)
    >>> pair = match(eight, sixteen, (255, 65535), fit=True)
    >>> pair.first.shape, int(pair.first[0, 0]), pair.fitted
    ((2, 3), 65535, True)

    Levels of the lower depth are scaled to the other one's ``whites``. With ``fit``, both are
    scaled down to the smaller one of their heights and the smaller one of their widths, by Lanczos'
    filter; nothing is enlarged. Without it, planes of different shapes raise
    :class:`~fft_tool.errors.DifferentSizes`.
    """
    if first.shape != second.shape and not fit:
        raise DifferentSizes(
            f"the first image has {_size(first)} pixels, the second one {_size(second)}: "
            "crop or scale one of them, so that pixels correspond"
        )
    white = max(whites)
    height, width = (min(sides) for sides in zip(first.shape, second.shape, strict=True))
    planes = [
        _deepened(scaled_plane(plane, (height, width), own), own, white, threads)
        for plane, own in zip((first, second), whites, strict=True)
    ]
    return Pair(planes[0], planes[1], white, first.shape != second.shape)


def scaled_plane(plane: Plane, shape: tuple[int, int], white: int) -> Plane:
    """Scale a plane (h, w) to a smaller shape, by Lanczos' filter; levels stay 0 … ``white``."""
    if plane.shape == shape:
        return plane
    image = Image.fromarray(plane.astype(np.float32))
    smaller = np.asarray(image.resize(shape[::-1], Image.Resampling.LANCZOS))
    levels: Plane = np.rint(smaller).clip(0, white).astype(plane.dtype)
    return levels


def _deepened(plane: Plane, own: int, white: int, threads: int) -> Plane:
    if own == white:
        return plane
    dtype: Any = np.uint8 if white < 256 else np.uint16
    out: NDArray[Any] = np.empty(plane.shape, dtype)

    def scale(start: int, stop: int) -> None:
        out[start:stop] = np.rint(plane[start:stop] * (white / own))

    map_rows(scale, plane.shape[0], rows_per_block(8 * plane.shape[1]), threads=threads)
    return out


def _size(plane: Plane) -> str:
    return f"{plane.shape[1]:,} x {plane.shape[0]:,}"
