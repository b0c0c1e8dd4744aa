"""The filtered image: colours, depth and alpha kept, clipped samples counted and told of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fft_tool
from fft_tool import Recipe
from fft_tool.codec import image_file
from fft_tool.pipeline import run_filter
from tests.support.images import noise
from tests.support.planes import read_png, source
from tests.support.runs import record_of, run

CHAIN = "stripe:20+notch:5,70+lowpass:3"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [3, 4])
def test_every_colour_channel_is_filtered_as_if_alone_and_alpha_stays(
    dtype: Any, channels: int
) -> None:
    pixels = noise((30, 40, channels), dtype)
    filtered = image_file.decode(run(pixels, filter=CHAIN)["filtered"].data).pixels
    assert filtered.shape == pixels.shape
    assert filtered.dtype == pixels.dtype
    for index in range(3):
        alone = run(np.ascontiguousarray(pixels[:, :, index]), filter=CHAIN)["filtered"].data
        np.testing.assert_array_equal(filtered[:, :, index], read_png(alone))
    np.testing.assert_array_equal(filtered[:, :, 3:], pixels[:, :, 3:])


def test_grey_with_alpha_stays_so() -> None:
    pixels = noise((30, 40, 2))
    filtered = image_file.decode(run(pixels, filter="lowpass:4")["filtered"].data).pixels
    alone = run(np.ascontiguousarray(pixels[:, :, 0]), filter="lowpass:4")["filtered"].data
    np.testing.assert_array_equal(filtered[:, :, 0], read_png(alone))
    np.testing.assert_array_equal(filtered[:, :, 1], pixels[:, :, 1])


@pytest.mark.parametrize(("channel", "index"), [("red", 0), ("blue", 2), ("alpha", 3)])
def test_a_channel_that_is_named_is_filtered_alone_and_gives_grey(channel: str, index: int) -> None:
    pixels = noise((30, 40, 4))
    pixels[:, :, 3] = 255 if channel != "alpha" else pixels[:, :, 3]
    filtered = read_png(run(pixels, filter=CHAIN, channel=channel)["filtered"].data)
    alone = run(np.ascontiguousarray(pixels[:, :, index]), filter=CHAIN)["filtered"].data
    np.testing.assert_array_equal(filtered, read_png(alone))


def test_stripes_in_colour_go_and_the_colours_stay() -> None:
    ramp = np.add.outer(np.arange(120.0), np.arange(160.0)) / 280
    clean = np.stack([60 + 100 * ramp, 120 + 0 * ramp, 200 - 100 * ramp], axis=2)
    x = np.arange(160) * np.cos(0.5) - np.arange(120)[:, None] * np.sin(0.5)
    striped = clean + (20 * np.cos(2 * np.pi * x / 7.7))[:, :, None]
    angle = float(np.degrees(0.5))
    data = run(np.rint(striped).astype(np.uint8), filter=f"stripe:{angle}")["filtered"].data
    filtered = image_file.decode(data).pixels.astype(float)
    assert np.abs(filtered - clean).mean() < 1.5


def test_pixels_clipped_by_a_high_pass_are_counted_and_told() -> None:
    plane = (np.random.default_rng(1).random((64, 64)) < 0.1).astype(np.uint8) * 60
    outputs = run(plane, filter="highpass:8", metadata="yes")
    half = np.fft.rfft2(plane.astype(float))
    fy, fx = np.fft.fftfreq(64)[:, None], np.fft.rfftfreq(64)
    octaves = np.log2(np.maximum(np.hypot(fy, fx) * 8, 1e-9)) / 0.5
    mask = (1 + np.sin(np.pi * np.clip(octaves, -0.5, 0.5))) / 2
    mask[0, 0] = 1
    below = int((np.rint(np.fft.irfft2(half * mask)) < 0).sum())
    assert record_of(outputs)["filtered"] == {
        "channels": ["grey"],
        "offsets": [0.0],
        "samples": 4096,
        "clipped": {"black": below, "white": 0},
    }
    (remark,) = outputs["filtered"].remarks
    assert f"{below:,} at black" in remark.text
    assert (remark.key, remark.value) == ("offset", "mid")


def test_offset_moves_the_mean_of_every_channel_to_middle_grey() -> None:
    pixels = noise((32, 32, 3)) // np.array([8, 4, 2], np.uint8)
    outputs = run(pixels, filter="highpass:8", offset="mid", metadata="yes")
    filtered = image_file.decode(outputs["filtered"].data).pixels
    np.testing.assert_allclose(filtered.mean(axis=(0, 1)), 127.5, atol=0.5)
    offsets = 127.5 - pixels.mean(axis=(0, 1))
    np.testing.assert_allclose(record_of(outputs)["filtered"]["offsets"], offsets, atol=1e-9)
    assert not outputs["filtered"].remarks


def test_an_offset_in_grey_levels_is_added() -> None:
    plane = noise((20, 30)) // np.uint8(4)
    plain = read_png(run(plane, filter="lowpass:4")["filtered"].data).astype(int)
    moved = read_png(run(plane, filter="lowpass:4", offset="40")["filtered"].data).astype(int)
    np.testing.assert_array_equal(moved, plain + 40)
    dark = run(plane, filter="lowpass:4", offset="-255", metadata="yes")
    assert record_of(dark)["filtered"]["clipped"]["black"] > 590
    assert not dark["filtered"].remarks[0].key


@pytest.mark.parametrize("recipe", ["", "metadata=yes spectrum=yes periodic=yes window=none"])
def test_the_command_s_image_is_that_of_an_analysis(recipe: str) -> None:
    image = source(noise((20, 30, 3)))
    texts: dict[str, Any] = {"filter": CHAIN} | dict(word.split("=") for word in recipe.split())
    whole, alone = (
        operation(image, Recipe.parse(texts)) for operation in (fft_tool.run, run_filter)
    )
    assert whole["filtered"].data == alone["filtered"].data


def test_records_without_a_filtered_image_say_nothing_of_it() -> None:
    assert record_of(run(noise((9, 9)), metadata="yes"))["filtered"] is None
