"""Thumbnails of sources and of spectra; bright points of spectra stay bright."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from fft_tool.codec import image_file
from fft_tool.codec.raster import Raster
from fft_tool.errors import FftToolError
from fft_tool.image.renditions import Levels, Picture, draw_photo, resized, to_bytes
from fft_tool.spectrum import colourmap

SIZE, SMALL = 360, 56  # longest side of pictures, and of those in the overview
THINNEST = 12  # minimum side in pixels: pictures of single rows and columns are widened

_METHOD = 2  # effort of the WebP encoder: half the time of the default, and 2 % more bytes
_POWER = 8  # exponent of the power mean, which lies between the plain mean (1) and the maximum


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A picture as a WebP file, and its size in pixels."""

    data: bytes
    width: int
    height: int

    @property
    def uri(self) -> str:
        """The picture as a ``data:`` URI."""
        return f"data:image/webp;base64,{base64.b64encode(self.data).decode()}"

    @property
    def name(self) -> str:
        """File name that depends on the content only, so that equal pictures share a file."""
        return f"{hashlib.sha256(self.data).hexdigest()[:20]}.webp"


@dataclass(frozen=True, slots=True)
class Style:
    """How pictures of a kind are drawn: RGB pixels of at most a given size, and their quality.

    The quality is that of WebP. The noise of spectra hides the errors of a low one, and takes most
    of the bytes at a high one.
    """

    draw: Callable[[Raster, int], Picture]
    quality: int


def draw_picture(data: bytes | None, drawn_as: str, *, frame: int = 1) -> Thumbnail | None:
    """Draw a frame of an image file as ``photo``, ``magnitude`` or ``phase``.

    The result is None if the file is missing or damaged.
    """
    return draw_sizes(data, drawn_as, SIZE, frame=frame)[0]


def draw_sizes(
    data: bytes | None, drawn_as: str, *sizes: int, frame: int = 1
) -> list[Thumbnail | None]:
    """Draw a frame of an image file in several sizes."""
    if data is None:
        return [None] * len(sizes)
    try:
        raster = image_file.decode(data, frame=frame)
    except FftToolError:
        return [None] * len(sizes)
    style = STYLES[drawn_as]
    return [_encoded(style.draw(raster, size), size, style.quality) for size in sizes]


def _encoded(pixels: Picture, size: int, quality: int) -> Thumbnail:
    """Encode RGB pixels (h, w, 3), enlarging small pictures, which are encoded losslessly."""
    times = max(1, size // max(pixels.shape[:2]))
    for axis in (0, 1):
        thick = max(times, -(-THINNEST // pixels.shape[axis]))
        if thick > 1:
            pixels = np.repeat(pixels, thick, axis)
    image, file = Image.fromarray(pixels), io.BytesIO()
    image.save(file, "WEBP", quality=quality, lossless=times > 1, method=_METHOD)
    return Thumbnail(file.getvalue(), image.width, image.height)


def draw_magnitude(raster: Raster, size: int) -> Picture:
    """Scale a magnitude picture down so that isolated bright points stay bright, and colour it."""
    pixels, step = raster.pixels, max(1, max(raster.pixels.shape[:2]) // size)
    if step > 1:
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


STYLES = {
    "photo": Style(draw_photo, quality=50),
    "magnitude": Style(draw_magnitude, quality=30),
    "phase": Style(draw_phase, quality=20),
}
