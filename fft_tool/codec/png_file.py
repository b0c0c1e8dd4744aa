"""The PNG container, verified chunk by chunk before anything is decoded.

Pillow accepts wrong checksums, and treats missing rows at the end of the stream as black. All
lengths and checksums are therefore verified here, and the image data is inflated here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import numpy as np
from isal import isal_zlib

from fft_tool.arrays import Pixels
from fft_tool.codec.containers import MAX_CHUNKS, check_chunks
from fft_tool.codec.deflate import stored_stream
from fft_tool.codec.header import MAX_PROFILE_BYTES
from fft_tool.errors import CorruptImage, UnsupportedImage

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}

_DEPTHS = {
    GREY: (1, 2, 4, 8, 16),
    RGB: (8, 16),
    PALETTE: (1, 2, 4, 8),
    GREY_ALPHA: (8, 16),
    RGBA: (8, 16),
}
_NEEDED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
# First row, first column, row step and column step of the seven passes of an interlaced image.
_ADAM7 = (
    (0, 0, 8, 8),
    (0, 4, 8, 8),
    (4, 0, 8, 4),
    (0, 2, 4, 4),
    (2, 0, 4, 2),
    (0, 1, 2, 2),
    (1, 0, 2, 1),
)
_STREAM_PARTS = 1 << 13  # of at most 64 KiB per chunk: a chunk must stay below 2 GiB
_InflateError = cast("type[Exception]", isal_zlib.error)  # the stub declares an instance


@dataclass(frozen=True, slots=True)
class Png:
    """A verified PNG: its header and relevant chunks, with the image data still compressed."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool
    palette: bytes
    transparency: bytes | None
    idat: tuple[memoryview, ...]
    frames: int
    pixels_per_metre: tuple[int, int] | None
    exif: bytes | None
    profile: bytes | None = None
    animation: tuple[tuple[bytes, memoryview], ...] = ()  # fcTL, IDAT and fdAT, in their order

    @property
    def animated_from_start(self) -> bool:
        """Whether the image itself is the first frame of the animation."""
        return bool(self.animation) and self.animation[0][0] == b"fcTL"

    def inflate(self) -> bytes:
        """Inflate the filtered rows, and verify their length."""
        inflater = isal_zlib.decompressobj()
        expected = self._inflated_size()
        try:
            data = inflater.decompress(b"".join(self.idat), expected + 1)
        except _InflateError as exc:
            raise CorruptImage(f"PNG image data cannot be inflated: {exc}") from exc
        if len(data) != expected or not inflater.eof:
            raise CorruptImage("PNG image data is not as long as the header says")
        return data

    def unfiltered(self, rows: bytes) -> Pixels | None:
        """Pixels (h, w, channels) if no row is filtered, as in our own pictures; otherwise None.

        ``rows`` is the result of :meth:`inflate`. Such an image needs no further decoding.
        """
        if self.interlaced or self.depth < 8 or self.colour == PALETTE:
            return None
        lines = np.frombuffer(rows, np.uint8).reshape(self.height, -1)
        if lines[:, 0].any():
            return None
        samples = lines[:, 1:]
        pixels = samples.copy() if self.depth == 8 else samples.view(">u2").astype(np.uint16)
        return pixels.reshape(self.height, self.width, CHANNELS[self.colour])

    def rewrapped(
        self, rows: bytes, *, depth: int | None = None, colour: int | None = None
    ) -> bytes:
        """Build a PNG file of the inflated ``rows`` and only the chunks needed for decoding.

        Texts and profiles are omitted, so they cannot slow down or mislead a decoder; rows are
        stored, so it need not inflate them again. Overriding ``depth`` and ``colour`` makes it
        interpret the same bytes as pixels of another type.
        """
        header = struct.pack(
            ">IIBBBBB",
            self.width,
            self.height,
            depth or self.depth,
            self.colour if colour is None else colour,
            0,
            0,
            int(self.interlaced),
        )
        parts = [SIGNATURE, *chunk(b"IHDR", header)]
        if self.palette:
            parts += chunk(b"PLTE", self.palette)
        if self.transparency is not None:
            parts += chunk(b"tRNS", self.transparency)
        stream = stored_stream(np.frombuffer(rows, np.uint8))
        for start in range(0, len(stream), _STREAM_PARTS):
            parts += chunk(b"IDAT", *stream[start : start + _STREAM_PARTS])
        parts += chunk(b"IEND")
        return b"".join(parts)

    def _inflated_size(self) -> int:
        bits = CHANNELS[self.colour] * self.depth
        passes = _ADAM7 if self.interlaced else ((0, 0, 1, 1),)
        total = 0
        for y, x, down, across in passes:
            height, width = -(-(self.height - y) // down), -(-(self.width - x) // across)
            if height > 0 and width > 0:
                total += height * (1 + (width * bits + 7) // 8)
        return total


def parse(data: bytes) -> Png:
    """Verify a whole PNG file: signature, order, lengths, checksums, header values."""
    chunks: dict[bytes, bytes] = {}
    idat: list[memoryview] = []
    animation: list[tuple[bytes, memoryview]] = []
    for chunk_type, body in _chunks(data):
        if not chunks and chunk_type != b"IHDR":
            raise CorruptImage("PNG does not begin with a header chunk")
        if chunk_type in (b"fcTL", b"fdAT", b"IDAT"):
            animation.append((chunk_type, body))
        if chunk_type == b"IDAT":
            idat.append(body)
        elif chunk_type not in _NEEDED and not chunk_type[0] & 0x20:
            name = chunk_type.decode("latin-1")
            raise UnsupportedImage(f"PNG has an unknown critical chunk {name!r}")
        elif chunk_type in (*_NEEDED, b"pHYs", b"eXIf", b"iCCP", b"acTL"):
            chunks.setdefault(chunk_type, bytes(body))
    if not any(idat):
        raise CorruptImage("PNG has no image data")
    width, height, depth, colour, interlaced = _header(chunks[b"IHDR"])
    return Png(
        width,
        height,
        depth,
        colour,
        interlaced,
        palette=_palette(colour, chunks.get(b"PLTE", b"")),
        transparency=_transparency(colour, chunks.get(b"tRNS")),
        idat=tuple(idat),
        frames=_count_frames(chunks.get(b"acTL", b""), animation),
        pixels_per_metre=_pixels_per_metre(chunks.get(b"pHYs")),
        exif=chunks.get(b"eXIf"),
        profile=_profile(chunks.get(b"iCCP", b"")),
        animation=tuple(animation) if b"acTL" in chunks else (),
    )


def _count_frames(control: bytes, animation: list[tuple[bytes, memoryview]]) -> int:
    """Frames that a file announces, and its image if that is not one of them."""
    types = [chunk_type for chunk_type, _ in animation]
    frames = int.from_bytes(control[:4], "big")
    apart = b"fcTL" in types and types[0] != b"fcTL"
    return max(1, frames + (apart and frames > 0))


def read_text(beginning: bytes) -> dict[str, str]:
    """Uncompressed international texts (iTXt) that precede the image data of a PNG.

    The ``beginning`` of the file is enough. Other files give no texts.
    """
    texts = {}
    with suppress(CorruptImage):  # the data may end within a chunk
        for chunk_type, body in _chunks(beginning):
            if chunk_type == b"IDAT":
                break
            key, mark, text = bytes(body).partition(b"\0\0\0\0\0")
            if chunk_type == b"iTXt" and mark and b"\0" not in key:
                with suppress(UnicodeDecodeError):
                    texts[key.decode("latin-1")] = text.decode()
    return texts


def chunk(chunk_type: bytes, *body: bytes | memoryview) -> list[bytes | memoryview]:
    """Parts of a chunk: length, type, body, checksum."""
    checksum = isal_zlib.crc32(chunk_type)
    for part in body:
        checksum = isal_zlib.crc32(part, checksum)
    size = sum(map(len, body))
    return [struct.pack(">I", size), chunk_type, *body, struct.pack(">I", checksum)]


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yield each chunk's type and body, up to the end chunk; raise at the first invalid one."""
    if not data.startswith(SIGNATURE):
        raise CorruptImage("PNG signature is missing")
    view, position = memoryview(data), len(SIGNATURE)
    chunk_type, count = b"", 0
    while chunk_type != b"IEND":
        count += 1
        if count > MAX_CHUNKS:
            check_chunks(count, len(data))
        if position + 12 > len(data):
            raise CorruptImage(f"PNG is truncated: no end chunk before byte {len(data)}")
        length, chunk_type = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            raise CorruptImage(f"PNG is truncated inside a chunk at byte {position}")
        if isal_zlib.crc32(view[position + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            name = chunk_type.decode("latin-1")
            raise CorruptImage(f"PNG chunk {name!r} at byte {position} has a wrong checksum")
        yield chunk_type, view[position + 8 : end]
        position = end + 4


def _header(body: bytes) -> tuple[int, int, int, int, bool]:
    if len(body) != 13:
        raise CorruptImage("PNG header chunk has a wrong length")
    width, height, depth, colour, method, filtering, interlace = struct.unpack(">IIBBBBB", body)
    if not 0 < width < 1 << 31 or not 0 < height < 1 << 31:
        raise CorruptImage(f"PNG header says {width} x {height} pixels")
    if colour not in _DEPTHS or depth not in _DEPTHS[colour]:
        raise CorruptImage(f"PNG header has the invalid colour type {colour} at {depth} bits")
    if method or filtering or interlace > 1:
        raise CorruptImage("PNG header names an unknown compression, filter or interlace method")
    return width, height, depth, colour, bool(interlace)


def _palette(colour: int, body: bytes) -> bytes:
    if colour != PALETTE:
        return b""  # a suggestion for display, which does not change any pixel
    if not body or len(body) % 3:
        raise CorruptImage("PNG palette is missing, or its length is not a multiple of three")
    return body


def _transparency(colour: int, body: bytes | None) -> bytes | None:
    """Transparent colour, or opacities of a palette; ignored if there is an alpha channel."""
    if body is None or colour in (GREY_ALPHA, RGBA):
        return None
    if colour != PALETTE and len(body) != 2 * CHANNELS[colour]:
        raise CorruptImage("PNG transparency chunk has a wrong length")
    return body


def _profile(body: bytes) -> bytes | None:
    """Colour profile, which follows its name; None if it is missing, damaged or too large."""
    _, mark, rest = body.partition(b"\0")
    inflater = isal_zlib.decompressobj()
    with suppress(_InflateError):
        profile = inflater.decompress(rest[1:], MAX_PROFILE_BYTES) if mark and rest else b""
        return profile if inflater.eof else None
    return None


def _pixels_per_metre(body: bytes | None) -> tuple[int, int] | None:
    if body is None or len(body) != 9:
        return None
    x, y, unit = struct.unpack(">IIB", body)
    return (x, y) if unit == 1 and x and y else None
