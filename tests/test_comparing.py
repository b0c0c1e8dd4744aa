"""Two images from their bytes to all numbers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fft_tool as ft
from fft_tool.codec import image_file
from fft_tool.comparing import compare_renditions, compare_sources, memory_needed
from fft_tool.errors import CropOutside, DifferentSizes, TooMuchMemory
from fft_tool.image.presets import parse_presets
from fft_tool.rendering import render
from fft_tool.results.likeness import Comparison
from fft_tool.results.outputs import Source
from tests.support.images import noise, pink_noise, png_bytes, saved

PRESETS = parse_presets("thumb=40x40 card=80x60")
COLOUR = np.stack([pink_noise((90, 120), seed=seed) for seed in range(3)], axis=2)


def source(pixels: Any, name: str = "a.png") -> Source:
    return Source(name, png_bytes(pixels))


def test_the_numbers_are_those_of_the_library() -> None:
    first, second = pink_noise((60, 80)), pink_noise((60, 80), seed=1)
    found = compare_sources(source(first), source(second))
    plain = ft.compare(first, second)
    pixels = found.likeness
    assert pixels.psnr_db == plain.psnr
    assert (pixels.ssim, pixels.correlation) == (plain.ssim, plain.correlation)
    assert pixels.hashes == (str(ft.perceptual_hash(first)), str(ft.perceptual_hash(second)))
    shift, curve = ft.find_shift(first, second), ft.ring_correlation(first, second)
    assert shift is not None
    assert found.shift is not None
    assert (found.shift.right, found.shift.peak) == (shift.right, shift.peak)
    assert found.rings.correlation == tuple(curve.correlation.tolist())
    assert found.rings.resolution == {
        name: curve.resolution(name) for name in ("0.143", "half-bit")
    }


def test_colour_opacity_and_depth_are_compared_by_luma_on_the_background() -> None:
    opaque = np.dstack([COLOUR, np.full(COLOUR.shape[:2], 255, np.uint8)])
    deep = COLOUR.astype(np.uint16) * 257
    for other in (opaque, deep):
        found = compare_sources(source(COLOUR), source(other)).likeness
        assert found.max_difference <= found.white / 255
    opaque[:, :60, 3] = 0
    half = compare_sources(source(COLOUR), source(opaque), ft.Recipe(crop="60,0,60,90")).likeness
    assert half.identical
    on_black = compare_sources(source(opaque), source(opaque), ft.Recipe(background="black"))
    assert on_black.likeness.identical


def test_plain_values_read_back_and_are_json() -> None:
    flat = np.full((5, 40), 3, np.uint8)
    for pair in ((COLOUR, COLOUR[::-1]), (COLOUR, COLOUR), (flat, flat), (flat, flat + 1)):
        found = compare_sources(source(pair[0]), source(pair[1]))
        text = json.dumps(found.to_json(), allow_nan=False)
        assert Comparison.from_json(json.loads(text)) == found


def test_sizes_that_differ_are_refused_or_fitted() -> None:
    large, small = source(COLOUR), source(COLOUR[:60, :60])
    with pytest.raises(DifferentSizes, match="120 x 90 pixels, the second one 60 x 60"):
        compare_sources(large, small)
    found = compare_sources(large, small, fit=True).likeness
    assert (found.width, found.height, found.fitted) == (60, 60, True)
    same = compare_sources(large, small, ft.Recipe(crop="0,0,60,60")).likeness
    assert (same.identical, same.fitted) == (True, False)
    with pytest.raises(CropOutside):
        compare_sources(large, small, ft.Recipe(crop="0,0,100,60"))


def test_renditions_are_compared_as_they_are_shown() -> None:
    other = np.roll(COLOUR, 1, axis=0)
    first, second = source(COLOUR), source(other)
    whole, found = compare_renditions(first, second, PRESETS)
    assert whole == compare_sources(first, second)
    for made, again in zip(
        render(first, PRESETS, "png"), render(second, PRESETS, "png"), strict=True
    ):
        small, again_small = Source("x.png", made.data), Source("y.png", again.data)
        assert found[made.preset] == compare_sources(small, again_small).likeness


def test_images_are_compared_upright() -> None:
    exif = Image.Exif()
    exif[274] = 6  # to be turned by a quarter, clockwise
    turned = saved(Image.fromarray(np.rot90(COLOUR)), "PNG", exif=exif)
    whole, found = compare_renditions(source(COLOUR), Source("b.png", turned), PRESETS)
    assert whole.likeness.identical
    assert all(each.identical for each in found.values())


def test_the_memory_limit_holds_for_both() -> None:
    small, large = source(noise((20, 20))), source(noise((400, 500)))
    needed = memory_needed(image_file.open_image(large.data).header)
    for pair in ((small, large), (large, small)):
        with pytest.raises(TooMuchMemory):
            compare_sources(*pair, limits=ft.Limits(max_memory=needed - 1), fit=True)
        compare_sources(*pair, limits=ft.Limits(max_memory=needed), fit=True)
