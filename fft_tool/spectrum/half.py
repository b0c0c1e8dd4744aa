"""The spectrum: the non-redundant half of a real image's 2-D DFT, and its coordinates.

Conventions, used throughout:

* forward transform unscaled (numpy's "backward" norm);
* ``half[ky, kx]`` is the coefficient in frequency row ``ky`` (in DFT order, DC first) and column
  ``kx = 0 … w // 2``; the other columns follow from ``F[-ky, -kx] = conj(F[ky, kx])``;
* frequencies in cycles per pixel, Nyquist 0.5, periods in pixels;
* angles of wave vectors in degrees, counter-clockwise from the x axis with y *up*: vertical
  stripes have angle 0, horizontal stripes 90.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.codec import png_encode
from fft_tool.parallel import map_rows, rows_per_block

_SHOWN_SIDE = 1024  # longest side of the picture in a notebook, in pixels

HalfArray = NDArray[np.complexfloating[Any, Any]]


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Half spectrum of a real image ``width`` pixels wide.

    ``half`` is complex, of shape ``(height, width // 2 + 1)``. The width is stored because an even
    and an odd width can give half spectra of the same shape.

    >>> Spectrum(np.zeros((4, 3), np.complex64), width=5).shape
    (4, 5)
    """

    half: HalfArray
    width: int

    def __post_init__(self) -> None:
        if self.half.ndim != 2 or self.half.shape[1] != self.width // 2 + 1:
            raise ValueError(
                f"half spectrum of shape {self.half.shape} does not match width {self.width}"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the image."""
        return self.half.shape[0], self.width

    @property
    def dc(self) -> float:
        """Sum of the image's pixels."""
        return float(self.half[0, 0].real)

    def _repr_png_(self) -> bytes:
        """Picture for a notebook: log1p|F|, DC in the centre, 8 bits, scaled to the maximum."""
        shown = np.log1p(np.abs(centred(self)))
        for axis in (0, 1):
            step = -(-shown.shape[axis] // _SHOWN_SIDE)
            if step > 1:  # the maximum of each block, so that no peak is lost
                starts = np.arange(0, shown.shape[axis], step)
                shown = np.maximum.reduceat(shown, starts, axis=axis)
        shown *= 255 / (float(shown.max()) or 1.0)
        return png_encode.encode(np.rint(shown).astype(np.uint8))


def centred(spectrum: Spectrum) -> HalfArray:
    """Full spectrum, shape (h, w), complex, with DC at ``[h // 2, w // 2]`` as in ``fftshift``."""
    half, (height, width) = spectrum.half, spectrum.shape
    left = width // 2
    rows = (np.arange(height) - height // 2) % height
    full = np.empty((height, width), half.dtype)
    full[:, left:] = half[rows, : width - left]
    np.conjugate(half[-rows % height, left:0:-1], out=full[:, :left])
    return full


def check_spectrum(value: object) -> None:
    """Raise an error if the value is not a spectrum, for instance an image."""
    if not isinstance(value, Spectrum):
        raise TypeError(f"{type(value).__name__} is not a spectrum: pass fft_tool.transform(image)")


def frequencies(
    shape: tuple[int, int],
) -> tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]:
    """Frequencies of the half spectrum of an image of ``shape``, in cycles per pixel.

    Returns ``(fy, fx)`` of shapes ``(h, 1)`` and ``(1, w // 2 + 1)``; ``fy`` points *up* (the
    negative of ``fftfreq``, since image rows run down).
    """
    height, width = shape
    return -np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]


def multiplicity(width: int) -> NDArray[np.float64]:
    """How often each column of the half occurs in the full spectrum, shape ``(1, w // 2 + 1)``.

    Twice, except for the columns that are their own mirror image: ``kx = 0`` and, for even widths,
    the Nyquist column.
    """
    counts = np.full((1, width // 2 + 1), 2.0)
    counts[0, 0] = 1.0
    if width % 2 == 0:
        counts[0, -1] = 1.0
    return counts


def energy(spectrum: Spectrum, *, threads: int = 1) -> float:
    """Sum of |F|² over the full spectrum; by Parseval, N times the image's sum of squares."""
    half = spectrum.half
    columns = multiplicity(spectrum.width)[0]

    def block(start: int, stop: int) -> float:
        rows = half[start:stop]
        power = np.square(rows.real) + np.square(rows.imag)
        return float((power.sum(axis=0, dtype=np.float64) * columns).sum())

    rows = rows_per_block(half.shape[1] * half.dtype.itemsize)
    return math.fsum(map_rows(block, half.shape[0], rows, threads=threads))
