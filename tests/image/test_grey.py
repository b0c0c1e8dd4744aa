from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fft_tool.codec.raster import CHANNEL_NAMES
from fft_tool.errors import RecipeError
from fft_tool.image.grey import grey_plane
from tests.support.images import noise

DEPTHS = [(np.uint8, 255), (np.uint16, 65535), (np.uint16, 4095)]
BACKGROUNDS = [(255, 255, 255), (0, 0, 0), (128, 128, 128), (12, 200, 99)]
SHAPES = [(1, 1), (1, 9), (9, 1), (31, 17)]
LARGE = (700, 501)  # several blocks, the last one shorter

every_depth = pytest.mark.parametrize(("dtype", "white"), DEPTHS)


def levels(shape: tuple[int, ...], dtype: type[Any], white: int) -> Any:
    """Noise from 0 to ``white``, including both ends if there is room."""
    pixels = np.random.default_rng(len(shape)).integers(0, white, shape, dtype, endpoint=True)
    pixels.flat[:1], pixels.flat[-1:] = white, 0
    return pixels


def rounded(value: Fraction) -> int:
    """Round to the nearest integer, halves up."""
    return math.floor(value + Fraction(1, 2))


def oracle(
    pixel: list[int], names: tuple[str, ...], white: int, channel: str, background: tuple[int, ...]
) -> int:
    """One pixel in exact arithmetic: composite over the background, then weight the channels."""
    weights = dict(zip(("red", "green", "blue"), (19595, 38470, 7471), strict=True))

    def weighed(colours: dict[str, int]) -> int:
        total = sum(weights[name] * level for name, level in colours.items())
        return rounded(Fraction(total, 65536))

    value = dict(zip(names, pixel, strict=True))
    if channel == "alpha":
        return value["alpha"]
    behind = {
        name: rounded(Fraction(level * white, 255))
        for name, level in zip(weights, background, strict=True)
    }
    behind["grey"] = weighed({name: behind[name] for name in weights})
    opacity = Fraction(value.pop("alpha", white), white)
    mixed = {
        name: rounded(level * opacity + behind[name] * (1 - opacity))
        for name, level in value.items()
    }
    if channel != "luma":
        return mixed[channel]
    return mixed["grey"] if "grey" in mixed else weighed(mixed)


def expected(pixels: Any, white: int, channel: str, background: tuple[int, ...]) -> Any:
    names = CHANNEL_NAMES[pixels.shape[2]]
    plane = [
        [oracle(pixel, names, white, channel, background) for pixel in row]
        for row in pixels.tolist()
    ]
    return np.array(plane, pixels.dtype)


@every_depth
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("background", BACKGROUNDS)
def test_luma_over_a_background_is_exact(
    shape: tuple[int, int],
    channels: int,
    dtype: type[Any],
    white: int,
    background: tuple[int, int, int],
) -> None:
    pixels = levels((*shape, channels), dtype, white)
    names = CHANNEL_NAMES[channels]
    plane = grey_plane(pixels, names, white=white, background=background)
    assert plane.dtype == dtype
    np.testing.assert_array_equal(plane, expected(pixels, white, "luma", background))


@every_depth
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("channel", ["red", "green", "blue"])
@pytest.mark.parametrize("background", BACKGROUNDS)
def test_a_single_colour_is_that_channel_over_the_background(
    channel: str, channels: int, dtype: type[Any], white: int, background: tuple[int, int, int]
) -> None:
    pixels = levels((13, 17, channels), dtype, white)
    plane = grey_plane(
        pixels, CHANNEL_NAMES[channels], white=white, channel=channel, background=background
    )
    np.testing.assert_array_equal(plane, expected(pixels, white, channel, background))
    if channels == 3:
        index = CHANNEL_NAMES[3].index(channel)
        np.testing.assert_array_equal(plane, pixels[:, :, index])


@every_depth
@pytest.mark.parametrize("channels", [2, 4])
def test_the_alpha_channel_is_returned_unchanged(
    channels: int, dtype: type[Any], white: int
) -> None:
    pixels = levels((13, 17, channels), dtype, white)
    plane = grey_plane(pixels, CHANNEL_NAMES[channels], white=white, channel="alpha")
    np.testing.assert_array_equal(plane, pixels[:, :, -1])


@pytest.mark.parametrize(
    ("channels", "channel"),
    [(1, "red"), (1, "alpha"), (2, "green"), (2, "blue"), (3, "alpha"), (4, "violet")],
)
def test_a_missing_channel_is_an_error_in_the_recipe(channels: int, channel: str) -> None:
    names = CHANNEL_NAMES[channels]
    with pytest.raises(RecipeError) as refused:
        grey_plane(noise((3, 4, channels)), names, white=255, channel=channel)
    (fault,) = refused.value.faults
    assert (fault.key, fault.value) == ("channel", channel)
    for name in ("luma", *names):
        assert name in fault.allowed


def test_luma_of_8_bit_colour_agrees_with_pillow() -> None:
    pixels = noise((200, 300, 3))
    plane = grey_plane(pixels, CHANNEL_NAMES[3], white=255)
    pillow = np.asarray(Image.fromarray(pixels).convert("L"))
    np.testing.assert_array_equal(plane, pillow)


@pytest.mark.parametrize(("white", "dtype"), [(255, np.uint8), (65535, np.uint16)])
def test_luma_of_grey_keeps_every_level(white: int, dtype: type[Any]) -> None:
    ramp = np.arange(white + 1, dtype=dtype)
    for channels in (1, 2, 3, 4):
        pixels = np.repeat(ramp[None, :, None], channels, axis=2)
        if channels in (2, 4):
            pixels[:, :, -1] = white
        plane = grey_plane(pixels, CHANNEL_NAMES[channels], white=white)
        np.testing.assert_array_equal(plane[0], ramp)


@every_depth
@pytest.mark.parametrize("channels", [2, 4])
def test_transparent_pixels_show_the_background_and_opaque_ones_do_not(
    channels: int, dtype: type[Any], white: int
) -> None:
    pixels = levels((13, 17, channels), dtype, white)
    names = CHANNEL_NAMES[channels]
    pixels[:, :, -1] = 0
    for level in (0, 128, 255):
        plane = grey_plane(pixels, names, white=white, background=(level, level, level))
        assert (plane == (level * white + 127) // 255).all()
    pixels[:, :, -1] = white
    opaque = grey_plane(pixels[:, :, :-1], names[:-1], white=white)
    for background in BACKGROUNDS:
        plane = grey_plane(pixels, names, white=white, background=background)
        np.testing.assert_array_equal(plane, opaque)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("threads", [2, 5])
def test_any_number_of_threads_gives_the_same_plane(channels: int, threads: int) -> None:
    pixels, names = noise((*LARGE, channels)), CHANNEL_NAMES[channels]
    one = grey_plane(pixels, names, white=255)
    np.testing.assert_array_equal(grey_plane(pixels, names, white=255, threads=threads), one)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_the_input_is_not_modified(channels: int) -> None:
    pixels = noise((31, 17, channels))
    before = pixels.copy()
    grey_plane(pixels, CHANNEL_NAMES[channels], white=255)
    np.testing.assert_array_equal(pixels, before)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_any_pixel_over_any_background_is_exact(data: st.DataObject) -> None:
    dtype, white = data.draw(st.sampled_from(DEPTHS))
    channels = data.draw(st.integers(1, 4))
    pixel = data.draw(st.lists(st.integers(0, white), min_size=channels, max_size=channels))
    background = data.draw(st.tuples(*[st.integers(0, 255)] * 3))
    names = CHANNEL_NAMES[channels]
    channel = data.draw(st.sampled_from(["luma", *(name for name in names if name != "grey")]))
    pixels = np.array(pixel, dtype).reshape(1, 1, channels)
    plane = grey_plane(pixels, names, white=white, channel=channel, background=background)
    assert plane.item() == oracle(pixel, names, white, channel, background)
