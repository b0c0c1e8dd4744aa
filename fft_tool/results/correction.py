"""The correction: grey levels of the few pixels that an inversion would get wrong.

Pictures store each coefficient with a small relative error. By Parseval's theorem these errors have
little energy in total, but it may concentrate anywhere in the image: for a zone plate it does so in
one pixel, whose error then survives rounding. There are few such pixels. 16-bit pictures on the log
scale store a coefficient F to within d (1 + |F|), with d < 2.0e-4 for every image that is accepted.
Hence the root mean square error is at most d (s + 1 / sqrt(N)), where s is the standard deviation
of the N grey levels, and at most a fraction (d s / 0.45)² of the pixels has an error above 0.45:
one pixel in 300 of any 8-bit image. The record keeps their grey levels.

The threshold is 0.45 and not 0.5 because another machine's FFT may round its last digit
differently: an error that is just below 0.5 here may be above it there.
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
"""Error in grey levels, before rounding, above which a pixel is corrected."""


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """Grey ``levels`` (n,) of the pixels at ``places`` (n,), each row · width + column."""

    places: NDArray[np.integer[Any]]
    levels: NDArray[np.unsignedinteger[Any]]

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.places.size

    def to_json(self) -> Json:
        """Return plain values for the record."""
        return {
            "pixels": self.pixels,
            "places": to_base64(self.places, "<u4"),
            "levels": to_base64(self.levels, self.levels.dtype.newbyteorder("<").str),
        }

    @classmethod
    def from_json(cls, values: Json, shape: tuple[int, int], white: int) -> Correction:
        """Rebuild from :meth:`to_json`, for an image of ``shape`` (h, w).

        Raises ``KeyError``, ``TypeError`` or ``ValueError`` if the values do not fit. They may come
        from anywhere: memory is bounded by :func:`~fft_tool.results.record.max_corrected`.
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
        """Write the levels into a contiguous ``plane`` (h, w)."""
        plane.reshape(-1)[self.places] = self.levels


class Missed:
    """Collects the pixels of ``plane`` (h, w) that an inversion gets wrong, from any thread.

    Memory is bounded: as soon as they are too many for a correction, none are kept.
    """

    def __init__(self, plane: Plane) -> None:
        self._plane, self._most = plane, max_corrected(plane.size)
        self._found: list[tuple[int, NDArray[np.int64]]] = []
        self._count = 0
        self._lock = threading.Lock()

    @property
    def too_many(self) -> bool:
        """Whether there are more than a correction can hold."""
        return self._count > self._most

    def add(self, row: int, errors: NDArray[np.floating[Any]]) -> None:
        """Add a block of rows that begins at ``row``, given its absolute ``errors``."""
        if self.too_many:
            return
        # Negated so that NaN counts as wrong.
        places = np.flatnonzero(~(errors <= NEAR)) + row * errors.shape[1]
        with self._lock:
            self._count += places.size
            self._found.append((row, places))
            if self.too_many:
                self._found.clear()

    def correction(self) -> Correction | None:
        """Return the correction; None if there is nothing to correct, or too much."""
        if self.too_many or not self._count or self._plane.size > 1 << 32:
            return None
        places = np.concatenate([places for _, places in sorted(self._found, key=lambda f: f[0])])
        rows, columns = np.divmod(places, self._plane.shape[1])
        return Correction(places, self._plane[rows, columns])
