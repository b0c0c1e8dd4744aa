"""Files that cannot be analysed, and what people have to be told about each."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from tests.support.images import chunk, header, noise, npy, png_bytes, png_file, saved

SOUND = png_bytes(noise((24, 32)))
GREY = Image.fromarray(noise((24, 32)))
# Half a gigabyte of black, had anybody decoded it, in half a megabyte.
BOMB = png_file(header(24_000, 24_000), chunk(b"IDAT", zlib.compress(bytes(1 << 20)) * 500))
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)
NAN = npy(np.array([[0.5, np.nan], [1.0, 2.0]]))


@dataclass(frozen=True)
class Faulty:
    """A file, and a pattern that the message about it must match."""

    name: str
    data: bytes
    told: str


FAULTY = (
    Faulty("empty.png", b"", "file is empty"),
    Faulty("text.png", b"It is not an image.\n" * 50, "not an image in a known format"),
    Faulty("page.html.png", b"<!doctype html><title>404</title>", "this is HTML, not an image"),
    Faulty("truncated.png", SOUND[: len(SOUND) // 2], "truncated|incomplete|ends"),
    Faulty("truncated.jpg", saved(GREY, "JPEG")[:300], "JPEG cannot be decoded.*[Tt]runcated"),
    Faulty(
        "checksum.png",
        png_file(header(1, 1), chunk(b"IDAT", zlib.compress(b"\0\0"), crc_error=1)),
        "checksum",
    ),
    Faulty(
        "absurd.png",
        png_file(header(2**31 - 1, 2**31 - 1), chunk(b"IDAT", zlib.compress(b""))),
        "2147483647 x 2147483647.*pixels",
    ),
    Faulty("none.png", png_file(header(0, 5), chunk(b"IDAT", zlib.compress(b""))), "0"),
    Faulty("bomb.png", BOMB, "24000 x 24000 = 576,000,000 pixels"),
    Faulty("camera.heic.png", HEIC, "this is HEIC: convert it to PNG.*png, tiff"),
    Faulty("nan.npy", NAN, "1 of 4 values are NaN or infinite"),
)
