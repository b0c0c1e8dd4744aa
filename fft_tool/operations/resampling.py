"""Rotation and scaling, with the bicubic kernel of Catmull and Rom, in blocks of rows."""

from __future__ import annotations

import math

import numpy as np

from fft_tool.arrays import Doubles, FloatArray, Pixels
from fft_tool.image.grey import LUMA_WEIGHTS
from fft_tool.operations.convolution import premultiplied, separate
from fft_tool.operations.levels import has_alpha, to_levels, to_real
from fft_tool.parallel import map_rows, rows_per_block

_REACH = 2  # pixels to each side that the kernel covers
_COLUMNS = 4096  # of the canvas that are turned at a time
_BORDER = 4  # pixels of the fill colour around an image that is turned: more than the kernel covers


def quarter_turns(pixels: Pixels, count: int) -> Pixels:
    """Turn by ``count`` times 90 degrees counter-clockwise, exactly."""
    return np.rot90(pixels, count).copy()


def rotate(
    pixels: Pixels,
    white: int,
    angle: float,
    size: tuple[int, int],
    fill: tuple[int, int, int] | None,
    *,
    threads: int = 1,
) -> Pixels:
    """Turn by ``angle`` degrees counter-clockwise onto a canvas of ``size`` (h, w).

    ``fill`` is the 8-bit colour of the corners; None leaves them transparent.
    """
    height, width, channels = pixels.shape
    levels = _levels(fill, channels, white)
    planes = _bordered(pixels, white, levels)
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    result = np.empty((*size, channels), pixels.dtype)

    def block(start: int, stop: int) -> None:
        down = (np.arange(start, stop) - (size[0] - 1) / 2)[:, None]
        for left in range(0, size[1], _COLUMNS):
            part = result[start:stop, left : left + _COLUMNS]
            part[...] = np.array(levels, pixels.dtype)
            across = np.arange(left, left + part.shape[1]) - (size[1] - 1) / 2
            # From the canvas back to the image; y points down.
            x = across * cos - down * sin + (width - 1) / 2
            y = across * sin + down * cos + (height - 1) / 2
            columns = _touched(x, y, (height, width))
            if columns.size:
                span = slice(int(columns[0]), int(columns[-1]) + 1)
                values = _sampled(planes, x[:, span], y[:, span], (height, width))
                if has_alpha(pixels):
                    separate(_clipped(values, white), white)
                to_levels(values, white, part[:, span])

    rows = rows_per_block(32 * min(size[1], _COLUMNS))
    map_rows(block, size[0], rows, threads=threads)
    return result


def resize(pixels: Pixels, white: int, size: tuple[int, int], *, threads: int = 1) -> Pixels:
    """Scale to ``size`` (h, w)."""
    height, width, channels = pixels.shape
    result = np.empty((*size, channels), pixels.dtype)
    rows_from, row_weights = _taps(height, size[0])
    columns_from, column_weights = _taps(width, size[1])

    def block(start: int, stop: int) -> None:
        rows = np.zeros((stop - start, width * channels), to_real(pixels[:0]).dtype)
        for tap, weights in enumerate(row_weights[start:stop].T):
            places = np.minimum(rows_from[start:stop] + tap, height - 1)
            source = premultiplied(pixels[places], white).reshape(rows.shape)
            source *= weights[:, None].astype(source.dtype)
            rows += source
        turned = rows.reshape(-1, width, channels).swapaxes(0, 1).reshape(width, -1)
        columns = np.zeros((size[1], turned.shape[1]), turned.dtype)
        for tap, weights in enumerate(column_weights.T):
            source = turned.take(columns_from + tap, axis=0, mode="clip")
            source *= weights[:, None].astype(source.dtype)
            columns += source
        values = columns.reshape(size[1], -1, channels).swapaxes(0, 1).copy()
        if has_alpha(pixels):
            separate(_clipped(values, white), white)
        to_levels(values, white, result[start:stop])

    row = max(width, size[1]) * channels * 4
    map_rows(block, size[0], rows_per_block(row), threads=threads)
    return result


def catmull_rom(distance: Doubles) -> Doubles:
    """Bicubic kernel that passes through the samples; zero from a distance of 2."""
    d = np.abs(distance)
    near = (1.5 * d - 2.5) * d * d + 1
    far = ((-0.5 * d + 2.5) * d - 4) * d + 2
    return np.where(d < 1, near, np.where(d < 2, far, 0.0))


def _taps(length: int, new: int) -> tuple[np.ndarray, Doubles]:
    """First sample from which each new one is made, (new,), and the weights, (new, taps)."""
    scale = length / new
    stretch = max(scale, 1.0)
    centres = (np.arange(new) + 0.5) * scale
    reach = _REACH * stretch
    first = np.maximum(np.floor(centres - reach + 0.5), 0).astype(np.intp)
    end = np.minimum(np.floor(centres + reach + 0.5), length).astype(np.intp)
    places = first[:, None] + np.arange(int((end - first).max()))
    weights = catmull_rom((places + 0.5 - centres[:, None]) / stretch)
    weights[places >= end[:, None]] = 0
    return first, np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _bordered(pixels: Pixels, white: int, levels: list[int]) -> FloatArray:
    """Planes (channels, h, w) of premultiplied levels, with a border of given ``levels``."""
    height, width, channels = pixels.shape
    shape = (channels, height + 2 * _BORDER, width + 2 * _BORDER)
    planes = np.empty(shape, to_real(pixels[:0]).dtype)
    for plane, level in zip(planes, levels, strict=True):
        plane[...] = level
    for start in range(0, height, rows := rows_per_block(4 * width * channels)):
        values = premultiplied(pixels[start : start + rows], white)
        place = slice(_BORDER + start, _BORDER + start + values.shape[0])
        planes[:, place, _BORDER : _BORDER + width] = np.moveaxis(values, 2, 0)
    return planes


def _levels(fill: tuple[int, int, int] | None, channels: int, white: int) -> list[int]:
    """Level of each channel outside the image."""
    if fill is None:
        return [0] * channels
    levels = [(level * white + 127) // 255 for level in fill]
    if channels < 3:
        weighted = sum(w * level for w, level in zip(LUMA_WEIGHTS, levels, strict=True))
        levels = [(weighted + (1 << 15)) >> 16]
    return levels + [white] * (channels in (2, 4))


def _touched(x: Doubles, y: Doubles, shape: tuple[int, int]) -> np.ndarray:
    """Columns of positions of which some lie in an image of ``shape`` or close to it."""
    near = (x > -_REACH) & (x < shape[1] - 1 + _REACH)
    near &= (y > -_REACH) & (y < shape[0] - 1 + _REACH)
    return np.flatnonzero(near.any(axis=0))


def _sampled(planes: FloatArray, x: Doubles, y: Doubles, shape: tuple[int, int]) -> FloatArray:
    """Bicubic values (n, w, channels) at positions in an image of ``shape`` with its border."""
    stride = planes.shape[2]
    # Further out there is nothing but the fill colour.
    x = np.clip(x, -_REACH, shape[1] - 1 + _REACH)
    y = np.clip(y, -_REACH, shape[0] - 1 + _REACH)
    left, top = np.floor(x), np.floor(y)
    across, down = (
        [catmull_rom(fraction - step).astype(planes.dtype) for step in (-1, 0, 1, 2)]
        for fraction in (x - left, y - top)
    )
    corner = ((top + _BORDER - 1) * stride + (left + _BORDER - 1)).astype(np.intp)
    values = np.empty((*x.shape, planes.shape[0]), planes.dtype)
    for index, plane in enumerate(planes):
        flat = plane.ravel()
        total = np.zeros(x.shape, planes.dtype)
        for row in range(4):
            line = np.zeros(x.shape, planes.dtype)
            for column in range(4):
                samples = flat[row * stride + column :].take(corner, mode="clip")
                samples *= across[column]
                line += samples
            line *= down[row]
            total += line
        values[:, :, index] = total
    return values


def _clipped(values: FloatArray, white: int) -> FloatArray:
    """Clip alpha, in place: the kernel overshoots beside edges."""
    alpha = values[:, :, -1]
    np.clip(alpha, 0, white, out=alpha)
    return values
