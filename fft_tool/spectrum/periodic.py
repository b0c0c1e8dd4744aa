"""Periodic-plus-smooth decomposition: removes the cross that the image's borders cause.

The DFT treats an image as periodic; jumps between opposite borders cause a bright cross in the
spectrum. Moisan (2011, "Periodic plus smooth image decomposition", J. Math. Imaging Vis. 39) splits
``u = p + s`` so that ``p`` has no jumps and ``s`` is as smooth as possible:

    S[ky, kx] = V[ky, kx] / (2 cos(2π ky / h) + 2 cos(2π kx / w) - 4),   S[0, 0] = 0

where ``v`` holds the jumps at the border pixels. Since ``v`` consists of four lines, its transform
needs only 1-D transforms. The decomposition is invertible: the periodic Laplacian of ``p`` equals
the Laplacian of ``u`` with mirrored borders, which a cosine transform inverts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Doubles
from fft_tool.parallel import map_rows, rows_per_block
from fft_tool.spectrum.half import Spectrum
from fft_tool.spectrum.kernel import BY_SIZE, UNSCALED, kernel


def remove_smooth(
    spectrum: Spectrum,
    image: NDArray[Any],
    *,
    gradient: tuple[float, float] = (0.0, 0.0),
    threads: int = 1,
) -> None:
    """Subtract, in place, the smooth component of ``image`` (h, w) from its ``spectrum``.

    ``gradient`` is the slope, in grey levels per row and per column, of a trend that has already
    been removed from the spectrum.
    """
    height, width = spectrum.shape
    across = image[-1].astype(np.float64) - image[0]  # jump from the bottom row to the top one
    across -= gradient[0] * (height - 1)
    down = image[:, -1].astype(np.float64) - image[:, 0]
    down -= gradient[1] * (width - 1)
    jumps_x = np.fft.rfft(across)
    jumps_y = np.fft.fft(down)
    # A line in row 0 minus the same line in row n-1 has the factor 1 - exp(-2πi k (n-1) / n).
    step_y = 1 - np.exp(2j * np.pi * np.arange(height) / height)
    step_x = 1 - np.exp(2j * np.pi * np.arange(width // 2 + 1) / width)
    curve_y = 2 * np.cos(2 * np.pi * np.arange(height) / height)
    curve_x = 2 * np.cos(2 * np.pi * np.arange(width // 2 + 1) / width)

    def subtract(start: int, stop: int) -> None:
        rows = slice(start, stop)
        smooth = step_y[rows, None] * jumps_x + jumps_y[rows, None] * step_x
        divisor = curve_y[rows, None] + curve_x - 4
        if start == 0:
            smooth[0, 0], divisor[0, 0] = 0.0, 1.0
        spectrum.half[rows] -= smooth / divisor

    map_rows(subtract, height, rows_per_block(16 * step_x.size), threads=threads)


def restore_smooth(periodic: NDArray[np.floating[Any]], *, threads: int = 1) -> Doubles:
    """Restore an image from its periodic component, both of shape (h, w)."""
    height, width = periodic.shape
    values = periodic.astype(np.float64)
    modes = _wrapped_laplacian(values)
    kernel().dct(modes, 2, (0, 1), UNSCALED, modes, threads)
    divisor = (2 * np.cos(np.pi * np.arange(height) / height) - 2)[:, None] + (
        2 * np.cos(np.pi * np.arange(width) / width) - 2
    )
    divisor[0, 0] = 1.0
    modes /= divisor
    modes[0, 0] = 0.0
    kernel().dct(modes, 3, (0, 1), BY_SIZE, modes, threads)
    modes += values.mean()  # the Laplacian loses the mean, which the decomposition keeps
    return modes


def _wrapped_laplacian(values: Doubles) -> Doubles:
    total = -4 * values
    for axis in (0, 1):
        for shift in (1, -1):
            total += np.roll(values, shift, axis)
    return total
