"""Operations on tones, compared with OpenCV, scikit-image and known answers."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from skimage import exposure, util

from tests.support.images import noise
from tests.support.operations import (
    CHANNELS,
    DTYPES,
    SHAPES,
    Pixels,
    applied,
    assert_close,
    random_image,
    rounded,
)

adjust_gamma: Any = exposure.adjust_gamma
inverted: Any = util.invert

SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])


def white_of(dtype: Any) -> int:
    return int(np.iinfo(dtype).max)


def levels_of(*levels: int, dtype: Any = np.uint8) -> Pixels:
    """A row of grey pixels."""
    return np.array(levels, dtype).reshape(1, -1, 1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_grayscale_is_opencv_s(dtype: Any, shape: tuple[int, int]) -> None:
    pixels = noise((*shape, 3), dtype)
    expected = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.int64)
    assert_close(
        applied("grayscale", pixels)[:, :, 0], expected, share=1
    )  # OpenCV has finer weights


@pytest.mark.parametrize("channels", [1, 2])
def test_grayscale_leaves_grey_images_as_they_are(channels: int) -> None:
    pixels = random_image((9, 7), channels, np.uint16)
    np.testing.assert_array_equal(applied("grayscale", pixels), pixels)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_sepia_is_the_usual_matrix(dtype: Any, shape: tuple[int, int]) -> None:
    pixels = noise((*shape, 3), dtype)
    expected = cv2.transform(pixels.astype(np.float64), SEPIA).reshape(pixels.shape)
    assert_close(applied("sepia", pixels), rounded(expected, white_of(dtype)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_sepia_makes_grey_images_coloured(dtype: Any) -> None:
    pixels = random_image((12, 15), 2, dtype)
    expected = pixels[:, :, :1] * SEPIA.sum(axis=1)
    result = applied("sepia", pixels)
    assert_close(result[:, :, :3], rounded(expected, white_of(dtype)))
    np.testing.assert_array_equal(result[:, :, 3], pixels[:, :, 1])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3])
def test_invert_is_scikit_image_s_and_its_own_inverse(dtype: Any, channels: int) -> None:
    pixels = noise((13, 17, channels), dtype)
    np.testing.assert_array_equal(applied("invert", pixels), inverted(pixels))
    np.testing.assert_array_equal(applied("invert,invert", pixels), pixels)


def test_invert_of_12_bits_is_about_their_white() -> None:
    pixels = levels_of(0, 1, 4095, dtype=np.uint16)
    assert applied("invert", pixels, 4095).ravel().tolist() == [4095, 4094, 0]


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("contrast:2", [0, 0, 73, 127, 129, 255, 255]),  # 72.5 is rounded up
        ("contrast:0.5", [64, 84, 114, 127, 128, 174, 191]),
        ("contrast:0", [128] * 7),
        ("contrast:1", [0, 40, 100, 127, 128, 220, 255]),
        ("brightness:20", [51, 91, 151, 178, 179, 255, 255]),
        ("brightness:-20", [0, 0, 49, 76, 77, 169, 204]),
        ("brightness:100", [255] * 7),
        ("gamma:1", [0, 40, 100, 127, 128, 220, 255]),
        ("posterize:2", [0, 0, 0, 0, 255, 255, 255]),
        ("posterize:3", [0, 0, 128, 128, 128, 255, 255]),
        ("posterize:256", [0, 40, 100, 127, 128, 220, 255]),
    ],
)
def test_known_answers(text: str, levels: list[int]) -> None:
    given = levels_of(0, 40, 100, 127, 128, 220, 255)
    assert applied(text, given).ravel().tolist() == levels


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("gamma", [0.45, 1.8, 2.2])
def test_gamma_is_scikit_image_s_with_the_inverse_exponent(dtype: Any, gamma: float) -> None:
    pixels = noise((33, 47, 3), dtype)
    white = white_of(dtype)
    expected = adjust_gamma(pixels.astype(np.float64) / white, 1 / gamma) * white
    assert_close(applied(f"gamma:{gamma}", pixels), rounded(expected, white), share=0)


def test_16_bits_are_computed_at_full_resolution() -> None:
    pixels = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    assert np.unique(applied("contrast:0.9", pixels)).size > 58_900
    assert np.unique(applied("gamma:1.5", pixels)).size > 45_000
    assert np.unique(applied("brightness:-10,brightness:10", pixels)).size == 65536 - 6554


@pytest.mark.parametrize("levels", [2, 5, 256])
def test_posterize_leaves_that_many_levels_equally_spaced(levels: int) -> None:
    pixels = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    found = np.unique(applied(f"posterize:{levels}", pixels))
    np.testing.assert_array_equal(found, np.rint(np.linspace(0, 65535, levels)))


@pytest.mark.parametrize("shape", SHAPES)
def test_equalise_is_opencv_s_for_8_bits_of_grey(shape: tuple[int, int]) -> None:
    pixels = (noise((*shape, 1), np.uint8) // 3 + 40).astype(np.uint8)
    expected = cv2.equalizeHist(pixels[:, :, 0]).astype(np.int64)
    assert_close(applied("equalise", pixels)[:, :, 0], expected)


def test_equalise_ranks_16_bits_at_full_resolution() -> None:
    """The result is the share of pixels that are not lighter, beyond the darkest ones."""
    pixels = np.rint(np.random.default_rng(2).normal(9000, 700, (90, 110, 1))).astype(np.uint16)
    ordered = np.sort(pixels.ravel())
    below = np.searchsorted(ordered, pixels, side="right")
    darkest = np.count_nonzero(ordered == ordered[0])
    expected = (below - darkest) / (pixels.size - darkest) * 65535
    assert_close(applied("equalise", pixels), rounded(expected, 65535), share=0)


def test_equalise_moves_colours_with_their_luma_as_in_ycrcb() -> None:
    pixels = (noise((64, 80, 3), np.uint8) // 4 + 90).astype(np.uint8)
    luma, red, blue = cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb))
    merged = cv2.merge([cv2.equalizeHist(luma), red, blue])
    expected = cv2.cvtColor(merged, cv2.COLOR_YCrCb2RGB).astype(int)
    found = applied("equalise", pixels)
    assert np.abs(found - expected).mean() < 1  # OpenCV rounds chroma to 8 bits
    assert np.abs(found - expected).max() <= 8
    inside = ((found > 0) & (found < 255)).all(axis=2)
    chroma = np.diff(pixels.astype(int), axis=2)
    np.testing.assert_array_equal(np.diff(found.astype(int), axis=2)[inside], chroma[inside])


def test_equalise_does_not_count_transparent_pixels() -> None:
    pixels = np.zeros((4, 8, 2), np.uint8)
    pixels[:, :, 0] = np.arange(8) * 10
    pixels[:, 4:, 1] = 255
    found = applied("equalise", pixels)
    assert found[0, 4:, 0].tolist() == [0, 85, 170, 255]
    transparent = pixels.copy()
    transparent[:, :, 1] = 0
    np.testing.assert_array_equal(applied("equalise", transparent), transparent)


@pytest.mark.parametrize("text", ["invert", "contrast:1.6", "gamma:1.8", "posterize:3", "sepia"])
@pytest.mark.parametrize("channels", CHANNELS)
def test_each_pixel_depends_on_itself_alone(text: str, channels: int) -> None:
    pixels = random_image((8, 9), channels, np.uint16)
    whole = applied(text, pixels)
    for y, x in ((0, 0), (3, 4), (7, 8)):
        np.testing.assert_array_equal(
            applied(text, pixels[y : y + 1, x : x + 1])[0, 0], whole[y, x]
        )
