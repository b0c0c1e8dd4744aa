"""Random scenes whose power falls as 1 / f^beta, and images of them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from fft_tool.spectrum.half import frequencies

fft = import_module("scipy.fft")
Image = NDArray[np.float32]
Shape = tuple[int, int]


def scene(shape: Shape, beta: float, rng: np.random.Generator) -> Image:
    """Gaussian field that is periodic in ``shape``, mean 0 and standard deviation 1."""
    fy, fx = frequencies(shape)
    frequency = np.hypot(fy.astype(np.float32), fx.astype(np.float32))
    frequency[0, 0] = np.inf if beta > 0 else 1.0
    half = fft.rfft2(rng.standard_normal(shape, np.float32)) * frequency ** (-beta / 2)
    half[0, 0] = 0.0
    field: Image = fft.irfft2(half, shape)
    field /= field.std()
    return field


def periodic(shape: Shape, beta: float, seed: int) -> Iterator[Image]:
    """Images whose borders match."""
    rng = np.random.default_rng(seed)
    while True:
        yield scene(shape, beta, rng)


def cut(shape: Shape, beta: float, seed: int) -> Iterator[Image]:
    """Images cut from scenes at least twice as large; small ones, sixteen from each scene."""
    rng = np.random.default_rng(seed)
    height, width = shape
    times = 2 if max(shape) > 512 else 4
    whole = max(times * height, 256), max(times * width, 256)
    while True:
        large = scene(whole, beta, rng)
        corners = [
            (top, left)
            for top in range(0, whole[0] - height + 1, height)
            for left in range(0, whole[1] - width + 1, width)
        ]
        for index in rng.permutation(len(corners))[:16]:
            top, left = corners[index]
            yield large[top : top + height, left : left + width]


def rounded(image: Image) -> Image:
    """Image on 256 whole grey levels, from its darkest pixel to its brightest."""
    low, high = float(image.min()), float(image.max())
    levels: Image = np.rint((image - low) * (255 / (high - low)))
    return levels
