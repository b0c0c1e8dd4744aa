"""The decoder for JPEG, WebP, GIF, AVIF and BMP, based on Pillow's plugins.

Plugins are called directly: the format has already been detected from the content, and ``Limits``
replace Pillow's own size limit, which is global.
"""

from __future__ import annotations

import importlib
import io
from typing import IO, Any

from fft_tool.arrays import Pixels
from fft_tool.codec import animations, containers
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
from fft_tool.codec.profile import cmyk_to_srgb
from fft_tool.codec.raster import channels_last
from fft_tool.errors import UnsupportedImage

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_READERS = {
    "jpeg": ("JpegImagePlugin", "JpegImageFile"),
    "tiff": ("TiffImagePlugin", "TiffImageFile"),
    "webp": ("WebPImagePlugin", "WebPImageFile"),
    "bmp": ("BmpImagePlugin", "BmpImageFile"),
    "gif": ("GifImagePlugin", "GifImageFile"),
    "avif": ("AvifImagePlugin", "AvifImageFile"),
}


class PillowDecoder:
    """One frame, counted from 1, of a file with 8 bits per sample."""

    upright = False

    def __init__(self, data: bytes, container: str, frame: int) -> None:
        _check_structure(data, container)
        self.image = image = open_with_pillow(io.BytesIO(data), container)
        containers.check_exif(image.info.get("exif") or b"")
        tags = read_tags(image.info.get("exif"))
        channels = channels_of(image)
        if container == "gif":
            layout = animations.gif_layout(data)
            frames = layout.frames
            if frame > 1:
                channels = 4 if layout.transparent else 3
        else:
            frames = getattr(image, "n_frames", 1)
            containers.check_frames(container.upper(), frames)
        containers.check_frame(frame, frames)
        size, origin = _pixel_size(image, tags)
        orientation = orientation_of(tags)
        self.header = Header(
            container,
            int(image.size[0]),
            int(image.size[1]),
            channels,
            8,
            file_bytes=len(data),
            frames=frames,
            frame=frame,
            orientation=orientation,
            pixel_size_um=turned(size, orientation) if size else None,
            pixel_size_from=origin if size else None,
            profile=image.info.get("icc_profile") or None,
        )

    def pixels(self, *, shown: bool = False) -> Pixels:
        """Decode the frame; if it is to be ``shown``, inks are converted by their profile."""
        if self.header.frame > 1:
            self.image.seek(self.header.frame - 1)
        self.image.load()
        profile = self.header.profile if shown else None
        pixels = eight_bit_pixels(self.image, self.header.channels, profile)
        if pixels.shape[:2] != (self.header.height, self.header.width):
            raise UnsupportedImage(
                f"frame {self.header.frame:,} is larger than the first one: save it as PNG"
            )
        return pixels


def open_with_pillow(stream: IO[bytes] | io.RawIOBase, container: str) -> Any:
    """Open a file with Pillow's reader for its format, which is imported here."""
    module, name = _READERS[container]
    reader: Any = getattr(importlib.import_module(f"PIL.{module}"), name)
    if container == "avif" and not importlib.import_module("PIL.AvifImagePlugin").SUPPORTED:
        raise UnsupportedImage("this is AVIF, which cannot be decoded here: convert it to PNG")
    return reader(stream)


def channels_of(image: Any) -> int:
    """Number of channels of an image with 8 bits per sample, once it is decoded."""
    plain = {"1": 1, "L": 1, "LA": 2, "RGBA": 4, "PA": 4}
    transparent = image.mode != "L" and "transparency" in image.info
    return plain.get(image.mode, 4 if transparent else 3)


def eight_bit_pixels(image: Any, channels: int, inks: bytes | None = None) -> Pixels:
    """Pixels (h, w, channels) of a loaded image with 8 bits per sample.

    Inks (CMYK) are converted by the profile ``inks`` if there is one, and by a rule of thumb
    otherwise.
    """
    if inks and image.mode == "CMYK" and (pixels := cmyk_to_srgb(image, inks)) is not None:
        return pixels
    mode = _MODES[channels]
    return channels_last(image if image.mode == mode else image.convert(mode))


def _check_structure(data: bytes, container: str) -> None:
    """Reject structures that are costly to decode."""
    if container == "jpeg":
        containers.check_jpeg(data)
    elif container == "bmp":
        containers.check_bmp(data)
    elif container == "webp":
        containers.check_webp(data)
    elif container == "avif":
        animations.check_avif(data)


def _pixel_size(image: Any, tags: Tags) -> tuple[PixelSize | None, str]:
    """Pixel size as stored, and where the file states it."""
    unit = {1: INCH, 2: CENTIMETRE}.get(image.info.get("jfif_unit"))
    if unit:
        x, y = image.info["jfif_density"]
        size = pixel_size(x, y, unit)
        if size:
            return size, "JFIF density"
    return pixel_size_of(tags), "EXIF resolution"
