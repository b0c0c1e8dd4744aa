"""Encoding of pictures to be shown: JPEG, PNG, WebP and AVIF, with nothing but their pixels.

No metadata of a source is carried over: no place where a photo was taken, no name, no thumbnail
of what was cropped away. Pixels are taken to be sRGB, as browsers do with files that have no
profile. The same pixels give the same bytes.
"""

from __future__ import annotations

import importlib
import io

import numpy as np
from numpy.typing import NDArray

from fft_tool.codec import png_encode
from fft_tool.codec.picture_formats import PICTURE_FORMATS, PictureFormat
from fft_tool.errors import UnsupportedImage

Picture = NDArray[np.uint8]
"""Pixels to be shown, shape (h, w, channels), with 1 to 4 channels, the last one of 2 and 4 being
opacity."""


def encode(pixels: Picture, name: str, *, quality: int | None = None, threads: int = 1) -> bytes:
    r"""Encode ``pixels``, uint8 of shape (h, w) or (h, w, channels), as a file of a format.

    >>> data = encode(np.zeros((4, 6, 3), np.uint8), "jpeg")
    >>> data[:3] == b"\xff\xd8\xff"
    True

    ``name`` is a key of :data:`~fft_tool.codec.picture_formats.PICTURE_FORMATS`. JPEG has no
    opacity: what is transparent is put on white. PNG keeps every pixel, so ``quality`` (1 to 100)
    does not matter to it. Raises :class:`~fft_tool.errors.UnsupportedImage` if the format has no
    room for so many pixels.
    """
    kind = PICTURE_FORMATS[name]
    pixels = pixels if pixels.ndim == 3 else pixels[:, :, None]
    height, width = pixels.shape[:2]
    if max(height, width) > kind.longest:
        raise UnsupportedImage(
            f"{width} x {height} pixels do not fit into {name.upper()}, whose sides are at most "
            f"{kind.longest:,} pixels: crop the image or make it smaller"
        )
    if not kind.alpha:
        pixels = on_white(pixels)
    if name == "png":
        return png_encode.encode(pixels, threads=threads)
    return _by_pillow(pixels, kind, kind.quality if quality is None else quality)


def on_white(pixels: Picture) -> Picture:
    """Put pixels (h, w, channels) that have an opacity on a white background; 1 or 3 channels.

    >>> on_white(np.array([[[0, 255], [0, 0]]], np.uint8)).ravel()
    array([  0, 255], dtype=uint8)
    """
    if pixels.shape[2] in (1, 3):
        return pixels
    opacity = pixels[:, :, -1:].astype(np.uint16)
    mixed = pixels[:, :, :-1] * opacity + np.uint16(255) * (255 - opacity)
    # At most 255 · 255, so that adding half of the divisor does not overflow.
    whole: Picture = ((mixed + 127) // 255).astype(np.uint8)
    return whole


def _by_pillow(pixels: Picture, kind: PictureFormat, quality: int) -> bytes:
    from PIL import Image  # noqa: PLC0415  (most recipes make no such pictures)

    plugin = importlib.import_module(f"PIL.{kind.module}")  # or Pillow would import all of them
    if not getattr(plugin, "SUPPORTED", True):
        raise UnsupportedImage(f"{kind.name.upper()} cannot be written here: ask for another one")
    samples = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels
    image = Image.fromarray(np.ascontiguousarray(samples))
    if kind.alpha:  # WebP and AVIF hold colour only
        image = image.convert("RGBA" if pixels.shape[2] in (2, 4) else "RGB")
    stream = io.BytesIO()
    image.save(stream, kind.name, quality=quality, **kind.options)
    return stream.getvalue()
