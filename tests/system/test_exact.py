"""Every 8-bit image comes back bit for bit: many images, and large ones."""

from __future__ import annotations

import numpy as np
import pytest

import fft_tool
from fft_tool import Recipe
from tests.support.planes import FAMILIES, plane_of, source

SHAPES = ((64, 64), (100, 81), (256, 256), (512, 300), (2, 700), (500, 3))


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("recipe", ["", "periodic=yes", "periodic=yes detrend=linear"])
def test_images_of_every_kind_are_exact(family: str, recipe: str) -> None:
    """3 × 14 × 18 images; without the jumps 29 of the 252 with ``periodic=yes`` were off."""
    told = Recipe.parse_text(f"bits=16 metadata=yes {recipe}")
    for shape in SHAPES:
        for seed in range(3):
            plane = plane_of(family, shape, seed=seed)
            outputs = fft_tool.analyze(plane, recipe=told)
            assert outputs.record is not None
            assert outputs.record["certificate"]["exact"], (shape, seed)
            assert np.array_equal(fft_tool.reconstruct(outputs), plane)


@pytest.mark.slow
@pytest.mark.parametrize("size", [1024, 2048, 4096])
@pytest.mark.parametrize("phase", [0.0, 1.0, np.pi])
def test_large_zone_plates_are_exact(size: int, phase: float) -> None:
    """The error before rounding grows with the side, to 4 grey levels at 4096 pixels."""
    y, x = np.ogrid[:size, :size]
    squares = np.square(y - size // 2) + np.square(x - size // 2)
    rings = np.rint(127.5 + 127.5 * np.cos(np.pi * squares / size + phase)).astype(np.uint8)
    outputs = fft_tool.run(source(rings), Recipe(bits=16, metadata=True), threads=2)
    assert outputs.record is not None
    certificate = outputs.record["certificate"]
    assert (certificate["exact"], certificate["max_abs_error"]) == (True, 0)
    assert 0 < certificate["corrected_pixels"] < 64
    assert np.array_equal(fft_tool.reconstruct(outputs), rings)
