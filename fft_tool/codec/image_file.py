"""Decoding of image files at their own bit depth, with checks before decoding; and encoding."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fft_tool.arrays import Pixels
from fft_tool.codec import png_encode, png_file
from fft_tool.codec.header import Header
from fft_tool.codec.pillow_decode import PillowDecoder, webp_size
from fft_tool.codec.png_decode import PngDecoder
from fft_tool.codec.raster import Raster, full_range, upright
from fft_tool.errors import (
    CorruptImage,
    EmptyImage,
    FftToolError,
    UnknownFormat,
    UnsupportedImage,
)
from fft_tool.limits import FORMATS, Limits

_MAGIC = (
    (png_file.SIGNATURE, "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"BM", "bmp"),
)


class Decoder(Protocol):
    """A decoder that has read the header, and decodes the pixels on request."""

    header: Header
    upright: bool  # whether the decoded pixels are upright already

    def pixels(self) -> Pixels:
        """Decode to (h, w, channels), uint8 or uint16."""
        ...


@dataclass(frozen=True, slots=True)
class Encoded:
    """An image whose header has been read and accepted, not yet decoded."""

    header: Header
    _decoder: Decoder

    def decode(self) -> Raster:
        """Decode the pixels."""
        with _DecodingErrors(self.header.format):
            pixels = self._decoder.pixels()
        white = 255 if pixels.dtype == np.uint8 else (1 << self.header.depth) - 1
        if not self._decoder.upright:
            pixels = upright(pixels, self.header.orientation)
        return Raster(pixels, white, self.header)


def open_image(data: bytes, limits: Limits | None = None) -> Encoded:
    """Detect the format, verify checksums, read the header and check it against ``limits``.

    Raises :class:`~fft_tool.errors.ImageError` or :class:`~fft_tool.errors.LimitExceeded`.
    """
    limits = limits or Limits()
    if not data:
        raise EmptyImage("the file is empty")
    limits.check_bytes(len(data))
    container = sniff(data)
    limits.check_format(container)
    if container == "webp" and (size := webp_size(data)):
        limits.check_pixels(*size)
    if data.startswith(b"MM\0+"):
        raise UnsupportedImage("big-endian BigTIFF cannot be read: save it as plain TIFF or PNG")
    with _DecodingErrors(container):
        decoder = PngDecoder(data) if container == "png" else PillowDecoder(data, container)
    limits.check_pixels(decoder.header.width, decoder.header.height)
    return Encoded(decoder.header, decoder)


def decode(data: bytes, limits: Limits | None = None) -> Raster:
    """Decode image bytes: :func:`open_image` and :meth:`Encoded.decode` in one.

    >>> data = encode_image(np.zeros((4, 6), np.uint8), 255)
    >>> decode(data).pixels.shape
    (4, 6, 1)
    """
    return open_image(data, limits).decode()


def sniff(data: bytes) -> str:
    """Detect the format from the first bytes; file names are not reliable."""
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if b"IHDR" in data[:32]:
        raise UnknownFormat("a PNG whose first bytes were changed: was it transferred as text?")
    raise UnknownFormat(f"not an image in a known format ({', '.join(FORMATS)})")


def encode_image(
    pixels: Pixels,
    white: int,
    *,
    pixel_size_um: tuple[float, float] | None = None,
    text: Mapping[str, str] | None = None,
    threads: int = 1,
) -> bytes:
    """Encode an image, (h, w) or (h, w, channels) with values 0 … ``white``, as PNG."""
    density = None
    if pixel_size_um:
        x, y = (round(min(max(1, 1e6 / size), (1 << 31) - 1)) for size in pixel_size_um)
        density = (x, y)
    return png_encode.encode(
        full_range(pixels, white), text=text, pixels_per_metre=density, threads=threads
    )


class _DecodingErrors:
    """Turns any exception of a decoder into :class:`CorruptImage`, and suppresses warnings."""

    def __init__(self, container: str) -> None:
        self.container = container
        self._warnings = warnings.catch_warnings()

    def __enter__(self) -> None:
        self._warnings.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, _: object, exc: BaseException | None, __: object) -> None:
        self._warnings.__exit__(None, None, None)
        if isinstance(exc, FftToolError | MemoryError) or not isinstance(exc, Exception):
            return
        # Pillow's plugins raise nearly anything: SyntaxError, struct.error, KeyError, …
        reason = str(exc).strip() or type(exc).__name__
        raise CorruptImage(f"{self.container.upper()} cannot be decoded: {reason}") from exc
