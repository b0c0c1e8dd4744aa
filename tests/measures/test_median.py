"""The median is numpy's, to the last bit."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from fft_tool.measures.median import median


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 3), (5, 4), (8, 8), (31, 1)])
def test_it_is_numpys(shape: tuple[int, int], kind: Any) -> None:
    values = np.random.default_rng(7).lognormal(sigma=4, size=shape).astype(kind)
    for axis in (0, 1):
        ours, theirs = median(values, axis), np.median(values, axis=axis)
        assert ours.dtype == theirs.dtype
        assert np.array_equal(ours, theirs)


def test_a_whole_analysis_does_without_masked_arrays() -> None:
    code = """
import sys, numpy, fft_tool
from fft_tool.codec import png_encode
noise = numpy.arange(64 * 64, dtype=numpy.uint32).reshape(64, 64) * 2654435761 >> 24
image = fft_tool.Source("a.png", png_encode.encode(noise.astype(numpy.uint8)))
fft_tool.run(image, fft_tool.Recipe(metadata=True))
sys.exit("numpy.ma" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
