"""Where fuzzing begins: small sound inputs of every kind, and mutations that stay near them."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.support.costly_files import CONTAINERS
from tests.support.images import (
    SIGNATURE,
    chunk,
    noise,
    npy,
    png_bytes,
    ramp,
    saved,
    tiff_directory,
)

SUITE = Path(__file__).parents[1] / "corpora" / "pngsuite"

RECIPES = (
    "",
    "bits=16 metadata=yes spectrum=yes phase=no histogram=yes colour=no",
    "crop=10,20,300,400 channel=green background=#a0b1c2 detrend=linear window=hann",
    "crop=pct:12.5,0,33.3,66.7 periodic=yes precision=double scale=db",
    "crop=square colour=yes bits=8 threshold=otsu pixel-size=65nm",
    "crop=centre:64,48 threshold=200 pixel_size=1e-3mm window=none scale=linear",
    "smart-crop=256,128 background=grey channel=alpha filter=none crop=none",
    "filter=lowpass:8,0.25+highpass:64 scale=power",
    "filter=bandpass:4,32+notch:10.5,-45,0.2+stripe:90,100",
    "filter=stripe:179.99999 pixel-size=0.5um",
    "filter=mask:masks/repair.png+mask:b_2.png," + "0a" * 32,
)


def image_seeds(*, suite: bool = True) -> dict[str, bytes]:
    """Small images of every format and most of its kinds, by name."""
    seeds = dict(_small_pngs())
    seeds |= dict(_other_formats())
    if suite:
        seeds |= {path.name: path.read_bytes() for path in sorted(SUITE.glob("*.png"))}
    return seeds


def hostile_seeds() -> dict[str, bytes]:
    """Hostile containers, those that are small enough to be mutated, by name."""
    made = {name: make() for name, make in CONTAINERS.items()}
    return {name: data for name, data in made.items() if len(data) < 1 << 16}


def _small_pngs() -> Iterator[tuple[str, bytes]]:
    extra = (
        chunk(b"pHYs", struct.pack(">IIB", 1000, 2000, 1)),
        chunk(b"eXIf", tiff_directory((274, "H", [6]), (282, "II", [72, 1]))),
        chunk(b"acTL", struct.pack(">II", 1, 0)),
        chunk(b"iTXt", b"Recipe\0\0\0\0\0bits=16"),
    )
    for channels in (1, 2, 3, 4):
        for dtype in (np.uint8, np.uint16):
            pixels = noise((5, 7, channels), dtype)
            for filtering in (0, 4):
                name = f"{channels} {np.dtype(dtype)} {filtering}.png"
                yield name, png_bytes(pixels, *extra, filtering=filtering)
    yield "key.png", png_bytes(ramp(5, 7, 3), chunk(b"tRNS", bytes(6)), filtering=2)


def _other_formats() -> Iterator[tuple[str, bytes]]:
    colour, grey = Image.fromarray(ramp(5, 7, 3)), Image.fromarray(ramp(5, 7))
    alpha = Image.fromarray(noise((5, 7, 4)))
    turned = tiff_directory((274, "H", [8]), (282, "II", [300, 1]), (283, "II", [300, 1]))
    exif = b"Exif\0\0" + turned
    more: dict[str, Any] = {"save_all": True, "append_images": [colour.rotate(180)]}
    yield "colour.jpg", saved(colour, "JPEG", exif=exif, dpi=(72, 72))
    yield "grey.jpg", saved(grey, "JPEG", progressive=True)
    yield "cmyk.jpg", saved(colour.convert("CMYK"), "JPEG")
    yield "colour.webp", saved(colour, "WEBP", exif=exif)
    yield "alpha.webp", saved(alpha, "WEBP", lossless=True)
    yield "moving.webp", saved(colour, "WEBP", lossless=True, **more)
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        image = colour.quantize(9) if mode == "P" else alpha.convert(mode)
        yield f"{mode}.bmp", saved(image, "BMP")
        yield f"{mode}.tif", saved(image, "TIFF")
    yield "deflate.tif", saved(colour, "TIFF", compression="tiff_adobe_deflate")
    yield "lzw.tif", saved(grey, "TIFF", compression="tiff_lzw")
    yield "jpeg.tif", saved(colour, "TIFF", compression="jpeg")
    yield "moving.tif", saved(colour, "TIFF", **more)
    yield "moving.gif", saved(colour.quantize(9), "GIF", save_all=True, append_images=[grey])
    yield "moving.png", saved(colour, "PNG", disposal=1, blend=1, **more)
    yield "grey.pgm", saved(grey, "PPM")
    yield "text.ppm", b"P3 2 1 255\n# c\n1 2 3 4 5 6\n"
    yield "bits.pbm", saved(grey.convert("1"), "PPM")
    for dtype in ("u1", ">u2", "<f4", "<i8", "?"):
        yield f"{dtype}.npy", npy(noise((5, 7)).astype(dtype))
    yield "stack.npy", npy(noise((3, 5, 7)))
    write = import_module("tifffile").imwrite
    for name, pixels in (
        ("float", noise((5, 7)).astype(np.float32)),
        ("double", noise((5, 7), np.float64)),
        ("signed", noise((5, 7), np.int16)),
        ("rgb 16", noise((5, 7, 3), np.uint16)),
    ):
        for compression in (None, "lzw"):
            buffer = io.BytesIO()
            photometric = "rgb" if pixels.ndim == 3 else "minisblack"
            write(buffer, pixels, photometric=photometric, compression=compression)
            yield f"{name} {compression}.tif", buffer.getvalue()
    yield "lab.tif", saved(Image.new("LAB", (7, 5)), "TIFF")
    for order in "<>":
        yield f"deep {order}.tif", tiff16(order)


def tiff16(order: str) -> bytes:
    """A TIFF of 16-bit grey, with an orientation and a resolution."""
    buffer = io.BytesIO()
    tags = [(274, "H", 1, 6, True)]
    write = import_module("tifffile").imwrite
    write(buffer, noise((5, 7), np.uint16), byteorder=order, resolution=(9, 8), extratags=tags)
    return buffer.getvalue()


def mutated(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """Change ``data`` a little, here and there with pieces of ``other``."""
    if data.startswith(SIGNATURE) and rng.random() < 0.7:
        return _png_mutated(data, other, rng)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = rng.choice(CHANGES)(data, other, rng)
    return data


def _flip(data: bytes, _: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _count in range(rng.choice((1, 1, 2, 8))):
        if changed:
            bit = rng.randrange(8 * len(changed))
            changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _set(data: bytes, _: bytes, rng: random.Random) -> bytes:
    value = rng.choice((b"\0", b"\xff", b"\0\0", b"\xff\xff", b"\x7f\xff\xff\xff", bytes(4)))
    at = rng.randrange(len(data) + 1)
    return data[:at] + value + data[at + len(value) :]


def _cut(data: bytes, _: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _drop(data: bytes, _: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.choice((1, 2, 4, 12)) :]


def _repeat(data: bytes, _: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at : at + rng.choice((1, 4, 40))] + data[at:]


def _splice(data: bytes, other: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


CHANGES: tuple[Callable[[bytes, bytes, random.Random], bytes], ...] = (
    _flip, _flip, _set, _cut, _drop, _repeat, _splice,
)  # fmt: skip


def _png_mutated(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """Change a PNG below its checksums: a chunk's body, its pixels before compression, its chunks.

    Otherwise nearly every mutation ends at the first checksum.
    """
    chunks = split_chunks(data)
    if not chunks:
        return data
    index = rng.randrange(len(chunks))
    kind, body = chunks[index]
    match rng.randrange(8):
        case 0:
            del chunks[index]
        case 1:
            given = split_chunks(other) if other.startswith(SIGNATURE) else []
            chunks.insert(index, rng.choice(given or chunks))
        case 2:
            chunks[index] = (kind, _cut(body, b"", rng))
        case 3 | 4 | 5 if kind == b"IDAT":
            chunks[index] = (kind, _recompressed(body, rng))
        case _:
            chunks[index] = (kind, rng.choice((_flip, _set))(body, b"", rng))
    return joined_chunks(chunks)


def _recompressed(body: bytes, rng: random.Random) -> bytes:
    try:
        rows = zlib.decompress(body)
    except zlib.error:
        return body
    return zlib.compress(rng.choice(CHANGES)(rows, b"", rng), 1)


def split_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Type and body of the chunks of a PNG, as far as there are whole ones."""
    chunks, at = [], len(SIGNATURE)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + length > len(data):
            break
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks


def joined_chunks(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """A PNG of these chunks, with right lengths and checksums."""
    return SIGNATURE + b"".join(chunk(kind, body) for kind, body in chunks)
