from __future__ import annotations

import contextlib
import dataclasses
import io
import struct
import zlib
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from fft_tool.codec import image_file
from fft_tool.codec.header import Header
from fft_tool.codec.raster import full_range
from fft_tool.codec.sniffing import sniff
from fft_tool.errors import UnsupportedImage
from tests.support.images import (
    chunk,
    header,
    noise,
    opened,
    png_bytes,
    png_file,
    ramp,
    saved,
    scanlines,
    tiff_directory,
)

tifffile = import_module("tifffile")  # these two have no types: whatever they hold is Any
imagecodecs = import_module("imagecodecs")

COLOUR = Image.fromarray(ramp(5, 7, 3))
GREY = Image.fromarray(ramp(5, 7))


def tiff(pixels: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **options)
    return buffer.getvalue()


def animated(kind: str, **options: Any) -> bytes:
    others = [COLOUR.rotate(180), ImageOps.invert(COLOUR)]
    return saved(COLOUR, kind, save_all=True, append_images=others, **options)


# --- pixels -----------------------------------------------------------------------------------


@pytest.mark.parametrize("filtering", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", [(1, 1), (1, 8), (8, 1), (13, 17)])
def test_every_type_of_png_keeps_every_bit(
    shape: tuple[int, int], channels: int, dtype: type[Any], filtering: int
) -> None:
    pixels = noise((*shape, channels), dtype)
    found = image_file.decode(png_bytes(pixels, filtering=filtering))
    assert found.pixels.dtype == dtype
    assert found.white == np.iinfo(dtype).max
    np.testing.assert_array_equal(found.pixels, pixels)


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("filtering", [0, 1])
def test_low_bit_depths_are_scaled_to_the_full_range(depth: int, filtering: int) -> None:
    levels: Any = noise((6, 8)) >> (8 - depth)
    bits = np.unpackbits(levels[:, :, None], axis=2)[:, :, 8 - depth :]
    rows = scanlines(np.packbits(bits.reshape(6, -1), axis=1), 1, filtering)
    data = png_file(header(8, 6, depth), chunk(b"IDAT", zlib.compress(rows)))
    found = image_file.decode(data)
    assert (found.header.depth, found.white) == (depth, 255)
    np.testing.assert_array_equal(found.pixels[:, :, 0], levels * (255 // (2**depth - 1)))


@pytest.mark.parametrize("filtering", [0, 2])
@pytest.mark.parametrize(
    ("dtype", "channels"), [(np.uint8, 1), (np.uint8, 3), (np.uint16, 1), (np.uint16, 3)]
)
def test_one_colour_can_be_transparent(dtype: type[Any], channels: int, filtering: int) -> None:
    pixels = noise((6, 8, channels), dtype)
    pixels[2, 3] = pixels[4, 5] = pixels[0, 0]
    key = struct.pack(f">{channels}H", *pixels[0, 0].tolist())
    found = image_file.decode(png_bytes(pixels, chunk(b"tRNS", key), filtering=filtering))
    assert found.names[-1] == "alpha"
    assert found.header.channels == channels + 1
    np.testing.assert_array_equal(found.pixels[:, :, :-1], pixels)
    clear = (pixels == pixels[0, 0]).all(axis=2)
    np.testing.assert_array_equal(found.channel("alpha"), np.where(clear, 0, found.white))


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_only_the_low_bits_of_a_transparent_level_are_used(depth: int) -> None:
    level = 1
    packed = np.full((3, 2), level << (8 - depth) | level, np.uint8)
    key = chunk(b"tRNS", struct.pack(">H", 0x5500 | level | (1 << depth) % 256))
    image_data = chunk(b"IDAT", zlib.compress(scanlines(packed)))
    data = png_file(header(16 // depth, 3, depth), key, image_data)
    expected = imagecodecs.png_decode(data)
    assert expected[0, 0, 1] == 0
    np.testing.assert_array_equal(image_file.decode(data).pixels, expected)


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("filtering", [0, 1])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_transparent_colour_beside_an_alpha_channel_is_ignored(
    channels: int, filtering: int, dtype: type[Any]
) -> None:
    pixels = noise((5, 7, channels), dtype)
    extra = chunk(b"tRNS", bytes(2 * (channels - 1)))
    found = image_file.decode(png_bytes(pixels, extra, filtering=filtering))
    assert found.header.channels == channels
    np.testing.assert_array_equal(found.pixels, pixels)


@pytest.mark.parametrize("opacities", [[], [0], [255, 0, 255], [7, 200], [*range(0, 250, 5)]])
def test_palettes_give_colour_and_opacity(opacities: list[int]) -> None:
    colours = noise((50, 3))
    indices = noise((6, 8)) % 50
    extra = [chunk(b"PLTE", colours.tobytes())]
    extra += [chunk(b"tRNS", bytes(opacities))] if opacities else []
    image_data = chunk(b"IDAT", zlib.compress(scanlines(indices)))
    found = image_file.decode(png_file(header(8, 6, colour=3), *extra, image_data))
    np.testing.assert_array_equal(found.pixels[:, :, :3], colours[indices])
    if opacities:
        alpha = np.full(50, 255, np.uint8)
        alpha[: len(opacities)] = opacities
        np.testing.assert_array_equal(found.channel("alpha"), alpha[indices])


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "packbits"])
def test_16_bit_grey_tiff_keeps_every_bit(order: str, compression: str | None) -> None:
    pixels = noise((5, 7), np.uint16)
    found = image_file.decode(tiff(pixels, byteorder=order, compression=compression))
    assert (found.header.depth, found.white) == (16, 65535)
    assert found.pixels.dtype == np.uint16
    assert found.pixels.dtype.isnative
    np.testing.assert_array_equal(found.pixels[:, :, 0], pixels)


def test_12_bit_tiff_has_its_own_white() -> None:
    pixels = noise((6, 8), np.uint16) >> 4
    found = image_file.decode(tiff(pixels, bitspersample=12))
    assert (found.header.depth, found.white) == (12, 4095)
    np.testing.assert_array_equal(found.pixels[:, :, 0], pixels)


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_1_bit_tiff_is_black_and_white(photometric: str) -> None:
    pixels = noise((5, 7)) > 100
    found = image_file.decode(tiff(pixels, photometric=photometric))
    assert (found.names, found.white, found.header.depth) == (("grey",), 255, 1)
    white = pixels if photometric == "minisblack" else ~pixels
    np.testing.assert_array_equal(found.pixels[:, :, 0], white * 255)


def test_inverted_tiffs_are_decoded_the_right_way_round() -> None:
    for pixels in (noise((5, 7)), noise((5, 7), np.uint16)):
        with contextlib.suppress(UnsupportedImage):
            found = image_file.decode(tiff(pixels, photometric="miniswhite"))
            np.testing.assert_array_equal(found.pixels[:, :, 0], found.white - pixels)


@pytest.mark.parametrize(
    "options",
    [
        {"planarconfig": "contig"},
        {"planarconfig": "separate"},
        {"compression": "zlib", "predictor": True},
        {"tile": (16, 16)},
        {"rowsperstrip": 5},
        {"bigtiff": True},
    ],
    ids=str,
)
def test_colour_tiffs_of_all_layouts_are_decoded(options: dict[str, Any]) -> None:
    pixels = noise((33, 47, 3))
    planar = options.get("planarconfig") == "separate"
    stored = pixels.transpose(2, 0, 1) if planar else pixels
    found = image_file.decode(tiff(stored, photometric="rgb", **options))
    np.testing.assert_array_equal(found.pixels, pixels)


@pytest.mark.parametrize(
    ("channels", "names"),
    [(2, ("grey", "alpha")), (4, ("red", "green", "blue", "alpha"))],
)
def test_tiff_keeps_alpha(channels: int, names: tuple[str, ...]) -> None:
    pixels = noise((5, 7, channels))
    photometric = "rgb" if channels == 4 else "minisblack"
    options = {"extrasamples": ["unassalpha"], "planarconfig": "contig"}
    found = image_file.decode(tiff(pixels, photometric=photometric, **options))
    assert found.names == names
    np.testing.assert_array_equal(found.pixels, pixels)


def test_premultiplied_grey_and_alpha_is_decoded_or_reported_as_unsupported() -> None:
    options = {"extrasamples": ["assocalpha"], "planarconfig": "contig"}
    data = tiff(np.full((5, 7, 2), 100, np.uint8), photometric="minisblack", **options)
    with contextlib.suppress(UnsupportedImage):
        found = image_file.decode(data)
        assert (found.names, found.pixels[0, 0].tolist()) == (("grey", "alpha"), [255, 100])


@pytest.mark.parametrize(
    ("image", "kind", "mode"),
    [
        (GREY, "JPEG", "L"),
        (COLOUR, "JPEG", "RGB"),
        (COLOUR.convert("CMYK"), "JPEG", "RGB"),
        (COLOUR.convert("YCbCr"), "JPEG", "RGB"),
        (COLOUR, "WEBP", "RGB"),
        (COLOUR, "BMP", "RGB"),
        (GREY, "BMP", "L"),
        (COLOUR.quantize(7), "BMP", "RGB"),
        (GREY.convert("1"), "BMP", "L"),
        (COLOUR.convert("CMYK"), "TIFF", "RGB"),
        (COLOUR.quantize(7), "TIFF", "RGB"),
        (COLOUR.convert("YCbCr"), "TIFF", "RGB"),
    ],
    ids=lambda value: getattr(value, "mode", value),
)
def test_other_formats_agree_with_pillow(image: Image.Image, kind: str, mode: str) -> None:
    data = saved(image, kind)
    found = image_file.decode(data)
    assert found.header.format == kind.lower()
    assert found.names == (("grey",) if mode == "L" else ("red", "green", "blue"))
    expected = np.asarray(opened(data).convert(mode)).reshape(found.pixels.shape)
    np.testing.assert_array_equal(found.pixels, expected)


def test_lossless_webp_keeps_alpha() -> None:
    pixels = noise((5, 7, 4)) | 1  # no pixel quite clear: the encoder drops the colour of those
    found = image_file.decode(saved(Image.fromarray(pixels), "WEBP", lossless=True))
    np.testing.assert_array_equal(found.pixels, pixels)


@pytest.mark.parametrize(
    "data",
    [
        png_bytes(ramp(5, 7, 3), chunk(b"eXIf", tiff_directory((274, "H", [6])))),
        png_bytes(ramp(5, 7), filtering=4),
        png_bytes(noise((5, 7, 3), np.uint16), filtering=4),
        saved(COLOUR, "JPEG"),
        tiff(noise((5, 7), np.uint16)),
        saved(COLOUR, "WEBP"),
    ],
    ids=["png fast", "png", "png 16", "jpeg", "tiff", "webp"],
)
def test_the_rest_of_the_pipeline_can_use_the_pixels(data: bytes) -> None:
    raster = image_file.decode(data)
    assert raster.pixels.dtype in (np.uint8, np.uint16)
    assert raster.pixels.dtype.isnative
    assert raster.pixels.ndim == 3
    assert raster.channel("violet") is None
    for index, name in enumerate(raster.names):
        np.testing.assert_array_equal(raster.channel(name), raster.pixels[:, :, index])


# --- frames -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        tiff(noise((3, 5, 7)), photometric="minisblack"),
        animated("TIFF"),
        animated("WEBP", lossless=True),
        animated("PNG"),
        png_bytes(ramp(5, 7), chunk(b"acTL", struct.pack(">II", 3, 0))),
    ],
    ids=["tifffile", "tiff", "webp", "png", "acTL"],
)
def test_frames_are_counted_and_the_first_is_decoded(data: bytes) -> None:
    found = image_file.decode(data)
    assert found.header.frames == 3
    first = np.asarray(opened(data).convert("RGB" if len(found.names) >= 3 else "L"))
    pixels = found.pixels[:, :, : 3 if len(found.names) >= 3 else 1]
    np.testing.assert_array_equal(pixels, first.reshape(pixels.shape))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP", "BMP"])
def test_single_images_have_one_frame(kind: str) -> None:
    assert image_file.open_image(saved(COLOUR, kind)).header.frames == 1


# --- the small pieces -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP", "BMP"])
def test_the_format_is_detected_from_the_content(kind: str) -> None:
    assert sniff(saved(COLOUR, kind)) == kind.lower()


def test_the_upright_shape_follows_the_orientation() -> None:
    stored = Header("png", 7, 5, 1, 8)
    for value in range(1, 9):
        shape = dataclasses.replace(stored, orientation=value).shape
        assert shape == ((5, 7) if value < 5 else (7, 5))


@pytest.mark.parametrize("white", [255, 65535, 4095, 1023])
def test_scaling_to_the_full_range_keeps_order_and_end_points(white: int) -> None:
    levels: Any = np.arange(white + 1, dtype=np.uint8 if white == 255 else np.uint16)
    top = np.iinfo(levels.dtype).max
    spread = full_range(levels, white)
    assert spread.dtype == levels.dtype
    assert (spread[0], spread[-1]) == (0, top)
    np.testing.assert_array_equal(spread, np.rint(levels.astype(float) * top / white))
    np.testing.assert_array_equal(np.rint(spread.astype(float) * white / top), levels)


@pytest.mark.parametrize(("x", "y"), [(1.0, 2.0), (65e-3, 130e-3), (1e-9, 1e-9), (1e12, 1e12)])
def test_written_images_carry_their_pixel_size(x: float, y: float) -> None:
    data = image_file.encode_image(ramp(5, 7), 255, pixel_size_um=(x, y))
    size = image_file.open_image(data).header.pixel_size_um
    assert size is not None
    if 1e-3 < x < 1e3:
        assert size == pytest.approx((x, y), rel=1e-6)


def test_written_12_bit_images_are_restored_with_their_white() -> None:
    pixels: Any = noise((5, 7), np.uint16) >> 4
    found = image_file.decode(image_file.encode_image(pixels, 4095)).pixels[:, :, 0]
    np.testing.assert_array_equal(np.rint(found / 65535 * 4095), pixels)
