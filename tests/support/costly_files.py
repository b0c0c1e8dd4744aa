"""Small files that ask for far more than their pixels are worth."""

from __future__ import annotations

import io
import random
import struct
import zlib

import numpy as np
from PIL import Image

from tests.support.images import chunk, noise, png_bytes, png_of_zeros


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


def many_chunks() -> bytes:
    """A PNG in whose middle stand a hundred thousand empty chunks."""
    image = png_bytes(noise((8, 8)))
    return image[:-12] + chunk(b"teXt", b"") * 100_000 + image[-12:]


def many_frames() -> bytes:
    """An APNG that says that it has four billion frames."""
    return png_bytes(noise((8, 8)), chunk(b"acTL", struct.pack(">II", 0xFFFFFFFF, 0)))


def moving_webp() -> bytes:
    """A WebP of twenty thousand empty frames."""
    frame = b"ANMF" + struct.pack("<I", 16) + bytes(16)
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02" + bytes(9)
    body += b"ANIM" + struct.pack("<I", 6) + bytes(6) + 20_000 * frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


def moving_gif() -> bytes:
    """A GIF of twenty thousand frames of one pixel."""
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2\2\x44\1\0"
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + 20_000 * frame + b";"


def greedy_exif() -> bytes:
    """A PNG of a megabyte of EXIF data, of which each of sixty thousand tags says to hold all."""
    count, size = 60_000, 1 << 20
    entries = b"".join(struct.pack("<HHII", 1 + tag, 7, size - 8, 8) for tag in range(count))
    exif = (b"II*\0" + struct.pack("<IH", 8, count) + entries + bytes(4)).ljust(size, b"\0")
    return png_bytes(noise((8, 8)), chunk(b"eXIf", exif))


def greedy_tiff() -> bytes:
    """A TIFF of a megabyte, of which each of sixty thousand tags says to hold all."""
    count, size = 60_000, 1 << 20
    entries = b"".join(struct.pack("<HHII", 1000 + tag, 7, size - 8, 8) for tag in range(count))
    return (b"II*\0" + struct.pack("<IH", 8, count) + entries + bytes(4)).ljust(size, b"\0")


def jpeg_in_tiff() -> bytes:
    """A TIFF whose one strip is a JPEG of a thousand scans."""
    strip = many_scans()
    entries = [
        *((256, 3, 256), (257, 3, 256), (258, 3, 8), (259, 3, 7), (262, 3, 1)),
        *((273, 4, 8), (277, 3, 1), (278, 3, 256), (279, 4, len(strip))),
    ]
    directory = struct.pack("<H", len(entries)) + b"".join(
        struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries
    )
    even = strip + bytes(len(strip) % 2)
    return b"II*\0" + struct.pack("<I", 8 + len(even)) + even + directory + bytes(4)


CONTAINERS = {
    "one column": lambda: line_scan(20_000_003),
    "black, 90 megapixels": bomb,
    "wide tile": wide_tile,
    "many scans": many_scans,
    "many chunks": many_chunks,
    "many frames": many_frames,
    "moving WebP": moving_webp,
    "moving GIF": moving_gif,
    "greedy EXIF": greedy_exif,
    "greedy TIFF": greedy_tiff,
    "JPEG in TIFF": jpeg_in_tiff,
}

RECIPES = (
    "",
    "bits=16",
    "periodic=yes",
    "precision=double spectrum=yes",
    "smart-crop=3,3",
    "filter=stripe:30+notch:7.5,45 histogram=yes",
    "window=tukey detrend=linear bits=16 colour=no",
)


def shaped(seed: int) -> tuple[str, bytes, str]:
    """An image of an unlikely shape, depth and number of channels, and a recipe: by chance."""
    dice = random.Random(seed)
    pixels = dice.choice((300_000, 1_000_000, 3_000_000))
    narrow = dice.choice((1, 2, 3, 9, 64))
    long = max(3, pixels // narrow + dice.randint(-5, 5))
    shape = (narrow, long) if dice.random() < 0.5 else (long, narrow)
    channels, deep = dice.choice((1, 2, 3, 4)), dice.random() < 0.4
    recipe = dice.choice([text for text in RECIPES if narrow >= 3 or "smart" not in text])
    data = png_bytes(noise((*shape, channels), np.uint16 if deep else np.uint8, seed=seed))
    name = f"seed {seed}: {shape[0]} x {shape[1]} x {channels}, {16 if deep else 8} bits, {recipe}"
    return name, data, f"{recipe} metadata=yes"
