"""Structure of WebP, GIF and AVIF files, read before Pillow opens them.

Pillow may allocate an image of the size in the header when it opens the file, and it counts the
frames of a GIF by decoding them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from fft_tool.codec.containers import check_frames
from fft_tool.errors import CorruptImage, UnsupportedImage

_AVIF_HEADER = 1 << 20  # the boxes that describe an AVIF precede its data
_EXTENSION, _IMAGE, _TRAILER = b"!", b",", b";"


def size_of(data: bytes, container: str) -> tuple[int, int] | None:
    """Width and height of a WebP, GIF or AVIF; None for other formats, or if it is not stated."""
    if container == "webp":
        return _webp_size(data)
    if container == "gif":
        found = gif_layout(data)
        return found.width, found.height
    return _avif_size(data) if container == "avif" else None


@dataclass(frozen=True, slots=True)
class GifLayout:
    """Number of frames, size of the canvas that holds all of them, and if any is transparent."""

    width: int
    height: int
    frames: int
    transparent: bool


def gif_layout(data: bytes) -> GifLayout:
    """Walk through the blocks of a GIF without decoding them."""
    try:
        width, height, flags = struct.unpack_from("<HHB", data, 6)
        at = 13 + _palette_bytes(flags)
        frames, transparent = 0, False
        while (mark := data[at : at + 1]) != _TRAILER:
            if mark == _EXTENSION:
                transparent |= data[at + 1] == 0xF9 and bool(data[at + 3] & 1)
                at = _after_blocks(data, at + 2)
            elif mark == _IMAGE:
                frames += 1
                check_frames("GIF", frames)
                x, y, across, down, flags = struct.unpack_from("<HHHHB", data, at + 1)
                width, height = max(width, x + across), max(height, y + down)
                at = _after_blocks(data, at + 11 + _palette_bytes(flags))
            else:
                raise CorruptImage(f"GIF is truncated or damaged at byte {at:,}")
    except (IndexError, struct.error):
        raise CorruptImage("GIF is truncated inside a block") from None
    if not frames:
        raise CorruptImage("GIF has no image data")
    return GifLayout(width, height, frames, transparent)


def _palette_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(data: bytes, at: int) -> int:
    """Offset after a sequence of blocks, which ends with an empty one."""
    while size := data[at]:
        at += 1 + size
    return at + 1


def check_avif(data: bytes) -> None:
    """Reject an AVIF with more than 8 bits per sample, of which Pillow keeps 8."""
    for at in _boxes(data, b"av1C"):
        if data[at + 2 : at + 3] and data[at + 2] & 0x40:
            raise UnsupportedImage(
                "AVIF with 10 or 12 bits per sample would lose precision here: save the image as "
                "16-bit PNG"
            )


def _avif_size(data: bytes) -> tuple[int, int] | None:
    sizes = [
        struct.unpack_from(">II", data, at + 4)
        for at in _boxes(data, b"ispe")
        if at + 12 <= len(data)
    ]
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


def _boxes(data: bytes, name: bytes) -> Iterator[int]:
    """Offsets of the content of all boxes called ``name``."""
    at = data.find(name, 0, _AVIF_HEADER)
    while at >= 0:
        yield at + 4
        at = data.find(name, at + 4, _AVIF_HEADER)


def _webp_size(data: bytes) -> tuple[int, int] | None:
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
