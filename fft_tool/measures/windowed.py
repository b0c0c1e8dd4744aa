"""Two images of one shape, transformed alike: without their means and faded out by a window."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.measures.taper import axis_of
from fft_tool.spectrum.half import Spectrum
from fft_tool.spectrum.preparation import window_weights
from fft_tool.spectrum.transform import forward_rows

Real = NDArray[Any]


def windowed_spectrum(image: Real, window: str, *, threads: int = 1) -> Spectrum:
    """Spectrum, in single precision, of a checked image less its mean, times a window.

    The mean has to be subtracted first: otherwise the window itself would be what two images have
    in common. Floating-point values are scaled to a range of 1, so that no square overflows.
    """
    height, width = image.shape
    down = window_weights(window, height)[:, None].astype(np.float32)
    across = window_weights(window, width).astype(np.float32)
    levels = image.dtype.kind in "bu" and image.dtype.itemsize <= 2
    half = 1.0 if levels else 0.5 * float(image.max()) - 0.5 * float(image.min())
    mean = float(image.mean(dtype=np.float64))

    def read(start: int, stop: int) -> NDArray[np.float32]:
        if levels:
            rows = image[start:stop].astype(np.float32)
            rows -= np.float32(mean)
        else:
            rows = ((image[start:stop] - mean) * (0.5 / half)).astype(np.float32)
        if window != "none":
            rows *= across
            rows *= down[start:stop]
        return rows

    return forward_rows(read, image.shape, threads=threads)


def correlated_by(window: str, shape: tuple[int, int]) -> float:
    """How many coefficients say as much as one that is independent, because of the window."""
    down, across = (axis_of(window, length).correlated for length in shape)
    return down * across
