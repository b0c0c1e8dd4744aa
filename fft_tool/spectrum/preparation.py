"""Preparation of the grey plane for the DFT (detrending, windowing), and its inverse.

Detrending and windowing work on row blocks, so that no floating-point copy of the whole image is
made. The periodic-plus-smooth decomposition works on the spectrum; see
:mod:`fft_tool.spectrum.periodic`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import FloatArray, Plane
from fft_tool.parallel import rows_per_block
from fft_tool.spectrum.choices import DETRENDS, MAX_JUMPS, WINDOWS
from fft_tool.validate import Json, number, one_of, whole

if TYPE_CHECKING:
    from fft_tool.spectrum.periodic import Jumps

# Dividing by weights below this would amplify rounding errors beyond use.
SMALLEST_UNDONE_WEIGHT = 1e-3


@dataclass(frozen=True, slots=True)
class Trend:
    """The plane ``level + per_row * (y - (h-1)/2) + per_column * (x - (w-1)/2)``, grey levels."""

    level: float = 0.0
    per_row: float = 0.0
    per_column: float = 0.0

    @property
    def gradient(self) -> tuple[float, float]:
        """Grey levels per row and per column."""
        return self.per_row, self.per_column

    def rows(self, shape: tuple[int, int], start: int, stop: int) -> NDArray[np.float64]:
        """Rows ``start`` to ``stop`` of the plane over an image of ``shape``."""
        height, width = shape
        y = np.arange(start, stop) - (height - 1) / 2
        x = np.arange(width) - (width - 1) / 2
        plane: NDArray[np.float64] = np.add.outer(
            self.level + self.per_row * y, self.per_column * x
        )
        return plane


@dataclass(frozen=True, slots=True)
class Preparation:
    """How a grey plane was prepared for the DFT: everything needed to undo it.

    ``white`` is the largest grey level that the plane's bit depth can hold. ``trend`` was
    subtracted first; then the plane was multiplied by the separable ``window``. ``periodic`` means
    that the smooth component was removed; ``jumps`` restores it, and is None if the image has too
    many border pixels to keep them.
    """

    white: int
    window: str = "none"
    detrend: str = "none"
    trend: Trend = Trend()
    periodic: bool = False
    jumps: Jumps | None = field(default=None, compare=False)

    @property
    def keeps_levels(self) -> bool:
        """Whether the grey levels are transformed unchanged."""
        return self.detrend == "none" and self.window == "none"

    @property
    def trivial(self) -> bool:
        """Whether the spectrum is that of the unprepared plane."""
        return self.keeps_levels and not self.periodic

    def to_json(self) -> Json:
        """Return the preparation without its jumps, as plain values for the record."""
        return {
            "white": self.white,
            "window": self.window,
            "detrend": self.detrend,
            "trend": {
                "level": self.trend.level,
                "per_row": self.trend.per_row,
                "per_column": self.trend.per_column,
            },
            "periodic": self.periodic,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Preparation:
        """Inverse of :meth:`to_json`; ``KeyError``, ``TypeError`` or ``ValueError`` if invalid."""
        trend = {key: number(values["trend"][key]) for key in ("level", "per_row", "per_column")}
        if not isinstance(values["periodic"], bool):
            raise TypeError("periodic should be true or false")
        return cls(
            whole(values["white"], 1, 65535),
            one_of(values["window"], WINDOWS),
            one_of(values["detrend"], DETRENDS),
            Trend(**trend),
            values["periodic"],
        )

    def at(self, shape: tuple[int, int]) -> SizedPreparation:
        """Return this preparation for planes of ``shape`` (h, w)."""
        # Without a window the weights are not used.
        lengths = shape if self.window != "none" else (0, 0)
        down, across = (window_weights(self.window, length) for length in lengths)
        return SizedPreparation(self, shape, down[:, None], across[None, :])


@dataclass(frozen=True, slots=True)
class SizedPreparation:
    """A preparation for planes of a given ``shape``, with precomputed weights.

    The window's weights are the product of ``down`` (h, 1) and ``across`` (1, w).
    """

    preparation: Preparation
    shape: tuple[int, int]
    down: NDArray[np.float64]
    across: NDArray[np.float64]

    def apply(
        self, plane: Plane, start: int, stop: int, dtype: type[np.floating[Any]]
    ) -> FloatArray:
        """Prepared rows ``start`` to ``stop`` of ``plane``, as ``dtype``."""
        block = plane[start:stop]
        if self.preparation.keeps_levels:
            return block.astype(dtype)
        values = block - self.preparation.trend.rows(self.shape, start, stop)
        if self.preparation.window != "none":
            values *= self._weights(start, stop)
        return values.astype(dtype)

    def undo(self, values: FloatArray, start: int) -> NDArray[np.float64]:
        """Grey levels of the rows from ``start`` on, given inverse-transformed rows.

        Pixels that the window has suppressed (weights below 0.001) are set to the trend.
        """
        stop = start + values.shape[0]
        restored = values.astype(np.float64)
        if self.preparation.window != "none":
            weights = self._weights(start, stop)
            kept = weights >= SMALLEST_UNDONE_WEIGHT
            np.divide(restored, weights, out=restored, where=kept)
            restored[~kept] = 0.0
        if self.preparation.detrend != "none":
            restored += self.preparation.trend.rows(self.shape, start, stop)
        return restored

    def lost_pixels(self) -> int:
        """Number of pixels that the window has suppressed (weights below 0.001)."""
        if self.preparation.window == "none":
            return 0
        height, width = self.shape
        rows = rows_per_block(8 * width)
        return sum(
            int(np.count_nonzero(self._weights(start, start + rows) < SMALLEST_UNDONE_WEIGHT))
            for start in range(0, height, rows)
        )

    def _weights(self, start: int, stop: int) -> NDArray[np.float64]:
        return self.down[start:stop] * self.across


def prepare(
    plane: Plane, *, white: int, window: str = "none", detrend: str = "none", periodic: bool = False
) -> Preparation:
    """Measure the trend and the jumps of ``plane`` (h, w) and return its preparation."""
    jumps = None
    if periodic:
        from fft_tool.spectrum.periodic import Jumps  # noqa: PLC0415  (few recipes need it)

        jumps = Jumps.of(plane) if sum(plane.shape) <= MAX_JUMPS else None
    return Preparation(white, window, detrend, _fit_trend(plane, detrend), periodic, jumps)


def window_weights(name: str, length: int) -> NDArray[np.float64]:
    """Weights of a periodic ("DFT-even") window of ``length`` samples.

    ``hann``, ``hamming`` (0.54, 0.46) and ``blackman`` (0.42, 0.5, 0.08) are the usual cosine
    sums; ``tukey`` tapers a quarter of the length at each end. A single sample has weight 1.
    """
    samples = np.arange(length)
    if length == 1 or name == "none":
        return np.ones(length)
    turn: NDArray[np.float64] = 2 * np.pi * samples / length
    match name:
        case "hann":
            weights = 0.5 - 0.5 * np.cos(turn)
        case "hamming":
            weights = 0.54 - 0.46 * np.cos(turn)
        case "blackman":
            weights = np.maximum(0.42 - 0.5 * np.cos(turn) + 0.08 * np.cos(2 * turn), 0.0)
        case "tukey":
            distance = np.minimum(turn, 2 * np.pi - turn)
            weights = 0.5 - 0.5 * np.cos(np.minimum(2 * distance, np.pi))
        case _:
            raise ValueError(f"unknown window {name!r}, should be one of {', '.join(WINDOWS)}")
    return np.asarray(weights, np.float64)


def _fit_trend(plane: Plane, detrend: str) -> Trend:
    """Least-squares constant or plane; the centred axes are orthogonal, so each fit is a mean."""
    if detrend == "none":
        return Trend()
    height, width = plane.shape
    row_sums = np.add.reduce(plane, axis=1, dtype=np.uint64).astype(np.float64)
    level = float(row_sums.sum()) / plane.size
    if detrend == "mean":
        return Trend(level)
    column_sums = np.add.reduce(plane, axis=0, dtype=np.uint64).astype(np.float64)
    return Trend(level, _gradient(row_sums, width), _gradient(column_sums, height))


def _gradient(sums: NDArray[np.float64], count: int) -> float:
    """Slope of the line through the means ``sums / count`` at unit steps."""
    if sums.size == 1:
        return 0.0
    position = np.arange(sums.size) - (sums.size - 1) / 2
    # Products of half-integers and integers: exact in any order, unless the image is huge.
    return float((position * sums).sum()) / (count * float(np.square(position).sum()))
