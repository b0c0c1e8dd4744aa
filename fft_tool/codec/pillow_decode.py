"""The decoder for all formats except PNG, based on Pillow's plugins.

Plugins are called directly: the format has already been detected from the content, and ``Limits``
replace Pillow's own size limit, which is global.
"""

from __future__ import annotations

import importlib
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from fft_tool.arrays import Pixels
from fft_tool.codec import containers
from fft_tool.codec.exif import (
    CENTIMETRE,
    INCH,
    PixelSize,
    Tags,
    orientation_of,
    pixel_size,
    pixel_size_of,
    read_tags,
)
from fft_tool.codec.header import Header, turned
from fft_tool.codec.raster import channels_last
from fft_tool.errors import UnsupportedImage

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile


class PillowDecoder:
    """An image file in a format other than PNG."""

    def __init__(self, data: bytes, container: str) -> None:
        pages = _pages(data, container)
        try:
            self.image: Any = _plugin(container)(io.BytesIO(data))
        except SyntaxError as exc:
            if container == "tiff" and "unknown pixel mode" in str(exc):
                raise _unsupported("TIFF samples of this type") from exc
            raise
        image = self.image
        containers.check_exif(image.info.get("exif") or b"")
        tags: Tags = getattr(image, "tag_v2", None) or read_tags(image.info.get("exif"))
        depth = self._checked_depth(container, tags)
        size, origin = self._pixel_size(container, tags)
        orientation = orientation_of(tags)
        # Pillow rotates a TIFF by itself, and reports the size after rotation.
        self.upright = container == "tiff"
        width, height = turned(image.size, orientation) if self.upright else image.size
        self.header = Header(
            container,
            width,
            height,
            self._channels(),
            depth,
            file_bytes=len(data),
            frames=pages or getattr(image, "n_frames", 1),
            orientation=orientation,
            pixel_size_um=turned(size, orientation) if size else None,
            pixel_size_from=origin if size else None,
        )

    def pixels(self) -> Pixels:
        """Decode the first frame."""
        image = self.image
        image.load()
        if image.mode.startswith("I;16"):
            return channels_last(image).astype(np.uint16, copy=False)
        if image.mode not in ("L", "LA", "RGB", "RGBA"):
            image = image.convert({1: "L", 3: "RGB", 4: "RGBA"}[self.header.channels])
        return channels_last(image)

    def _channels(self) -> int:
        mode = self.image.mode
        if mode.startswith("I;16"):
            return 1
        plain = {"1": 1, "L": 1, "LA": 2, "RGBA": 4, "PA": 4}
        return plain.get(mode, 4 if "transparency" in self.image.info else 3)

    def _checked_depth(self, container: str, tags: Tags) -> int:
        """Bits per sample; rejects sample types that cannot be decoded without loss."""
        mode, bits, signed, inverted = self.image.mode, 8, False, False
        if container == "tiff":
            bits = max(tags.get(258, (1,)))
            signed = tags.get(339, (1,))[0] != 1
            inverted = tags.get(262) == 0 and bits > 8
        wide_grey = mode.startswith("I;16") and not inverted
        sound = (bits <= 8 or wide_grey) and mode not in ("I", "F", "LAB", "HSV", "La")
        if signed or not sound:
            raise _unsupported(f"{bits}-bit {mode} samples")
        return int(bits)

    def _pixel_size(self, container: str, tags: Tags) -> tuple[PixelSize | None, str]:
        """Pixel size as stored, and where the file states it."""
        info = self.image.info
        unit = {1: INCH, 2: CENTIMETRE}.get(info.get("jfif_unit"))
        if unit:
            x, y = info["jfif_density"]
            size = pixel_size(x, y, unit)
            if size:
                return size, "JFIF density"
        return pixel_size_of(tags), "TIFF resolution" if container == "tiff" else "EXIF resolution"


def _pages(data: bytes, container: str) -> int:
    """Reject costly structures; return the number of pages of a TIFF, 0 for other formats."""
    if container == "tiff":
        return containers.count_tiff_pages(data)
    if container == "jpeg":
        containers.check_jpeg(data)
    elif container == "bmp":
        containers.check_bmp(data)
    elif container == "webp":
        containers.check_webp(data)
    return 0


def webp_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a WebP, read here because Pillow allocates the image on opening it."""
    chunk_type, body = data[12:16], data[20:30].ljust(10, b"\0")
    if chunk_type == b"VP8X":
        return 1 + _little(body[4:7]), 1 + _little(body[7:10])
    if chunk_type == b"VP8L":
        return 1 + (_little(body[1:5]) & 0x3FFF), 1 + (_little(body[1:5]) >> 14 & 0x3FFF)
    if chunk_type == b"VP8 ":
        return _little(body[6:8]) & 0x3FFF, _little(body[8:10]) & 0x3FFF
    return None


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _unsupported(what: str) -> UnsupportedImage:
    return UnsupportedImage(
        f"{what} would lose precision here: "
        "save the image as 8- or 16-bit grey, or as 16-bit colour PNG"
    )


def _plugin(container: str) -> type[ImageFile]:
    """Import and return Pillow's reader for one format."""
    module, name = {
        "jpeg": ("JpegImagePlugin", "JpegImageFile"),
        "tiff": ("TiffImagePlugin", "TiffImageFile"),
        "webp": ("WebPImagePlugin", "WebPImageFile"),
        "bmp": ("BmpImagePlugin", "BmpImageFile"),
    }[container]
    reader: type[ImageFile] = getattr(importlib.import_module(f"PIL.{module}"), name)
    return reader
