"""Spectral operations: the recipe's filters, channel by channel, and a plain numpy filter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fft_tool.codec import image_file
from tests.support.images import noise
from tests.support.operations import CHANNELS, DTYPES, SHAPES, applied, assert_close, random_image
from tests.support.runs import run

RECIPES = {
    "lowpass:8": "lowpass:8",
    "highpass:12,1": "highpass:12,1",
    "bandpass:4,32": "bandpass:4,32",
    "notch:8,30": "notch:8,30",
    "destripe": "stripe:90",
    "destripe:20,16": "stripe:20,16",
}


@pytest.mark.parametrize(("text", "recipe"), RECIPES.items())
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", CHANNELS)
def test_the_result_is_that_of_the_recipe_s_filter(
    text: str, recipe: str, dtype: Any, channels: int
) -> None:
    pixels = random_image((40, 50), channels, dtype)
    shown = pixels if channels > 1 else pixels[:, :, 0]
    expected = image_file.decode(run(shown, filter=recipe)["filtered"].data).pixels
    np.testing.assert_array_equal(applied(text, pixels), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [*SHAPES, (50, 64)])
def test_a_low_pass_is_a_multiplication_of_the_spectrum(dtype: Any, shape: tuple[int, int]) -> None:
    pixels = noise((*shape, 3), dtype)
    fy, fx = np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])
    octaves = np.log2(np.maximum(np.hypot(fy, fx) * 5, 1e-9)) / 0.5
    mask = (1 - np.sin(np.pi * np.clip(octaves, -0.5, 0.5))) / 2
    spectra = np.fft.fft2(pixels.astype(float), axes=(0, 1)) * mask[:, :, None]
    expected = np.rint(np.fft.ifft2(spectra, axes=(0, 1)).real).clip(0, np.iinfo(dtype).max)
    # 16 bits in single precision: the error is a few hundredths of a level.
    assert_close(applied("lowpass:5", pixels), expected.astype(int), share=0.1)


@pytest.mark.parametrize(("text", "axis"), [("destripe", 0), ("destripe:0", 1)])
def test_stripes_go_and_the_image_stays(text: str, axis: int) -> None:
    ramp = np.add.outer(np.arange(120.0), np.arange(160.0)) / 2 + 50
    wave = np.expand_dims(20 * np.cos(np.arange(ramp.shape[axis]) * 0.9), 1 - axis)
    striped = np.rint(np.stack([ramp + wave] * 3, axis=2)).astype(np.uint8)
    apart = applied(text, striped)[8:-8, 8:-8] - ramp[8:-8, 8:-8, None]
    assert np.abs(apart).mean() < 1.5
