"""Tiles of a grey plane."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fft_tool.arrays import Plane, check_levels


def check_plane(plane: Plane, white: int) -> Plane:
    """Return a plane (h, w) of 8- or 16-bit pixels ``0 … white``; raise an error otherwise."""
    plane = check_levels(plane)
    if not 1 <= white <= np.iinfo(plane.dtype).max:
        raise ValueError(f"white={white}, should be 1 … {np.iinfo(plane.dtype).max}")
    return plane


def white_of(plane: Plane) -> int:
    """Largest value that the plane's dtype can hold."""
    return int(np.iinfo(check_levels(plane).dtype).max)


def tiles(plane: Plane, *, pixels: int, columns: int, halo: int = 0) -> Iterator[Plane]:
    """Yield views whose interiors, of at most ``pixels`` pixels each, tile the plane's interior.

    The interior excludes ``halo`` pixels on each side.
    """
    height, width = plane.shape
    columns = min(columns, width)
    rows = pixels // columns
    for top in range(0, height - 2 * halo, rows):
        for left in range(0, width - 2 * halo, columns):
            yield plane[top : top + rows + 2 * halo, left : left + columns + 2 * halo]
