"""Files that cannot be analysed, and what people have to be told about each."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from PIL import Image

from tests.support.images import chunk, header, noise, png_bytes, png_file, saved

SOUND = png_bytes(noise((24, 32)))
GREY = Image.fromarray(noise((24, 32)))
# Half a gigabyte of black, had anybody decoded it, in half a megabyte.
BOMB = png_file(header(24_000, 24_000), chunk(b"IDAT", zlib.compress(bytes(1 << 20)) * 500))


@dataclass(frozen=True)
class Faulty:
    """A file, and a pattern that the message about it must match."""

    name: str
    data: bytes
    told: str


FAULTY = (
    Faulty("empty.png", b"", "file is empty"),
    Faulty("text.png", b"It is not an image.\n" * 50, "not an image in a known format"),
    Faulty("page.html.png", b"<!doctype html><title>404</title>", "not an image in a known format"),
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
    Faulty("animation.gif.png", saved(GREY, "GIF"), "not an image in a known format.*png, tiff"),
    Faulty("float.tif", saved(GREY.convert("F"), "TIFF"), "would lose precision"),
)
