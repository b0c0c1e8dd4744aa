"""Names of the images that operations make. This module does not load numpy."""

from __future__ import annotations

from collections.abc import Sequence

from fft_tool.operations.operation import Operation

INDEPENDENT, COMBINED = "independent", "combined"
"""Kinds of artifacts: one operation alone, and all of them in sequence."""


def plan_operations(operations: Sequence[Operation]) -> tuple[str, ...]:
    """Names of the images that operations make of one source, in the order of writing.

    >>> from fft_tool.operations.registry import parse_operations
    >>> plan_operations(parse_operations("blur:3,sepia"))
    ('independent/1-blur.png', 'independent/2-sepia.png', 'combined.png')
    """
    alone = (f"{INDEPENDENT}/{place}-{each.name}.png" for place, each in enumerate(operations, 1))
    return (*alone, f"{COMBINED}.png")
