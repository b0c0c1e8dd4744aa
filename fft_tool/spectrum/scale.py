"""Scales of the magnitude picture: conversion between |F| and grey values.

=======  ==========================  =====================
scale    value shown                 from … to
=======  ==========================  =====================
log      log(1 + abs F)              0 … its maximum
linear   abs F                       0 … its maximum
power    (abs F)²                    0 … its maximum
db       20 log10(abs F / maximum)   -120 … 0
=======  ==========================  =====================

Only ``log`` represents both small and large coefficients well enough to invert the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fft_tool.arrays import FloatArray
from fft_tool.spectrum.elementary import log1p

DB_FLOOR = -120.0


@dataclass(frozen=True, slots=True)
class Scale:
    """A monotonic map of magnitudes; ``shown`` works in place, ``magnitude`` is its inverse.

    Both take the array and the largest magnitude of the spectrum.
    """

    name: str
    shown: Callable[[FloatArray, float], FloatArray]
    magnitude: Callable[[FloatArray, float], FloatArray]

    def limits(self, largest: float) -> tuple[float, float]:
        """Values shown as picture code 0 and as the highest code."""
        if self.name == "db":
            return DB_FLOOR, 0.0
        return 0.0, float(self.shown(np.array([largest]), largest)[0])


def _decibels(magnitude: FloatArray, largest: float) -> FloatArray:
    if largest == 0:
        return np.full_like(magnitude, DB_FLOOR)
    magnitude /= largest
    np.maximum(magnitude, 10 ** (DB_FLOOR / 20), out=magnitude)
    np.log10(magnitude, out=magnitude)
    magnitude *= 20
    return magnitude


def _from_decibels(shown: FloatArray, largest: float) -> FloatArray:
    silent = shown <= DB_FLOOR
    magnitude = np.power(10.0, shown / 20) * largest
    magnitude[silent] = 0.0
    return magnitude


SCALES = {
    scale.name: scale
    for scale in (
        Scale("log", log1p, lambda s, _: np.expm1(s, out=s)),
        Scale("linear", lambda m, _: m, lambda s, _: s),
        Scale("power", lambda m, _: np.square(m, out=m), lambda s, _: np.sqrt(s, out=s)),
        Scale("db", _decibels, _from_decibels),
    )
}
