"""Damaged, hostile and unsupported files are rejected with a reason, or are harmless."""

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
from fft_tool.codec import image_file, tiff_decode
from fft_tool.errors import (
    EmptyImage,
    FftToolError,
    ImageError,
    UnknownFormat,
    UnsupportedImage,
)
from tests.support.images import (
    SIGNATURE,
    chunk,
    header,
    noise,
    npy,
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
    """Result of decoding a file: its pixels, or the type of the error."""
    try:
        return image_file.decode(data).pixels.tolist()
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
    "gif": saved(COLOUR.quantize(9), "GIF"),
    "pgm": b"P5 7 5 255\n" + ramp(5, 7).tobytes(),
    "npy": npy(noise((5, 7), np.uint16)),
    "npy float": npy(noise((5, 7), np.float64)),
    "tiff float": tiff(noise((5, 7)).astype(np.float32)),
    "tiff float 64": tiff(noise((5, 7), np.float64)),
    "tiff float 16": tiff(noise((5, 7)).astype(np.float16), compression="zlib"),
    "tiff rgb 16": tiff(noise((5, 7, 3), np.uint16), photometric="rgb", compression="lzw"),
}


# --- not an image, or not in a supported format -----------------------------------------------


def test_a_file_without_bytes_is_an_empty_image() -> None:
    with pytest.raises(EmptyImage, match="empty"):
        image_file.decode(b"")


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
        saved(COLOUR, "ICO"),
    ],
    ids=[
        "NUL", "text", "html", "zeros", "half a signature", "wav", "pdf", "psd", "jpeg 2000",
        "half tiff", "ico",
    ],
)  # fmt: skip
def test_other_content_is_rejected_and_known_formats_are_listed(data: bytes) -> None:
    with pytest.raises(UnknownFormat, match="png, tiff, jpeg, webp, bmp"):
        image_file.decode(data)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "WEBP", "BMP", "GIF", "AVIF"])
def test_the_format_depends_on_content_and_not_on_the_name(kind: str) -> None:
    source = fft_tool.Source("actually.png", saved(COLOUR, kind))
    record = fft_tool.run(source, fft_tool.Recipe(metadata=True)).record
    assert record is not None
    assert f"'format': '{kind.lower()}'" in str(record)


def test_a_png_that_was_transferred_as_text_is_recognised() -> None:
    with pytest.raises(UnknownFormat, match="transferred as text"):
        image_file.decode(png_bytes(PIXELS).replace(b"\r\n", b"\n"))


# --- truncated and damaged --------------------------------------------------------------------


@pytest.mark.parametrize("name", SMALL_FILES)
def test_a_file_truncated_at_any_byte_is_rejected_unless_it_is_complete(name: str) -> None:
    data = SMALL_FILES[name]
    whole = outcome(data)
    padding = 3 if name == "bmp" else 0  # of its last row
    for length in range(len(data)):
        found = outcome(data[:length])
        if length < len(data) - padding:
            assert isinstance(found, type), f"cut after {length} bytes"
        else:
            assert found == whole


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
def test_compressed_bombs_outside_the_image_data_are_never_inflated(
    extra: bytes, filtering: int
) -> None:
    data = png_bytes(PIXELS, extra, filtering=filtering)
    np.testing.assert_array_equal(image_file.decode(data).pixels[:, :, 0], PIXELS)


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


def gif_of_size(width: int, height: int) -> bytes:
    return SMALL_FILES["gif"][:6] + struct.pack("<HH", width, height) + SMALL_FILES["gif"][10:]


def npy_of_shape(*shape: int) -> bytes:
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + bytes(64)


def png_of_size(width: int, height: int, data: bytes = b"\0") -> bytes:
    return png_file(header(width, height), chunk(b"IDAT", zlib.compress(data)))


ABSURD = {
    "png": png_of_size(2**31 - 1, 2**31 - 1),
    "png plain": png_of_size(17_000, 17_000),
    "png filtered": png_of_size(17_000, 17_000, b"\1"),
    "png bomb": png_file(HEADER, chunk(b"IDAT", BOMB)),
    "png filtered bomb": png_file(
        HEADER, chunk(b"IDAT", zlib.compress(scanlines(PIXELS, 1, 4) + bytes(50_000_000), 9))
    ),
    "png text bomb": png_bytes(PIXELS, chunk(b"zTXt", b"k\0\0" + BOMB), filtering=4),
    "jpeg": jpeg_of_size(65_535, 65_535),
    "bmp": bmp_of_size(60_000, 60_000),
    "bmp negative": bmp_of_size(-7, 5),
    "bmp upside down": bmp_of_size(7, -(2**31)),
    "tiff": tiff_of_size(2**31 - 1, 2**31 - 1),
    "webp": webp_of_size(16_383, 16_383),
    "gif": gif_of_size(65_535, 65_535),
    "npy": npy_of_shape(10**17, 10**17),
    "npy nested": b"\x93NUMPY\1\0\x40\x1f" + b"(" * 8000,
    "pgm": b"P5 4000000000 4000000000 255\n",
    "pgm text": b"P2 60000 60000 255\n" + b"1 " * 100,
}


def test_absurd_headers_and_bombs_take_no_memory(tmp_path: Path) -> None:
    for name, data in ABSURD.items():
        (tmp_path / name).write_bytes(data)
    script = """
import pathlib, re, sys
from fft_tool import errors
from fft_tool.codec import image_file, tiff_decode
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])
files = sorted(pathlib.Path(sys.argv[1]).iterdir())
for small in sys.argv[2:]:
    image_file.decode(pathlib.Path(small).read_bytes())
for path in files:
    before = peak()
    try:
        image_file.decode(path.read_bytes())
        said = "decoded"
    except errors.FftToolError as error:
        said = type(error).__name__
    print(path.name, said, peak() - before, sep="\\t")
"""
    if not Path("/proc/self/status").exists():
        pytest.skip("peak memory is read from /proc")
    warm = []
    for name in (
        "png",
        "jpeg",
        "bmp",
        "tiff",
        "webp",
        "gif",
        "npy",
        "pgm",
    ):  # what readers need once is not at issue
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


@pytest.mark.parametrize("name", ["png", "jpeg", "bmp", "tiff", "webp", "gif", "pgm"])
def test_absurd_headers_exceed_the_limit_and_are_not_called_corrupt(name: str) -> None:
    limits = fft_tool.Limits(max_pixels=1_000_000)
    with pytest.raises(FftToolError) as refused:
        image_file.decode(ABSURD[name], limits)
    assert getattr(refused.value, "code", "") == "too-many-pixels"


# --- valid files whose values would be lost ---------------------------------------------------


RGB = {"photometric": "rgb"}
WITH_EXTRA: dict[str, tuple[Any, dict[str, Any]]] = {
    "float 64": (noise((5, 7), np.float64), {}),
    "float 16": (noise((5, 7)).astype(np.float16), {}),
    "float rgb": (noise((5, 7, 3), np.float64), RGB),
    "uint 64": (noise((5, 7)).astype(np.uint64), {}),
    "rgb 16, planes": (noise((3, 5, 7), np.uint16), {**RGB, "planarconfig": "separate"}),
    "rgb 16, opacity last": (
        noise((4, 5, 7), np.uint16),
        {**RGB, "planarconfig": "separate", "extrasamples": ["unassalpha"]},
    ),
    "grey alpha 16": (
        noise((5, 7, 2), np.uint16),
        {"photometric": "minisblack", "planarconfig": "contig", "extrasamples": ["unassalpha"]},
    ),
}
REFUSED: dict[str, tuple[Any, dict[str, Any]]] = {
    "10 bits": (noise((6, 8), np.uint16) >> 6, {"bitspersample": 10}),
    "complex": (noise((5, 7)).astype(np.complex64), {}),
    "premultiplied": (noise((5, 7, 4), np.uint16), {**RGB, "extrasamples": ["assocalpha"]}),
    "white is zero": (noise((5, 7)).astype(np.float32), {"photometric": "miniswhite"}),
    "five channels": (
        noise((5, 7, 5), np.uint16),
        {"photometric": "minisblack", "planarconfig": "contig"},
    ),
}


@pytest.mark.parametrize("name", [*WITH_EXTRA, *REFUSED])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiff_that_needs_the_extra_is_refused_without_it_and_the_message_names_it(
    name: str, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiff_decode, "tifffile_installed", lambda: False)
    pixels, options = (WITH_EXTRA | REFUSED)[name]
    with pytest.raises(UnsupportedImage, match=r"save the image.*pip install .*\[tiff\]"):
        image_file.decode(tiff(pixels, byteorder=order, **options))


@pytest.mark.parametrize("name", WITH_EXTRA)
@pytest.mark.parametrize("order", ["<", ">"])
def test_with_the_extra_the_same_tiff_is_read_without_loss(name: str, order: str) -> None:
    pixels, options = WITH_EXTRA[name]
    data = tiff(pixels, byteorder=order, **options)
    expected = np.moveaxis(pixels, 0, -1) if "separate" in options.values() else pixels
    found = image_file.decode(data)
    levels = found.pixels.reshape(expected.shape).astype(np.float64)
    if found.values is None:
        np.testing.assert_array_equal(levels, expected)
    else:
        values = found.values.offset + found.values.step * levels
        np.testing.assert_allclose(values, expected, atol=found.values.step / 2 * 1.000001)


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("order", ["<", ">"])
def test_what_no_decoder_reads_without_loss_is_unsupported(name: str, order: str) -> None:
    pixels, options = REFUSED[name]
    with pytest.raises(UnsupportedImage, match="save the image"):
        image_file.decode(tiff(pixels, byteorder=order, **options))


@pytest.mark.parametrize("order", ["<", ">"])
def test_bigtiff_is_decoded_or_reported_as_unsupported(order: str) -> None:
    with contextlib.suppress(UnsupportedImage):
        found = image_file.decode(tiff(PIXELS, bigtiff=True, byteorder=order))
        np.testing.assert_array_equal(found.pixels[:, :, 0], PIXELS)


@pytest.mark.parametrize("name", SMALL_FILES)
def test_messages_are_sentences_without_internals(name: str) -> None:
    data = SMALL_FILES[name]
    for length in range(1, len(data) - 3, max(1, len(data) // 40)):
        with pytest.raises(ImageError) as refused:
            image_file.decode(data[:length])
        message = str(refused.value)
        assert not re.search(r"Traceback|0x[0-9a-f]{6}|<[a-z_.]+ |\n|BytesIO", message)
        assert len(message) > 20
