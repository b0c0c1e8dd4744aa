"""Renditions: copies of an image for display, scaled down so that relevant detail stays visible."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fft_tool.arrays import Plane
from fft_tool.codec.raster import Raster
from fft_tool.image.statistics import exact_histogram
from fft_tool.parallel import map_rows, rows_per_block

Picture = NDArray[np.uint8]
Levels = NDArray[np.floating[Any]]


def draw_photo(raster: Raster, size: int) -> Picture:
    """Scale an image down; stretch the contrast above 8 bits, where the range is often half empty.

    Returns RGB pixels, shape (h, w, 3).
    """
    height, width = raster.pixels.shape[:2]
    step = max(1, max(height, width) // (2 * size))
    down, right = min(step, height), min(step, width)
    sums = raster.pixels[: height // down * down, : width // right * right]
    for axis, each in ((0, down), (1, right)):  # blocks of equal size avoid moire of fine stripes
        if each > 1:
            starts = np.arange(0, sums.shape[axis], each)
            sums = np.add.reduceat(sums, starts, axis, np.uint64)
    levels = resized(sums / (down * right * raster.white), size)
    if raster.names[-1] == "alpha":
        levels = levels[:, :, :-1] * levels[:, :, -1:] + (1 - levels[:, :, -1:])
    if raster.header.depth > 8:
        low, high = np.percentile(levels, (0.1, 99.9))
        levels = np.clip((levels - low) / max(high - low, 1e-6), 0, 1)
    return np.broadcast_to(to_bytes(levels), (*levels.shape[:2], 3))


def resized(levels: Levels, size: int) -> Levels:
    """Scale each channel of (h, w, channels) down to at most ``size`` pixels, by area averaging."""
    height, width, channels = levels.shape
    share = min(1.0, size / max(height, width))
    sides = max(1, round(width * share)), max(1, round(height * share))
    planes = (Image.fromarray(np.ascontiguousarray(levels[:, :, i])) for i in range(channels))
    smaller = [np.asarray(plane.resize(sides, Image.Resampling.BOX)) for plane in planes]
    return np.stack(smaller, axis=-1)


def to_bytes(levels: Levels) -> Picture:
    """Convert levels from 0 to 1 to uint8."""
    whole: Picture = np.rint(255 * levels).astype(np.uint8)
    return whole


# Copies that keep the image's own look: those of the presets.

_SHOWN = (0.001, 0.999)  # shares of the pixels between which grey levels are stretched
_REDUCING_GAP = 3.0  # pixels are averaged first, down to this multiple of the final size
_PREMULTIPLIED = {2: ("LA", "La"), 4: ("RGBA", "RGBa")}


def to_eight_bits(raster: Raster, *, threads: int = 1) -> Picture:
    """Pixels (h, w, channels) for display, with 8 bits; opacity only if something is transparent.

    Colours are divided by the largest value of their depth, so that a photo of 16 bits looks like
    its copy of 8. Deep grey images are measurements, mostly, whose range is often half empty: their
    levels are stretched as reports do, from the darkest to the brightest thousandth.
    """
    pixels, opacity = raster.pixels, raster.channel("alpha")
    if opacity is not None and opacity.min() == raster.white:
        pixels, opacity = pixels[:, :, :-1], None
    if pixels.dtype == np.uint8:
        return pixels
    low, high = 0, raster.white
    if raster.names[0] == "grey":
        low, high = _shown_range(pixels[:, :, 0], opacity, raster.white)
    tables = [_levels(low, high)] * pixels.shape[2]
    if opacity is not None:
        tables[-1] = _levels(0, raster.white)
    out: Picture = np.empty(pixels.shape, np.uint8)

    def convert(start: int, stop: int) -> None:
        for channel, table in enumerate(tables):
            out[start:stop, :, channel] = table[pixels[start:stop, :, channel]]

    # A block is indexed as integers of 8 bytes.
    map_rows(convert, pixels.shape[0], rows_per_block(8 * pixels.shape[1]), threads=threads)
    return out


def _levels(low: int, high: int) -> Picture:
    """Table of the 8-bit level of each 16-bit one, from ``low`` (black) to ``high`` (white)."""
    share = (np.arange(1 << 16) - low) / max(1, high - low)
    return to_bytes(np.clip(share, 0, 1))


def _shown_range(plane: Plane, opacity: Plane | None, white: int) -> tuple[int, int]:
    """Levels that become black and white; only what can be seen counts."""
    if opacity is not None and opacity.any():
        plane = plane[opacity > 0][None, :]
    counts = np.cumsum(exact_histogram(plane, white))
    low, high = (int(np.searchsorted(counts, share * counts[-1])) for share in _SHOWN)
    return (low, high) if low < high else (0, white)


def scaled_down(pixels: Picture, size: tuple[int, int]) -> Picture:
    """Scale pixels (h, w, channels) to a smaller ``size`` (width, height), by Lanczos' filter.

    Colours are weighted by their opacity, so that what cannot be seen does not shine through at
    edges. An image of that size already is returned as it is.
    """
    height, width, channels = pixels.shape
    if (width, height) == size:
        return pixels
    image: Any = Image.fromarray(np.ascontiguousarray(pixels if channels > 1 else pixels[:, :, 0]))
    plain, weighted = _PREMULTIPLIED.get(channels, (image.mode, image.mode))
    smaller = image.convert(weighted).resize(
        size, Image.Resampling.LANCZOS, reducing_gap=_REDUCING_GAP
    )
    levels: Picture = np.asarray(smaller.convert(plain))
    return levels if levels.ndim == 3 else levels[:, :, None]
