"""The ratio alone, of planes that are too large for the whole comparison."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fft_tool.image.comparison import compare, psnr
from tests.support.images import noise


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1), (1, 257), (300, 1), (67, 1023)])
def test_the_ratio_is_that_of_the_whole_comparison(shape: tuple[int, int], dtype: Any) -> None:
    first, second = noise(shape, dtype, seed=1), noise(shape, dtype, seed=2)
    white = int(np.iinfo(dtype).max)
    expected = compare(first, second).psnr
    for threads in (1, 3):
        assert psnr(first, second, white=white, threads=threads) == pytest.approx(expected)


def test_it_is_exact_for_known_differences_and_absent_without_any() -> None:
    plane = noise((40, 30), white=200)
    assert psnr(plane, plane.copy(), white=255) is None
    assert psnr(plane, plane + 1, white=255) == pytest.approx(20 * np.log10(255))
    assert psnr(plane + 1, plane, white=4095) == pytest.approx(20 * np.log10(4095))
