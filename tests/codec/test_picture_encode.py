"""Pictures to be shown: what each format keeps, and what it never holds."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from fft_tool.codec.picture_encode import encode, on_white
from fft_tool.codec.picture_formats import PICTURE_FORMATS
from fft_tool.errors import UnsupportedImage
from tests.support.images import Pixels

NAMES = tuple(PICTURE_FORMATS)


def smooth(channels: int) -> Pixels:
    """A picture (40, 60, channels) that lossy formats keep well."""
    y, x = np.mgrid[:40, :60]
    planes = [2 * x + y, 3 * y + x, 200 - 2 * x, 255 - 4 * y]
    levels = np.clip(np.stack(planes[-channels:], axis=2), 0, 255)
    pixels: Pixels = levels.astype(np.uint8)
    return pixels


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pictures_come_back_nearly_as_they_were(name: str, channels: int) -> None:
    picture = smooth(channels)
    alpha = channels in (2, 4)
    found = opened(encode(picture, name, quality=95))
    if name == "jpeg":
        picture = on_white(picture)
        alpha = False
    mode = ("LA" if alpha else "L") if channels < 3 else ("RGBA" if alpha else "RGB")
    back = np.asarray(found.convert(mode)).reshape(picture.shape)
    error = np.abs(back.astype(int) - picture)
    if alpha:  # what cannot be seen may have any colour
        error[:, :, :-1][picture[:, :, -1] < 32] = 0
    assert error.mean() < 2
    assert found.size == (60, 40)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_pixels_give_the_same_bytes(name: str) -> None:
    assert encode(smooth(3), name) == encode(smooth(3), name)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_of_the_format_that_its_media_type_says(name: str) -> None:
    found = opened(encode(smooth(3), name))
    assert Image.MIME[str(found.format)] == PICTURE_FORMATS[name].content_type


@pytest.mark.parametrize("name", NAMES)
def test_a_file_holds_nothing_but_its_pixels(name: str) -> None:
    found = opened(encode(smooth(3), name))
    assert not found.getexif()
    assert not {"icc_profile", "exif", "xmp", "comment"} & {
        key for key, value in found.info.items() if value
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_may_be_a_plane_and_a_single_pixel(name: str) -> None:
    assert opened(encode(np.full((1, 1), 77, np.uint8), name)).size == (1, 1)


def test_quality_trades_bytes() -> None:
    assert len(encode(smooth(3), "jpeg", quality=30)) < len(encode(smooth(3), "jpeg", quality=95))


def test_jpeg_shows_white_through_what_is_transparent() -> None:
    red = np.zeros((16, 16, 4), np.uint8)
    red[:, :, 0] = 255
    back = np.asarray(opened(encode(red, "jpeg")))
    assert back.min() >= 253


@pytest.mark.parametrize(("opacity", "level"), [(0, 255), (255, 10), (51, 206), (128, 132)])
def test_opacity_weighs_a_colour_against_white(opacity: int, level: int) -> None:
    pixel = np.array([[[10, opacity]]], np.uint8)
    assert on_white(pixel).item() == level == round((10 * opacity + 255 * (255 - opacity)) / 255)


@pytest.mark.parametrize(("name", "side"), [("jpeg", 65_501), ("webp", 16_384), ("avif", 65_536)])
def test_a_picture_that_a_format_cannot_hold_is_refused_with_its_limit(
    name: str, side: int
) -> None:
    with pytest.raises(UnsupportedImage, match=f"{side - 1:,} pixels"):
        encode(np.zeros((1, side), np.uint8), name)


@pytest.mark.parametrize("name", ["jpeg", "webp"])
def test_the_largest_sides_can_be_written(name: str) -> None:
    side = PICTURE_FORMATS[name].longest
    assert opened(encode(np.zeros((1, side), np.uint8), name)).size == (side, 1)
