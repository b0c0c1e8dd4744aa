"""Counts of black and white pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fft_tool.image.counting import Counts, count
from fft_tool.image.statistics import describe

shapes = arrays.array_shapes(min_dims=2, max_dims=2, max_side=40)
planes = st.sampled_from([np.uint8, np.uint16]).flatmap(lambda kind: arrays.arrays(kind, shapes))


@given(planes, st.sampled_from(["mid", "otsu"]) | st.integers(0, 255))
@settings(deadline=None)
def test_the_counts_are_those_of_the_statistics(plane: Any, threshold: Any) -> None:
    white = int(np.iinfo(plane.dtype).max)
    found = count(plane, white=white, threshold=threshold)
    told = describe(plane, white=white, threshold=threshold)
    assert (found.black, found.white) == (told.black_pixels, told.white_pixels)
    assert found.pixels == plane.size


def test_the_threshold_itself_counts_as_black() -> None:
    plane = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert count(plane, white=255, threshold=9) == Counts(10, 246)


def test_large_planes_and_views_are_counted_completely() -> None:
    plane = np.zeros((1500, 1400), np.uint8)
    plane[::3, ::7] = 255
    assert count(plane, white=255).white == 500 * 200
    assert count(plane[::3, ::7], white=255) == Counts(0, 500 * 200)
    wide = np.full((2, 600_000), 255, np.uint8)
    assert count(wide, white=255) == Counts(0, 1_200_000)


@pytest.mark.parametrize("threshold", [-1, 256, "median"])
def test_a_threshold_out_of_range_is_refused(threshold: Any) -> None:
    with pytest.raises(ValueError, match="invalid threshold"):
        count(np.zeros((2, 2), np.uint8), white=255, threshold=threshold)
