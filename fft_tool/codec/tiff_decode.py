"""The decoder for TIFF: Pillow where it keeps every bit, and tifffile, an extra, for the rest.

Pillow decodes 16-bit colour to 8 bits, but can be told to take the low or the high bytes, so that
two passes give both. Its 32-bit integers are signed, and are reinterpreted where they are not.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.codec import containers
from fft_tool.codec.containers import TiffPages
from fft_tool.codec.exif import Tags, orientation_of, pixel_size_of
from fft_tool.codec.header import Header, turned
from fft_tool.codec.pillow_decode import channels_of, eight_bit_pixels, open_with_pillow
from fft_tool.codec.raster import channels_last, joined, upright
from fft_tool.errors import CorruptImage, UnsupportedImage

_BITS, _PHOTOMETRIC, _PLANAR, _FORMAT = 258, 262, 284, 339
_WHITE_IS_ZERO, _GREY, _RGB = 0, 1, 2
_TYPES = {1: "uint", 2: "int", 3: "float"}  # values of the sample format tag
_EXTRA, _BLENDED, _ALPHA = 338, 1, 2  # extra samples: premultiplied and plain opacity
_REMEDY = "save the image as 8- or 16-bit grey, as 32-bit float, or as 16-bit PNG"
_RAW_MODES = {
    ("uint", 32): "I;32{}S",
    ("int", 32): "I;32{}S",
    ("int", 16): "I;16{}S",
    ("float", 32): "F;32{}F",
}


def open_tiff(data: bytes, frame: int) -> TiffDecoder | TifffileDecoder:
    """Open one page, counted from 1."""
    pages = containers.choose_tiff_page(data, frame)
    try:
        return TiffDecoder(pages, frame, len(data))
    except UnsupportedImage as exc:
        if not tifffile_installed():
            remedy = "pip install 'fft-pipeline[tiff]' makes more kinds of TIFF readable"
            raise UnsupportedImage(f"{exc}; {remedy}") from exc
    return TifffileDecoder(pages, frame, len(data))


def tifffile_installed() -> bool:
    """Whether the extra is installed. A Lambda has it not, and refuses what needs it."""
    return all(importlib.util.find_spec(name) for name in ("tifffile", "imagecodecs"))


@dataclass(frozen=True, slots=True)
class _Samples:
    """Type and number of bits of the samples."""

    sample_type: str
    bits: int


class TiffDecoder:
    """One page of a TIFF that Pillow decodes without loss."""

    upright = True  # Pillow rotates a TIFF by itself, and reports the size after rotation

    def __init__(self, pages: TiffPages, frame: int, file_bytes: int) -> None:
        self._pages = pages
        self._image: Any = _open(pages)
        tags: Tags = self._image.tag_v2
        containers.check_exif(self._image.info.get("exif") or b"")
        self._name = str(self._image.tile[0].args[0]).partition(";")[0] if self._image.tile else ""
        self._samples = samples = _checked_samples(self._image.mode, tags)
        channels = channels_of(self._image)
        if samples.bits > 8 or samples.sample_type != "uint":
            channels = {"RGB": 3, "RGBA": 4}.get(self._image.mode, 1)
        header = _header(
            pages, frame, file_bytes, (self._image.size, channels, samples), tags, turn=True
        )
        self.header = replace(header, profile=self._image.info.get("icc_profile") or None)

    def pixels(self, *, shown: bool = False) -> NDArray[Any]:
        """Decode the page; if it is to be ``shown``, inks are converted by their profile."""
        image, samples = self._image, self._samples
        if samples.bits == 16 and image.mode in ("RGB", "RGBA"):
            return self._deep_colour()
        raw_mode = _RAW_MODES.get((samples.sample_type, samples.bits))
        if raw_mode:
            _decode_as(image, raw_mode.format("N" if _by_libtiff(image) else self._order("")))
        image.load()
        if image.mode.startswith("I;16"):
            return channels_last(image).astype(np.uint16, copy=False)
        if raw_mode:
            pixels = channels_last(image)
            return pixels.view(np.uint32) if samples.sample_type == "uint" else pixels
        profile = self.header.profile if shown else None
        pixels = eight_bit_pixels(image, self.header.channels, profile)
        return pixels.view(np.int8) if samples.sample_type == "int" else pixels

    def _order(self, little: str) -> str:
        """Letter of the file's byte order in Pillow's names of raw modes."""
        return little if self._pages.data.startswith(b"II") else "B"

    def _deep_colour(self) -> NDArray[np.uint16]:
        """Decode 16-bit colour in two passes: Pillow keeps one byte of each sample."""
        native = "L" if sys.byteorder == "little" else "B"
        high = native if _by_libtiff(self._image) else self._order("L")
        low = "B" if high == "L" else "L"
        parts = []
        for order in (high, low):
            image = _open(self._pages)
            _decode_as(image, f"{self._name};16{order}")
            image.load()
            parts.append(channels_last(image))
        return joined(*parts)


class TifffileDecoder:
    """One page of a TIFF, decoded by tifffile and imagecodecs."""

    upright = True

    def __init__(self, pages: TiffPages, frame: int, file_bytes: int) -> None:
        with _first_page(pages) as page:
            _check_parts(page, len(pages.data))
            tags = {tag.code: tag.value for tag in page.tags if tag.code in (274, 282, 283, 296)}
            shape, dtype = tuple(map(int, page.shape)), page.dtype
            photometric = int(page.photometric)
            # Separate planes come first.
            self._planes_first = len(shape) == 3 and int(page.planarconfig) == 2
            bits = int(page.bitspersample)
            extras = tuple(map(int, page.extrasamples or ()))
        if dtype is None or dtype.kind not in "uif" or bits != 8 * dtype.itemsize:
            what = "complex" if dtype is not None and dtype.kind == "c" else f"{bits}-bit"
            raise _unsupported(f"{what} TIFF samples")
        if self._planes_first:
            shape = (*shape[1:], shape[0])
        shape = shape if len(shape) == 3 else (*shape, 1)
        if not math.prod(shape):
            raise CorruptImage(f"TIFF has no pixels: its shape is {shape}")
        plain = {_GREY: 1, _RGB: 3}.get(photometric)
        alpha = extras == (_ALPHA,)
        if len(shape) != 3 or plain is None or shape[2] != plain + alpha:
            raise _unsupported(f"TIFF of shape {shape}, photometric {photometric}, extra {extras}")
        kind = {"u": "uint", "i": "int", "f": "float"}[dtype.kind]
        resolution: Tags = {
            tag: value[0] / value[1] if isinstance(value, tuple) and value[1] else value
            for tag, value in tags.items()
        }
        self._pages, self._dtype, self._shape = pages, dtype, shape
        samples = _Samples(kind, bits)
        size = (shape[1], shape[0])
        self.header = _header(
            pages, frame, file_bytes, (size, shape[2], samples), resolution, turn=False
        )

    def pixels(self) -> NDArray[Any]:
        """Decode the page."""
        with _first_page(self._pages) as page:
            pixels: NDArray[Any] = page.asarray(maxworkers=1)
        if self._planes_first:
            pixels = np.moveaxis(pixels, 0, -1)
        pixels = pixels.reshape(self._shape).astype(self._dtype.newbyteorder("="), copy=False)
        return upright(pixels, self.header.orientation)


def _open(pages: TiffPages) -> Any:
    try:
        return open_with_pillow(pages.stream(), "tiff")
    except SyntaxError as exc:
        if "unknown pixel mode" in str(exc) or "Invalid value for samples" in str(exc):
            raise _unsupported("TIFF samples of this type") from exc
        if pages.data.startswith(b"MM\0+"):
            raise _unsupported("big-endian BigTIFF") from exc
        raise


@contextmanager
def _first_page(pages: TiffPages) -> Iterator[Any]:
    """Open a TIFF with tifffile, which logs what is wrong with a file beside raising errors."""
    log = logging.getLogger("tifffile")
    disabled, log.disabled = log.disabled, True
    try:
        with importlib.import_module("tifffile").TiffFile(pages.stream()) as file:
            yield file.pages[0]
    finally:
        log.disabled = disabled


def _check_parts(page: Any, file_bytes: int) -> None:
    """Reject strips and tiles that are missing: tifffile would fill them with zeros."""
    parts = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    needed = math.prod(page.chunked)
    if len(parts) < needed or any(
        size <= 0 or start <= 0 or start + size > file_bytes for start, size in parts
    ):
        raise CorruptImage(f"TIFF is truncated: some of its {needed:,} strips or tiles are missing")


def _checked_samples(mode: str, tags: Tags) -> _Samples:
    """Type and depth of the samples; rejects those that Pillow would not decode without loss."""
    bits = max(tags.get(_BITS, (1,)))
    formats = set(tags.get(_FORMAT, (1,)))
    sample_type = _TYPES.get(formats.pop(), "") if len(formats) == 1 else ""
    inverted = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    if sample_type == "uint" and bits <= 8:
        sound = mode not in ("I", "F", "LAB", "HSV", "La")
    elif mode in ("RGB", "RGBA"):
        apart, blended = tags.get(_PLANAR, 1) == 2, _BLENDED in tags.get(_EXTRA, ())
        sound = (sample_type, bits) == ("uint", 16) and not (apart or blended)
    elif mode == "L":
        sound = (sample_type, bits) == ("int", 8) and not inverted
    else:
        grey = mode.startswith("I;16") and sample_type == "uint" and bits in (12, 16)
        sound = (grey or (sample_type, bits) in _RAW_MODES) and not inverted
    if not sound:
        name = f"{bits}-bit {sample_type} samples" if sample_type else f"{bits}-bit samples"
        raise _unsupported(f"{name} of this layout ({mode})")
    return _Samples(sample_type, int(bits))


def _by_libtiff(image: Any) -> bool:
    """Whether libtiff decodes, which returns samples in native byte order."""
    return bool(image.tile) and image.tile[0].codec_name == "libtiff"


def _decode_as(image: Any, raw_mode: str) -> None:
    """Override how samples are interpreted."""
    image.tile = [tile._replace(args=(raw_mode, *tile.args[1:])) for tile in image.tile]


def _header(
    pages: TiffPages,
    frame: int,
    file_bytes: int,
    layout: tuple[tuple[int, int], int, _Samples],
    tags: Tags,
    *,
    turn: bool,
) -> Header:
    size, channels, samples = layout
    orientation = orientation_of(tags)
    width, height = turned(size, orientation) if turn else size
    pixel_size = pixel_size_of(tags)
    return Header(
        "tiff",
        width,
        height,
        channels,
        samples.bits,
        file_bytes=file_bytes,
        frames=pages.count,
        frame=frame,
        orientation=orientation,
        pixel_size_um=turned(pixel_size, orientation) if pixel_size else None,
        pixel_size_from="TIFF resolution" if pixel_size else None,
        sample_type=samples.sample_type,
    )


def _unsupported(what: str) -> UnsupportedImage:
    return UnsupportedImage(f"{what} cannot be read here without loss: {_REMEDY}")
