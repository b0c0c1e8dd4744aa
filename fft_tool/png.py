"""The PNG container: read and verified chunk by chunk, written strip by strip.

Reading checks every length and CRC before anything is decoded (Pillow accepts a wrong IDAT CRC).
Writing uses ISA-L's deflate, some fifty times faster than Pillow's default at nearly the same
size, on strips of fixed height: threads share the work and the bytes never depend on their number.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from fft_tool.errors import CorruptImage, UnsupportedImage
from fft_tool.parallel import map_rows, rows_per_block

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
_FILTER_NONE, _FILTER_UP = 0, 2
_InflateError = cast("type[Exception]", isal_zlib.error)  # the stub takes it for an instance
_SAMPLE, _NOISE = 1 << 14, 0.99
_LONGEST_STORED = 0xFFFF
_LEVEL = 1  # ISA-L's sweet spot: 2 and 3 take longer and save nothing on pictures

PixelArray = NDArray[np.unsignedinteger[Any]]
FillRows = Callable[[int, int, PixelArray], None]


@dataclass(frozen=True, slots=True)
class Png:
    """A verified PNG: what its header says, and the chunks that matter, still compressed."""

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

    @property
    def row_bytes(self) -> int:
        """Bytes of an unfiltered row."""
        return (self.width * CHANNELS[self.colour] * self.depth + 7) // 8

    def rewrapped(self, *, depth: int | None = None, colour: int | None = None) -> bytes:
        """Give the file again with only the chunks that decoding needs.

        What is left out (texts, profiles) cannot burden or mislead the decoder. Another ``depth``
        and ``colour`` make it read the same bytes as pixels of another kind.
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
        parts = [SIGNATURE, *_chunk(b"IHDR", header)]
        if self.palette:
            parts += _chunk(b"PLTE", self.palette)
        if self.transparency is not None:
            parts += _chunk(b"tRNS", self.transparency)
        parts += _chunk(b"IDAT", *self.idat)
        parts += _chunk(b"IEND")
        return b"".join(parts)

    def unfiltered(self) -> PixelArray | None:
        """Pixels (h, w, channels) where no row is filtered, as in our own pictures; else None.

        Such a file is only inflated, not decoded: several times faster.
        """
        if self.interlaced or self.depth < 8 or self.colour == PALETTE or not self._starts_plain():
            return None
        inflated = self._inflate()
        rows = np.frombuffer(inflated, np.uint8).reshape(self.height, 1 + self.row_bytes)
        if rows[:, 0].any():
            return None
        samples = rows[:, 1:]
        pixels = samples.copy() if self.depth == 8 else samples.view(">u2").astype(np.uint16)
        return pixels.reshape(self.height, self.width, CHANNELS[self.colour])

    def _starts_plain(self) -> bool:
        try:
            return isal_zlib.decompressobj().decompress(self.idat[0], 1) == b"\0"
        except _InflateError as exc:
            raise CorruptImage(f"PNG image data cannot be inflated: {exc}") from exc

    def _inflate(self) -> bytes:
        expected = self.height * (1 + self.row_bytes)
        inflater = isal_zlib.decompressobj()
        try:
            data = inflater.decompress(b"".join(self.idat), expected + 1)
        except _InflateError as exc:
            raise CorruptImage(f"PNG image data cannot be inflated: {exc}") from exc
        if len(data) != expected:
            raise CorruptImage("PNG image data does not have the size that its header says")
        return data


def parse(data: bytes) -> Png:
    """Verify a whole PNG file: signature, order, lengths, checksums, header values."""
    chunks: dict[bytes, bytes] = {}
    idat: list[memoryview] = []
    for kind, body in _chunks(data):
        if not chunks and kind != b"IHDR":
            raise CorruptImage("PNG does not begin with a header chunk")
        if kind == b"IDAT":
            idat.append(body)
        elif kind not in _NEEDED and not kind[0] & 0x20:
            raise UnsupportedImage(f"PNG has an unknown critical chunk {kind.decode('latin-1')!r}")
        elif kind in (*_NEEDED, b"pHYs", b"eXIf", b"acTL"):
            chunks.setdefault(kind, bytes(body))
    if not any(idat):
        raise CorruptImage("PNG has no image data")
    width, height, depth, colour, interlaced = _header(chunks[b"IHDR"])
    if colour == PALETTE and not chunks.get(b"PLTE"):
        raise CorruptImage("PNG with a palette lacks it")
    return Png(
        width,
        height,
        depth,
        colour,
        interlaced,
        palette=chunks.get(b"PLTE", b"") if colour == PALETTE else b"",
        transparency=chunks.get(b"tRNS"),
        idat=tuple(idat),
        frames=max(1, int.from_bytes(chunks.get(b"acTL", b"")[:4], "big")),
        pixels_per_metre=_pixels_per_metre(chunks.get(b"pHYs")),
        exif=chunks.get(b"eXIf"),
    )


def read_text(beginning: bytes) -> dict[str, str]:
    """Texts (iTXt, not compressed) that stand before the image data of a PNG.

    The ``beginning`` of the file is enough; what is no PNG has no texts.
    """
    texts = {}
    try:
        for kind, body in _chunks(beginning):
            if kind == b"IDAT":
                break
            if kind == b"iTXt":
                key, _, rest = bytes(body).partition(b"\0\0\0\0\0")
                texts[key.decode("latin-1")] = rest.decode()
    except (CorruptImage, UnicodeDecodeError):
        pass  # cut off within the image data, as it may be
    return texts


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Every chunk's type and body, up to the end chunk; complains about the first that is off."""
    view, position = memoryview(data), len(SIGNATURE)
    kind = b""
    while kind != b"IEND":
        if position + 12 > len(data):
            raise CorruptImage(
                f"PNG is truncated: it ends at byte {len(data)} without an end chunk"
            )
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            raise CorruptImage(f"PNG is truncated inside a chunk at byte {position}")
        if isal_zlib.crc32(view[position + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            name = kind.decode("latin-1")
            raise CorruptImage(f"PNG chunk {name!r} at byte {position} has a wrong checksum")
        yield kind, view[position + 8 : end]
        position = end + 4


def _header(body: bytes) -> tuple[int, int, int, int, bool]:
    if len(body) != 13:
        raise CorruptImage("PNG header chunk has a wrong length")
    width, height, depth, colour, method, filtering, interlace = struct.unpack(">IIBBBBB", body)
    if not 0 < width < 1 << 31 or not 0 < height < 1 << 31:
        raise CorruptImage(f"PNG header says {width} x {height} pixels")
    if colour not in _DEPTHS or depth not in _DEPTHS[colour]:
        raise CorruptImage(f"PNG header says colour type {colour} at {depth} bits, which is none")
    if method or filtering or interlace > 1:
        raise CorruptImage("PNG header names an unknown compression, filter or interlace method")
    return width, height, depth, colour, bool(interlace)


def _pixels_per_metre(body: bytes | None) -> tuple[int, int] | None:
    if body is None or len(body) != 9:
        return None
    x, y, unit = struct.unpack(">IIB", body)
    return (x, y) if unit == 1 and x and y else None


def encode(
    pixels: PixelArray,
    *,
    text: Mapping[str, str] | None = None,
    pixels_per_metre: tuple[int, int] | None = None,
    threads: int = 1,
) -> bytes:
    """Write ``pixels``, uint8 or uint16, shape (h, w) or (h, w, channels), as a PNG file.

    Rows are stored as differences from the row above, which suits images.
    """
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    samples = pixels.astype(">u2" if pixels.dtype.itemsize == 2 else np.uint8, copy=False)
    packed = np.ascontiguousarray(samples).reshape(height, -1).view(np.uint8)

    def fill(start: int, stop: int, out: PixelArray) -> None:
        first = max(start, 1)  # nothing stands above the first row
        out[: first - start] = packed[start:first]
        np.subtract(packed[first:stop], packed[first - 1 : stop - 1], out=out[first - start :])

    layout = _Layout(width, height, 8 * pixels.dtype.itemsize, channels, _FILTER_UP, np.uint8)
    return _write(layout, fill, text or {}, pixels_per_metre, threads)


def encode_rows(
    fill: FillRows,
    shape: tuple[int, int],
    *,
    depth: int,
    channels: int = 1,
    text: Mapping[str, str] | None = None,
    threads: int = 1,
) -> bytes:
    """Write a PNG of ``shape`` (h, w) whose rows come from ``fill(start, stop, out)``.

    ``out`` has shape (stop - start, w * channels); strips are asked for in any order. Rows are
    stored as they are, which suits pictures: they look like noise, and noise has no neighbours.
    """
    height, width = shape
    sample = np.uint8 if depth == 8 else ">u2"
    layout = _Layout(width, height, depth, channels, _FILTER_NONE, sample)
    return _write(layout, fill, text or {}, None, threads)


@dataclass(frozen=True, slots=True)
class _Layout:
    width: int
    height: int
    depth: int
    channels: int
    filter: int
    sample: Any

    @property
    def row_bytes(self) -> int:
        return self.width * self.channels * self.depth // 8

    @property
    def header(self) -> bytes:
        colour = {1: GREY, 2: GREY_ALPHA, 3: RGB, 4: RGBA}[self.channels]
        return struct.pack(">IIBBBBB", self.width, self.height, self.depth, colour, 0, 0, 0)


def _write(
    layout: _Layout,
    fill: FillRows,
    text: Mapping[str, str],
    pixels_per_metre: tuple[int, int] | None,
    threads: int,
) -> bytes:
    parts = [SIGNATURE, *_chunk(b"IHDR", layout.header)]
    if pixels_per_metre:
        parts += _chunk(b"pHYs", struct.pack(">IIB", *pixels_per_metre, 1))
    for key, value in text.items():
        parts += _chunk(b"iTXt", key.encode("latin-1") + b"\0\0\0\0\0" + value.encode())
    for strip in _strips(layout, fill, threads):
        parts += strip
    parts += _chunk(b"IEND")
    return b"".join(parts)


def _strips(layout: _Layout, fill: FillRows, threads: int) -> list[list[bytes | memoryview]]:
    """One IDAT chunk a strip, together one zlib stream."""

    def compress(start: int, stop: int) -> tuple[bytes, int, int]:
        raw = np.empty((stop - start, 1 + layout.row_bytes), np.uint8)
        raw[:, 0] = layout.filter
        fill(start, stop, raw[:, 1:].view(layout.sample))
        body = _deflate(raw.reshape(-1), last=stop == layout.height)
        return body, isal_zlib.adler32(raw), raw.size

    strips = map_rows(
        compress, layout.height, rows_per_block(1 + layout.row_bytes), threads=threads
    )
    checksum = 1
    for _, part, size in strips:
        checksum = _combine_adler32(checksum, part, size)
    bodies = [[body] for body, _, _ in strips]
    bodies[0].insert(0, b"\x78\x01")
    bodies[-1].append(struct.pack(">I", checksum))
    return [_chunk(b"IDAT", *body) for body in bodies]


def _deflate(raw: NDArray[np.uint8], *, last: bool) -> bytes:
    """Compress a strip to whole bytes that lean on no other strip, so that any order will do."""
    if _looks_like_noise(raw):
        return _stored(raw, last=last)
    deflater = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)
    body = deflater.compress(raw)
    return body + deflater.flush(isal_zlib.Z_FINISH if last else isal_zlib.Z_FULL_FLUSH)


def _looks_like_noise(raw: NDArray[np.uint8]) -> bool:
    """Whether a sample does not get smaller, as in most phase pictures."""
    middle = raw.size // 2
    sample = raw[middle : middle + _SAMPLE]
    return len(isal_zlib.compress(sample, _LEVEL)) > _NOISE * sample.size


def _stored(raw: NDArray[np.uint8], *, last: bool) -> bytes:
    """Blocks that hold the bytes as they are (RFC 1951, 3.2.4): as small, and fast to read."""
    parts: list[bytes | memoryview] = []
    for start in range(0, raw.size, _LONGEST_STORED):
        block = raw[start : start + _LONGEST_STORED]
        final = last and start + block.size == raw.size
        parts += [struct.pack("<BHH", final, block.size, block.size ^ 0xFFFF), block.data]
    return b"".join(parts)


def _combine_adler32(first: int, second: int, second_size: int) -> int:
    """Checksum of two pieces from theirs (RFC 1950: two sums modulo 65521)."""
    prime = 65521
    low = (first & 0xFFFF) + (second & 0xFFFF) - 1
    high = (first >> 16) + (second >> 16) + second_size * ((first & 0xFFFF) - 1)
    return (high % prime) << 16 | low % prime


def _chunk(kind: bytes, *body: bytes | memoryview) -> list[bytes | memoryview]:
    checksum = isal_zlib.crc32(kind)
    for part in body:
        checksum = isal_zlib.crc32(part, checksum)
    size = sum(map(len, body))
    return [struct.pack(">I", size), kind, *body, struct.pack(">I", checksum)]
