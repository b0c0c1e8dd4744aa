"""Image bytes to pixels at the source's own depth, checked before they are decoded.

PNG is verified and dispatched here; Pillow does the decoding. Its plugins are called directly:
the format has been told by content, and its own size limit, a global, gives way to ``Limits``.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fft_tool import png
from fft_tool.errors import (
    CorruptImage,
    EmptyImage,
    FftToolError,
    UnknownFormat,
    UnsupportedImage,
)
from fft_tool.limits import FORMATS, Limits

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

Pixels = NDArray[np.unsignedinteger[Any]]

CHANNEL_NAMES = {
    1: ("grey",),
    2: ("grey", "alpha"),
    3: ("red", "green", "blue"),
    4: ("red", "green", "blue", "alpha"),
}
_MAGIC = (
    (png.SIGNATURE, "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"BM", "bmp"),
)


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a source before it is decoded.

    ``width`` and ``height`` are those stored, before ``orientation`` (EXIF, 1 to 8) is applied;
    ``depth`` the bits of a sample as stored; ``pixel_size_um`` (x, y) in micrometres and
    ``pixel_size_from`` where that stands, both after orientation.
    """

    format: str
    width: int
    height: int
    channels: int
    depth: int
    frames: int = 1
    orientation: int = 1
    pixel_size_um: tuple[float, float] | None = None
    pixel_size_from: str | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the upright image."""
        stored = self.height, self.width
        return stored if self.orientation < 5 else stored[::-1]


@dataclass(frozen=True, slots=True)
class Raster:
    """A decoded, upright image.

    ``pixels`` is uint8 or uint16 of shape (h, w, channels); ``white`` the largest value that the
    source's depth can hold (255 for 1 to 8 bits, which are spread over the range; 65535; or, for
    a 12-bit TIFF, 4095).
    """

    pixels: Pixels
    white: int
    header: Header

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channels."""
        return CHANNEL_NAMES[self.pixels.shape[2]]

    def channel(self, name: str) -> Pixels | None:
        """Give the channel called ``name``, shape (h, w), or None."""
        return self.pixels[:, :, self.names.index(name)] if name in self.names else None


@dataclass(frozen=True, slots=True)
class Encoded:
    """An image whose header has been read and accepted, not yet decoded."""

    header: Header
    _source: _PngSource | _PillowSource

    def decode(self) -> Raster:
        """Decode the pixels."""
        with _DecodingErrors(self.header.format):
            pixels = self._source.pixels()
        white = 255 if pixels.dtype == np.uint8 else (1 << self.header.depth) - 1
        return Raster(_upright(pixels, self.header.orientation), white, self.header)


def open_image(data: bytes, limits: Limits | None = None) -> Encoded:
    """Tell the format, verify checksums and read the header, and hold it against ``limits``.

    Raises an :class:`~fft_tool.errors.ImageError` or :class:`~fft_tool.errors.LimitExceeded`.
    """
    limits = limits or Limits()
    if not data:
        raise EmptyImage("the file is empty")
    limits.check_bytes(len(data))
    kind = sniff(data)
    limits.check_format(kind)
    with _DecodingErrors(kind):
        source = _PngSource(data) if kind == "png" else _PillowSource(data, kind)
    limits.check_pixels(source.header.width, source.header.height)
    return Encoded(source.header, source)


def decode(data: bytes, limits: Limits | None = None) -> Raster:
    """Decode image bytes: :func:`open_image` and :meth:`Encoded.decode` in one."""
    return open_image(data, limits).decode()


def sniff(data: bytes) -> str:
    """Tell the format from the first bytes; names lie."""
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if b"IHDR" in data[:32]:
        raise UnknownFormat("a PNG whose first bytes were changed: was it transferred as text?")
    raise UnknownFormat(f"not an image in a known format ({', '.join(FORMATS)})")


class _PngSource:
    """A verified PNG."""

    def __init__(self, data: bytes) -> None:
        self.png = png.parse(data)
        self.header = self._read_header()

    def _read_header(self) -> Header:
        file = self.png
        channels = 3 if file.colour == png.PALETTE else png.CHANNELS[file.colour]
        orientation = _exif_orientation(file.exif) if file.exif else 1
        size = file.pixels_per_metre
        return Header(
            "png",
            file.width,
            file.height,
            channels + (file.transparency is not None),
            file.depth,
            frames=file.frames,
            orientation=orientation,
            pixel_size_um=_turned((1e6 / size[0], 1e6 / size[1]), orientation) if size else None,
            pixel_size_from="PNG pHYs" if size else None,
        )

    def pixels(self) -> Pixels:
        file = self.png
        pixels = file.unfiltered()
        if pixels is None:
            pixels = self._decode_deep() if file.depth == 16 else self._decode()
        if file.transparency is not None and file.colour in (png.GREY, png.RGB):
            return self._with_key_colour(pixels)
        return pixels

    def _decode(self) -> Pixels:
        image = _pillow_png(self.png.rewrapped())
        if image.mode == "P":
            return _array(image.convert("RGBA" if self.png.transparency is not None else "RGB"))
        return _array(image.convert("L") if image.mode == "1" else image)

    def _decode_deep(self) -> Pixels:
        """Decode 16-bit samples, of which Pillow keeps but 8 bits unless they are plain grey."""
        file = self.png
        if file.colour == png.GREY:
            return _array(_pillow_png(file.rewrapped()))
        if file.colour == png.GREY_ALPHA:
            # Four bytes a pixel either way: read as 8-bit RGBA, high and low bytes side by side.
            split = _array(_pillow_png(file.rewrapped(depth=8, colour=png.RGBA)))
            return _joined(split[:, :, 0::2], split[:, :, 1::2])
        # Read as big-endian samples Pillow keeps the high bytes, read as little-endian the low.
        mode = "RGB" if file.colour == png.RGB else "RGBA"
        plain = file.rewrapped()
        high = _array(_pillow_png(plain, rawmode=f"{mode};16B"))
        low = _array(_pillow_png(plain, rawmode=f"{mode};16L"))
        return _joined(high, low)

    def _with_key_colour(self, pixels: Pixels) -> Pixels:
        """Add the alpha channel that a tRNS chunk describes: one colour is transparent."""
        file = self.png
        key = np.frombuffer(file.transparency or b"", ">u2")
        if key.size != pixels.shape[2]:
            raise CorruptImage("PNG transparency chunk has a wrong length")
        key = key & ((1 << file.depth) - 1)  # of the two bytes only the low bits count
        if file.depth < 8:
            key = key * (255 // ((1 << file.depth) - 1))
        opaque = (pixels != key).any(axis=2, keepdims=True)
        white = np.iinfo(pixels.dtype).max
        return np.concatenate([pixels, np.where(opaque, white, 0).astype(pixels.dtype)], axis=2)


class _PillowSource:
    """An image of another format, read by Pillow."""

    def __init__(self, data: bytes, kind: str) -> None:
        self.image = _plugin(kind)(io.BytesIO(data))
        self.header = self._read_header(kind)

    def _read_header(self, kind: str) -> Header:
        image = self.image
        exif = image.getexif()
        orientation = exif.get(0x0112, 1)
        orientation = orientation if orientation in range(1, 9) else 1
        size, origin = _pixel_size(image, exif)
        return Header(
            kind,
            image.width,
            image.height,
            {"1": 1, "L": 1, "LA": 2, "RGBA": 4, "PA": 4}.get(image.mode, self._palette_channels()),
            self._depth(),
            frames=getattr(image, "n_frames", 1),
            orientation=orientation,
            pixel_size_um=_turned(size, orientation) if size else None,
            pixel_size_from=origin,
        )

    def _palette_channels(self) -> int:
        if self.image.mode.startswith("I;16"):
            return 1
        return 4 if "transparency" in self.image.info else 3

    def _depth(self) -> int:
        """Bits of a sample; refuses kinds whose values would be lost on the way."""
        tags = getattr(self.image, "tag_v2", {})
        bits, mode = max(tags.get(258, (8,))), self.image.mode
        if mode.startswith("I;16"):
            return int(bits)
        if bits > 8 or mode in ("I", "F", "LAB", "HSV"):
            raise UnsupportedImage(
                f"{bits}-bit {mode} samples would lose precision here: "
                "save the image as 8- or 16-bit grey, or as 16-bit colour PNG"
            )
        return int(bits)

    def pixels(self) -> Pixels:
        image: Any = self.image
        image.load()
        if image.mode.startswith("I;16"):
            return _array(image).astype(np.uint16, copy=False)
        if image.mode not in ("L", "LA", "RGB", "RGBA"):
            image = image.convert({1: "L", 3: "RGB", 4: "RGBA"}[self.header.channels])
        return _array(image)


class _DecodingErrors:
    """Turns whatever a decoder raises on bad data into :class:`CorruptImage`."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, exc: BaseException | None, __: object) -> None:
        if isinstance(exc, FftToolError | MemoryError) or not isinstance(exc, Exception):
            return
        # Pillow's plugins raise nearly anything: SyntaxError, struct.error, KeyError, …
        reason = str(exc).strip() or type(exc).__name__
        raise CorruptImage(f"{self.kind.upper()} cannot be decoded: {reason}") from exc


def _plugin(kind: str) -> type[ImageFile]:
    """Pillow's reader for one format; the others need not even be imported."""
    module, name = {
        "jpeg": ("JpegImagePlugin", "JpegImageFile"),
        "tiff": ("TiffImagePlugin", "TiffImageFile"),
        "webp": ("WebPImagePlugin", "WebPImageFile"),
        "bmp": ("BmpImagePlugin", "BmpImageFile"),
    }[kind]
    reader: type[ImageFile] = getattr(importlib.import_module(f"PIL.{module}"), name)
    return reader


def _pillow_png(data: bytes, rawmode: str | None = None) -> ImageFile:
    """Decode a PNG, if need be as samples of another ``rawmode`` than Pillow would choose."""
    from PIL.PngImagePlugin import PngImageFile  # noqa: PLC0415

    image = PngImageFile(io.BytesIO(data))
    if rawmode:
        image.tile = [tile._replace(args=rawmode) for tile in image.tile]
    image.load()
    return image


def _array(image: Any) -> Pixels:
    """Pixels of a Pillow image, shape (h, w, channels)."""
    pixels: Pixels = np.asarray(image)
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


def _joined(high: Pixels, low: Pixels) -> Pixels:
    """Make 16-bit samples of their bytes."""
    samples = high.astype(np.uint16)
    samples <<= 8
    samples |= low
    return samples


def _exif_orientation(data: bytes) -> int:
    from PIL.Image import Exif  # noqa: PLC0415

    exif = Exif()
    exif.load(data)
    value = exif.get(0x0112, 1)
    return value if value in range(1, 9) else 1


def encode_image(
    pixels: Pixels,
    white: int,
    *,
    pixel_size_um: tuple[float, float] | None = None,
    text: Mapping[str, str] | None = None,
    threads: int = 1,
) -> bytes:
    """Write an image, (h, w) or (h, w, channels) with values 0 … ``white``, as PNG."""
    density = None
    if pixel_size_um:
        x, y = (min(max(1, round(1e6 / size)), (1 << 31) - 1) for size in pixel_size_um)
        density = (x, y)
    return png.encode(
        full_range(pixels, white), text=text, pixels_per_metre=density, threads=threads
    )


def full_range(pixels: Pixels, white: int) -> Pixels:
    """Spread pixels 0 … ``white`` over their whole type, as files have to have them."""
    top = int(np.iinfo(pixels.dtype).max)
    if white == top:
        return pixels
    return ((pixels.astype(np.uint32) * top + white // 2) // white).astype(pixels.dtype)


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turn stored pixels (h, w, channels) as EXIF's ``orientation`` says."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def _turned(size: tuple[float, float], orientation: int) -> tuple[float, float]:
    return size if orientation < 5 else size[::-1]


def _pixel_size(image: Any, exif: Any) -> tuple[tuple[float, float] | None, str | None]:
    """Pixel size (x, y) in micrometres, and where it was found."""
    micrometres_per_unit = {2: 25_400.0, 3: 10_000.0}  # TIFF's inch and centimetre
    density, unit = image.info.get("jfif_density"), image.info.get("jfif_unit", 0) + 1
    if density and all(density) and unit in micrometres_per_unit:
        scale = micrometres_per_unit[unit]
        return (scale / density[0], scale / density[1]), "JFIF density"
    tags = getattr(image, "tag_v2", exif)
    x, y, unit = tags.get(282), tags.get(283), tags.get(296, 2)
    if x and y and unit in micrometres_per_unit:
        scale = micrometres_per_unit[unit]
        origin = "TIFF resolution" if tags is not exif else "EXIF resolution"
        return (scale / float(x), scale / float(y)), origin
    return None, None
