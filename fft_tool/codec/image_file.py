"""Decoding of image files at their own bit depth, with checks before decoding; and encoding."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Pixels
from fft_tool.codec import png_encode
from fft_tool.codec.animations import size_of
from fft_tool.codec.containers import check_frames_before
from fft_tool.codec.header import Header
from fft_tool.codec.npy_decode import NpyDecoder
from fft_tool.codec.pillow_decode import PillowDecoder
from fft_tool.codec.png_decode import PngDecoder
from fft_tool.codec.pnm_decode import PnmDecoder
from fft_tool.codec.raster import Raster, full_range, upright
from fft_tool.codec.sniffing import sniff
from fft_tool.codec.tiff_decode import TiffDecoder, open_tiff
from fft_tool.codec.values import scale
from fft_tool.errors import (
    CorruptImage,
    EmptyImage,
    FftToolError,
    RecipeError,
    RecipeFault,
)
from fft_tool.limits import Limits

_ANIMATED = ("png", "webp", "gif", "avif")


class Decoder(Protocol):
    """A decoder that has read the header, and decodes the pixels on request."""

    header: Header
    upright: bool  # whether the decoded pixels are upright already

    def pixels(self) -> NDArray[Any]:
        """Decode to (h, w, channels): uint8, uint16, or any real dtype if they are to be scaled."""
        ...


@dataclass(frozen=True, slots=True)
class Encoded:
    """An image whose header has been read and accepted, not yet decoded."""

    header: Header
    _decoder: Decoder
    _value_range: tuple[float, float] | None = None

    def decode(self, *, shown: bool = False) -> Raster:
        """Decode the pixels, and scale samples that are not uint8 or uint16.

        If the image is to be ``shown``, and not analysed, the inks of printing presses are
        converted to sRGB by their profile.
        """
        values = None
        with _DecodingErrors(self.header.format):
            if shown and isinstance(self._decoder, PillowDecoder | TiffDecoder):
                pixels = self._decoder.pixels(shown=True)
            else:
                pixels = self._decoder.pixels()
        if self.header.scaled:
            pixels, values = scale(pixels, self._value_range)
        white = 255 if pixels.dtype == np.uint8 else (1 << min(16, self.header.depth)) - 1
        white = white if values is None else 65535
        if not self._decoder.upright:
            pixels = upright(pixels, self.header.orientation)
        return Raster(pixels, white, self.header, values)


def open_image(
    data: bytes,
    limits: Limits | None = None,
    *,
    frame: int = 1,
    value_range: tuple[float, float] | None = None,
) -> Encoded:
    """Detect the format, verify checksums, read the header and check it against ``limits``.

    ``frame`` is the frame or page to decode, counted from 1; ``value_range`` holds the values of
    black and white of samples that are scaled to 16 bits, by default their extremes. Raises
    :class:`~fft_tool.errors.ImageError` or :class:`~fft_tool.errors.LimitExceeded`, or
    :class:`~fft_tool.errors.RecipeError` if ``frame`` or ``value_range`` does not suit the image.
    """
    limits = limits or Limits()
    if not data:
        raise EmptyImage("the file is empty")
    limits.check_bytes(len(data))
    container = sniff(data)
    limits.check_format(container)
    if size := size_of(data, container):  # Pillow may allocate the image on opening it
        limits.check_pixels(*size)
    with _DecodingErrors(container):
        decoder = _decoder(data, container, frame)
    header = decoder.header
    limits.check_pixels(header.width, header.height)
    if container in _ANIMATED:
        check_frames_before(frame, header.width * header.height, limits.max_pixels)
    if value_range and not header.scaled:
        given = ",".join(f"{value:g}" for value in value_range)
        allowed = (
            f"is for samples that are signed, floating-point or wider than 16 bits; these have "
            f"{header.depth} bits and are analysed as they are: leave it out"
        )
        raise RecipeError([RecipeFault("range", given, allowed)])
    return Encoded(header, decoder, value_range)


def decode(
    data: bytes,
    limits: Limits | None = None,
    *,
    frame: int = 1,
    value_range: tuple[float, float] | None = None,
) -> Raster:
    """Decode image bytes: :func:`open_image` and :meth:`Encoded.decode` in one.

    >>> data = encode_image(np.zeros((4, 6), np.uint8), 255)
    >>> decode(data).pixels.shape
    (4, 6, 1)
    """
    return open_image(data, limits, frame=frame, value_range=value_range).decode()


def _decoder(data: bytes, container: str, frame: int) -> Decoder:
    if container == "png":
        return PngDecoder(data, frame)
    if container == "tiff":
        return open_tiff(data, frame)
    if container == "npy":
        return NpyDecoder(data, frame)
    if container == "pnm":
        return PnmDecoder(data, frame)
    return PillowDecoder(data, container, frame)


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
