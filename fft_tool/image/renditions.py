"""Renditions: copies of an image for display, scaled down so that relevant detail stays visible."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fft_tool.codec.raster import Raster

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
