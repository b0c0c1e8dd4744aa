"""Two perceptually uniform colour maps: a sequential one for magnitude, a cyclic one for phase.

Both are curves in OKLab, a perceptually uniform colour space, sampled in equal steps, so that they
neither hide structure nor suggest any. Both curves lie inside the sRGB gamut: no colour is clipped.

Reference: B. Ottosson, "A perceptual color space for image processing", 2020,
https://bottosson.github.io/posts/oklab/.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.parallel import map_rows, rows_per_block

Table = NDArray[np.uint8]
Colours = NDArray[np.floating[Any]]

SIZE = 256
"""Number of colours in a table."""

LINEAR_TO_CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
"""Ottosson's M1: linear sRGB to cone responses (LMS)."""

CONES_TO_OKLAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
"""Ottosson's M2: cube roots of the cone responses to lightness, green-red and blue-yellow."""

SEQUENTIAL = (
    (0.11, 0.030, 280.0),
    (0.31, 0.180, 281.0),
    (0.46, 0.270, 297.0),
    (0.58, 0.340, 352.0),
    (0.69, 0.280, 35.0),
    (0.74, 0.230, 92.0),
    (0.98, 0.045, 105.0),
)
"""Bézier control points (lightness, chroma, hue in degrees): indigo, violet, orange, yellow."""

CYCLIC_LIGHTNESS = 0.74
CYCLIC_CENTRE = (0.015, 0.0075)
CYCLIC_RADIUS = 0.139
"""Nearly the largest circle inside the gamut at this lightness."""

CYCLIC_START = 209.0
"""Hue of phase -π in degrees, a cyan; phase 0 then has the red at 29 degrees."""


@functools.cache
def sequential() -> Table:
    """Colours for magnitude: from near black through indigo, violet and orange to pale yellow.

    Lightness increases strictly, so the map remains readable in greyscale.

    Returns
    -------
    ndarray
        sRGB colours of shape ``(256, 3)``, read-only.
    """
    return _table(_sequential_curve())


@functools.cache
def cyclic() -> Table:
    """Colours for phase: a circle of hues at constant lightness.

    The first colour, for -π, equals the last, for +π. Hues run from cyan at -π through violet at
    -π/2, red at 0 and ochre at π/2.

    Returns
    -------
    ndarray
        sRGB colours of shape ``(256, 3)``, read-only.
    """
    return _table(_cyclic_curve())


def colourise(picture: NDArray[np.uint8], table: Table, *, threads: int = 1) -> NDArray[np.uint8]:
    """Apply a colour table to a grey picture, shape ``(h, w)``; returns shape ``(h, w, 3)``."""
    if picture.ndim != 2 or picture.dtype != np.uint8:
        raise ValueError(f"expected a 2-D uint8 picture, got {picture.dtype} {picture.shape}")
    coloured = np.empty((*picture.shape, 3), dtype=np.uint8)

    def block(start: int, stop: int) -> None:
        # With a mode other than "raise", take writes directly to ``out``: four times as fast.
        np.take(table, picture[start:stop], axis=0, out=coloured[start:stop], mode="clip")

    # Indexing converts each pixel to an eight-byte index, hence the blocks.
    rows = rows_per_block(8 * picture.shape[1])
    map_rows(block, picture.shape[0], rows, threads=threads)
    return coloured


def oklab_to_linear(colours: Colours) -> Colours:
    """Convert OKLab colours ``(n, 3)`` to linear sRGB, from 0 to 1 inside the gamut."""
    cones = np.power(np.linalg.solve(np.array(CONES_TO_OKLAB), colours.T), 3)
    return np.linalg.solve(np.array(LINEAR_TO_CONES), cones).T


def _sequential_curve() -> Colours:
    controls = np.array(
        [(lightness, *_polar(chroma, math.radians(hue))) for lightness, chroma, hue in SEQUENTIAL]
    )
    fine = _bezier(controls, np.linspace(0.0, 1.0, 16 * SIZE))
    lengths = np.linalg.norm(np.diff(fine, axis=0), axis=1)
    travelled = np.concatenate([[0.0], np.cumsum(lengths)])
    even = np.linspace(0.0, travelled[-1], SIZE)
    return np.stack([np.interp(even, travelled, each) for each in fine.T], axis=1)


def _cyclic_curve() -> Colours:
    # In a phase picture, -π has the value 0 and +π has 255; both get the same colour.
    hues = np.radians(CYCLIC_START + np.linspace(0.0, 360.0, SIZE))
    a, b = _polar(CYCLIC_RADIUS, hues)
    lightness = np.full(SIZE, CYCLIC_LIGHTNESS)
    return np.stack([lightness, CYCLIC_CENTRE[0] + a, CYCLIC_CENTRE[1] + b], axis=1)


def _polar(radius: float, angle: Any) -> tuple[Any, Any]:
    return radius * np.cos(angle), radius * np.sin(angle)


def _bezier(controls: Colours, parameter: Colours) -> Colours:
    """Evaluate a Bézier curve with Bernstein polynomials."""
    degree = len(controls) - 1
    weights = [
        math.comb(degree, i) * parameter**i * (1.0 - parameter) ** (degree - i)
        for i in range(degree + 1)
    ]
    curve: Colours = np.stack(weights, axis=1) @ controls
    return curve


def _table(curve: Colours) -> Table:
    linear = oklab_to_linear(curve)
    # The transfer function of IEC 61966-2-1, sRGB.
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    table = np.rint(255.0 * encoded).astype(np.uint8)
    table.setflags(write=False)
    return table
