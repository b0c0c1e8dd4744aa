"""Crops for display: regions of the upright image, without anything else of the source."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fft_tool.cropping import AtMost, Cropped, crop, find_salient, memory_needed
from fft_tool.errors import (
    CorruptImage,
    CropOutside,
    TooMuchMemory,
    TooMuchOutput,
    UnsupportedImage,
)
from fft_tool.image.region import Box
from fft_tool.image.saliency import salient_box
from fft_tool.limits import Limits
from fft_tool.results.outputs import Source
from tests.support.images import Pixels, noise, opened, pink_noise, png_bytes, png_of_zeros, saved

SIDES = st.integers(1, 10_000)


def made(data: bytes, region: Box | AtMost, limits: Limits | None = None) -> Cropped:
    return crop(Source("a", data), region, limits)


def pixels_of(cropped: Cropped) -> Pixels:
    image = opened(cropped.data)
    assert image.format == "JPEG"
    assert image.size == (cropped.box.width, cropped.box.height)
    pixels: Pixels = np.asarray(image)
    return pixels


def blocks(*levels: int, channels: int = 3) -> Pixels:
    """Four quarters of 32 x 32 pixels, each of one level, which JPEG keeps to a level or two."""
    rows = np.array(levels, np.uint8).reshape(2, 2)
    return np.repeat(np.kron(rows, np.ones((32, 32), np.uint8))[:, :, None], channels, axis=2)


# A given region.


@pytest.mark.parametrize(
    ("x", "y", "level"), [(0, 0, 10), (32, 0, 80), (0, 32, 150), (32, 32, 220)]
)
def test_a_box_is_cut_out(x: int, y: int, level: int) -> None:
    cropped = made(png_bytes(blocks(10, 80, 150, 220)), Box(x, y, 32, 32))
    assert cropped.box == Box(x, y, 32, 32)
    assert (abs(pixels_of(cropped).astype(int) - level) <= 2).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_is_in_pixels_of_the_upright_image(orientation: int) -> None:
    stored = Image.fromarray(blocks(10, 80, 150, 220))
    stored = stored.resize((64, 96), Image.Resampling.NEAREST)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(stored, "PNG", exif=exif)
    upright = np.asarray(_upright(stored, orientation))
    height, width = upright.shape[:2]
    box = Box(width // 2, height // 2, width // 2, height // 2)
    expected = int(upright[-1, -1, 0])
    assert (abs(pixels_of(made(data, box)).astype(int) - expected) <= 2).all()
    with pytest.raises(CropOutside, match=f"the image has {width} x {height} pixels"):
        made(data, Box(0, 0, width + 1, 1))


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    turns = Image.Transpose
    turn = {
        2: turns.FLIP_LEFT_RIGHT,
        3: turns.ROTATE_180,
        4: turns.FLIP_TOP_BOTTOM,
        5: turns.TRANSPOSE,
        6: turns.ROTATE_270,
        7: turns.TRANSVERSE,
        8: turns.ROTATE_90,
    }.get(orientation)
    return image if turn is None else image.transpose(turn)


@pytest.mark.parametrize(
    "box", [Box(60, 0, 5, 1), Box(0, 64, 1, 1), Box(10**9, 0, 1, 1), Box(0, 0, 10**9, 10**9)]
)
def test_a_box_outside_is_refused_with_the_size_of_the_image(box: Box) -> None:
    with pytest.raises(CropOutside, match="the image has 64 x 64 pixels"):
        made(png_bytes(blocks(0, 0, 0, 0)), box)


def test_a_box_of_one_pixel_and_the_whole_image_are_regions() -> None:
    data = png_bytes(noise((5, 7)))
    assert made(data, Box(6, 4, 1, 1)).box == Box(6, 4, 1, 1)
    assert made(data, Box(0, 0, 7, 5)).box == Box(0, 0, 7, 5)


# A region that is found.


def test_the_region_found_is_that_of_smart_crop() -> None:
    grey = noise((200, 300)) // 8
    grey[150:170, 240:270] = 255
    box = made(png_bytes(grey), AtMost(60, 40)).box
    assert (box.x, box.y, box.width, box.height) == salient_box(grey, 60, 40)
    assert box.x <= 240, box.x + box.width >= 270


@given(SIDES, SIDES, SIDES, SIDES)
def test_a_size_is_never_larger_than_asked_for_nor_than_the_image(
    asked_width: int, asked_height: int, width: int, height: int
) -> None:
    across, down = AtMost(asked_width, asked_height).within(width, height)
    assert 1 <= across <= min(asked_width, width)
    assert 1 <= down <= min(asked_height, height)
    if asked_width <= width and asked_height <= height:
        assert (across, down) == (asked_width, asked_height)
    else:  # one side is that of the image, and the other one as near to the aspect as can be
        assert across == width or down == height
        share = min(width / asked_width, height / asked_height)
        assert abs(across - asked_width * share) <= 1
        assert abs(down - asked_height * share) <= 1


def test_a_smaller_image_gives_the_largest_region_of_the_same_aspect() -> None:
    assert made(png_bytes(pink_noise((60, 100))), AtMost(800, 800)).box.width == 60
    assert made(png_bytes(pink_noise((1, 100))), AtMost(800, 800)).box.height == 1


# What is written.


def test_what_is_transparent_is_put_on_white() -> None:
    pixels = blocks(0, 0, 0, 0, channels=4)
    pixels[:, :32, 3] = 255
    found = pixels_of(made(png_bytes(pixels), Box(0, 0, 64, 64)))
    assert found[10, 10].max() <= 2
    assert found[10, 50].min() >= 253
    grey = np.zeros((16, 16, 2), np.uint8)
    assert pixels_of(made(png_bytes(grey), Box(0, 0, 16, 16))).min() >= 253


def test_nothing_of_the_source_is_carried_over_but_pixels() -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    exif.get_ifd(0x8825)[1] = "N"
    data = saved(
        Image.fromarray(blocks(1, 2, 3, 4)), "JPEG", exif=exif, comment=b"secret", dpi=(300, 300)
    )
    assert b"taken at home" in data
    image = opened(made(data, Box(0, 0, 64, 64)).data)
    assert not image.getexif()
    assert not {"exif", "comment", "icc_profile", "photoshop"} & set(image.info)


def test_16_bits_look_like_8() -> None:
    eight = blocks(10, 80, 150, 220)
    deep = eight.astype(np.uint16) * 257
    box = Box(16, 16, 32, 32)
    assert made(png_bytes(deep), box).data == made(png_bytes(eight), box).data


def test_the_same_source_and_region_give_the_same_bytes() -> None:
    data = png_bytes(pink_noise((100, 120)))
    one, other = (crop(Source("a", data), AtMost(50, 50), threads=n) for n in (1, 3))
    assert one == other


# What is refused.


def test_corrupt_images_are_refused() -> None:
    with pytest.raises(CorruptImage):
        made(png_bytes(noise((64, 64)))[:-40], Box(0, 0, 1, 1))


def test_memory_and_output_are_limited() -> None:
    data = png_bytes(noise((64, 64)))
    with pytest.raises(TooMuchMemory):
        made(data, Box(0, 0, 64, 64), Limits(max_memory=80 << 20))
    with pytest.raises(TooMuchOutput, match="choose a smaller region"):
        made(data, Box(0, 0, 64, 64), Limits(max_output_bytes=500))


def test_sides_that_jpeg_does_not_have_are_refused() -> None:
    data = png_of_zeros(70_000, 1)
    with pytest.raises(UnsupportedImage, match="65,500"):
        made(data, Box(0, 0, 70_000, 1))
    assert made(data, Box(0, 0, 65_500, 1)).box.width == 65_500


def test_a_larger_crop_is_expected_to_take_more_memory() -> None:
    from fft_tool.codec.image_file import open_image  # noqa: PLC0415  (next to its only use)

    header = open_image(png_of_zeros(1000, 1000)).header
    assert memory_needed(header, (1000, 1000)) > memory_needed(header, (10, 10)) > 1_000_000


@pytest.mark.parametrize("shape", [(64, 96), (300, 200), (1000, 1300)])
def test_the_picture_of_saliency_lies_over_the_image_and_is_strongest_on_the_object(
    shape: tuple[int, int],
) -> None:
    height, width = shape
    grey = noise(shape) // 16
    top, left = height // 5, 3 * width // 5
    grey[top : top + height // 8, left : left + width // 8] = 230
    found = find_salient(Source("a", png_bytes(grey)), AtMost(width // 3, height // 3))
    picture = np.asarray(opened(found.picture))
    assert picture.shape[2] == 4
    assert max(picture.shape) == 384
    assert picture.shape[1] / picture.shape[0] == pytest.approx(width / height, rel=0.01)
    row, column = np.unravel_index(picture[:, :, 3].argmax(), picture.shape[:2])
    assert abs(row / picture.shape[0] - (top + height / 16) / height) < 0.06
    assert abs(column / picture.shape[1] - (left + width / 16) / width) < 0.06


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_salient_box_is_that_of_the_crop_of_an_image_that_exif_turns(orientation: int) -> None:
    colours = noise((90, 140, 3)) // 8
    colours[10:30, 100:125] = (220, 30, 30)
    exif = Image.Exif()
    exif[0x0112] = orientation
    source = Source("turned.png", saved(Image.fromarray(colours), "PNG", exif=exif))
    found = find_salient(source, AtMost(40, 30))
    assert found.box == crop(source, AtMost(40, 30)).box
    size = opened(found.picture).size
    assert (size[0] > size[1]) == (orientation < 5)
