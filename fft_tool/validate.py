"""Reading values that come from files: records and spectra may have been edited, or be hostile."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]
"""An object as JSON has it: texts, numbers, truth values, None, lists and objects."""

LARGEST = sys.float_info.max


def number(value: Any, least: float = -math.inf, most: float = math.inf) -> float:
    """Return a finite number from ``least`` to ``most``; else raise ``ValueError``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is not a number")  # noqa: TRY004  (values from files)
    # Compared before it is converted: JSON's integers may be larger than any float.
    if not (least <= value <= most and -LARGEST <= value <= LARGEST):
        raise ValueError(f"{value!r} is out of range")
    return float(value)


def whole(value: Any, least: int, most: int) -> int:
    """Return a whole number from ``least`` to ``most``; ``ValueError`` if it is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{value!r} is not a whole number")  # noqa: TRY004
    if not least <= value <= most:
        raise ValueError(f"{value!r} is out of range")
    return value


def one_of(value: Any, choices: Iterable[str]) -> str:
    """Return one of the texts allowed; ``ValueError`` if it is none."""
    for choice in choices:
        if value == choice:
            return choice
    raise ValueError(f"{value!r} should be one of {', '.join(choices)}")
