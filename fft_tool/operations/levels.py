"""Levels of pixels: tables, luma, sepia and equalisation, in blocks of rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fft_tool.arrays import Doubles, FloatArray, Pixels, Plane
from fft_tool.image.grey import COLOURS, grey_plane
from fft_tool.operations.operation import Layout
from fft_tool.parallel import map_rows, rows_per_block

_TIE = 1e-6  # of a level, far above the rounding errors of a curve

SEPIA = ((0.393, 0.769, 0.189), (0.349, 0.686, 0.168), (0.272, 0.534, 0.131))


def colours_of(pixels: Pixels) -> int:
    """Return the number of channels (h, w, channels) without alpha."""
    return 1 if pixels.shape[2] < 3 else 3


def has_alpha(pixels: Pixels) -> bool:
    """Whether the last of the channels (h, w, channels) is alpha."""
    return pixels.shape[2] in (2, 4)


def layout_of(pixels: Pixels) -> Layout:
    """Layout of decoded pixels (h, w, channels)."""
    height, width, channels = pixels.shape
    return Layout(height, width, channels, pixels.itemsize)


def to_real(pixels: Pixels) -> FloatArray:
    """Return levels as real numbers: errors stay far below half a level of 8 or 16 bits."""
    return pixels.astype(np.float32 if pixels.dtype == np.uint8 else np.float64)


def to_levels(values: FloatArray, white: int, out: Pixels) -> None:
    """Round values, which are overwritten, to levels from 0 to ``white``."""
    np.rint(values, out=values)
    np.clip(values, 0, white, out=values)
    out[...] = values


def map_levels(
    pixels: Pixels, white: int, curve: Callable[[Doubles], Doubles], *, threads: int = 1
) -> Pixels:
    """Map every sample but those of alpha by a curve on levels from 0 to 1."""
    top = int(np.iinfo(pixels.dtype).max)
    levels = np.minimum(np.arange(top + 1), white) / white
    return look_up(pixels, _table(curve(levels) * white, white, pixels), threads=threads)


def look_up(pixels: Pixels, table: Plane, *, threads: int = 1) -> Pixels:
    """Replace every sample but those of alpha by its entry in a table of all levels."""
    result = np.empty_like(pixels, order="C")

    def block(start: int, stop: int) -> None:
        rows = pixels[start:stop]
        np.take(table, rows, out=result[start:stop], mode="clip")
        if has_alpha(pixels):
            result[start:stop, :, -1] = rows[:, :, -1]

    _map_pixels(block, pixels, threads)
    return result


def luma(pixels: Pixels, white: int, *, threads: int = 1) -> Plane:
    """Luma (h, w) of RGB and RGBA pixels, or the grey channel; alpha does not matter."""
    if colours_of(pixels) == 1:
        return pixels[:, :, 0]
    return grey_plane(pixels[:, :, :3], COLOURS, white=white, threads=threads)


def grayscale(pixels: Pixels, white: int, *, threads: int = 1) -> Pixels:
    """Replace the colours by their luma."""
    if colours_of(pixels) == 1:
        return pixels.copy()
    plane = luma(pixels, white, threads=threads)[:, :, None]
    return np.concatenate([plane, pixels[:, :, 3:]], axis=2)


def sepia(pixels: Pixels, white: int, *, threads: int = 1) -> Pixels:
    """Multiply the colours by :data:`SEPIA`; grey becomes RGB."""
    height, width = pixels.shape[:2]
    colours = colours_of(pixels)
    result = np.empty((height, width, 3 + has_alpha(pixels)), pixels.dtype)

    def block(start: int, stop: int) -> None:
        rows = pixels[start:stop]
        planes = [to_real(rows[:, :, index]) for index in range(colours)]
        for index, weights in enumerate(SEPIA):
            total = planes[0] * (weights[0] if colours == 3 else sum(weights))
            for plane, weight in zip(planes[1:], weights[1:], strict=False):
                total += plane * weight
            to_levels(total, white, result[start:stop, :, index])
        result[start:stop, :, 3:] = rows[:, :, colours:]

    _map_pixels(block, pixels, threads)
    return result


def equalise(pixels: Pixels, white: int, *, threads: int = 1) -> Pixels:
    """Equalise the histogram of the luma; colours move with it."""
    plane = luma(pixels, white, threads=threads)
    table = _equalising(_histogram(plane, pixels, threads), white, pixels)
    if colours_of(pixels) == 1:
        return look_up(pixels, table, threads=threads)
    steps = table.astype(np.int32) - np.arange(table.size, dtype=np.int32)
    result = np.empty_like(pixels, order="C")

    def block(start: int, stop: int) -> None:
        rows = pixels[start:stop]
        moved = rows[:, :, :3] + np.take(steps, plane[start:stop])[:, :, None]
        np.clip(moved, 0, white, out=moved)
        result[start:stop, :, :3] = moved
        result[start:stop, :, 3:] = rows[:, :, 3:]

    _map_pixels(block, pixels, threads)
    return result


def _histogram(plane: Plane, pixels: Pixels, threads: int) -> np.ndarray:
    """Count the levels of a plane, without those of transparent pixels."""
    size = int(np.iinfo(plane.dtype).max) + 1

    def block(start: int, stop: int) -> np.ndarray:
        rows = plane[start:stop]
        seen = rows[pixels[start:stop, :, -1] > 0] if has_alpha(pixels) else rows.ravel()
        return np.bincount(seen, minlength=size)

    rows = rows_per_block(8 * plane.shape[1])
    return np.asarray(np.sum(map_rows(block, plane.shape[0], rows, threads=threads), axis=0))


def _equalising(counts: np.ndarray, white: int, pixels: Pixels) -> Plane:
    """Build the table that spreads the levels of a histogram."""
    occupied = np.flatnonzero(counts)
    if occupied.size < 2:
        return np.arange(counts.size, dtype=pixels.dtype)
    below = np.cumsum(counts)
    darkest = int(counts[occupied[0]])
    return _table((below - darkest) * (white / (int(below[-1]) - darkest)), white, pixels)


def _table(values: Doubles, white: int, pixels: Pixels) -> Plane:
    """Round to levels from 0 to ``white``, half way upwards.

    Rounding half to even would merge neighbouring levels that are moved by half a level. Values
    that rounding errors put just below half way count as half way.
    """
    return np.floor(np.clip(values, 0, white) + (0.5 + _TIE)).astype(pixels.dtype)


def _map_pixels(block: Callable[[int, int], None], pixels: Pixels, threads: int) -> None:
    height, width, channels = pixels.shape
    map_rows(block, height, rows_per_block(4 * width * channels), threads=threads)
