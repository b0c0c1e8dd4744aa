"""Planes of two images, made comparable."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fft_tool.errors import DifferentSizes
from fft_tool.image.matching import match, scaled_plane
from tests.support.images import noise, pink_noise


def test_planes_that_are_comparable_are_left_as_they_are() -> None:
    first, second = noise((20, 30)), noise((20, 30), seed=1)
    pair = match(first, second, (255, 255))
    assert pair.first is first
    assert pair.second is second
    assert (pair.white, pair.fitted) == (255, False)


def test_the_deeper_one_decides() -> None:
    plane = noise((20, 30))
    deep = plane.astype(np.uint16) * 257
    for found in (match(plane, deep, (255, 65535)), match(deep, plane, (65535, 255))):
        assert (found.first == deep).all()
        assert (found.second == deep).all()
        assert found.white == 65535


def test_different_sizes_are_refused_with_both_named() -> None:
    with pytest.raises(DifferentSizes, match=r"has 30 x 20 pixels, the second one 20 x 1,000"):
        match(noise((20, 30)), noise((1000, 20)), (255, 255))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_both_are_scaled_down_to_the_smaller_width_and_height(dtype: Any) -> None:
    white = int(np.iinfo(dtype).max)
    first, second = pink_noise((90, 160), dtype), pink_noise((120, 100), dtype)
    pair = match(first, second, (white, white), fit=True)
    assert pair.first.shape == pair.second.shape == (90, 100)
    assert pair.fitted
    assert pair.first.dtype == dtype
    # A uniform plane stays uniform, up to white.
    full = np.full((50, 60), white, dtype)
    assert (scaled_plane(full, (7, 9), white) == white).all()
