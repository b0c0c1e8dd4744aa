"""Types of arrays that have one meaning everywhere, and sums over them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.unsignedinteger[Any]]
"""Grey levels, shape (h, w), uint8 or uint16."""

Pixels = NDArray[np.unsignedinteger[Any]]
"""Samples of an image, shape (h, w, channels), uint8 or uint16."""

FloatArray = NDArray[np.floating[Any]]
"""Real numbers in single or double precision."""


def sum_of_squares(values: FloatArray) -> float:
    """Sum of the squares, in double precision and pairwise.

    Not a dot product: BLAS would start threads of its own inside a row block, and its last digits
    depend on how many.
    """
    return float(np.square(values, dtype=np.float64).sum())
