"""Extent of Gaussian kernels, and the memory that they take; known without numpy."""

from __future__ import annotations

from fft_tool.admission import transform_values
from fft_tool.operations.operation import Layout

TRUNCATE = 4.0
"""Where kernels end, in standard deviations."""

LARGEST_DIRECT = 16
"""Radius in pixels up to which kernels are applied tap by tap; wider ones by cosine transform."""

_LARGEST_ROWS = 16 << 20  # bytes of the rows under a kernel that is applied tap by tap


def radius_of(sigma: float) -> int:
    """Radius of a kernel in pixels."""
    return int(TRUNCATE * sigma + 0.5)


def is_direct(before: Layout, sigma: float) -> bool:
    """Whether a kernel is applied tap by tap: it is narrow, and the rows under it are short."""
    radius = radius_of(sigma)
    rows = (2 * radius + 1) * before.width * before.channels * before.real
    return radius <= LARGEST_DIRECT and rows <= _LARGEST_ROWS


def gaussian_memory(before: Layout, sigma: float) -> int:
    """Bytes that a Gaussian blur takes beside its input and its output."""
    if is_direct(before, sigma):
        return 0
    sides = before.height, before.width
    lines = before.real * max(transform_values(side, 8) for side in sides) + 100 * sum(sides)
    return before.pixels * before.channels * before.real + lines
