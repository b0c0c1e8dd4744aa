"""Parsing of the values of flags that are not recipe keys."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable

from fft_tool.limits import MIB, parse_formats
from fft_tool.spelling import did_you_mean

_LONGEST_TIMEOUT = 86_400.0  # seconds

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)", re.ASCII | re.IGNORECASE)
_UNITS = {"": MIB, "b": 1}
_UNITS |= {f"{letter}ib": 1 << 10 * power for power, letter in enumerate("kmgt", start=1)}
_UNITS |= {f"{letter}b": 1000**power for power, letter in enumerate("kmgt", start=1)}
_UNITS |= {letter: 1 << 10 * power for power, letter in enumerate("kmgt", start=1)}


def positive(text: str) -> int:
    """Parse a whole number above 0."""
    if not (text.isascii() and text.isdecimal()) or len(text) > 18 or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} should be a whole number above 0")
    return int(text)


def seconds(text: str) -> float:
    """Parse a number of seconds, up to a day."""
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number <= _LONGEST_TIMEOUT:
        raise argparse.ArgumentTypeError(
            f"{text!r} should be a number of seconds above 0, at most {_LONGEST_TIMEOUT:.0f}"
        )
    return number


def size(text: str) -> int:
    """Parse an amount of memory to bytes; a number without a unit is in MiB.

    >>> size("2GiB"), size("512"), size("500 MB")
    (2147483648, 536870912, 500000000)
    """
    found = _SIZE.fullmatch(text.strip())
    unit = _UNITS.get(found[2].lower()) if found else None
    count = int(float(found[1]) * unit) if found and unit and len(text) < 24 else 0
    if count < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} should be an amount of memory such as 2GiB or 500MB, or a number of MiB"
        )
    return count


def formats(text: str) -> tuple[str, ...]:
    """Parse a list of image formats."""
    try:
        return parse_formats(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text!r} {exc}") from exc


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a parser that accepts only these words."""

    def read(text: str) -> str:
        if text not in choices:
            near = did_you_mean(text, choices)
            raise argparse.ArgumentTypeError(
                f"{text!r} should be one of {', '.join(choices)}{near}"
            )
        return text

    return read
