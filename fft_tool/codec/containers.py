"""Checks of a file's structure that bound the cost of decoding before a decoder reads the file.

The cost of decoding should be proportional to the number of pixels. Scans, directories, tiles and
run lengths can make it far higher; such files are rejected here, within milliseconds.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fft_tool.codec.patched import Patched
from fft_tool.errors import CorruptImage, RecipeError, RecipeFault, TooCostly

MAX_SCANS = 64
"""Maximum in a JPEG; each scan covers all pixels. Progressive encoders write about ten."""

MAX_RUN_LENGTH_PIXELS = 1 << 20
"""Maximum in a run-length encoded BMP, which takes Pillow about a second, in pure Python."""

MAX_DIRECTORIES = 100_000
"""Maximum in a TIFF, one for each page. One page is analysed, but all are counted."""

LARGEST_SPARE_TILE = 1 << 22
"""A TIFF tile of at most this many pixels is accepted in an image of any size."""

MAX_EXIF_BYTES = 1 << 17
"""Maximum in a JPEG; one segment holds at most half of that."""

MAX_FRAMES = 10_000
"""Maximum in an animation, of which one frame is analysed."""

MAX_CHUNKS, BYTES_PER_CHUNK = 1 << 16, 1 << 10
"""A PNG may have this many chunks, plus one per this many bytes. Most chunks have 8 KiB or more."""

_WIDTH, _HEIGHT, _STRIPS, _ROWS_PER_STRIP = 256, 257, 273, 278
_TILE_WIDTH, _TILE_HEIGHT, _TILES = 322, 323, 324
_COMPRESSION, _STRIP_BYTES, _TILE_BYTES = 259, 279, 325
_JPEG = (6, 7)  # values of the compression tag
# Bytes per value, by field type.
_VALUE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_VALUE_BYTES |= dict.fromkeys((16, 17, 18), 8)
_MAX_ENTRIES = 0xFFFF
_SPARE_BYTES = 1 << 16
_SHORTEST = 8  # bytes of a TIFF header
_APP1, _START_OF_SCAN = 0xE1, 0xDA  # JPEG markers; EXIF data is in APP1 segments
_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_CHANNELS_APART = 64  # largest number of planes when channels are stored separately
_SPARE_PARTS = 1024


def check_jpeg(data: bytes) -> None:
    """Reject a JPEG with more than :data:`MAX_SCANS` scans, or with large EXIF data."""
    _check_segments(data)
    # In entropy-coded data a byte of 255 is followed by 0: this pair is always a marker.
    scans = data.count(b"\xff\xda")
    if scans > MAX_SCANS:
        raise TooCostly(
            f"JPEG has {scans:,} scans, at most {MAX_SCANS} are accepted: "
            "save it as baseline JPEG or PNG"
        )


def _check_segments(data: bytes) -> None:
    """Reject large EXIF data: Pillow joins its segments and parses them when it opens a JPEG."""
    position, total = 2, 0
    while data.startswith(b"\xff", position) and position + 4 <= len(data):
        marker, size = struct.unpack_from(">BH", data, position + 1)
        if marker == _START_OF_SCAN:
            return
        if marker == _APP1 and data.startswith(b"Exif", position + 4):
            total += size
        if total > MAX_EXIF_BYTES:
            raise TooCostly(
                f"JPEG has more than {MAX_EXIF_BYTES:,} bytes of EXIF data: save it without EXIF"
            )
        position += 2 + max(2, size)


def check_webp(data: bytes) -> None:
    """Reject a WebP with more than :data:`MAX_FRAMES` frames or :data:`MAX_CHUNKS` chunks."""
    position, frames, chunks = 12, 0, 0
    while position + 8 <= len(data):
        chunks += 1
        if chunks > MAX_CHUNKS:
            raise TooCostly(f"WebP has more than {MAX_CHUNKS:,} chunks: save it again")
        if data[position : position + 4] == b"ANMF":
            frames += 1
            check_frames("WebP", frames)
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        position += 8 + size + size % 2


def check_frames(container: str, frames: int) -> None:
    """Reject more than :data:`MAX_FRAMES` frames."""
    if frames > MAX_FRAMES:
        raise TooCostly(
            f"{container} has {frames:,} frames, at most {MAX_FRAMES:,} are accepted: "
            "save one frame alone"
        )


def check_frame(frame: int, frames: int) -> None:
    """Reject the number of a frame, counted from 1, that the file does not have."""
    if frame > frames:
        have = f"has {frames:,} frames" if frames > 1 else "is a single image"
        fault = RecipeFault("frame", str(frame), f"should be at most {frames:,}: the file {have}")
        raise RecipeError([fault])


def check_frames_before(frame: int, pixels: int, most: int) -> None:
    """Reject a frame that takes ``most`` pixels or more: all frames up to it are decoded."""
    if frame > 1 and frame * pixels > most:
        raise TooCostly(
            f"frame {frame:,} of an animation depends on those before it, which have "
            f"{frame * pixels:,} pixels in total, at most {most:,} are accepted: save that frame "
            "alone"
        )


def check_chunks(count: int, file_bytes: int) -> None:
    """Reject a PNG with more chunks than a file of its size can need."""
    most = MAX_CHUNKS + file_bytes // BYTES_PER_CHUNK
    if count > most:
        raise TooCostly(f"PNG has more than {most:,} chunks in {file_bytes:,} bytes: save it again")


def check_exif(data: bytes) -> None:
    """Reject EXIF data whose tags claim more bytes than it has: Pillow copies each tag's value."""
    body = data.removeprefix(b"Exif\0\0")
    if body[:4] in (b"II*\0", b"MM\0*") and len(body) >= _SHORTEST:
        layout = _Layout.of(body)
        try:
            layout.tags(body, layout.first)
        except struct.error:
            return  # damaged EXIF data is ignored


def check_bmp(data: bytes) -> None:
    """Reject a run-length encoded BMP with more than :data:`MAX_RUN_LENGTH_PIXELS` pixels."""
    if len(data) < 34 or int.from_bytes(data[14:18], "little") < 40:
        return
    width, height, _, _, compression = struct.unpack_from("<iiHHI", data, 18)
    if compression in (1, 2) and abs(width * height) > MAX_RUN_LENGTH_PIXELS:
        raise TooCostly(
            f"run-length encoded BMP has {width} x {abs(height)} = {abs(width * height):,} pixels, "
            f"at most {MAX_RUN_LENGTH_PIXELS:,} are accepted: save it uncompressed or as PNG"
        )


@dataclass(frozen=True, slots=True)
class TiffPages:
    """The number of pages of a TIFF, and the pointer that makes the chosen page the first."""

    count: int
    data: bytes
    place: int
    pointer: bytes

    def stream(self) -> io.RawIOBase | io.BytesIO:
        """Return the file with the chosen page as its first."""
        if self.data.startswith(self.pointer, self.place):
            return io.BytesIO(self.data)
        return Patched(self.data, self.place, self.pointer)


def choose_tiff_page(data: bytes, page: int = 1) -> TiffPages:
    """Find a page, and reject tiles and strips of it that are out of proportion to its size.

    Decoders are given the file with that page as its first, since Pillow takes quadratic time to
    count and to find pages: it searches for each directory in a list of all previous ones.
    """
    layout = _Layout.of(data)
    offsets = _directories(data, layout)
    check_frame(page, len(offsets))
    chosen = offsets[page - 1]
    try:
        tags = layout.tags(data, chosen)
        _check_parts(tags)
        if tags.get(_COMPRESSION, (0, 0))[1] in _JPEG:
            _check_scans(data, layout, chosen)
        layout.following(data, chosen)
    except struct.error:
        raise CorruptImage(f"TIFF is truncated inside directory {page:,}") from None
    return TiffPages(len(offsets), data, layout.value_bytes, layout.pack(chosen))


def _directories(data: bytes, layout: _Layout) -> list[int]:
    """Offsets of the directories of a TIFF, up to the first that is outside the file."""
    offset, seen = layout.first, dict[int, None]()
    while offset and offset not in seen:
        seen[offset] = None
        if len(seen) > MAX_DIRECTORIES:
            raise TooCostly(
                f"TIFF has more than {MAX_DIRECTORIES:,} directories: split it into smaller files"
            )
        try:
            offset = layout.following(data, offset)
        except struct.error:
            break  # the pages before it are complete
    return list(seen) or [0]


@dataclass(frozen=True, slots=True)
class _Layout:
    """Byte order, number formats (plain TIFF or BigTIFF) and offset of the first directory."""

    order: str
    count: str
    pointer: str
    first: int

    @classmethod
    def of(cls, data: bytes) -> _Layout:
        order = "<" if data.startswith(b"II") else ">"
        big = data[2:4] in (b"+\0", b"\0+")
        count, pointer, place = ("Q", "Q", 8) if big else ("H", "I", 4)
        try:
            (first,) = struct.unpack_from(f"{order}{pointer}", data, place)
        except struct.error:
            raise CorruptImage("TIFF is truncated inside its header") from None
        return cls(order, count, pointer, first)

    def pack(self, offset: int) -> bytes:
        """Bytes of a pointer to an offset. In the header, it is at as many bytes as it has."""
        return struct.pack(f"{self.order}{self.pointer}", offset)

    @property
    def entry(self) -> struct.Struct:
        return struct.Struct(f"{self.order}HH{self.pointer}")

    @property
    def value_bytes(self) -> int:
        return struct.calcsize(f"={self.pointer}")

    def entries(self, data: bytes, offset: int) -> tuple[int, int]:
        """Number of entries in a directory, and the offset of the first."""
        try:
            (entries,) = struct.unpack_from(f"{self.order}{self.count}", data, offset)
        except OverflowError:
            raise struct.error from None
        return entries, offset + struct.calcsize(f"={self.count}")

    def following(self, data: bytes, offset: int) -> int:
        """Offset of the next directory; 0 after the last."""
        entries, start = self.entries(data, offset)
        end = start + entries * (self.entry.size + self.value_bytes)
        if end > len(data):
            raise struct.error
        (following,) = struct.unpack_from(f"{self.order}{self.pointer}", data, end)
        return int(following)

    def fields(self, data: bytes, offset: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield each entry's tag, field type, number of values, and offset of its value field."""
        entries, start = self.entries(data, offset)
        if entries > _MAX_ENTRIES:
            raise TooCostly(
                f"TIFF has a directory of {entries:,} tags, at most {_MAX_ENTRIES:,} are "
                "accepted: save it again"
            )
        for index in range(entries):
            place = start + index * (self.entry.size + self.value_bytes)
            yield *self.entry.unpack_from(data, place), place + self.entry.size

    def numbers(self, data: bytes, offset: int, wanted: int) -> Sequence[int]:
        """All values of an integer tag; empty if there is no such tag."""
        for tag, field_type, count, here in self.fields(data, offset):
            letter = _INTEGERS.get(field_type)
            if tag != wanted or not letter:
                continue
            place = here
            if count * struct.calcsize(f"={letter}") > self.value_bytes:
                (place,) = struct.unpack_from(f"{self.order}{self.pointer}", data, here)
            try:
                return struct.unpack_from(f"{self.order}{count}{letter}", data, place)
            except OverflowError:
                raise struct.error from None
        return ()

    def tags(self, data: bytes, offset: int) -> Mapping[int, tuple[int, int]]:
        """Number of values of each tag, and its first value if stored in the directory (else 0)."""
        found: dict[int, tuple[int, int]] = {}
        total, most = 0, 2 * len(data) + _SPARE_BYTES
        for tag, field_type, count, place in self.fields(data, offset):
            total += count * _VALUE_BYTES.get(field_type, 1)
            if total > most:
                raise TooCostly(
                    f"tags claim more than {most:,} bytes, in a file or EXIF data of "
                    f"{len(data):,}: save the image again"
                )
            letter = _INTEGERS.get(field_type)
            value = 0
            if letter and struct.calcsize(f"={letter}") <= self.value_bytes:
                (value,) = struct.unpack_from(f"{self.order}{letter}", data, place)
            found.setdefault(tag, (count, value))
        return found


def _check_scans(data: bytes, layout: _Layout, offset: int) -> None:
    """Reject JPEGs inside a TIFF with more than :data:`MAX_SCANS` scans."""
    for starts, lengths in ((_STRIPS, _STRIP_BYTES), (_TILES, _TILE_BYTES)):
        counts = layout.numbers(data, offset, lengths)
        if sum(counts) > 2 * len(data):
            raise TooCostly(
                f"TIFF has strips or tiles of {sum(counts):,} bytes in total, in a file of "
                f"{len(data):,}: save it again"
            )
        for start, count in zip(layout.numbers(data, offset, starts), counts, strict=False):
            scans = data.count(b"\xff\xda", start, start + count)
            if scans > MAX_SCANS:
                raise TooCostly(
                    f"TIFF has a JPEG of {scans:,} scans, at most {MAX_SCANS} are accepted: save "
                    "it uncompressed, or as PNG"
                )


def _check_parts(tags: Mapping[int, tuple[int, int]]) -> None:
    """Check the size and number of tiles or strips against the size of the image."""

    def value(tag: int) -> int:
        return tags.get(tag, (0, 0))[1]

    width, height = value(_WIDTH), value(_HEIGHT)
    if not width or not height:
        return  # the decoder reports this with a better message
    across, down = value(_TILE_WIDTH) or width, value(_TILE_HEIGHT)
    if down and across * down > max(4 * width * height, LARGEST_SPARE_TILE):
        raise TooCostly(
            f"TIFF has tiles of {across:,} x {down:,} pixels in an image of {width:,} x "
            f"{height:,}: save it with smaller tiles, or as PNG"
        )
    down = down or min(value(_ROWS_PER_STRIP) or height, height)
    needed = -(-width // across) * -(-height // down) * _CHANNELS_APART + _SPARE_PARTS
    parts = max(tags.get(tag, (0, 0))[0] for tag in (_STRIPS, _TILES))
    if parts > needed:
        raise TooCostly(
            f"TIFF lists {parts:,} strips or tiles, more than its {width:,} x {height:,} pixels "
            "can need: save it again, or as PNG"
        )
