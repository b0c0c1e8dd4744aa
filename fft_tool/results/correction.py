"""The correction: grey levels of the few pixels that an inversion would get wrong.

Pictures hold each coefficient with a small relative error. By Parseval's theorem these errors have
little energy together, but it may meet anywhere in the image: that of a zone plate meets in one
pixel, which then is off by more than rounding removes. There cannot be many such pixels. Log
pictures of 16 bits know a coefficient to within d (1 + |F|), where d < 2.0e-4 for all images that
are accepted. So the root mean square error is at most d (s + 1 / sqrt(N)), s being the standard
deviation of the N grey levels, and at most a share (d s / 0.45)² of the pixels can miss its grey
level by more than 0.45: one in 300 of any 8-bit image. The record keeps their grey levels.

They are kept from an error of 0.45 on, not 0.5: on a machine whose FFT rounds its last digit
otherwise, other pixels are the ones just beyond 0.5, and all of them are among those kept.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Plane, from_base64, to_base64
from fft_tool.results.record import max_corrected
from fft_tool.validate import Json, whole

NEAR = 0.45
"""Error in grey levels, before rounding, from which on a pixel's level is kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """Grey ``levels`` (n,) of the pixels at ``places`` (n,), which are row · width + column."""

    places: NDArray[np.integer[Any]]
    levels: NDArray[np.unsignedinteger[Any]]

    @property
    def pixels(self) -> int:
        """How many pixels are kept."""
        return self.places.size

    def to_json(self) -> Json:
        """Plain values for the record."""
        return {
            "pixels": self.pixels,
            "places": to_base64(self.places, "<u4"),
            "levels": to_base64(self.levels, self.levels.dtype.newbyteorder("<").str),
        }

    @classmethod
    def from_json(cls, values: Json, shape: tuple[int, int], white: int) -> Correction:
        """Read :meth:`to_json` for an image of ``shape`` (h, w), white being ``white``.

        ``KeyError``, ``TypeError`` or ``ValueError`` if it does not fit.
        """
        size = shape[0] * shape[1]
        count = whole(values["pixels"], 1, max_corrected(size))
        places = from_base64(values["places"], "<u4", count).astype(np.int64)
        levels = from_base64(values["levels"], "|u1" if white < 256 else "<u2", count)
        if places[-1] >= size or (np.diff(places) <= 0).any():
            raise ValueError("places are not in increasing order within the image")
        if levels.max() > white:
            raise ValueError(f"levels exceed the white of {white:,}")
        return cls(places, levels)

    def apply(self, plane: Plane) -> None:
        """Put the levels into a contiguous ``plane`` (h, w), in place."""
        plane.reshape(-1)[self.places] = self.levels


class Missed:
    """Gathers the places of pixels that are missed, from any number of threads.

    Keeps none of them as soon as they are more than a correction may have.
    """

    def __init__(self, plane: Plane) -> None:
        self._plane, self._most = plane, max_corrected(plane.size)
        self._found: list[tuple[int, NDArray[np.int64]]] = []
        self._count = 0
        self._lock = threading.Lock()

    @property
    def too_many(self) -> bool:
        """Whether there are more than a correction may have."""
        return self._count > self._most

    def add(self, row: int, errors: NDArray[np.floating[Any]]) -> None:
        """Take the absolute ``errors`` in grey levels of a block of rows that begins at ``row``."""
        if self.too_many:
            return
        # Written so that NaN is missed too.
        places = np.flatnonzero(~(errors <= NEAR)) + row * errors.shape[1]
        with self._lock:
            self._count += places.size
            self._found.append((row, places))
            if self.too_many:
                self._found.clear()

    def correction(self) -> Correction | None:
        """Give the correction that mends them, if they are few but some."""
        if self.too_many or not self._count or self._plane.size > 1 << 32:
            return None
        places = np.concatenate([places for _, places in sorted(self._found, key=lambda f: f[0])])
        rows, columns = np.divmod(places, self._plane.shape[1])
        return Correction(places, self._plane[rows, columns])
