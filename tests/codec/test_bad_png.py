"""Damaged or invalid PNG files are rejected, whichever way they would be decoded."""

from __future__ import annotations

import contextlib
import zlib
from typing import Any

import numpy as np
import pytest

from fft_tool.codec import image_file
from fft_tool.errors import CorruptImage, ImageError, UnsupportedImage
from tests.support.images import (
    SIGNATURE,
    chunk,
    chunks_of,
    header,
    png_bytes,
    png_file,
    ramp,
    scanlines,
)

PIXELS = ramp(5, 7)
HEADER = header(7, 5)


def outcome(data: bytes) -> Any:
    """Result of decoding a file: its pixels, or the type of the error."""
    try:
        return image_file.decode(data).pixels.tolist()
    except ImageError as error:
        return type(error)


@pytest.mark.parametrize("filtering", [0, 4])
def test_any_flipped_bit_is_detected(filtering: int) -> None:
    data = bytearray(png_bytes(PIXELS, filtering=filtering))
    for position in range(8 * len(data)):
        data[position // 8] ^= 1 << position % 8
        assert isinstance(outcome(bytes(data)), type), f"bit {position}"
        data[position // 8] ^= 1 << position % 8


def test_a_wrong_checksum_in_any_chunk_is_rejected_and_the_chunk_is_named() -> None:
    ancillary = [(b"gAMA", bytes(4)), (b"tEXt", b"k\0v"), (b"pHYs", bytes(9))]
    data = png_bytes(PIXELS, *(chunk(kind, body) for kind, body in ancillary))
    chunks = list(chunks_of(data))
    for damaged in range(len(chunks)):
        parts = [chunk(*entry, crc_error=i == damaged) for i, entry in enumerate(chunks)]
        with pytest.raises(CorruptImage, match=f"{chunks[damaged][0].decode()}.*checksum"):
            image_file.decode(SIGNATURE + b"".join(parts))


def adam7(pixels: Any) -> bytes:
    """Rows of an interlaced file: the seven passes, each a smaller image."""
    starts = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2)]
    passes = [pixels[y::down, x::across] for y, x, down, across in [*starts, (1, 0, 2, 1)]]
    return b"".join(scanlines(part) for part in passes if part.size)


ROWS = {
    "plain": scanlines(PIXELS),
    "filtered": scanlines(PIXELS, 1, 4),
    "interlaced": adam7(PIXELS),
}


def with_image_data(data: bytes, rows: str = "plain") -> bytes:
    return png_file(header(7, 5, interlace=rows == "interlaced"), chunk(b"IDAT", data))


def test_interlaced_images_are_decoded() -> None:
    found = image_file.decode(with_image_data(zlib.compress(ROWS["interlaced"]), "interlaced"))
    np.testing.assert_array_equal(found.pixels[:, :, 0], PIXELS)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize(
    "damage",
    [
        lambda rows: zlib.compress(rows[:-1]),
        lambda rows: zlib.compress(rows[:-8]),
        lambda rows: zlib.compress(rows[:8]),
        lambda _: zlib.compress(b""),
        lambda rows: zlib.compress(rows)[:-6],
        lambda rows: b"\0\0" + zlib.compress(rows)[2:],
        lambda rows: rows,
        lambda rows: zlib.compress(rows)[:-1] + b"!",
        lambda rows: b"\x78\x01\7" + zlib.compress(rows),
        lambda rows: zlib.compress(b"\5" + rows[1:]),
        lambda rows: zlib.compress(rows[:-8] + b"\x63" + rows[-7:]),  # the last row's filter
        lambda _: b"?",
    ],
    ids=[
        "a byte short", "a row short", "one row", "no rows", "stream cut", "bad zlib header",
        "not compressed", "wrong adler", "bad block type", "unknown filter",
        "unknown filter at the end", "one byte",
    ],
)  # fmt: skip
def test_damaged_image_data_with_correct_checksums_is_rejected(rows: str, damage: Any) -> None:
    with pytest.raises(CorruptImage):
        image_file.decode(with_image_data(damage(ROWS[rows]), rows))


@pytest.mark.parametrize(
    "surplus",
    [
        lambda rows: zlib.compress(rows + b"!"),
        lambda rows: zlib.compress(rows + bytes(100_000)),
        lambda rows: zlib.compress(rows) + b"junk after the stream",
        lambda rows: zlib.compress(rows)[:-4],
    ],
    ids=["a byte more", "much more", "after the stream", "no adler"],
)
def test_unusual_image_data_decodes_the_same_however_it_is_stored(surplus: Any) -> None:
    plain, filtered, interlaced = (
        outcome(with_image_data(surplus(rows), name)) for name, rows in ROWS.items()
    )
    assert plain == filtered == interlaced
    assert plain in (CorruptImage, image_file.decode(png_bytes(PIXELS)).pixels.tolist())


@pytest.mark.parametrize(
    "data",
    [
        SIGNATURE + chunk(b"IDAT", zlib.compress(ROWS["plain"])) + HEADER + chunk(b"IEND"),
        png_file(HEADER),
        png_file(HEADER, chunk(b"IDAT")),
        png_file(chunk(b"IHDR", bytes(12)), chunk(b"IDAT", b"x")),
        png_file(header(0, 5), chunk(b"IDAT", b"x")),
        png_file(header(7, 0), chunk(b"IDAT", b"x")),
        png_file(header(1 << 31, 1), chunk(b"IDAT", b"x")),
        png_file(header(7, 5, 16, 3), chunk(b"PLTE", b"rgb"), chunk(b"IDAT", b"x")),
        png_file(header(7, 5, 4, 2), chunk(b"IDAT", b"x")),
        png_file(header(7, 5, interlace=2), chunk(b"IDAT", b"x")),
        SIGNATURE + b"\xff\xff\xff\xffIHDR" + bytes(30),
        SIGNATURE,
    ],
    ids=[
        "data before header", "no data", "empty data", "short header", "no width", "no height",
        "width above 2**31", "16-bit palette", "4-bit colour", "interlace method", "endless chunk",
        "signature only",
    ],
)  # fmt: skip
def test_files_that_violate_the_specification_are_rejected(data: bytes) -> None:
    with pytest.raises(CorruptImage):
        image_file.decode(data)


def test_unknown_critical_chunks_are_rejected_and_unknown_ancillary_ones_are_ignored() -> None:
    with pytest.raises(UnsupportedImage, match="CgBI"):
        image_file.decode(png_bytes(PIXELS, chunk(b"CgBI", bytes(4))))
    assert image_file.decode(png_bytes(PIXELS, chunk(b"cgBI", bytes(4)))).pixels.shape == (5, 7, 1)


# --- palettes and transparency ----------------------------------------------------------------


def with_palette(*extra: bytes) -> bytes:
    image_data = chunk(b"IDAT", zlib.compress(scanlines(PIXELS % 10)))
    return png_file(header(7, 5, colour=3), *extra, image_data)


@pytest.mark.parametrize(
    "extra",
    [
        [],
        [chunk(b"PLTE")],
        [chunk(b"PLTE", b"four")],
        [chunk(b"PLTE", bytes(257 * 3))],
        [chunk(b"PLTE", bytes(30)), chunk(b"tRNS", bytes(300))],
    ],
    ids=["none", "empty", "not in threes", "too long", "too much transparency"],
)
def test_an_invalid_palette_is_rejected(extra: list[bytes]) -> None:
    with pytest.raises(CorruptImage):
        image_file.decode(with_palette(*extra))


def test_an_index_outside_the_palette_does_no_harm() -> None:
    with contextlib.suppress(CorruptImage):
        found = image_file.decode(with_palette(chunk(b"PLTE", b"\xff\x00\x80" * 2)))
        assert found.pixels.shape == (5, 7, 3)
        assert (found.pixels[PIXELS % 10 < 2] == (255, 0, 128)).all()


@pytest.mark.parametrize("filtering", [0, 4])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("length", [0, 1, 3, 8])
def test_a_transparent_colour_of_wrong_length_is_rejected_with_a_clear_message(
    filtering: int, channels: int, length: int
) -> None:
    data = png_bytes(ramp(5, 7, channels), chunk(b"tRNS", bytes(length)), filtering=filtering)
    with pytest.raises(CorruptImage, match="transparency"):
        image_file.decode(data)
