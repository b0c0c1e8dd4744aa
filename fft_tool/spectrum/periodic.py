"""Periodic-plus-smooth decomposition: removes the cross that the image's borders cause.

The DFT treats an image as periodic; jumps between opposite borders cause a bright cross in the
spectrum. Moisan (2011, "Periodic plus smooth image decomposition", J. Math. Imaging Vis. 39) splits
``u = p + s`` so that ``p`` has no jumps and ``s`` is as smooth as possible:

    S[ky, kx] = V[ky, kx] / (2 cos(2π ky / h) + 2 cos(2π kx / w) - 4),   S[0, 0] = 0

where ``v`` holds the jumps at the border pixels. Since ``v`` consists of four lines, its transform
needs only 1-D transforms.

Adding ``S`` to the spectrum undoes the decomposition, if the jumps are known. They can be recovered
from ``p`` alone: the periodic Laplacian of ``p`` equals the Laplacian of ``u`` with mirrored
borders, which a cosine transform inverts. But a small error of ``p`` at the border then tilts the
whole image, so this is done only if the jumps were not kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Doubles, Plane, from_base64, to_base64
from fft_tool.parallel import map_rows, rows_per_block
from fft_tool.spectrum.half import Spectrum
from fft_tool.spectrum.kernel import BY_SIZE, UNSCALED, kernel

_Change = Callable[..., NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Jumps:
    """Differences between opposite borders of an image, in grey levels.

    ``across`` (w,) is the bottom row minus the top row, ``down`` (h,) the right column minus the
    left column. They are integers, so that they can be stored without loss.
    """

    across: NDArray[np.int32]
    down: NDArray[np.int32]

    @classmethod
    def of(cls, plane: Plane) -> Jumps:
        """Return the jumps of a grey plane (h, w).

        >>> jumps = Jumps.of(np.array([[1, 2, 3], [9, 9, 9]], np.uint8))
        >>> jumps.across.tolist(), jumps.down.tolist()
        ([8, 7, 6], [2, 0])
        """
        return cls(
            plane[-1].astype(np.int32) - plane[0], plane[:, -1].astype(np.int32) - plane[:, 0]
        )

    def to_text(self, white: int) -> str:
        """Return ``across`` and ``down`` as text for the record of an image with this ``white``."""
        return to_base64(np.concatenate([self.across, self.down]), _text_type(white))

    @classmethod
    def from_text(cls, text: Any, shape: tuple[int, int], white: int) -> Jumps:
        """Rebuild from :meth:`to_text`, for an image of ``shape`` (h, w).

        Raises ``ValueError`` if the text does not fit.
        """
        height, width = shape
        return cls.checked(from_base64(text, _text_type(white), height + width), shape, white)

    @classmethod
    def checked(cls, values: NDArray[Any], shape: tuple[int, int], white: int) -> Jumps:
        """Rebuild from numbers in a file, ``across`` first; ``ValueError`` if they do not fit."""
        height, width = shape
        if values.shape != (height + width,) or values.dtype.kind != "i":
            raise ValueError(f"its jumps are not {height + width:,} whole numbers")
        if values.min() < -white or values.max() > white:
            raise ValueError(f"its jumps exceed {white:,} grey levels")
        values = values.astype(np.int32)
        return cls(values[:width], values[width:])


def _text_type(white: int) -> str:
    return "<i2" if white < 1 << 15 else "<i4"


def remove_smooth(
    spectrum: Spectrum,
    jumps: Jumps,
    *,
    gradient: tuple[float, float] = (0.0, 0.0),
    threads: int = 1,
) -> None:
    """Subtract, in place, the smooth component of an image with these ``jumps``.

    ``gradient`` is the slope, in grey levels per row and per column, of a trend that has already
    been removed from the spectrum.
    """
    _change(spectrum, jumps, gradient, np.subtract, threads)


def add_smooth(
    spectrum: Spectrum,
    jumps: Jumps,
    *,
    gradient: tuple[float, float] = (0.0, 0.0),
    threads: int = 1,
) -> None:
    """Undo :func:`remove_smooth`, in place."""
    _change(spectrum, jumps, gradient, np.add, threads)


def _change(
    spectrum: Spectrum, jumps: Jumps, gradient: tuple[float, float], by: _Change, threads: int
) -> None:
    height, width = spectrum.shape
    across = jumps.across - gradient[0] * (height - 1)
    down = jumps.down - gradient[1] * (width - 1)
    jumps_x = np.fft.rfft(across)
    jumps_y = np.fft.fft(down)
    # A line in row 0 minus the same line in row n-1 has the factor 1 - exp(-2πi k (n-1) / n).
    step_y = 1 - np.exp(2j * np.pi * np.arange(height) / height)
    step_x = 1 - np.exp(2j * np.pi * np.arange(width // 2 + 1) / width)
    curve_y = 2 * np.cos(2 * np.pi * np.arange(height) / height)
    curve_x = 2 * np.cos(2 * np.pi * np.arange(width // 2 + 1) / width)

    def change(start: int, stop: int) -> None:
        rows = slice(start, stop)
        smooth = step_y[rows, None] * jumps_x + jumps_y[rows, None] * step_x
        divisor = curve_y[rows, None] + curve_x - 4
        if start == 0:
            smooth[0, 0], divisor[0, 0] = 0.0, 1.0
        half = spectrum.half[rows]
        by(half, smooth / divisor, out=half, casting="same_kind")

    map_rows(change, height, rows_per_block(16 * step_x.size), threads=threads)


def restore_smooth(periodic: NDArray[np.floating[Any]], *, threads: int = 1) -> Doubles:
    """Restore an image from its periodic component alone, both of shape (h, w)."""
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
