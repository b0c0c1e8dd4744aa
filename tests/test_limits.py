from __future__ import annotations

import struct
import zlib

import pytest
from PIL import Image

import fft_tool
from fft_tool import pipeline
from fft_tool.codec import image_file
from fft_tool.errors import (
    CorruptImage,
    EmptyImage,
    FftToolError,
    LimitExceeded,
    TooManyBytes,
    TooManyPixels,
    TooMuchMemory,
    UnknownFormat,
)
from fft_tool.limits import FORMATS, MIB, Limits
from tests.support.images import chunk, header, png_bytes, png_file, ramp, saved

COLOUR = Image.fromarray(ramp(50, 70, 3))
# A valid header followed by garbage: decoding fails, reading the header does not.
UNDECODABLE = png_file(header(70, 50), chunk(b"IDAT", b"no zlib stream"))


def cut(kind: str) -> bytes:
    """A file with a complete header and incomplete pixels."""
    data = saved(COLOUR, kind)
    return data[: data.index(b"\xff\xda") + 14] if kind == "JPEG" else data[:-200]


def test_a_valid_file_within_the_limits_is_accepted() -> None:
    data = png_bytes(ramp(50, 70))
    exact = Limits(max_bytes=len(data), max_pixels=3500, formats=("png",))
    assert image_file.decode(data, exact).pixels.shape == (50, 70, 1)


def test_one_byte_too_many_is_too_many() -> None:
    data = png_bytes(ramp(50, 70))
    with pytest.raises(TooManyBytes):
        image_file.decode(data, Limits(max_bytes=len(data) - 1))


@pytest.mark.parametrize(("width", "height"), [(70, 50), (50, 70), (3500, 1)])
def test_one_pixel_too_many_is_too_many(width: int, height: int) -> None:
    data = png_file(header(width, height), chunk(b"IDAT", zlib.compress(b"")))
    with pytest.raises(TooManyPixels):
        image_file.open_image(data, Limits(max_pixels=3499))
    assert image_file.open_image(data, Limits(max_pixels=3500)).header.width == width


def test_the_truncated_file_has_a_valid_header() -> None:
    assert image_file.open_image(UNDECODABLE).header.shape == (50, 70)
    with pytest.raises(CorruptImage):
        image_file.decode(UNDECODABLE)


def test_bytes_are_counted_before_anything_is_read() -> None:
    with pytest.raises(TooManyBytes):
        image_file.decode(b"no image at all", Limits(max_bytes=14))


def test_an_empty_file_is_empty_whatever_the_limits() -> None:
    with pytest.raises(EmptyImage):
        image_file.decode(b"", Limits(max_bytes=0, max_pixels=0, formats=()))


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "WEBP", "BMP"])
def test_formats_are_refused_by_their_first_bytes(kind: str) -> None:
    data = saved(COLOUR, kind)[:16]
    with pytest.raises(UnknownFormat, match=f"{kind.lower()} is not accepted here, only png"):
        image_file.decode(data, Limits(formats=("png",)))


def test_pixels_are_counted_before_a_png_is_decoded() -> None:
    with pytest.raises(TooManyPixels):
        image_file.decode(UNDECODABLE, Limits(max_pixels=3499))


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "BMP"])
def test_pixels_are_counted_before_other_formats_are_decoded(kind: str) -> None:
    with pytest.raises(CorruptImage):
        image_file.decode(cut(kind))
    with pytest.raises(TooManyPixels):
        image_file.decode(cut(kind), Limits(max_pixels=3499))


@pytest.mark.parametrize("lossless", [False, True])
def test_pixels_are_counted_before_webp_is_decoded(lossless: bool) -> None:
    data = saved(COLOUR, "WEBP", lossless=lossless)[:-100]
    with pytest.raises(CorruptImage):
        image_file.decode(data)
    with pytest.raises(TooManyPixels):
        image_file.decode(data, Limits(max_pixels=3499))


def test_rotation_does_not_evade_the_limit_on_pixels() -> None:
    exif = b"MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
    data = png_bytes(ramp(50, 70), chunk(b"eXIf", exif))
    with pytest.raises(TooManyPixels):
        image_file.decode(data, Limits(max_pixels=3499))
    assert image_file.decode(data, Limits(max_pixels=3500)).pixels.shape == (70, 50, 1)


def test_memory_is_estimated_before_anything_is_decoded() -> None:
    limits = Limits(max_memory=MIB)
    source, recipe = fft_tool.Source("x.png", UNDECODABLE), fft_tool.Recipe()
    with pytest.raises(TooMuchMemory):
        fft_tool.run(source, recipe, limits)
    with pytest.raises(TooMuchMemory):
        pipeline.plan(source, recipe, limits)
    with pytest.raises(CorruptImage):
        fft_tool.run(source, recipe, Limits(max_memory=1024 * MIB))


def test_there_is_no_memory_limit_by_default() -> None:
    Limits(max_memory=None).check_memory(1 << 60)
    Limits(max_memory=5).check_memory(5)
    with pytest.raises(TooMuchMemory):
        Limits(max_memory=5).check_memory(6)


@pytest.mark.parametrize(
    ("refuse", "said"),
    [
        (lambda: Limits(max_bytes=1_000_000).check_bytes(2_500_000),
         ["2,500,000", "1,000,000", "send a smaller", "smaller file"]),
        (lambda: Limits(max_pixels=10_000_000).check_pixels(4000, 3000),
         ["4000 x 3000", "12,000,000", "10,000,000", "send a smaller", "smaller image"]),
        (lambda: Limits(max_memory=256 * MIB).check_memory(300 * MIB + 1),
         ["301 MiB", "256 MiB", "send a smaller", "crop", "smaller image"]),
        (lambda: Limits(max_output_bytes=1_000_000).check_output(2_500_000),
         ["2,500,000", "1,000,000", "fewer or smaller", "crop", "smaller image"]),
        (lambda: Limits(formats=("png", "tiff")).check_format("bmp"),
         ["bmp", "png, tiff"]),
    ],
    ids=["bytes", "pixels", "memory", "output", "format"],
)  # fmt: skip
def test_messages_name_the_numbers_and_the_remedy(refuse: object, said: list[str]) -> None:
    assert callable(refuse)
    with pytest.raises(FftToolError) as refused:
        refuse()
    for words in said:
        assert words in str(refused.value)
    assert isinstance(refused.value, LimitExceeded | UnknownFormat)
    assert not refused.value.transient


def test_the_defaults_accept_a_large_scan_and_every_format() -> None:
    limits = Limits()
    limits.check_pixels(16_384, 16_384)
    limits.check_bytes(1 << 30)
    for name in FORMATS:
        limits.check_format(name)
    with pytest.raises(TooManyPixels):
        limits.check_pixels(1 << 16, 1 << 16)


def test_a_huge_header_does_not_overflow() -> None:
    size = struct.pack(">II", 2**31 - 1, 2**31 - 1)
    data = png_file(chunk(b"IHDR", size + b"\x08\0\0\0\0"), chunk(b"IDAT", b"x"))
    with pytest.raises(TooManyPixels, match="4,611,686,014,132,420,609"):
        image_file.decode(data)
