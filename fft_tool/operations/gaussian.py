"""Extent of Gaussian kernels, and the memory that they take; known without numpy."""

from __future__ import annotations

from fft_tool.operations.operation import Layout

TRUNCATE = 4.0
"""Where kernels end, in standard deviations."""

LARGEST_DIRECT = 16
"""Radius in pixels up to which kernels are applied tap by tap; wider ones by cosine transform."""


def radius_of(sigma: float) -> int:
    """Radius of a kernel in pixels."""
    return int(TRUNCATE * sigma + 0.5)


def gaussian_memory(before: Layout, sigma: float) -> int:
    """Bytes that a Gaussian blur takes beside its input and its output."""
    if radius_of(sigma) <= LARGEST_DIRECT:
        return 0
    return before.pixels * before.channels * before.real
