"""Test images: PNG files of 8-bit grey noise with a 1/f spectrum, like that of photographs."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fft_tool.codec import png_encode

Pixels = NDArray[np.uint8]


def pink(side: int, *, seed: int = 0, slope: float = 1.0) -> Pixels:
    """Noise with amplitudes like 1 / f**slope, shape (side, side), stretched to 0 to 255."""
    fy, fx = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :]
    fall = np.maximum(np.hypot(fy, fx), 1 / side) ** -slope
    white = np.random.default_rng(seed).standard_normal((side, side))
    field = np.fft.irfft2(np.fft.rfft2(white) * fall, (side, side))
    field -= field.min()
    field *= 255 / field.max()
    return np.rint(field).astype(np.uint8)


def large(side: int) -> Pixels:
    """Noise with similar statistics for any ``side``, a multiple of 16, made quickly.

    Fine detail is a quarter-sized tile mirrored back and forth; coarse detail is another,
    magnified four times, so that the whole has no period.
    """
    tile = side // 4
    fine, coarse = pink(tile, seed=1) // 2, pink(tile, seed=2) // 2
    band = np.concatenate([fine, fine[:, ::-1]] * 2, axis=1)
    image = np.empty((side, side), np.uint8)
    for quarter in range(4):
        shade = coarse[quarter * tile // 4 : (quarter + 1) * tile // 4]
        rows = image[quarter * tile : (quarter + 1) * tile]
        rows[:] = shade.repeat(4, axis=0).repeat(4, axis=1)
        rows += band[:: -1 if quarter % 2 else 1]
    return image


@functools.cache
def pink_file(side: int) -> bytes:
    """PNG of :func:`pink` as Pillow writes it."""
    return _pillow_file(pink(side))


def write_large(path: Path, side: int) -> None:
    """Write :func:`large` with our own encoder: Pillow would take a minute for the largest."""
    path.write_bytes(png_encode.encode(large(side), threads=2))


def write_folder(folder: Path, count: int, side: int) -> None:
    """Write ``count`` images that range from nearly white noise to smooth clouds."""
    folder.mkdir()
    for index in range(count):
        pixels = pink(side, seed=index, slope=0.25 + 1.5 * index / count)
        (folder / f"image{index:03}.png").write_bytes(_pillow_file(pixels))


def decoded(data: bytes) -> NDArray[Any]:
    """Pixels of an image file of any size, as Pillow reads it."""
    with _no_pixel_limit():
        return np.asarray(Image.open(io.BytesIO(data)))


def _pillow_file(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


@contextmanager
def _no_pixel_limit() -> Iterator[None]:
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit
