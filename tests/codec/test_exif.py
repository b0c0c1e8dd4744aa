"""Metadata of image files: orientation and pixel size."""

from __future__ import annotations

import io
import math
import struct
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

import fft_tool
from fft_tool.codec import image_file
from tests.support.images import chunk, noise, png_bytes, ramp, saved, tiff_directory

tifffile = import_module("tifffile")  # has no types: whatever it holds is Any

COLOUR = Image.fromarray(ramp(5, 7, 3))
GREY = Image.fromarray(ramp(5, 7))
INCH, CENTIMETRE = 25_400.0, 10_000.0


def tiff(pixels: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **options)
    return buffer.getvalue()


def exif(*entries: Any, order: str = "<") -> bytes:
    return b"Exif\0\0" + tiff_directory(*entries, order=order)


# --- orientation ------------------------------------------------------------------------------


def oriented(kind: str, value: int, image: Image.Image = COLOUR) -> bytes:
    entry = (274, "H", [value])
    if kind == "TIFF":
        return tiff(np.asarray(image), extratags=[(274, "H", 1, value, True)])
    if kind == "PNG":
        return png_bytes(np.asarray(image), chunk(b"eXIf", tiff_directory(entry)))
    return saved(image, kind, exif=exif(entry))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP"])
@pytest.mark.parametrize("value", range(1, 9))
def test_pixels_are_rotated_according_to_exif(kind: str, value: int) -> None:
    data = oriented(kind, value)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    image = image_file.open_image(data)
    found = image.decode()
    np.testing.assert_array_equal(found.pixels, np.asarray(upright))
    assert image.header.orientation == value
    assert (image.header.width, image.header.height) == (7, 5), "as stored"
    assert image.header.shape == found.pixels.shape[:2]


@pytest.mark.parametrize("value", range(1, 9))
def test_16_bit_tiff_is_rotated_upright(value: int) -> None:
    pixels = noise((5, 7), np.uint16)
    found = image_file.decode(tiff(pixels, extratags=[(274, "H", 1, value, True)]))
    turned = image_file.decode(
        png_bytes(pixels, chunk(b"eXIf", tiff_directory((274, "H", [value]))))
    )
    np.testing.assert_array_equal(found.pixels, turned.pixels)


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_of_both_byte_orders_is_read(order: str) -> None:
    block = tiff_directory((274, "H", [8]), order=order)
    assert image_file.decode(png_bytes(ramp(5, 7), chunk(b"eXIf", block))).header.shape == (7, 5)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    "entry",
    [(274, "H", [0]), (274, "H", [9]), (274, "s", [b"six\0"]), (274, "I", [70_000])],
    ids=["0", "9", "text", "too large"],
)
def test_an_invalid_orientation_is_ignored(kind: str, entry: Any) -> None:
    image = Image.fromarray(ramp(5, 7, 3))
    if kind == "PNG":
        data = png_bytes(np.asarray(image), chunk(b"eXIf", tiff_directory(entry)))
    else:
        data = saved(image, kind, exif=exif(entry))
    head = image_file.open_image(data).header
    assert (head.orientation, head.shape) == (1, (5, 7))


@pytest.mark.parametrize("letters", ["f", "d", "II"])
def test_the_orientation_in_a_record_is_an_integer(letters: str) -> None:
    values = [6, 1] if letters == "II" else [6]
    extra = chunk(b"eXIf", tiff_directory((274, letters, values)))
    orientation = image_file.open_image(png_bytes(ramp(5, 7), extra)).header.orientation
    assert type(orientation) is int


# --- pixel size -------------------------------------------------------------------------------


def jfif(unit: int, x: int, y: int) -> bytes:
    data = saved(COLOUR, "JPEG")
    at = data.index(b"JFIF\0") + 7
    return data[:at] + struct.pack(">BHH", unit, x, y) + data[at + 5 :]


def resolution(kind: str, x: int, y: int, unit: int | None = 2, turn: int = 1) -> bytes:
    entries: list[Any] = [(274, "H", [turn]), (282, "II", [x, 1]), (283, "II", [y, 1])]
    entries += [(296, "H", [unit])] if unit else []
    if kind == "TIFF":
        tags = [(274, "H", 1, turn, True)]
        return tiff(ramp(5, 7), resolution=(x, y), resolutionunit=unit or 2, extratags=tags)
    data = saved(COLOUR, kind, exif=exif(*entries))
    # Pillow always writes a JFIF block, without a unit of density.
    return data.replace(b"JFIF\0", b"JFXX\0", 1)


def physical(x: float, y: float) -> bytes:
    return png_bytes(ramp(5, 7), chunk(b"pHYs", struct.pack(">IIB", round(x), round(y), 1)))


@pytest.mark.parametrize(
    ("data", "size", "origin"),
    [
        (physical(1000, 500), (1000, 2000), "PNG pHYs"),
        (jfif(1, 300, 150), (INCH / 300, INCH / 150), "JFIF density"),
        (jfif(2, 300, 150), (CENTIMETRE / 300, CENTIMETRE / 150), "JFIF density"),
        (resolution("TIFF", 300, 150), (INCH / 300, INCH / 150), "TIFF resolution"),
        (resolution("TIFF", 300, 150, 3), (CENTIMETRE / 300, CENTIMETRE / 150), "TIFF resolution"),
        (resolution("JPEG", 300, 150), (INCH / 300, INCH / 150), "EXIF resolution"),
        (resolution("JPEG", 300, 150, 3), (CENTIMETRE / 300, CENTIMETRE / 150), "EXIF resolution"),
        (resolution("JPEG", 300, 150, None), (INCH / 300, INCH / 150), "EXIF resolution"),
        (resolution("WEBP", 300, 150, 3), (CENTIMETRE / 300, CENTIMETRE / 150), "EXIF resolution"),
    ],
    ids=[
        "png", "jpeg inch", "jpeg cm", "tiff inch", "tiff cm",
        "exif inch", "exif cm", "exif default", "webp",
    ],
)  # fmt: skip
def test_the_pixel_size_and_its_origin_are_read(
    data: bytes, size: tuple[float, float], origin: str
) -> None:
    head = image_file.open_image(data).header
    assert head.pixel_size_um == pytest.approx(size)
    assert head.pixel_size_from == origin


@pytest.mark.parametrize("kind", ["TIFF", "WEBP", "JPEG"])
def test_the_pixel_size_is_rotated_with_the_image(kind: str) -> None:
    size = image_file.open_image(resolution(kind, 300, 150, turn=6)).header.pixel_size_um
    assert size == pytest.approx((INCH / 150, INCH / 300))


def test_the_pixel_size_of_a_png_is_rotated_with_the_image() -> None:
    extra = [chunk(b"pHYs", struct.pack(">IIB", 1000, 500, 1))]
    extra += [chunk(b"eXIf", tiff_directory((274, "H", [5])))]
    assert image_file.open_image(png_bytes(ramp(5, 7), *extra)).header.pixel_size_um == (2000, 1000)


@pytest.mark.parametrize(
    "data",
    [
        png_bytes(ramp(5, 7)),
        png_bytes(ramp(5, 7), chunk(b"pHYs", struct.pack(">IIB", 3, 4, 0))),
        jfif(0, 300, 150),
        jfif(1, 0, 150),
        jfif(3, 300, 150),
        tiff(ramp(5, 7)),
        resolution("TIFF", 300, 150, 1),
        saved(COLOUR, "WEBP"),
        saved(COLOUR, "WEBP", exif=exif((282, "II", [300, 1]))),
        saved(GREY.convert("1"), "BMP"),
    ],
    ids=[
        "png", "png ratio", "jpeg ratio", "jpeg zero", "jpeg odd unit",
        "tiff", "tiff ratio", "webp", "webp half", "bmp",
    ],
)  # fmt: skip
def test_a_missing_pixel_size_is_none(data: bytes) -> None:
    head = image_file.open_image(data).header
    assert (head.pixel_size_um, head.pixel_size_from) == (None, None)


ODD_NUMBERS: dict[str, tuple[str, list[Any]]] = {
    "over zero": ("II", [300, 0]),
    "zero over zero": ("II", [0, 0]),
    "negative": ("ii", [-300, 1]),
    "infinite": ("d", [math.inf]),
    "not a number": ("d", [math.nan]),
    "vanishing": ("d", [1e-310]),
    "text": ("s", [b"many\0"]),
    "nothing": ("H", []),
}


@pytest.mark.parametrize("kind", ["WEBP", "JPEG"])
@pytest.mark.parametrize("name", ODD_NUMBERS)
def test_an_invalid_pixel_size_is_none(kind: str, name: str) -> None:
    entries = [(tag, *ODD_NUMBERS[name]) for tag in (282, 283)]
    data = saved(COLOUR, kind, exif=exif(*entries)).replace(b"JFIF\0", b"JFXX\0", 1)
    head = image_file.open_image(data).header
    assert (head.pixel_size_um, head.pixel_size_from) == (None, None)


@pytest.mark.parametrize("numbers", [[4_000_000_000, 1], [1, 4_000_000_000]])
def test_an_absurd_resolution_does_not_stop_the_analysis(numbers: list[int]) -> None:
    entries = [(tag, "II", numbers) for tag in (282, 283)]
    data = saved(COLOUR, "WEBP", exif=exif(*entries, (296, "H", [3])))
    recipe = fft_tool.Recipe.parse({"crop": "square", "metadata": "yes"})
    outputs = fft_tool.run(fft_tool.Source("far.webp", data), recipe)
    assert outputs["crop"].data.startswith(b"\x89PNG")


# --- damaged metadata -------------------------------------------------------------------------

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
def test_damaged_exif_data_do_not_prevent_decoding(kind: str, name: str) -> None:
    block = DAMAGED_EXIF[name]
    if kind == "PNG":
        data = png_bytes(ramp(5, 7, 3), chunk(b"eXIf", block))
    else:
        data = saved(COLOUR, kind, exif=b"Exif\0\0" + block)
    head = image_file.decode(data).header
    assert (head.shape, head.orientation, head.pixel_size_um) == ((5, 7), 1, None)
