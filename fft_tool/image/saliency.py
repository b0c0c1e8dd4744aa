"""Where to look: smart crop by the phase spectrum of the quaternion Fourier transform.

The amplitudes of a spectrum hold what repeats all over an image, its phases where something stands
out: the inverse transform of the phases alone is large where the image is unlike the rest of
itself. A colour image is transformed as a whole, as one quaternion a pixel made of luma and two
opponent colours, at several scales. Faces are what people look for first, and a spectrum does not
know them: colours of skin add to the map.

References: C. Guo, Q. Ma and L. Zhang, "Spatio-temporal saliency detection using phase spectrum of
quaternion Fourier transform", CVPR 2008; X. Hou and L. Zhang, "Saliency detection: a spectral
residual approach", CVPR 2007, for the scale of the smoothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from fft_tool.arrays import Doubles, Plane, check_array, check_levels, check_unsigned

LONGEST_SIDE = 128
"""Most cells along the longer side of a saliency map."""

SCALES = (1, 2, 4, 8)
"""Sizes of the structure that is looked for, in cells."""

BAND = 0.4
"""Standard deviation in cycles per cell of the low-pass for structure of one cell."""

SMOOTHING = 2.5 / 64
"""Standard deviation of the smoothing, as a part of the longer side: 2.5 cells in 64."""

NOISE_FLOOR = 0.1
"""Amplitudes well below this part of the root mean square count as noise."""

FRINGE = 0.25
"""Width of the fringe around the cells, as a part of the longer side."""

SKIN = 2.0
"""Weight of skin colours beside the most salient structure."""

SKIN_CHROMA = ((-0.078, 0.055), (0.094, 0.047))
"""Mean and standard deviation of skin's blue and red differences (BT.601, white = 1)."""

SKIN_LUMA = (0.16, 0.39)
"""Luma below which a colour is too dark to pass for skin, and from which it counts in full."""

CENTRE = 0.5, 0.7
"""Weight that is lost far from the centre, and the standard deviation of the fall in half sides."""

TIE = 1e-6
"""Windows whose saliency differs by less than this part hold the same."""


def saliency_map(image: Plane) -> NDArray[np.float32]:
    """Saliency of an image, by the phases of its spectrum, on a coarse grid of cells.

    >>> grey = np.zeros((64, 96), np.uint8)
    >>> grey[20:28, 40:48] = 200
    >>> saliency = saliency_map(grey)
    >>> row, column = np.unravel_index(saliency.argmax(), saliency.shape)
    >>> bool(18 <= row < 30), bool(38 <= column < 50)
    (True, True)

    The image is averaged over square cells, as many pixels wide as it takes for the longer side to
    have at most 128 cells (65 to 128 of them if it has that many pixels); the last row and column
    of cells may be cut short by the image's border. Of each cell's colour, luma ``Y`` and the
    opponent colours ``R - G`` and ``(R + G) / 2 - B`` are taken; of a grey image, its levels. With
    ``F`` their DFTs, ``A² = Σ|F|²`` the squared modulus of the quaternion transform and ``e`` a
    tenth of the root mean square of ``A``, ::

        S = sqrt(gauss * Σ|IDFT(B F / (A + e))|²)

    where ``B`` is a Gaussian low-pass for structure of one, two, four or eight cells. The map is
    the mean of the four ``S``, each scaled to a maximum of 1, plus twice the likeness to skin of
    the cells' colours, between 0 and 1 and smoothed alike.

    Before the DFT the outermost cells are continued outwards by a quarter of the longer side and
    faded to the mean there, so that the jump between opposite borders, which no object makes, does
    not win; unlike a window this leaves objects at the border as they are. ``e`` keeps frequencies
    where there is nothing but rounding from being raised to the rest. The Gaussian's standard
    deviation is 2.5 / 64 of the longer side. Brightness and contrast of a grey image do not change
    the result.

    Parameters
    ----------
    image
        Grey image of shape ``(h, w)`` or colour image of shape ``(h, w, 3)``, 8- or 16-bit.

    Returns
    -------
    ndarray
        One value per cell, from 0 to 1, the greatest exactly 1; all zero if the image is constant.
    """
    planes = _planes_of(image)
    return _saliency(_cells_of(planes, _cell_size(planes[0].shape)))


def salient_box(image: Plane, width: int, height: int) -> tuple[int, int, int, int]:
    """Position of the window of ``width`` by ``height`` pixels that holds the most saliency.

    >>> grey = np.zeros((64, 96), np.uint8)
    >>> grey[20:28, 40:48] = 200
    >>> x, y, width, height = salient_box(grey, 24, 16)
    >>> x <= 40, y <= 20, x + width >= 48, y + height >= 28
    (True, True, True, True)

    Subjects are seldom at the border: a cell's saliency counts in full at the image's centre and
    half as much far away from it, falling like a Gaussian whose standard deviation is 0.7 of half a
    side. It is taken as constant within each cell of `saliency_map`, so that the window's
    sum is linear between the places where one of its sides passes a border of cells: the optimum is
    among these places, and all of them are tried. Of windows that hold the same, the one nearest to
    the image's centre is taken; a constant image gives the centred window.

    Parameters
    ----------
    image
        Grey image of shape ``(h, w)`` or colour image of shape ``(h, w, 3)``, 8- or 16-bit.
    width, height
        Size of the window in pixels, ``1 <= width <= w`` and ``1 <= height <= h``.

    Returns
    -------
    tuple
        ``(x, y, width, height)`` with ``(x, y)`` the window's upper left pixel.
    """
    planes = _planes_of(image)
    return salient_box_of(planes, planes[0].shape, width, height)


def salient_box_of(
    planes: Iterable[Plane], shape: tuple[int, ...], width: int, height: int
) -> tuple[int, int, int, int]:
    """`salient_box` of one grey plane, or of red, green and blue, each of ``shape`` (h, w).

    The planes are read one after the other, so that not all of them have to be in memory.
    """
    return box_of_map(saliency_map_of(planes, shape), shape, width, height)


def saliency_map_of(planes: Iterable[Plane], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """`saliency_map` of one grey plane, or of red, green and blue, each of ``shape`` (h, w)."""
    return _saliency(_cells_of(planes, _cell_size(shape)))


def box_of_map(
    saliency: NDArray[np.float32], shape: tuple[int, ...], width: int, height: int
) -> tuple[int, int, int, int]:
    """`salient_box` in a map that `saliency_map` has made of an image of ``shape`` (h, w)."""
    size = _cell_size(shape)
    lefts = _places(shape[1], width, size)
    tops = _places(shape[0], height, size)
    across = _overlaps(lefts, width, shape[1], size)
    down = _overlaps(tops, height, shape[0], size)
    held = down @ (saliency.astype(np.float64) * _centre_weights(shape, size)) @ across.T
    off_centre = np.add.outer(
        (2 * tops + height - shape[0]) ** 2, (2 * lefts + width - shape[1]) ** 2
    ).astype(np.float64)
    off_centre[held < held.max() * (1.0 - TIE)] = np.inf
    row, column = np.unravel_index(np.argmin(off_centre), off_centre.shape)
    return int(lefts[column]), int(tops[row]), width, height


def spread(saliency: NDArray[np.float32], shape: tuple[int, ...], side: int) -> Doubles:
    """Interpolate a map between the middles of its cells, for a picture over the whole image.

    >>> spread(np.array([[0, 1]], np.float32), (64, 128), 4).tolist()
    [[0.0, 0.25, 0.75, 1.0], [0.0, 0.25, 0.75, 1.0]]

    ``shape`` (h, w) is that of the image; the longer side of what is returned has ``side`` values,
    which lie evenly over the image, and the other one as many as keep the aspect.
    """
    size, longest = _cell_size(shape), max(shape[:2])
    wanted = [max(1, round(side * length / longest)) for length in shape[:2]]
    values = saliency.astype(np.float64)
    for axis, (length, count) in enumerate(zip(shape, wanted, strict=False)):
        borders = np.append(np.arange(0, length, size), length)
        middles = (borders[:-1] + borders[1:]) / 2
        places = (np.arange(count) + 0.5) * length / count
        lines = np.moveaxis(values, axis, -1)
        found = np.stack([np.interp(places, middles, line) for line in lines])
        values = np.moveaxis(found, -1, axis)
    return values


def _planes_of(image: Any) -> list[Plane]:
    array = check_array(image)
    if array.ndim == 3 and array.shape[2] == 3:
        array = check_unsigned(array)
        return [array[:, :, channel] for channel in range(3)]
    return [check_levels(array)]


def _saliency(cells: Doubles) -> NDArray[np.float32]:
    """Saliency of cells of shape (planes, h, w), the greatest 1; zero if they are all equal."""
    total = np.zeros(cells.shape[1:])
    if not np.ptp(cells, axis=(1, 2)).any():
        return total.astype(np.float32)
    sigma = SMOOTHING * max(total.shape)
    for energy in _phase_energies(_opponents(cells)):
        amplitude = np.sqrt(_smoothed(energy, sigma))
        total += amplitude / (amplitude.max() * len(SCALES))
    if len(cells) == 3:
        total += SKIN * _smoothed(_skin(cells), sigma)
    normalised: NDArray[np.float32] = (total / total.max()).astype(np.float32)
    return normalised


def _cell_size(shape: tuple[int, ...]) -> int:
    return -(-max(shape) // LONGEST_SIDE)


def _cells_of(planes: Iterable[Plane], size: int) -> Doubles:
    return np.stack([_cell_means(plane, size) for plane in planes])


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


def _opponents(cells: Doubles) -> Doubles:
    """Luma and two opponent colours of red, green and blue cells; of grey ones, themselves."""
    if len(cells) == 1:
        return cells
    red, green, blue = cells
    return np.stack([_luma(cells), red - green, (red + green) / 2 - blue])


def _luma(cells: Doubles) -> Doubles:
    luma: Doubles = 0.299 * cells[0] + 0.587 * cells[1] + 0.114 * cells[2]
    return luma


def _skin(cells: Doubles) -> Doubles:
    """How like skin each cell's colour is, 0 to 1: a Gaussian over chroma, none in the dark."""
    luma = _luma(cells)
    differences = 0.564 * (cells[2] - luma), 0.713 * (cells[0] - luma)
    apart = sum(
        np.square((difference - mean) / deviation)
        for difference, (mean, deviation) in zip(differences, SKIN_CHROMA, strict=True)
    )
    dark, bright = SKIN_LUMA
    skin: Doubles = np.exp(-0.5 * apart) * np.clip((luma - dark) / (bright - dark), 0.0, 1.0)
    return skin


def _phase_energies(planes: Doubles) -> Iterator[Doubles]:
    """Sum over the planes of the squared inverse transforms of their phases, at each scale."""
    fringe = math.ceil(FRINGE * max(planes.shape[1:]))
    prepared = np.stack([_fringed(plane - plane.mean(), fringe) for plane in planes])
    spectra = np.fft.fft2(prepared)
    modulus = np.sqrt(np.square(np.abs(spectra)).sum(axis=0))
    modulus += NOISE_FLOOR * np.sqrt(np.mean(np.square(modulus)))
    radius2 = np.add.outer(*(np.square(np.fft.fftfreq(side)) for side in modulus.shape))
    for scale in SCALES:
        band = np.exp(-0.5 * radius2 * (scale / BAND) ** 2)
        energy = np.square(np.fft.ifft2(spectra * (band / modulus)).real).sum(axis=0)
        yield energy[fringe:-fringe, fringe:-fringe]


def _fringed(cells: Doubles, fringe: int) -> Doubles:
    """Continue the outermost cells by ``fringe`` on every side, fading to zero like a cosine."""
    fade = 0.5 - 0.5 * np.cos(np.pi * (np.arange(fringe) + 0.5) / fringe)
    down, across = (np.concatenate([fade, np.ones(side), fade[::-1]]) for side in cells.shape)
    faded: Doubles = np.pad(cells, fringe, mode="edge") * np.outer(down, across)
    return faded


def _smoothed(cells: Doubles, sigma: float) -> Doubles:
    """Convolve with a Gaussian cut off at four ``sigma``, the cells continued by reflection."""
    reach = max(1, round(4.0 * sigma))
    kernel = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) / sigma))
    kernel /= kernel.sum()
    for axis in (0, 1):
        margins = [(reach, reach) if each == axis else (0, 0) for each in (0, 1)]
        reflected = np.pad(cells, margins, mode="symmetric")
        cells = sliding_window_view(reflected, kernel.size, axis) @ kernel
    return cells


def _centre_weights(shape: tuple[int, ...], size: int) -> Doubles:
    """Weight of each cell for its distance from the image's centre."""
    loss, deviation = CENTRE
    sides = []
    for length in shape[:2]:
        middles = np.arange(0, length, size) + size / 2
        sides.append(np.square((2 * middles / length - 1) / deviation))
    return 1 - loss + loss * np.exp(-0.5 * np.add.outer(*sides))


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
