"""The power around a coefficient, to which that of a peak is compared."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fft_tool.arrays import Doubles
from fft_tool.measures.maxima import Maxima
from fft_tool.measures.median import median
from fft_tool.measures.taper import IndexArray, TaperedSpectrum

RING = 1.3  # outer radius of a ring, relative to its middle

_MIN_LOCAL = 10.0  # times the power of neighbours in line: for ridges and axis crosses
_REACH = 20  # how far those lines go to either side, in coefficients
_CORE = 4  # and where they start, clear of the peak's own main lobe
_INNER = 0.75  # inner radius of a ring, relative to its middle
_DIRECTIONS = 48  # in which a ring is sampled
_RADII = (  # relative; the second set is for rings that hold fewer than _ENOUGH coefficients
    (0.8, 0.9, 1.0, 1.1, 1.25),
    (0.8, 1.0, 1.2, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0),
)
_ENOUGH = 24
_FALSE_ALARM = 1e-9  # probability that noise is taken for a peak, for each coefficient


def standing_out(view: TaperedSpectrum, maxima: Maxima) -> Maxima:
    """Maxima that have ten times the usual power of their neighbours in line.

    Lines are the row, the column and the ray from DC. Along the ray, power is expected to fall as
    1/f at least, so that the start of a steep ridge does not stand out.
    """
    height, width = view.shape
    for step, length in (((0, 1), width), ((1, 0), height)):
        usual = _along(view, (maxima.ky, maxima.kx), step, length)
        maxima = maxima[maxima.power > _MIN_LOCAL * usual]
    ky, kx = maxima.ky, maxima.kx
    steep = np.abs(ky) > kx
    steps = np.where(steep, np.abs(ky), kx)
    # A ridge from DC passes between coefficients: three across hold its power.
    ray, reach = (ky / steps, kx / steps), min(height, width)
    across = [
        _along(view, (ky + w * ~steep, kx + w * steep), ray, reach, falling_from=steps)
        for w in (-1, 0, 1)
    ]
    return maxima[maxima.power > _MIN_LOCAL * sum(across)]


def ring_around(
    shape: tuple[int, int], ky: float, kx: float
) -> tuple[IndexArray, IndexArray, Doubles]:
    """Coefficients in all directions at about the radial frequency of (ky, kx).

    Where those are few, coefficients up to three times the frequency are added. Returns rows,
    columns, and radial frequencies relative to that of (ky, kx).
    """
    height, width = shape
    radius = min(math.hypot(ky / height, kx / width), 0.5)
    angle = np.pi * (np.arange(_DIRECTIONS) + 0.5) / _DIRECTIONS
    unit = height * np.sin(angle), width * np.cos(angle)
    for radii in _RADII:
        scale = radius * np.array(radii)[:, None]
        rows, columns = (np.rint(scale * side).astype(np.intp).ravel() for side in unit)
        relative = np.hypot(rows / height, columns / width) / radius
        kept = (relative >= _INNER) & (relative <= max(RING, radii[-1]))
        kept &= (np.abs(rows) <= height // 2) & (np.abs(columns) <= width // 2)
        _, first = np.unique(rows[kept] * width + columns[kept], return_index=True)
        if len(first) >= _ENOUGH:
            break
    return rows[kept][first], columns[kept][first], relative[kept][first]


def least_excess(samples: float) -> float:
    """Ratio to the mean of so many samples of noise that one more reaches once in 1e9 times.

    Powers are distributed exponentially; the ratio of one to the mean of n has the distribution
    F(2, 2n), and exceeds t with the probability (1 + t/n)^-n.
    """
    return samples * math.expm1(-math.log(_FALSE_ALARM) / samples)


def typical(power: Doubles, axis: int = 0) -> Doubles:
    """Mean power of noise, from its median.

    Noise has exponentially distributed power, whose median is ln 2 of its mean.
    """
    result: Doubles = median(power, axis=axis).astype(np.float64, copy=False) / math.log(2)
    return result


def _along(
    view: TaperedSpectrum,
    start: tuple[IndexArray, IndexArray],
    step: tuple[Any, Any],
    length: int,
    falling_from: IndexArray | None = None,
) -> Doubles:
    """Typical power to both sides of each start, in steps of (ky, kx) along ``length``.

    Zero if the line is too short to say. With ``falling_from``, the distance of each start from
    DC in such steps, power at higher frequencies is scaled up as if it fell as 1/f.
    """
    away = np.arange(_CORE, min(_REACH, length // 2) + 1)
    if len(away) <= _CORE:
        return np.zeros(len(start[0]))
    steps = np.concatenate([-away, away])[:, None]
    ky, kx = (np.rint(k + steps * dk).astype(np.intp) for k, dk in zip(start, step, strict=True))
    values = view.values(ky, kx)
    power = values.real**2 + values.imag**2
    if falling_from is not None:
        power *= np.maximum(np.abs(1 + steps / falling_from), 1.0)
    return typical(power)
