"""Plane waves of known period, angle and amplitude."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fft_tool.measures.peaks import Peak


@dataclass(frozen=True)
class PlaneWave:
    """A cosine; the period is in pixels, the angle in degrees, counter-clockwise with y up."""

    period: float
    angle: float
    amplitude: float
    phase: float = 0.7

    @property
    def frequency(self) -> NDArray[np.float64]:
        """(fy, fx) in cycles per pixel, y up."""
        turn = math.radians(self.angle)
        return np.array([math.sin(turn), math.cos(turn)]) / self.period

    def image(self, shape: tuple[int, int]) -> NDArray[np.float64]:
        y, x = np.mgrid[: shape[0], : shape[1]]
        fy, fx = self.frequency
        image: NDArray[np.float64] = self.amplitude * np.cos(
            2 * np.pi * (fx * x - fy * y) + self.phase
        )
        return image

    def periods_in(self, shape: tuple[int, int]) -> float:
        """The most periods along x or y."""
        return float((np.abs(self.frequency) * shape).max())

    def distance(self, peak: Peak, shape: tuple[int, int]) -> float:
        """Distance of a peak from this wave or its mirror image, in coefficients."""
        found = np.array([peak.fy, peak.fx])
        apart = np.stack([found - self.frequency, found + self.frequency])
        apart -= np.rint(apart)
        return float(np.hypot(*(apart * shape).T).min())
