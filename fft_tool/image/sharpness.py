"""Sharpness: how much fine detail an image has. Sums are exact integers until the division."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Plane
from fft_tool.image.tiles import check_plane, tiles, white_of

Integers = NDArray[np.signedinteger[Any]]

# Squares of 16-bit gradients reach 2^36, and doubles are exact to 2^53: a sum of 2^17 is exact.
_FILTERED_AT_ONCE = 1 << 15
_FILTERED_COLUMNS = 1 << 11


@dataclass(frozen=True, slots=True)
class Sharpness:
    """How much fine detail an image has, with pixel values from 0 to 1.

    Attributes
    ----------
    laplacian_variance
        Variance of the 4-neighbour Laplacian.
    gradient_energy
        Mean of ``Gx² + Gy²``, with Sobel gradients in full range per pixel.
    """

    laplacian_variance: float
    gradient_energy: float

    def to_json(self) -> dict[str, float]:
        """Return the measures as plain JSON values."""
        return {
            "laplacian_variance": self.laplacian_variance,
            "gradient_energy": self.gradient_energy,
        }


def sharpness(plane: Plane, *, white: int | None = None) -> Sharpness | None:
    """Variance of the Laplacian and mean squared Sobel gradient over the interior pixels.

    >>> step = np.repeat(np.array([0, 255], np.uint8), 4)
    >>> sharpness(np.tile(step, (8, 1)))
    Sharpness(laplacian_variance=0.3333333333333333, gradient_energy=0.08333333333333333)

    ``plane`` has shape (h, w), uint8 or uint16; ``white`` is the largest value that the bit depth
    can hold, by default that of the dtype.

    With ``p = value / white`` from 0 to 1, ``n`` its northern neighbour, ``e`` its eastern
    neighbour and so on::

        L  = n + s + e + w - 4 p
        Gx = ((ne + 2 e + se) - (nw + 2 w + sw)) / 8        (Gy likewise)

    Both are equal for the 8-bit and the 16-bit version of an image, and decrease when it is
    blurred, until little is left but the rounding to whole levels. The result is None for images
    without interior pixels (smaller than 3 × 3).

    References
    ----------
    J. L. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy: a comparative study",
    ICPR 2000 (variance of the Laplacian). E. Krotkov, "Focusing", Int. J. Computer Vision 1 (1987)
    223-237 (Tenengrad; here without a threshold).
    """
    white = white_of(plane) if white is None else white
    plane = check_plane(plane, white)
    height, width = plane.shape
    if min(height, width) < 3:
        return None
    laplacian_squares = gradient_squares = 0
    for tile in tiles(plane, pixels=_FILTERED_AT_ONCE, columns=_FILTERED_COLUMNS, halo=1):
        laplacian, gradient_x, gradient_y = _filtered(tile)
        laplacian_squares += _sum_of_squares(laplacian)
        gradient_squares += _sum_of_squares(gradient_x) + _sum_of_squares(gradient_y)
    interior = (height - 2) * (width - 2)
    spread = interior * laplacian_squares - _laplacian_sum(plane) ** 2
    return Sharpness(
        laplacian_variance=spread / (interior * white) ** 2,
        gradient_energy=gradient_squares / (interior * (8 * white) ** 2),
    )


def _filtered(tile: Plane) -> tuple[Integers, Integers, Integers]:
    """Laplacian and Sobel gradients (times 8) of a tile's interior, as exact integers."""
    wide = np.int16 if tile.dtype == np.uint8 else np.int32
    pixels: Integers = tile.astype(wide)
    pairs = pixels[:, :-1] + pixels[:, 1:]
    across = pairs[:, :-1] + pairs[:, 1:]  # w + 2 p + e
    pairs = pixels[:-1] + pixels[1:]
    down = pairs[:-1] + pairs[1:]  # n + 2 p + s
    laplacian = across[1:-1] + down[:, 1:-1]
    laplacian -= pixels[1:-1, 1:-1] << 3
    return laplacian, down[:, 2:] - down[:, :-2], across[2:] - across[:-2]


def _sum_of_squares(values: Integers) -> int:
    # In double precision, because numpy has no fast dot product of integers. Row by row, because
    # longer products would start BLAS threads, which takes longer than the computation itself.
    doubles = values.astype(np.float64)
    return int(np.vecdot(doubles, doubles).sum())


def _laplacian_sum(plane: Plane) -> int:
    """Sum of the Laplacian over the interior, from border pixels: second differences telescope."""

    def total(line: Plane) -> int:
        return int(line.sum(dtype=np.int64))

    rows, columns = plane[:, 1:-1], plane.T[:, 1:-1]
    return sum(
        total(side[0]) - total(side[1]) - total(side[-2]) + total(side[-1])
        for side in (rows, columns)
    )
