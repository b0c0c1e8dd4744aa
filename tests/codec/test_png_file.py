from __future__ import annotations

import struct
import zlib
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fft_tool.codec import png_encode, png_file
from fft_tool.errors import CorruptImage
from tests.support.images import (
    chunk,
    chunks_of,
    header,
    noise,
    opened,
    pink_noise,
    png_bytes,
    scanlines,
)
from tests.support.images import (
    png_file as png_of,
)

imagecodecs = import_module("imagecodecs")  # has no types: whatever it holds is Any

SHAPES = [(1, 1), (1, 9), (9, 1), (2, 3), (31, 17), (64, 64)]
LARGE = (700, 999)  # several strips, the last one shorter
TEXT = {"Software": "fft-tool", "Recipe": "bits=16 crop=square", "Empty": "", "Grüße": "größer ≥ 1"}


def shaped(shape: tuple[int, int], channels: int) -> tuple[int, ...]:
    return shape if channels == 1 else (*shape, channels)


def unfiltered(data: bytes) -> Any:
    """Pixels of a file whose rows are unfiltered, otherwise None."""
    file = png_file.parse(data)
    return file.unfiltered(file.inflate())


def written(pixels: Any, writer: str, threads: int = 1) -> bytes:
    """Encode pixels, passed as a whole or computed by rows."""
    if writer == "encode":
        return png_encode.encode(pixels, threads=threads)
    height, width = pixels.shape[:2]

    def fill(start: int, stop: int, out: Any) -> None:
        out[...] = pixels[start:stop].reshape(stop - start, -1)

    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    depth = 8 * pixels.dtype.itemsize
    return png_encode.encode_rows(
        fill, (height, width), depth=depth, channels=channels, threads=threads
    )


def image_data(data: bytes) -> bytes:
    return b"".join(body for kind, body in chunks_of(data) if kind == b"IDAT")


@pytest.mark.parametrize("writer", ["encode", "encode_rows"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", [*SHAPES, LARGE])
def test_written_files_are_read_correctly_by_libpng(
    shape: tuple[int, int], channels: int, dtype: type[Any], writer: str
) -> None:
    pixels = noise(shaped(shape, channels), dtype)
    decoded = imagecodecs.png_decode(written(pixels, writer))
    assert decoded.dtype == dtype
    np.testing.assert_array_equal(decoded.reshape(pixels.shape), pixels)


@pytest.mark.parametrize("writer", ["encode", "encode_rows"])
@pytest.mark.parametrize(
    ("channels", "dtype"),
    [(1, np.uint8), (2, np.uint8), (3, np.uint8), (4, np.uint8), (1, np.uint16)],
)
@pytest.mark.parametrize("shape", [*SHAPES, LARGE])
def test_written_files_are_read_correctly_by_pillow(
    shape: tuple[int, int], channels: int, dtype: type[Any], writer: str
) -> None:
    pixels = noise(shaped(shape, channels), dtype)
    np.testing.assert_array_equal(np.asarray(opened(written(pixels, writer))), pixels)


@pytest.mark.parametrize(
    "pixels",
    [
        noise((40, 30, 3)).transpose(1, 0, 2),
        noise((40, 60))[::2, ::-3],
        noise((20, 30), np.uint16).astype(">u2"),
        np.asfortranarray(noise((20, 30), np.uint16)),
        np.broadcast_to(noise((1, 30)), (20, 30)),
        noise((20, 30, 4), np.uint16)[:, :, 1:],
    ],
    ids=["transposed", "strided", "big-endian", "fortran", "broadcast", "channels cut"],
)
def test_memory_layout_of_the_pixels_does_not_matter(pixels: Any) -> None:
    decoded = imagecodecs.png_decode(png_encode.encode(pixels))
    np.testing.assert_array_equal(decoded.reshape(pixels.shape), pixels)


@pytest.mark.parametrize("writer", ["encode", "encode_rows"])
@pytest.mark.parametrize("threads", [2, 3, 7])
def test_any_number_of_threads_gives_the_same_bytes(threads: int, writer: str) -> None:
    pixels = noise((*LARGE, 3))
    one = written(pixels, writer)
    assert sum(kind == b"IDAT" for kind, _ in chunks_of(one)) > 3
    assert written(pixels, writer, threads) == one


def half_noise(height: int, width: int) -> Any:
    """Constant rows followed by noise: compressed and stored strips in one file."""
    pixels = np.zeros((height, width), np.uint8)
    pixels[height // 2 :] = noise((height - height // 2, width))
    return pixels


@pytest.mark.parametrize("writer", ["encode", "encode_rows"])
@pytest.mark.parametrize(
    "pixels",
    [
        np.full((700, 999), 7, np.uint8),
        pink_noise((700, 999)),
        pink_noise((400, 999), np.uint16),
        half_noise(1500, 999),
        half_noise(1500, 999)[::-1],
        noise((2, 700_000)),
        noise((1, 65_534)),
        noise((1, 65_535)),
        noise((3, 21_844)),
    ],
    ids=[
        "flat", "pink", "pink 16", "flat then noise", "noise then flat", "rows longer than strips",
        "one stored block", "a byte more", "exactly full blocks",
    ],
)  # fmt: skip
def test_written_pixels_are_read_back_unchanged(pixels: Any, writer: str) -> None:
    data = written(pixels, writer)
    np.testing.assert_array_equal(imagecodecs.png_decode(data), pixels)
    np.testing.assert_array_equal(np.asarray(opened(data)), pixels)
    assert written(pixels, writer, threads=2) == data
    inflater = zlib.decompressobj()
    inflater.decompress(image_data(data))
    assert inflater.eof


def test_noise_hardly_grows_and_flat_images_compress_well() -> None:
    flat = np.zeros((1000, 1000), np.uint8)
    assert len(png_encode.encode(noise(flat.shape))) < 1.002 * flat.size
    assert len(png_encode.encode(flat)) < 0.01 * flat.size


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_while_rows_are_computed_reaches_the_caller(threads: int) -> None:
    def fill(_: int, stop: int, __: Any) -> None:
        if stop == LARGE[0]:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        png_encode.encode_rows(fill, LARGE, depth=16, channels=3, threads=threads)


@pytest.mark.parametrize("shape", [(1, 1), LARGE])
@pytest.mark.parametrize("value", [0, 1, 255])
def test_checksums_of_written_files_are_correct(shape: tuple[int, int], value: int) -> None:
    pixels = np.full((*shape, 3), value, np.uint8)
    data = png_encode.encode(pixels, text=TEXT, pixels_per_metre=(1, 2), threads=2)
    assert data == png_of(*[chunk(kind, body) for kind, body in chunks_of(data)][:-1])
    inflater = zlib.decompressobj()
    raw = inflater.decompress(image_data(data))
    assert inflater.eof, "zlib has seen, and accepted, the Adler-32"
    assert inflater.unused_data == b""
    assert len(raw) == shape[0] * (1 + 3 * shape[1])


def test_pillow_reads_texts_and_pixel_size_of_written_files() -> None:
    data = png_encode.encode(noise((4, 5)), text=TEXT, pixels_per_metre=(10_000, 20_000))
    image: Any = opened(data)
    assert image.text == TEXT
    assert image.info["dpi"] == pytest.approx((254.0, 508.0))
    assert png_file.read_text(data) == TEXT
    assert png_file.parse(data).pixels_per_metre == (10_000, 20_000)


@given(
    st.dictionaries(
        st.text(st.characters(codec="latin-1", exclude_characters="\0"), min_size=1, max_size=20),
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=50),
        max_size=3,
    )
)
@settings(max_examples=50, deadline=None)
def test_texts_are_read_back_unchanged(text: dict[str, str]) -> None:
    assert png_file.read_text(png_encode.encode(noise((2, 2)), text=text)) == text


def test_the_beginning_of_a_file_gives_the_texts_that_it_holds_completely() -> None:
    data = png_encode.encode(noise((4, 5)), text=TEXT)
    ends = [data.index(kind.encode("latin-1") + b"\0\0\0\0\0") for kind in TEXT]
    known = list(TEXT.items())
    for length in range(len(data) + 1):
        texts = png_file.read_text(data[:length])
        assert list(texts.items()) == known[: len(texts)]
        assert len(texts) <= sum(end < length for end in ends)
    assert png_file.read_text(data[: data.index(b"IDAT")]) == TEXT


def test_other_files_have_no_texts() -> None:
    data = png_encode.encode(noise((4, 5)), text=TEXT)
    assert png_file.read_text(b"") == {}
    assert png_file.read_text(b"\xff\xd8\xff\xe0" + bytes(400)) == {}
    assert png_file.read_text(b"GIF89a\0\0" + data[8:]) == {}


@pytest.mark.parametrize(
    "odd",
    [
        b"Odd\0\1\0\0\0" + zlib.compress(b"compressed"),
        b"Odd\0\0\0en\0\0with a language",
        b"Odd\0\0\0\0Odd key\0with a translated key",
        b"Odd\0\0\0\0\0\xff\xfe not UTF-8",
        b"Odd",
    ],
    ids=["compressed", "language", "translated", "not UTF-8", "no NUL"],
)
def test_other_types_of_texts_are_ignored(odd: bytes) -> None:
    extra = [chunk(b"iTXt", body) for body in (b"First\0\0\0\0\0one", odd, b"Last\0\0\0\0\0two")]
    texts = png_file.read_text(png_bytes(noise((4, 5)), *extra))
    assert texts.keys() <= {"First", "Odd", "Last"}
    assert texts["First"] == "one"
    assert texts["Last"] == "two"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", [*SHAPES, LARGE])
def test_unfiltered_rows_take_the_fast_path_and_decode_correctly(
    shape: tuple[int, int], channels: int, dtype: type[Any]
) -> None:
    pixels = noise((*shape, channels), dtype)
    for data in (written(pixels, "encode_rows"), png_bytes(pixels)):
        fast = unfiltered(data)
        assert fast is not None
        assert fast.dtype == dtype
        np.testing.assert_array_equal(fast, pixels)
        fast[0, 0] = 0  # own memory, native byte order, writable


def mixed_rows(filters: bytes) -> bytes:
    rows = bytearray(scanlines(noise((len(filters), 6))))
    rows[::7] = filters
    data = chunk(b"IDAT", zlib.compress(bytes(rows)))
    return png_of(header(6, len(filters)), data)


@pytest.mark.parametrize(
    "data",
    [
        *(png_bytes(noise((9, 7, 3)), filtering=kind) for kind in (1, 2, 3, 4)),
        png_encode.encode(noise((9, 7))),
        mixed_rows(b"\0\0\0\1"),
        mixed_rows(b"\4\0\0\0"),
        png_of(header(8, 1, depth=1), chunk(b"IDAT", zlib.compress(b"\0\xaa"))),
        png_of(header(1, 1, interlace=1), chunk(b"IDAT", zlib.compress(b"\0\xaa"))),
        png_of(
            header(1, 1, colour=3),
            chunk(b"PLTE", b"\1\2\3"),
            chunk(b"IDAT", zlib.compress(b"\0\0")),
        ),
    ],
    ids=[
        "sub", "up", "average", "paeth", "own images", "last row filtered", "first row filtered",
        "1 bit", "interlaced", "palette",
    ],
)  # fmt: skip
def test_other_files_do_not_take_the_fast_path(data: bytes) -> None:
    assert unfiltered(data) is None


@pytest.mark.parametrize("cut", [0, 1, 2, 5])
def test_image_data_may_be_split_into_chunks_anywhere(cut: int) -> None:
    pixels = noise((9, 7, 3))
    whole = image_data(png_bytes(pixels))
    parts = [chunk(b"IDAT", whole[:cut]), chunk(b"IDAT"), chunk(b"IDAT", whole[cut:])]
    data = png_of(header(7, 9, colour=2), *parts)
    np.testing.assert_array_equal(unfiltered(data), pixels)


def test_the_header_is_read() -> None:
    phys = chunk(b"pHYs", struct.pack(">IIB", 3, 4, 1))
    frames = chunk(b"acTL", struct.pack(">II", 5, 0))
    file = png_file.parse(
        png_bytes(noise((9, 7, 2), np.uint16), phys, frames, chunk(b"eXIf", b"MM"))
    )
    assert (file.width, file.height, file.depth, file.colour) == (7, 9, 16, png_file.GREY_ALPHA)
    assert (file.interlaced, file.frames) == (False, 5)
    assert (file.pixels_per_metre, file.exif, file.transparency) == ((3, 4), b"MM", None)


@pytest.mark.parametrize("body", [struct.pack(">IIB", 3, 4, 0), struct.pack(">IIB", 0, 4, 1), b""])
def test_a_png_pixel_size_without_unit_or_value_is_none(body: bytes) -> None:
    assert png_file.parse(png_bytes(noise((2, 2)), chunk(b"pHYs", body))).pixels_per_metre is None


def test_parse_verifies_the_signature() -> None:
    with pytest.raises(CorruptImage):
        png_file.parse(b"GIF89a\0\0" + png_bytes(noise((2, 2)))[8:])


def test_a_rewrapped_file_has_the_pixels_without_unneeded_chunks() -> None:
    pixels = noise((9, 7, 3))
    texts = [chunk(b"tEXt", b"k\0v"), chunk(b"iCCP", b"p\0\0junk"), chunk(b"gAMA", b"\0\0\0\1")]
    file = png_file.parse(png_bytes(pixels, *texts, filtering=4))
    data = file.rewrapped(file.inflate())
    assert [kind for kind, _ in chunks_of(data)] == [b"IHDR", b"IDAT", b"IEND"]
    np.testing.assert_array_equal(np.asarray(opened(data)), pixels)
