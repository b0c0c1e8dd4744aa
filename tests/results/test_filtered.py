"""The filtered image: colours, depth and alpha kept, clipped samples counted and told of."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import fft_tool
from fft_tool import Recipe
from fft_tool.codec import image_file
from fft_tool.errors import RecipeError
from fft_tool.mask_files import resolve_masks
from fft_tool.pipeline import run_filter
from tests.support.images import noise, png_bytes
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


# Masks that are pictures


def masked(
    pixels: NDArray[Any], levels: NDArray[Any], before: str = "", **texts: str
) -> fft_tool.Outputs:
    """Outputs with a mask that stands in a file."""
    recipe = Recipe.parse({**texts, "filter": f"{before}mask:repair.png"})
    return fft_tool.run(source(pixels), resolve_masks(recipe, lambda _: png_bytes(levels)))


def by_numpy(plane: NDArray[Any], levels: NDArray[Any]) -> NDArray[Any]:
    """The filtered plane, not rounded, from the full spectrum in double precision."""
    given = np.fft.ifftshift(levels / np.iinfo(levels.dtype).max)
    gains = np.minimum(given, np.roll(given[::-1, ::-1], (1, 1), axis=(0, 1)))
    gains[0, 0] = 1
    return np.asarray(np.fft.ifft2(np.fft.fft2(plane) * gains).real)


@pytest.mark.parametrize("shape", [(30, 40), (31, 40), (30, 41), (31, 41), (1, 40), (41, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_mask_gives_the_image_that_numpy_gives(shape: tuple[int, int], dtype: Any) -> None:
    plane, levels = noise(shape, dtype), noise(shape, np.uint16, 1)
    expected = by_numpy(plane, levels)
    sure = np.abs(expected - np.floor(expected) - 0.5) > 0.01  # not about to be rounded either way
    assert sure.mean() > 0.9
    for precision in ("single", "double"):
        found = read_png(masked(plane, levels, precision=precision)["filtered"].data)
        rounded = np.clip(np.rint(expected), 0, np.iinfo(dtype).max)
        np.testing.assert_array_equal(found[sure], rounded[sure])


@pytest.mark.parametrize("shape", [(30, 40), (31, 41), (1, 13), (13, 1), (1, 1)])
@pytest.mark.parametrize(("channels", "dtype"), [(1, np.uint8), (4, np.uint8), (3, np.uint16)])
def test_a_white_mask_gives_the_image_bit_for_bit(
    shape: tuple[int, int], channels: int, dtype: Any
) -> None:
    pixels = noise((*shape, channels) if channels > 1 else shape, dtype)
    data = masked(pixels, np.full(shape, 255, np.uint8))["filtered"].data
    found = image_file.decode(data).pixels
    np.testing.assert_array_equal(found, pixels.reshape(*shape, channels))


def test_every_colour_is_masked_as_if_alone() -> None:
    pixels, levels = noise((30, 40, 4)), noise((30, 40), seed=1)
    found = image_file.decode(masked(pixels, levels, CHAIN + "+")["filtered"].data).pixels
    for index in range(3):
        alone = masked(np.ascontiguousarray(pixels[:, :, index]), levels, CHAIN + "+")
        np.testing.assert_array_equal(found[:, :, index], read_png(alone["filtered"].data))
    np.testing.assert_array_equal(found[:, :, 3], pixels[:, :, 3])
    pixels[:, :, 3] = 255
    red = masked(pixels, levels, channel="red")["filtered"].data
    np.testing.assert_allclose(
        read_png(red), by_numpy(pixels[:, :, 0], levels).clip(0, 255), atol=0.51
    )


@pytest.mark.parametrize("keys", [{"crop": "3,4,20,16"}, {"smart-crop": "20,16"}])
def test_a_mask_is_as_large_as_what_is_cropped(keys: dict[str, str]) -> None:
    pixels, levels = noise((30, 40)), noise((16, 20), seed=1)
    outputs = masked(pixels, levels, **keys)
    expected = by_numpy(read_png(outputs["crop"].data), levels).clip(0, 255)
    np.testing.assert_allclose(read_png(outputs["filtered"].data), expected, atol=0.51)
    with pytest.raises(RecipeError, match=r"the mask has 40 x 30 pixels, .* has 20 x 16"):
        masked(pixels, noise((30, 40)), **keys)


def test_certificate_and_pictures_are_those_without_a_mask() -> None:
    """They are of the source: a filter changes only the filtered image."""
    keys = {"bits": "16", "metadata": "yes", "periodic": "yes"}
    plain, outputs = run(noise((30, 40)), **keys), masked(noise((30, 40)), noise((30, 40)), **keys)
    record = record_of(outputs)
    assert record["certificate"]["exact"]
    assert record["certificate"] == record_of(plain)["certificate"]
    digest = hashlib.sha256(png_bytes(noise((30, 40)))).hexdigest()
    assert record["recipe"]["values"]["filter"] == f"mask:repair.png,{digest}"
    np.testing.assert_array_equal(
        read_png(outputs["magnitude"].data), read_png(plain["magnitude"].data)
    )


def test_the_text_of_a_record_and_the_same_file_give_the_same_bytes() -> None:
    outputs = masked(noise((30, 40)), noise((30, 40), seed=1), "notch:5,70+", metadata="yes")
    recipe = Recipe.parse_text(record_of(outputs)["recipe"]["text"])
    again = resolve_masks(recipe, lambda _: png_bytes(noise((30, 40), seed=1)))
    made = fft_tool.run(source(noise((30, 40))), again)
    assert [each.data for each in made] == [each.data for each in outputs]
