"""Thumbnails as data URIs, of sources, and of spectra whose bright points stay bright."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from fft_tool.codec import image_file
from fft_tool.codec.raster import Raster
from fft_tool.errors import FftToolError
from fft_tool.image.renditions import Levels, Picture, resized, to_bytes
from fft_tool.spectrum import colourmap

Draw = Callable[[Raster, int], Picture]


SIZE, SMALL = 360, 56  # longest side of pictures, and of those in the overview
THINNEST = 12  # minimum side in pixels: pictures of single rows and columns are widened

_QUALITY = 60  # of WebP; enlarged pictures are encoded losslessly
_POWER = 8  # exponent of the power mean, which lies between the plain mean (1) and the maximum


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A picture as a ``data:`` URI, and its size in pixels."""

    uri: str
    width: int
    height: int


def draw_picture(data: bytes | None, draw: Draw, *, frame: int = 1) -> Thumbnail | None:
    """Draw one frame of an image file; None if it is missing or damaged."""
    return draw_sizes(data, draw, SIZE, frame=frame)[0]


def draw_sizes(
    data: bytes | None, draw: Draw, *sizes: int, frame: int = 1
) -> list[Thumbnail | None]:
    """Draw one frame of an image file in several sizes."""
    if data is None:
        return [None] * len(sizes)
    try:
        raster = image_file.decode(data, frame=frame)
    except FftToolError:
        return [None] * len(sizes)
    return [_encoded(draw(raster, size), size) for size in sizes]


def _encoded(pixels: Picture, size: int) -> Thumbnail:
    """Encode RGB pixels (h, w, 3) as a data URI, enlarging small pictures."""
    times = max(1, size // max(pixels.shape[:2]))
    for axis in (0, 1):
        thick = max(times, -(-THINNEST // pixels.shape[axis]))
        pixels = np.repeat(pixels, thick, axis)
    image, file = Image.fromarray(pixels), io.BytesIO()
    image.save(file, "WEBP", quality=_QUALITY, lossless=times > 1)
    text = base64.b64encode(file.getvalue()).decode()
    return Thumbnail(f"data:image/webp;base64,{text}", image.width, image.height)


def draw_magnitude(raster: Raster, size: int) -> Picture:
    """Scale a magnitude picture down so that isolated bright points stay bright, and colour it."""
    pixels, step = raster.pixels, max(1, max(raster.pixels.shape[:2]) // size)
    for axis in (0, 1):  # the maximum of equal blocks, followed by a power mean
        starts = np.arange(0, pixels.shape[axis], step)
        pixels = np.maximum.reduceat(pixels, starts, axis=axis)
    levels = resized((pixels / raster.white) ** _POWER, size) ** (1 / _POWER)
    if levels.shape[2] > 2:  # already coloured
        return to_bytes(levels[:, :, :3])
    coloured: Picture = colourmap.sequential()[to_bytes(_stretched(levels[:, :, 0]))]
    return coloured


def _stretched(levels: Levels) -> Levels:
    """Stretch levels between the first percentile and the maximum, disregarding DC."""
    height, width = levels.shape
    rest = levels.copy()
    rest[height // 2 - 1 : height // 2 + 2, width // 2 - 1 : width // 2 + 2] = 0
    low, high = float(np.percentile(levels, 1)), float(rest.max())
    if high <= low:
        low, high = 0.0, float(levels.max()) or 1.0
    spread: Levels = np.clip((levels - low) / (high - low), 0, 1)
    return spread


def draw_phase(raster: Raster, size: int) -> Picture:
    """Scale a phase picture down by subsampling, since a mean of phases is meaningless."""
    height, width, channels = raster.pixels.shape
    share = min(1.0, size / max(height, width))
    rows, columns = (
        np.arange(max(1, round(side * share))) * side // max(1, round(side * share))
        for side in (height, width)
    )
    levels = raster.pixels[np.ix_(rows, columns)] / raster.white
    if channels > 2:  # already coloured
        return to_bytes(levels[:, :, :3])
    coloured: Picture = colourmap.cyclic()[to_bytes(levels[:, :, 0])]
    return coloured
