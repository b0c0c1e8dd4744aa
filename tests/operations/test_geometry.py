"""Rotation, mirroring, cropping and scaling, compared with numpy, scikit-image and Pillow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import transform

from fft_tool.operations.geometry import Resize, Rotate
from fft_tool.operations.resampling import catmull_rom
from tests.support.images import noise
from tests.support.operations import (
    CHANNELS,
    DTYPES,
    SHAPES,
    Pixels,
    Reals,
    applied,
    assert_close,
    one,
    random_image,
    rounded,
)

affine: Any = transform.AffineTransform
warp: Any = transform.warp


def weighted(pixels: Pixels) -> Reals:
    """Real numbers, colours multiplied by alpha from 0 to 1."""
    real = pixels.astype(np.float64)
    if pixels.shape[2] in (2, 4):
        real[:, :, :-1] *= real[:, :, -1:] / np.iinfo(pixels.dtype).max
    return real


def unweighted(real: Reals, white: int) -> Reals:
    """Colours divided by alpha; where alpha rounds to nothing, they are black."""
    if real.shape[2] in (2, 4):
        alpha = real[:, :, -1:] = np.clip(real[:, :, -1:], 0, white)
        shown = alpha >= 0.5
        real[:, :, :-1] = np.where(shown, real[:, :, :-1] * white / np.where(shown, alpha, 1), 0)
    return real


# Rotation


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("quarters", [-1, 0, 1, 2, 3, 4, 5])
def test_quarter_turns_are_exact(dtype: Any, channels: int, quarters: int) -> None:
    for shape in SHAPES:
        pixels = random_image(shape, channels, dtype)
        expected = np.rot90(pixels, quarters)
        np.testing.assert_array_equal(applied(f"rotate:{90 * quarters}", pixels), expected)


def rotated(pixels: Pixels, angle: float, fill: list[int]) -> Reals:
    """Scikit-image's bicubic warp, which is Catmull and Rom's, plane by plane."""
    turn = np.radians(angle)
    height, width = pixels.shape[:2]
    size = np.abs([[np.cos(turn), np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ (height, width)
    down, across = np.ceil(size - 1e-6).astype(int)
    to_centre, back = (
        affine(translation=((1 - w) / 2, (1 - h) / 2)) for w, h in ((across, down), (width, height))
    )
    turned = affine(rotation=turn)
    mapping = to_centre.params
    mapping = np.linalg.inv(back.params) @ turned.params @ mapping
    planes = [
        warp(
            np.pad(plane, 8, constant_values=level),  # scikit-image clamps at the last pixels
            affine(translation=(8, 8)).params @ mapping,
            output_shape=(down, across),
            order=3,
            mode="constant",
            cval=level,
            clip=False,
            preserve_range=True,
        )
        for plane, level in zip(np.moveaxis(weighted(pixels), 2, 0), fill, strict=True)
    ]
    return np.stack(planes, axis=2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("angle", [12.5, 45, 151, -0.3, 271])
def test_other_angles_are_scikit_image_s_bicubic_warp(
    dtype: Any, channels: int, angle: float
) -> None:
    white = int(np.iinfo(dtype).max)
    fill = [0] * channels if channels in (2, 4) else [white] * channels
    for shape in SHAPES:
        pixels = random_image(shape, channels, dtype)
        expected = rounded(unweighted(rotated(pixels, angle, fill), white), white)
        found = applied(f"rotate:{angle}", pixels)
        if channels in (2, 4):  # the quotient of two small numbers
            faint = expected[:, :, -1] < white // 50
            found[faint, :-1], expected[faint, :-1] = 0, 0
        assert_close(found, expected)


@pytest.mark.parametrize(
    ("channels", "fill", "corner"),
    [
        (1, "", [255]),
        (3, "", [255, 255, 255]),
        (3, ":black", [0, 0, 0]),
        (3, ":#102030", [16, 32, 48]),
        (1, ":#ff0000", [76]),  # its luma
        (2, "", [0, 0]),
        (4, "", [0, 0, 0, 0]),
        (2, ":grey", [128, 255]),
        (4, ":#102030", [16, 32, 48, 255]),
    ],
)
def test_corners_are_transparent_white_or_of_the_colour_that_is_told(
    channels: int, fill: str, corner: list[int]
) -> None:
    pixels = np.full((40, 60, channels), 90, np.uint8)
    for dtype, factor in ((np.uint8, 1), (np.uint16, 257)):
        scaled: Pixels = (pixels.astype(int) * factor).astype(dtype)
        result = applied(f"rotate:30{fill}", scaled)
        for y, x in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
            apart = result[y, x].astype(int) - np.multiply(corner, factor)
            assert np.abs(apart).max() <= factor // 2  # the luma of a colour is finer in 16 bits
        assert (
            result[result.shape[0] // 2, result.shape[1] // 2].tolist() == [90 * factor] * channels
        )


def test_positive_angles_turn_counter_clockwise() -> None:
    pixels = np.zeros((41, 41, 1), np.uint8)
    pixels[20, 35] = 255  # right of the centre
    y, x = np.unravel_index(applied("rotate:30:black", pixels).argmax(), Rotate(30).size(41, 41))
    middle = (Rotate(30).size(41, 41)[0] - 1) / 2
    assert np.degrees(np.arctan2(middle - y, x - middle)) == pytest.approx(30, abs=2)


@pytest.mark.parametrize(
    ("angle", "size"),
    [(45, (142, 142)), (90, (200, 100)), (30, (187, 224)), (0, (100, 200)), (180, (100, 200))],
)
def test_the_canvas_is_the_smallest_that_holds_the_turned_frame(
    angle: float, size: tuple[int, int]
) -> None:
    assert Rotate(angle).size(100, 100 if angle == 45 else 200) == size


@settings(deadline=None)
@given(angle=st.floats(-720, 720), height=st.integers(1, 5000), width=st.integers(1, 5000))
def test_a_turned_canvas_is_never_smaller_than_its_image(
    angle: float, height: int, width: int
) -> None:
    down, across = Rotate(angle).size(height, width)
    assert down * across >= height * width
    assert max(down, across) <= np.hypot(height, width) + 1


def test_there_and_back_gives_the_image_in_its_middle() -> None:
    y, x = np.mgrid[:80, :100]
    waves = np.rint(128 + 60 * np.sin(x / 9) * np.cos(y / 11))
    pixels = np.stack([waves] * 3, axis=2).astype(np.uint8)
    back = applied("rotate:20,rotate:-20", pixels)
    top, left = (back.shape[0] - 80) / 2, (back.shape[1] - 100) / 2
    inner = applied(f"crop:{int(left) + 10},{int(top) + 10},80,60", back).astype(float)
    # Where the canvas has grown by an odd number of pixels, both centres are half a pixel apart.
    rows, columns = (np.arange(n) + 10 - place % 1 for n, place in ((60, top), (80, left)))
    expected = 128 + 60 * np.sin(columns / 9) * np.cos(rows[:, None] / 11)
    assert np.abs(inner - expected[:, :, None]).max() <= 2


# Mirroring and cropping


@pytest.mark.parametrize("channels", CHANNELS)
def test_flips_reverse_columns_or_rows(channels: int) -> None:
    pixels = random_image((5, 8), channels, np.uint16)
    np.testing.assert_array_equal(applied("flip", pixels), np.fliplr(pixels))
    np.testing.assert_array_equal(applied("flip:vertical", pixels), np.flipud(pixels))
    np.testing.assert_array_equal(applied("flip,flip", pixels), pixels)


def test_crops_take_the_region_that_the_recipe_s_crop_takes() -> None:
    pixels = random_image((40, 60), 4, np.uint16)
    for text, rows, columns in (
        ("10,20,30,5", slice(20, 25), slice(10, 40)),
        ("square", slice(0, 40), slice(10, 50)),
        ("centre:20,10", slice(15, 25), slice(20, 40)),
        ("pct:50,25,25,50", slice(10, 30), slice(30, 45)),
    ):
        np.testing.assert_array_equal(applied(f"crop:{text}", pixels), pixels[rows, columns])


# Scaling


def resized(pixels: Pixels, height: int, width: int) -> Reals:
    """Pillow's bicubic, plane by plane in single precision."""
    planes = [
        Image.fromarray(np.ascontiguousarray(plane, np.float32)).resize(
            (width, height), Image.Resampling.BICUBIC
        )
        for plane in np.moveaxis(weighted(pixels), 2, 0)
    ]
    return np.stack([np.asarray(plane, np.float64) for plane in planes], axis=2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 50), (13, 9), (90, 3), (31, 40)])
def test_resize_is_pillow_s_bicubic(dtype: Any, channels: int, width: int, height: int) -> None:
    white = int(np.iinfo(dtype).max)
    for shape in SHAPES:
        pixels = random_image(shape, channels, dtype)
        expected = rounded(unweighted(resized(pixels, height, width), white), white)
        found = applied(f"resize:{width},{height}", pixels)
        if channels in (2, 4):  # the quotient of two small numbers
            faint = expected[:, :, -1] < white // 10
            found[faint, :-1], expected[faint, :-1] = 0, 0
        assert_close(found, expected, share=0.03)  # Pillow computes in single precision


@pytest.mark.parametrize("channels", CHANNELS)
def test_resizing_to_the_same_size_changes_no_opaque_pixel(channels: int) -> None:
    pixels = random_image((20, 30), channels, np.uint16)
    pixels[:, :, -1] = 65535 if channels in (2, 4) else pixels[:, :, -1]
    np.testing.assert_array_equal(applied("resize:30,20", pixels), pixels)
    np.testing.assert_array_equal(applied("resize:100%", pixels), pixels)


@pytest.mark.parametrize("percent", [50, 37, 10])
def test_scaling_down_does_not_alias(percent: int) -> None:
    """Lines of one pixel become even grey."""
    pixels = np.zeros((200, 200, 1), np.uint8)
    pixels[:, ::2] = 255
    inner = applied(f"resize:{percent}%", pixels)[2:-2, 2:-2].astype(int)
    assert np.abs(inner - 127.5).max() < (10 if percent == 50 else 4)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("50%", (50, 100)),
        ("33.3%", (33, 67)),
        ("0.5%", (1, 1)),
        ("1000%", (1000, 2000)),
        ("40", (20, 40)),
        ("2", (1, 2)),
        ("40,7", (7, 40)),
    ],
)
def test_sizes_are_rounded(text: str, size: tuple[int, int]) -> None:
    assert one(f"resize:{text}").size(100, 200) == size


@pytest.mark.parametrize(("text", "size"), [("0.1%", "0 x 0"), ("1", "1 x 0"), ("0.3%", "1 x 0")])
def test_sizes_that_round_to_nothing_are_refused(text: str, size: str) -> None:
    with pytest.raises(ValueError, match=f"would make 300 x 100 pixels into {size}, which is no"):
        one(f"resize:{text}").size(100, 300)


def test_a_size_is_either_pixels_or_per_cent() -> None:
    for values in ({}, {"width": 5, "percent": 5.0}, {"height": 5, "percent": 5.0}, {"height": 5}):
        with pytest.raises(ValueError, match="either pixels or per cent"):
            Resize(**values)


def test_the_kernel_passes_through_the_samples_and_sums_to_one() -> None:
    assert catmull_rom(np.arange(-3.0, 4)).tolist() == [0, 0, 0, 1, 0, 0, 0]
    for fraction in (0.1, 0.5, 0.77):
        assert catmull_rom(np.array([-1, 0, 1, 2]) - fraction).sum() == pytest.approx(1)


def test_pixel_sizes_follow_the_image() -> None:
    assert one("resize:50%").pixel_size((2.0, 3.0), 100, 200) == (4.0, 6.0)
    assert one("resize:100,100").pixel_size((2.0, 3.0), 100, 200) == (4.0, 3.0)
    assert one("rotate:90").pixel_size((2.0, 3.0), 100, 200) == (3.0, 2.0)
    assert one("rotate:180").pixel_size((2.0, 3.0), 100, 200) == (2.0, 3.0)
    assert one("rotate:10").pixel_size((2.0, 2.0), 100, 200) == (2.0, 2.0)
    assert one("rotate:10").pixel_size((2.0, 3.0), 100, 200) is None
    assert one("crop:square").pixel_size((2.0, 3.0), 100, 200) == (2.0, 3.0)


def test_noise_keeps_its_mean_when_it_is_scaled() -> None:
    pixels = noise((64, 64, 1), np.uint16)
    assert applied("resize:25%", pixels).mean() == pytest.approx(pixels.mean(), rel=0.01)
