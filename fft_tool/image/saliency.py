"""Where to look: smart crop by the spectral residual.

What most of an image has in common shows as the smooth trend of its log amplitude spectrum; what
is left when the trend is taken away, put back with the original phase, lights up where the image
is unlike the rest of itself.

Reference: X. Hou and L. Zhang, "Saliency Detection: A Spectral Residual Approach", CVPR 2007.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from fft_tool.arrays import Doubles, Plane, check_levels

LONGEST_SIDE = 128
"""Most cells along the longer side of a saliency map."""

SMOOTHING = 2.5 / 64
"""Standard deviation of the final smoothing, as a part of the longer side: 2.5 cells in 64."""

NOISE_FLOOR = 0.01
"""Amplitudes well below this part of the root mean square count as noise."""

FRINGE = 0.25
"""Width of the fringe around the cells, as a part of the longer side."""

TIE = 1e-6
"""Windows whose saliency differs by less than this part hold the same."""


def saliency_map(plane: Plane) -> NDArray[np.float32]:
    """Saliency of an image, by spectral residual, on a coarse grid of cells.

    >>> grey = np.zeros((64, 96), np.uint8)
    >>> grey[20:28, 40:48] = 200
    >>> saliency = saliency_map(grey)
    >>> row, column = np.unravel_index(saliency.argmax(), saliency.shape)
    >>> bool(18 <= row < 30), bool(38 <= column < 50)
    (True, True)

    The image is averaged over square cells, as many pixels wide as it takes for the longer side to
    have at most 128 cells (65 to 128 of them if it has that many pixels); the last row and column
    of cells may be cut short by the image's border. With ``F`` the DFT of the cells' deviation
    from their mean, ``A = |F|`` and ``e`` a hundredth of its root mean square, ::

        R = log(A + e) - mean3x3(log(A + e))
        S = gauss * |IDFT(exp(R) F / (A + e))|²

    Before the DFT the outermost cells are continued outwards by a quarter of the longer side and
    faded to the mean there, so that the jump between opposite borders, which no object makes, does
    not win; unlike a window this leaves objects at the border as they are. ``e`` keeps frequencies
    where there is nothing but rounding from being raised to the rest. The Gaussian's standard
    deviation is 2.5 / 64 of the longer side. Brightness and contrast do not change the result.

    Parameters
    ----------
    plane
        Grey image, 8- or 16-bit, of shape ``(h, w)``.

    Returns
    -------
    ndarray
        One value per cell, from 0 to 1, the greatest exactly 1; all zero if the cells are equal.
    """
    plane = check_levels(plane)
    cells = _cell_means(plane, _cell_size(plane.shape))
    if np.ptp(cells) == 0.0:
        return np.zeros(cells.shape, dtype=np.float32)
    longest = max(cells.shape)
    fringe = math.ceil(FRINGE * longest)
    energy = _residual_energy(_fringed(cells - cells.mean(), fringe))
    saliency = _smoothed(energy[fringe:-fringe, fringe:-fringe], SMOOTHING * longest)
    normalised: NDArray[np.float32] = (saliency / saliency.max()).astype(np.float32)
    return normalised


def salient_box(plane: Plane, width: int, height: int) -> tuple[int, int, int, int]:
    """Position of the window of ``width`` by ``height`` pixels that holds the most saliency.

    Saliency is taken as constant within each cell of `saliency_map`, so that the window's sum is
    linear between the places where one of its sides passes a border of cells: the optimum is among
    these places, and all of them are tried. Of windows that hold the same, the one nearest to the
    image's centre is taken; a constant image gives the centred window.

    Parameters
    ----------
    plane
        Grey image, 8- or 16-bit, of shape ``(h, w)``.
    width, height
        Size of the window in pixels, ``1 <= width <= w`` and ``1 <= height <= h``.

    Returns
    -------
    tuple
        ``(x, y, width, height)`` with ``(x, y)`` the window's upper left pixel.
    """
    size = _cell_size(plane.shape)
    lefts = _places(plane.shape[1], width, size)
    tops = _places(plane.shape[0], height, size)
    across = _overlaps(lefts, width, plane.shape[1], size)
    down = _overlaps(tops, height, plane.shape[0], size)
    held = down @ saliency_map(plane).astype(np.float64) @ across.T
    off_centre = np.add.outer(
        (2 * tops + height - plane.shape[0]) ** 2, (2 * lefts + width - plane.shape[1]) ** 2
    ).astype(np.float64)
    off_centre[held < held.max() * (1.0 - TIE)] = np.inf
    row, column = np.unravel_index(np.argmin(off_centre), off_centre.shape)
    return int(lefts[column]), int(tops[row]), width, height


def _cell_size(shape: tuple[int, ...]) -> int:
    return -(-max(shape) // LONGEST_SIDE)


def _cell_means(plane: Plane, size: int) -> Doubles:
    """Means over cells of ``size`` by ``size`` pixels, one row of cells at a time."""
    height, width = plane.shape
    lefts = np.arange(0, width, size)
    # Integer sums over the dtype's full scale: an 8-bit image and the same times 257 in 16 bits
    # give equal quotients, hence the very same floats.
    full_scale = np.diff(lefts, append=width) * float(np.iinfo(plane.dtype).max)
    means = np.empty((-(-height // size), lefts.size))
    for row, top in enumerate(range(0, height, size)):
        strip = plane[top : top + size]
        # 32 bits hold the sum of 65 537 rows of 16-bit pixels, and no cell is that high.
        sums = np.add.reduceat(strip.sum(axis=0, dtype=np.uint32), lefts, dtype=np.uint64)
        means[row] = sums / (full_scale * strip.shape[0])
    return means


def _fringed(cells: Doubles, fringe: int) -> Doubles:
    """Continue the outermost cells by ``fringe`` on every side, fading to zero like a cosine."""
    fade = 0.5 - 0.5 * np.cos(np.pi * (np.arange(fringe) + 0.5) / fringe)
    down, across = (np.concatenate([fade, np.ones(side), fade[::-1]]) for side in cells.shape)
    faded: Doubles = np.pad(cells, fringe, mode="edge") * np.outer(down, across)
    return faded


def _residual_energy(cells: Doubles) -> Doubles:
    """Squared inverse transform of the spectral residual with the original phase."""
    spectrum = np.fft.fft2(cells)
    amplitude = np.abs(spectrum)
    amplitude += NOISE_FLOOR * np.sqrt(np.mean(np.square(amplitude)))
    log_amplitude = np.log(amplitude)
    residual = log_amplitude - _box_mean(log_amplitude)
    return np.square(np.fft.ifft2(np.exp(residual) * spectrum / amplitude).real)


def _box_mean(values: Doubles) -> Doubles:
    """Mean over the 3x3 neighbours, the array continued periodically, as a spectrum is."""
    for axis in (0, 1):
        values = (np.roll(values, -1, axis) + values + np.roll(values, 1, axis)) / 3.0
    return values


def _smoothed(cells: Doubles, sigma: float) -> Doubles:
    """Convolve with a Gaussian cut off at four ``sigma``, the cells continued by reflection."""
    reach = round(4.0 * sigma)
    kernel = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) / sigma))
    kernel /= kernel.sum()
    for axis in (0, 1):
        margins = [(reach, reach) if each == axis else (0, 0) for each in (0, 1)]
        reflected = np.pad(cells, margins, mode="symmetric")
        cells = sliding_window_view(reflected, kernel.size, axis) @ kernel
    return cells


def _places(length: int, window: int, size: int) -> NDArray[np.int64]:
    """List where a window may start: one of its sides on a cell border, or centred."""
    borders = np.append(np.arange(0, length, size, dtype=np.int64), length)
    starts = np.concatenate([borders, borders - window, [(length - window) // 2]])
    return np.unique(starts[(starts >= 0) & (starts <= length - window)])


def _overlaps(starts: NDArray[np.int64], window: int, length: int, size: int) -> Doubles:
    """Pixels that each window (rows) shares with each cell (columns), along one axis."""
    borders = np.append(np.arange(0, length, size), length)
    begin = np.maximum.outer(starts, borders[:-1])
    end = np.minimum.outer(starts + window, borders[1:])
    shared: Doubles = np.maximum(end - begin, 0).astype(np.float64)
    return shared
