"""What holds for every operation: shapes, depth, alpha, white, threads, and inputs left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fft_tool.errors import CropOutside
from fft_tool.operations.operation import Layout
from tests.support.images import noise
from tests.support.operations import CHANNELS, DTYPES, EXAMPLES, SHAPES, applied, one, random_image

FITTING = [text for text in EXAMPLES if text != "crop:10,10,50,50"]
# The operations that leave alpha as it is, and every pixel in its place.
IN_PLACE = [
    text for text in FITTING if not text.startswith(("blur", "rotate", "flip", "crop", "resize"))
]
# Those that give similar results for levels that are close to each other.
SMOOTH = [text for text in EXAMPLES if text not in ("equalise", "posterize:3")]


@pytest.mark.parametrize("text", FITTING)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", CHANNELS)
def test_size_channels_and_depth_are_as_predicted_and_the_input_is_left_alone(
    text: str, dtype: Any, channels: int
) -> None:
    operation = one(text)
    for shape in SHAPES:
        pixels = random_image(shape, channels, dtype)
        before = pixels.copy()
        try:
            predicted = operation.layout(Layout(*shape, channels, pixels.itemsize))
        except ValueError:
            with pytest.raises(ValueError, match="no image"):
                applied(text, pixels)
            continue
        result = applied(text, pixels)
        assert result.shape == (predicted.height, predicted.width, predicted.channels)
        assert result.dtype == pixels.dtype
        assert not np.shares_memory(result, pixels)
        np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize("text", EXAMPLES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_results_do_not_depend_on_threads_or_on_the_layout_of_memory(text: str, dtype: Any) -> None:
    """The image has several blocks of rows."""
    pixels = random_image((230, 700), 4, dtype)
    expected = applied(text, pixels)
    np.testing.assert_array_equal(applied(text, pixels, threads=3), expected)
    np.testing.assert_array_equal(applied(text, np.asfortranarray(pixels)), expected)
    turned = pixels[::-1, ::-1].copy()[::-1, ::-1]
    np.testing.assert_array_equal(applied(text, turned), expected)


@pytest.mark.parametrize("text", ["blur:30", "sharpen:1,9"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_wide_kernels_do_not_depend_on_threads_either(text: str, dtype: Any) -> None:
    pixels = random_image((300, 700), 3, dtype)
    np.testing.assert_array_equal(applied(text, pixels, threads=3), applied(text, pixels))


@pytest.mark.parametrize("text", IN_PLACE)
@pytest.mark.parametrize("dtype", DTYPES)
def test_alpha_is_untouched_where_pixels_stay_in_place(text: str, dtype: Any) -> None:
    for channels in (2, 4):
        pixels = random_image((20, 30), channels, dtype)
        np.testing.assert_array_equal(applied(text, pixels)[:, :, -1], pixels[:, :, -1])


@pytest.mark.parametrize("text", [*EXAMPLES, "blur:20"])
@pytest.mark.parametrize("channels", [1, 3])
def test_an_opaque_alpha_channel_changes_nothing_else(text: str, channels: int) -> None:
    plain = noise((70, 80, channels), np.uint8)
    opaque = np.concatenate([plain, np.full((70, 80, 1), 255, np.uint8)], axis=2)
    fill = "" if not text.startswith("rotate") or text.count(":") == 2 else ":white"
    found, expected = applied(text + fill, opaque), applied(text, plain)
    apart = np.abs(found[:, :, :-1].astype(int) - expected)
    assert apart.max() <= 1
    assert np.count_nonzero(apart) < 0.01 * apart.size
    assert found[:, :, -1].min() == 255


@pytest.mark.parametrize("text", [*EXAMPLES, "blur:20"])
@pytest.mark.parametrize("channels", CHANNELS)
def test_no_level_exceeds_the_white_of_a_12_bit_image(text: str, channels: int) -> None:
    pixels = noise((70, 80, channels), white=4095)
    assert pixels.max() == 4095
    assert applied(text, pixels, 4095).max() <= 4095


@pytest.mark.parametrize("text", [*SMOOTH, "blur:20"])
@pytest.mark.parametrize("channels", [1, 3])
def test_12_and_16_bits_give_what_8_bits_give_but_finer(text: str, channels: int) -> None:
    """Levels that 8 bits can hold: the results agree within half a level of 8 bits."""
    coarse = noise((70, 80, channels), np.uint8)
    expected = applied(text, coarse).astype(float)
    wide = applied(text, coarse.astype(np.uint16) * 257)
    assert np.abs(wide / 257 - expected).max() <= 0.51
    # 4095 = 16.06 * 255: what is put in has been rounded by up to a 32nd of a level.
    twelve = applied(text, np.rint(coarse * (4095 / 255)).astype(np.uint16), 4095)
    assert np.abs(twelve * (255 / 4095) - expected).mean() < 0.4


@pytest.mark.parametrize("text", EXAMPLES)
@pytest.mark.parametrize("level", [0, 200, 255])
def test_constant_images_stay_constant(text: str, level: int) -> None:
    pixels = np.full((60, 65, 3), level, np.uint8)
    fill = "" if not text.startswith("rotate") else ":#" + f"{level:02x}" * 3
    result = applied(text.removesuffix(":black") + fill, pixels)
    assert np.ptp(result.reshape(-1, result.shape[2]), axis=0).max() == 0


@pytest.mark.parametrize("text", ["crop:0,0,9,9", "crop:centre:9,1"])
def test_a_crop_that_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(CropOutside, match="8 x 8"):
        one(text).size(8, 8)
