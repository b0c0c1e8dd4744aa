"""Validation of values read from files: records and spectra may have been edited or forged."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]
"""A JSON object: strings, numbers, booleans, None, lists and objects."""

LARGEST = sys.float_info.max


def number(value: Any, least: float = -math.inf, most: float = math.inf) -> float:
    """Return a finite number from ``least`` to ``most``; raise ``ValueError`` otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is not a number")  # noqa: TRY004  (values from files)
    # Compare before converting: a JSON integer may be larger than any float.
    if not (least <= value <= most and -LARGEST <= value <= LARGEST):
        raise ValueError(f"{value!r} is out of range")
    return float(value)


def whole(value: Any, least: int, most: int) -> int:
    """Return a whole number from ``least`` to ``most``; raise ``ValueError`` otherwise."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{value!r} is not a whole number")  # noqa: TRY004  (values from files)
    if not least <= value <= most:
        raise ValueError(f"{value!r} is out of range")
    return value


def one_of(value: Any, choices: Iterable[str]) -> str:
    """Return the value if it is among ``choices``; raise ``ValueError`` otherwise."""
    for choice in choices:
        if value == choice:
            return choice
    raise ValueError(f"{value!r} should be one of {', '.join(choices)}")
