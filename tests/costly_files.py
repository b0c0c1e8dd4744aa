"""Small files that ask for far more than their pixels are worth."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image

from tests.images import png_of_zeros


def line_scan(length: int) -> bytes:
    """A PNG of one column, or nearly: some kilobytes that used to take gigabytes."""
    return png_of_zeros(length, 1)


def bomb() -> bytes:
    """A PNG of 90 million grey pixels in as many kilobytes."""
    return png_of_zeros(9000, 10_000)


def wide_tile() -> bytes:
    """A TIFF of 64 × 64 pixels behind one tile of 44,032²."""
    side, data = 44_032, zlib.compress(bytes(1 << 20), 9)
    entries = [
        *((256, 3, 64), (257, 3, 64), (258, 3, 8), (259, 3, 8), (262, 3, 1), (277, 3, 1)),
        *((322, 4, side), (323, 4, side), (324, 4, 8), (325, 4, len(data))),
    ]
    offset = 8 + len(data) + len(data) % 2
    directory = struct.pack("<H", len(entries)) + b"".join(
        struct.pack("<HHI", tag, kind, 1) + struct.pack("<I", value) for tag, kind, value in entries
    )
    head = b"II*\0" + struct.pack("<I", offset)
    return head + data + bytes(len(data) % 2) + directory + bytes(4)


def many_scans() -> bytes:
    """A progressive JPEG whose last scan comes a thousand times."""
    stream = io.BytesIO()
    Image.linear_gradient("L").save(stream, "JPEG", progressive=True)
    data = stream.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * 1000 + b"\xff\xd9"
