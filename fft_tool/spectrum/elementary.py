"""Arctangent and logarithm that are fast on every processor.

numpy has vectorised versions only for AVX-512. On other processors (AVX2, as in most clouds, and
arm64) it calls the C library for each number, which takes 20 to 40 times as long. The replacements
here consist of operations that numpy vectorises on every processor, and that round identically on
all of them. See docs/decisions/2026-11-20-same-bytes.md.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.lib import introspect
from numpy.typing import NDArray

from fft_tool.arrays import FloatArray

Singles = NDArray[np.float32]

# Numbers processed at a time: larger chunks do not fit into the cache, and smaller ones make
# threads contend.
_CHUNK = 1 << 16

# arctan(a) / a as a polynomial in a², for 0 ≤ a ≤ 1, highest power first: the minimax polynomial of
# degree 7. Its largest error in arctan(a) is 4e-8, a sixth of the rounding error.
_ARCTAN = np.array(
    [
        -0.004054562456,
        0.02186294021,
        -0.05591230059,
        0.09642195357,
        -0.1390862876,
        0.1994656549,
        -0.3332986077,
        0.9999993356,
    ],
    np.float32,
)
_EIGHTH = np.float32(np.pi / 4)
_SIGN = np.int32(-(2**31))  # sign bit of a single-precision number
_SMALLEST = np.finfo(np.float32).smallest_normal


def arctan2(y: FloatArray, x: FloatArray) -> FloatArray:
    """Angle of ``x + iy`` in [-π, π], accurate to 4e-7 in single precision.

    ``x`` and ``y`` have the same dtype and shape, as does the result. They must not contain -0.0,
    infinity or NaN.
    """
    angle = np.empty_like(x)
    if x.dtype != np.float32 or _is_vectorised("arctan2"):
        return np.arctan2(y, x, out=angle)
    scratch = np.empty((3, min(x.size, _CHUNK)), x.dtype)
    flat = y.ravel(), x.ravel(), angle.reshape(-1)
    for start in range(0, x.size, _CHUNK):
        parts = [array[start : start + _CHUNK] for array in flat]
        _arctan2(*parts, *scratch[:, : parts[0].size])
    return angle


def _arctan2(
    y: Singles, x: Singles, angle: Singles, wide: Singles, high: Singles, square: Singles
) -> None:
    np.abs(x, out=wide)
    np.abs(y, out=high)
    np.maximum(wide, high, out=square)
    np.maximum(square, _SMALLEST, out=square)
    np.minimum(wide, high, out=angle)
    wide -= high
    angle /= square
    np.square(angle, out=square)
    np.multiply(square, _ARCTAN[0], out=high)
    for coefficient in _ARCTAN[1:-1]:
        high += coefficient
        high *= square
    high += _ARCTAN[-1]
    angle *= high
    # Map the angle from the first octant to the right one by flipping signs.
    bits, sign = angle.view(np.int32), high.view(np.int32)
    angle -= _EIGHTH
    np.bitwise_and(wide.view(np.int32), _SIGN, out=sign)
    np.bitwise_xor(bits, sign, out=bits)
    angle -= _EIGHTH
    np.bitwise_and(x.view(np.int32), _SIGN, out=sign)
    np.bitwise_xor(bits, sign, out=bits)
    angle += 2 * _EIGHTH
    np.bitwise_and(y.view(np.int32), _SIGN, out=sign)
    np.bitwise_or(bits, sign, out=bits)


def log1p(values: FloatArray, largest: float) -> FloatArray:
    """Compute log(1 + values) in place, with an error below 1e-7 · log(1 + ``largest``)."""
    if largest < 1 or _is_vectorised("log1p"):
        return np.log1p(values, out=values)
    values += 1
    return np.log(values, out=values)


@cache
def _is_vectorised(name: str) -> bool:
    """Whether numpy has a vectorised version of a function for this processor."""
    variants = introspect.opt_func_info(func_name=f"^{name}$").get(name, {})
    return any(not each["current"].startswith("baseline") for each in variants.values())
