"""Damaged, hostile and unsuitable files are refused with a reason, or do no harm."""

from __future__ import annotations

import contextlib
import io
import re
import struct
import subprocess
import sys
import zlib
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fft_tool
from fft_tool import codec
from fft_tool.errors import (
    CorruptImage,
    EmptyImage,
    FftToolError,
    ImageError,
    UnknownFormat,
    UnsupportedImage,
)
from tests.images import (
    SIGNATURE,
    chunk,
    chunks_of,
    header,
    noise,
    png_bytes,
    png_file,
    ramp,
    saved,
    scanlines,
    tiff_directory,
)

tifffile = import_module("tifffile")  # has no types: whatever it holds is Any

COLOUR = Image.fromarray(ramp(5, 7, 3))
PIXELS = ramp(5, 7)
HEADER = header(7, 5)
BOMB = zlib.compress(bytes(100_000_000), 9)


def tiff(pixels: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **options)
    return buffer.getvalue()


def outcome(data: bytes) -> Any:
    """What comes of a file: its pixels, or the kind of error."""
    try:
        return codec.decode(data).pixels.tolist()
    except ImageError as error:
        return type(error)


SMALL_FILES = {
    "png": png_bytes(PIXELS),
    "png filtered": png_bytes(ramp(5, 7, 3), filtering=4),
    "png 16": png_bytes(noise((3, 4, 4), np.uint16), filtering=2),
    "jpeg": saved(COLOUR, "JPEG"),
    "jpeg progressive": saved(COLOUR, "JPEG", progressive=True),
    "tiff": saved(COLOUR, "TIFF"),
    "tiff 16": tiff(noise((5, 7), np.uint16)),
    "tiff lzw": tiff(noise((5, 7), np.uint16), compression="lzw"),
    "webp": saved(COLOUR, "WEBP"),
    "webp lossless": saved(COLOUR, "WEBP", lossless=True),
    "bmp": saved(COLOUR, "BMP"),
}


# --- not an image, or not one of ours ---------------------------------------------------------


def test_nothing_is_an_empty_image() -> None:
    with pytest.raises(EmptyImage, match="empty"):
        codec.decode(b"")


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        b"hello, world\n",
        b"<!doctype html><html></html>",
        bytes(10_000),
        SIGNATURE[:7],
        b"RIFF\x10\0\0\0WAVEfmt ",
        b"%PDF-1.7\n",
        b"8BPS\0\1",
        b"\0\0\0\x0cjP  \r\n\x87\n",
        b"II\x2a",
        saved(COLOUR, "GIF"),
        saved(COLOUR, "ICO"),
        saved(COLOUR, "PPM"),
    ],
    ids=[
        "NUL", "text", "html", "zeros", "half a signature", "wav", "pdf", "psd", "jpeg 2000",
        "half tiff", "gif", "ico", "ppm",
    ],
)  # fmt: skip
def test_other_content_is_refused_and_the_known_formats_named(data: bytes) -> None:
    with pytest.raises(UnknownFormat, match="png, tiff, jpeg, webp, bmp"):
        codec.decode(data)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "WEBP", "BMP"])
def test_names_lie_and_content_counts(kind: str) -> None:
    source = fft_tool.Source("actually.png", saved(COLOUR, kind))
    record = fft_tool.run(source, fft_tool.Recipe(metadata=True)).record
    assert record is not None
    assert f"'format': '{kind.lower()}'" in str(record)


def test_a_png_that_was_transferred_as_text_is_recognised() -> None:
    with pytest.raises(UnknownFormat, match="transferred as text"):
        codec.decode(png_bytes(PIXELS).replace(b"\r\n", b"\n"))


# --- truncated and damaged --------------------------------------------------------------------


@pytest.mark.parametrize("name", SMALL_FILES)
def test_a_file_cut_at_any_byte_is_refused_unless_nothing_is_missing(name: str) -> None:
    data = SMALL_FILES[name]
    whole = outcome(data)
    padding = 3 if name == "bmp" else 0  # of its last row
    for length in range(len(data)):
        found = outcome(data[:length])
        if length < len(data) - padding:
            assert isinstance(found, type), f"cut after {length} bytes"
        else:
            assert found == whole


@pytest.mark.parametrize("name", ["png", "png filtered"])
def test_no_changed_bit_of_a_png_goes_unnoticed(name: str) -> None:
    data = bytearray(SMALL_FILES[name])
    for position in range(8 * len(data)):
        data[position // 8] ^= 1 << position % 8
        assert isinstance(outcome(bytes(data)), type), f"bit {position}"
        data[position // 8] ^= 1 << position % 8


def test_a_wrong_checksum_in_any_chunk_is_refused_and_the_chunk_named() -> None:
    ancillary = [(b"gAMA", bytes(4)), (b"tEXt", b"k\0v"), (b"pHYs", bytes(9))]
    data = png_bytes(PIXELS, *(chunk(kind, body) for kind, body in ancillary))
    chunks = list(chunks_of(data))
    for damaged in range(len(chunks)):
        parts = [chunk(*entry, crc_error=i == damaged) for i, entry in enumerate(chunks)]
        with pytest.raises(CorruptImage, match=f"{chunks[damaged][0].decode()}.*checksum"):
            codec.decode(SIGNATURE + b"".join(parts))


def adam7(pixels: Any) -> bytes:
    """Rows of an interlaced file: seven small images of every eighth pixel or more."""
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


def test_interlaced_rows_are_put_together() -> None:
    found = codec.decode(with_image_data(zlib.compress(ROWS["interlaced"]), "interlaced"))
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
def test_damaged_image_data_under_right_checksums_is_refused(rows: str, damage: Any) -> None:
    with pytest.raises(CorruptImage):
        codec.decode(with_image_data(damage(ROWS[rows]), rows))


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
def test_odd_image_data_comes_out_the_same_however_it_is_stored(surplus: Any) -> None:
    plain, filtered, interlaced = (
        outcome(with_image_data(surplus(rows), name)) for name, rows in ROWS.items()
    )
    assert plain == filtered == interlaced
    assert plain in (CorruptImage, codec.decode(png_bytes(PIXELS)).pixels.tolist())


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
def test_files_against_the_rules_are_refused(data: bytes) -> None:
    with pytest.raises(CorruptImage):
        codec.decode(data)


def test_an_unknown_critical_chunk_is_refused_and_an_unknown_ancillary_one_is_not() -> None:
    with pytest.raises(UnsupportedImage, match="CgBI"):
        codec.decode(png_bytes(PIXELS, chunk(b"CgBI", bytes(4))))
    assert codec.decode(png_bytes(PIXELS, chunk(b"cgBI", bytes(4)))).pixels.shape == (5, 7, 1)


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
def test_a_wrong_palette_is_refused(extra: list[bytes]) -> None:
    with pytest.raises(CorruptImage):
        codec.decode(with_palette(*extra))


def test_an_index_outside_the_palette_does_no_harm() -> None:
    with contextlib.suppress(CorruptImage):
        found = codec.decode(with_palette(chunk(b"PLTE", b"\xff\x00\x80" * 2)))
        assert found.pixels.shape == (5, 7, 3)
        assert (found.pixels[PIXELS % 10 < 2] == (255, 0, 128)).all()


@pytest.mark.parametrize("filtering", [0, 4])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("length", [0, 1, 3, 8])
def test_a_transparent_colour_of_wrong_length_is_refused_in_plain_words(
    filtering: int, channels: int, length: int
) -> None:
    data = png_bytes(ramp(5, 7, channels), chunk(b"tRNS", bytes(length)), filtering=filtering)
    with pytest.raises(CorruptImage, match="transparency"):
        codec.decode(data)


# --- bombs and absurd headers -----------------------------------------------------------------


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"zTXt", b"k\0\0" + BOMB),
        chunk(b"iCCP", b"k\0\0" + BOMB),
        chunk(b"iTXt", b"k\0\1\0\0\0" + BOMB),
    ],
    ids=["zTXt", "iCCP", "iTXt"],
)
@pytest.mark.parametrize("filtering", [0, 4])
def test_bombs_beside_the_image_data_are_never_lit(extra: bytes, filtering: int) -> None:
    data = png_bytes(PIXELS, extra, filtering=filtering)
    np.testing.assert_array_equal(codec.decode(data).pixels[:, :, 0], PIXELS)


def jpeg_of_size(width: int, height: int) -> bytes:
    data = SMALL_FILES["jpeg"]
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def bmp_of_size(width: int, height: int) -> bytes:
    data = SMALL_FILES["bmp"]
    return data[:18] + struct.pack("<ii", width, height) + data[26:]


def tiff_of_size(width: int, height: int) -> bytes:
    tags = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1)]
    return tiff_directory(*((tag, "I", [value]) for tag, value in [*tags, (278, height), (279, 9)]))


def webp_of_size(width: int, height: int) -> bytes:
    data = SMALL_FILES["webp"]
    at = data.index(b"\x9d\x01\x2a") + 3
    return data[:at] + struct.pack("<HH", width, height) + data[at + 4 :]


def png_of_size(width: int, height: int, data: bytes = b"\0") -> bytes:
    return png_file(header(width, height), chunk(b"IDAT", zlib.compress(data)))


ABSURD = {
    "png": png_of_size(2**31 - 1, 2**31 - 1),
    "png plain": png_of_size(17_000, 17_000),
    "png filtered": png_of_size(17_000, 17_000, b"\1"),
    "png bomb": png_file(HEADER, chunk(b"IDAT", BOMB)),
    "png filtered bomb": with_image_data(zlib.compress(ROWS["filtered"] + bytes(50_000_000), 9)),
    "png text bomb": png_bytes(PIXELS, chunk(b"zTXt", b"k\0\0" + BOMB), filtering=4),
    "jpeg": jpeg_of_size(65_535, 65_535),
    "bmp": bmp_of_size(60_000, 60_000),
    "bmp negative": bmp_of_size(-7, 5),
    "bmp upside down": bmp_of_size(7, -(2**31)),
    "tiff": tiff_of_size(2**31 - 1, 2**31 - 1),
    "webp": webp_of_size(16_383, 16_383),
}


def test_absurd_headers_and_bombs_cost_no_memory(tmp_path: Path) -> None:
    for name, data in ABSURD.items():
        (tmp_path / name).write_bytes(data)
    script = """
import pathlib, re, sys
from fft_tool import codec, errors
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])
files = sorted(pathlib.Path(sys.argv[1]).iterdir())
for small in sys.argv[2:]:
    codec.decode(pathlib.Path(small).read_bytes())
for path in files:
    before = peak()
    try:
        codec.decode(path.read_bytes())
        said = "decoded"
    except errors.FftToolError as error:
        said = type(error).__name__
    print(path.name, said, peak() - before, sep="\\t")
"""
    if not Path("/proc/self/status").exists():
        pytest.skip("peak memory is read from /proc")
    warm = []
    for name in ("png", "jpeg", "bmp", "tiff", "webp"):  # what readers need once is not at issue
        warm.append(str(tmp_path.with_name(f"warm {name}")))
        Path(warm[-1]).write_bytes(SMALL_FILES[name])
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), *warm],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=Path(fft_tool.__file__).parents[1],
    )
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == sorted(ABSURD)
    assert {name: int(kib) for name, _, kib in lines if int(kib) > 4096} == {}


@pytest.mark.parametrize("name", ["png", "jpeg", "bmp", "tiff", "webp"])
def test_absurd_headers_are_over_the_limit_not_corrupt(name: str) -> None:
    limits = fft_tool.Limits(max_pixels=1_000_000)
    with pytest.raises(FftToolError) as refused:
        codec.decode(ABSURD[name], limits)
    assert getattr(refused.value, "code", "") == "too-many-pixels"


# --- sound files whose values would be lost ---------------------------------------------------


@pytest.mark.parametrize(
    ("pixels", "options"),
    [
        (noise((5, 7)).astype(np.float32), {}),
        (noise((5, 7)).astype(np.float64), {}),
        (noise((5, 7)).astype(np.float16), {}),
        (noise((5, 7)).astype(np.uint32), {}),
        (noise((5, 7)).astype(np.int32), {}),
        (noise((5, 7)).astype(np.int16), {}),
        (noise((5, 7)).astype(np.int8), {}),
        (noise((5, 7)).astype(np.complex64), {}),
        (noise((5, 7, 3), np.uint16), {"photometric": "rgb"}),
        (noise((5, 7, 4), np.uint16), {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
        (
            noise((5, 7, 2), np.uint16),
            {
                "photometric": "minisblack",
                "extrasamples": ["unassalpha"],
                "planarconfig": "contig",
            },
        ),
        (noise((6, 8), np.uint16) >> 6, {"bitspersample": 10}),
    ],
    ids=[
        "float 32", "float 64", "float 16", "uint 32", "int 32", "int 16", "int 8", "complex",
        "rgb 16", "rgba 16", "grey alpha 16", "10 bits",
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", ["<", ">"])
def test_tiffs_that_would_lose_precision_are_unsupported_and_a_way_out_is_named(
    pixels: Any, options: dict[str, Any], order: str
) -> None:
    with pytest.raises(UnsupportedImage, match=r"save .*(8|16)-bit"):
        codec.decode(tiff(pixels, byteorder=order, **options))


@pytest.mark.parametrize("order", ["<", ">"])
def test_big_tiff_is_taken_or_called_unsupported(order: str) -> None:
    with contextlib.suppress(UnsupportedImage):
        found = codec.decode(tiff(PIXELS, bigtiff=True, byteorder=order))
        np.testing.assert_array_equal(found.pixels[:, :, 0], PIXELS)


# --- damage beside the pixels -----------------------------------------------------------------

DAMAGED_EXIF = {
    "junk": b"junk and more junk",
    "empty": b"",
    "two bytes": b"II",
    "no offset": b"II*\0",
    "offset far away": b"II*\0\xff\xff\xff\x7f",
    "directory cut": b"II*\0\x08\0\0\0\5",
    "points at itself": b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
    "value cut": tiff_directory((282, "II", [72, 1]), (283, "II", [72, 1]))[:-9],
    "two orientations": tiff_directory((274, "H", [1, 3])),
    "too many units": tiff_directory((296, "H", [2, 3, 2])),
}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("name", DAMAGED_EXIF)
def test_damaged_exif_does_not_cost_the_image(kind: str, name: str) -> None:
    block = DAMAGED_EXIF[name]
    if kind == "PNG":
        data = png_bytes(ramp(5, 7, 3), chunk(b"eXIf", block))
    else:
        data = saved(COLOUR, kind, exif=b"Exif\0\0" + block)
    head = codec.decode(data).header
    assert (head.shape, head.orientation, head.pixel_size_um) == ((5, 7), 1, None)


@pytest.mark.parametrize("name", SMALL_FILES)
def test_messages_are_sentences_without_internals(name: str) -> None:
    data = SMALL_FILES[name]
    for length in range(1, len(data) - 3, max(1, len(data) // 40)):
        with pytest.raises(ImageError) as refused:
            codec.decode(data[:length])
        message = str(refused.value)
        assert not re.search(r"Traceback|0x[0-9a-f]{6}|<[a-z_.]+ |\n|BytesIO", message)
        assert len(message) > 20
