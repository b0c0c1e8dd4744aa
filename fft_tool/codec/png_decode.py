"""The PNG decoder: Pillow applied to verified rows, keeping all 16 bits of a sample."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fft_tool.arrays import Pixels
from fft_tool.codec import containers, png_file, png_frames
from fft_tool.codec.exif import orientation_of, read_tags
from fft_tool.codec.header import Header, turned
from fft_tool.codec.raster import channels_last, joined

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile


class PngDecoder:
    """A verified PNG."""

    upright = False

    def __init__(self, data: bytes, frame: int = 1) -> None:
        self.file = file = png_file.parse(data)
        containers.check_frames("PNG", file.frames)
        containers.check_frame(frame, file.frames)
        channels = 3 if file.colour == png_file.PALETTE else png_file.CHANNELS[file.colour]
        containers.check_exif(file.exif or b"")
        orientation = orientation_of(read_tags(file.exif))
        density = file.pixels_per_metre
        size = turned((1e6 / density[0], 1e6 / density[1]), orientation) if density else None
        self.header = Header(
            "png",
            file.width,
            file.height,
            channels + (file.transparency is not None),
            file.depth,
            file_bytes=len(data),
            frames=file.frames,
            frame=frame,
            orientation=orientation,
            pixel_size_um=size,
            pixel_size_from="PNG pHYs" if size else None,
            profile=file.profile,
        )

    def pixels(self) -> Pixels:
        """Decode the image, or the frame that is composed of those before it."""
        if self.header.frame > 1:
            return png_frames.compose(self.file, self.header.frame, self.header.channels, decode)
        return decode(self.file)


def decode(file: png_file.Png) -> Pixels:
    """Decode the first image of a verified PNG."""
    return _Rows(file).pixels()


@dataclass(frozen=True, slots=True)
class _Rows:
    """Image data of a PNG, to be decoded."""

    file: png_file.Png

    def pixels(self) -> Pixels:
        """Pixels (h, w, channels), with the alpha channel that transparency gives."""
        file = self.file
        pixels = self._decode_deep() if file.depth == 16 else self._decode()
        if file.transparency is not None and file.colour in (png_file.GREY, png_file.RGB):
            return self._with_key_colour(pixels)
        return pixels

    def _decode(self) -> Pixels:
        rows = self.file.inflate()
        plain = self.file.unfiltered(rows)
        if plain is not None:
            return plain
        data = self.file.rewrapped(rows)
        del rows  # as large as the image
        image = _pillow_png(data)
        if image.mode == "P":
            opacities = self.file.transparency is not None
            return channels_last(image.convert("RGBA" if opacities else "RGB"))
        return channels_last(image.convert("L") if image.mode == "1" else image)

    def _decode_deep(self) -> Pixels:
        """Decode 16-bit samples, of which Pillow keeps only 8 bits unless the image is grey."""
        file, rows = self.file, self.file.inflate()
        plain = file.unfiltered(rows)
        if plain is not None:
            return plain
        if file.colour == png_file.GREY_ALPHA:
            # Four bytes per pixel either way: read as 8-bit RGBA, with high and low bytes adjacent.
            split = channels_last(_pillow_png(file.rewrapped(rows, depth=8, colour=png_file.RGBA)))
            return joined(split[:, :, 0::2], split[:, :, 1::2])
        data = file.rewrapped(rows)
        del rows
        if file.colour == png_file.GREY:
            return channels_last(_pillow_png(data))
        # Pillow keeps the high bytes of big-endian samples and the low bytes of little-endian ones.
        mode = "RGB" if file.colour == png_file.RGB else "RGBA"
        high = channels_last(_pillow_png(data, rawmode=f"{mode};16B"))
        low = channels_last(_pillow_png(data, rawmode=f"{mode};16L"))
        return joined(high, low)

    def _with_key_colour(self, pixels: Pixels) -> Pixels:
        """Add the alpha channel that a tRNS chunk defines: pixels of one colour are transparent."""
        file = self.file
        # Only the low bits of each 16-bit value count; depths below 8 were scaled to 8 bits.
        key = np.frombuffer(file.transparency or b"", ">u2") & ((1 << file.depth) - 1)
        if file.depth < 8:
            key = key * (255 // ((1 << file.depth) - 1))
        opaque = (pixels != key).any(axis=2, keepdims=True)
        white = np.iinfo(pixels.dtype).max
        return np.concatenate([pixels, np.where(opaque, white, 0).astype(pixels.dtype)], axis=2)


def _pillow_png(data: bytes, rawmode: str | None = None) -> ImageFile:
    """Decode a PNG with Pillow, optionally overriding the ``rawmode`` of its samples."""
    from PIL.PngImagePlugin import PngImageFile  # noqa: PLC0415  (not needed for our own pictures)

    image = PngImageFile(io.BytesIO(data))
    if rawmode:
        image.tile = [tile._replace(args=rawmode) for tile in image.tile]
    image.load()
    return image
