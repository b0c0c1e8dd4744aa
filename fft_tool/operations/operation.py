"""What every operation is: a name, parameters, and a function from image to image.

Classes of operations do not import numpy until they are applied, so that texts can be parsed and
sizes predicted without it.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from typing import Self

    from fft_tool.arrays import Pixels

SHOWN = 60
"""Characters of an invalid text that an error shows."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Layout:
    """Size of an image, number of its channels, and bytes per sample (1 or 2)."""

    height: int
    width: int
    channels: int
    sample: int

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.height * self.width

    @property
    def bytes(self) -> int:
        """Bytes of the decoded image."""
        return self.pixels * self.channels * self.sample

    @property
    def real(self) -> int:
        """Bytes of the numbers with which samples are computed: single precision for 8 bits."""
        return 4 * self.sample


@dataclass(frozen=True, slots=True)
class Number:
    """A parameter that is a number: its name, its default (None: required), whether it is whole."""

    name: str
    default: float | None = None
    whole: bool = False


class Operation(ABC):
    """One operation with its parameters; subclasses are frozen dataclasses.

    ``str(operation)`` is its canonical text, from which the same operation is parsed.

    Attributes
    ----------
    name
        Name in texts and in the names of files.
    form
        The name and the parameters, as in ``blur[:SIGMA]``.
    help
        What it does, in one phrase.
    details
        The definition, for the documentation: formula, units, borders, what becomes of alpha.
    examples
        Texts that show it.
    """

    __slots__ = ()

    name: ClassVar[str]
    form: ClassVar[str]
    help: ClassVar[str]
    details: ClassVar[str]
    examples: ClassVar[tuple[str, ...]]

    @classmethod
    def parse(cls, parameters: str) -> Self:
        """Parse what follows the colon; ``ValueError`` says what is wrong.

        By default, parameters are numbers, in the order of the fields.
        """
        return cls(*parse_numbers(parameters, cls.numbers()))

    @classmethod
    def numbers(cls) -> list[Number]:
        """Parameters with their defaults, in order."""
        return numbers_of(cls)

    def parameters(self) -> str:
        """Canonical text of the parameters; trailing defaults are left out."""
        known = self.numbers()
        return format_numbers([getattr(self, each.name) for each in known], known)

    def __str__(self) -> str:
        parameters = self.parameters()
        return f"{self.name}:{parameters}" if parameters else self.name

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the result for an image of ``height`` × ``width`` pixels.

        Raises an error of :mod:`fft_tool.errors` if the operation does not fit the image, and
        ``ValueError`` if nothing would be left.
        """
        return height, width

    def channels(self, channels: int) -> int:
        """Return the number of channels of the result."""
        return channels

    def layout(self, before: Layout) -> Layout:
        """Layout of the result."""
        height, width = self.size(before.height, before.width)
        return Layout(height, width, self.channels(before.channels), before.sample)

    def memory(self, before: Layout) -> int:
        """Bytes that the operation takes beside its input and its output."""
        del before
        return 0

    def pixel_size(
        self, before: tuple[float, float], height: int, width: int
    ) -> tuple[float, float] | None:
        """Pixel size (x, y) of the result, for an image of ``height`` × ``width`` pixels."""
        del height, width
        return before

    @abstractmethod
    def apply(self, pixels: Pixels, white: int, *, threads: int = 1) -> Pixels:
        """Apply to ``pixels`` (h, w, channels), uint8 or uint16 from 0 to ``white``.

        The channels are grey, grey and alpha, RGB or RGBA, with alpha not premultiplied. Returns
        new pixels of the same dtype; they do not depend on the number of ``threads``.
        """


def numbers_of(kind: Any) -> list[Number]:
    """Numbers that the fields of a dataclass hold."""
    return [
        Number(
            each.name,
            None if each.default is MISSING else each.default,
            whole=each.type in (int, "int"),
        )
        for each in fields(kind)
    ]


def parse_numbers(text: str, known: Sequence[Number]) -> list[Any]:
    """Parse comma-separated numbers; ``ValueError`` says what is wrong. Defaults are added."""
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    least = sum(each.default is None for each in known)
    if not least <= len(parts) <= len(known):
        raise ValueError(f"{_wanted(least, len(known))} expected, {len(parts) or 'none'} given")
    given = [_number(part, each) for part, each in zip(parts, known, strict=False)]
    return given + [each.default for each in known[len(given) :]]


def format_numbers(values: Sequence[float], known: Sequence[Number]) -> str:
    """Format numbers so that the same ones are parsed; trailing defaults are left out."""
    kept = list(values)
    while kept and kept[-1] == known[len(kept) - 1].default:
        kept.pop()
    return ",".join(map(format_number, kept))


def format_number(value: float) -> str:
    """Shortest text of a number, without the plus of an exponent; minus zero is zero."""
    return repr(float(value) + 0.0).removesuffix(".0").replace("e+", "e")


def parse_number(text: str, what: str) -> float:
    """Parse one finite number; ``what`` names it in the error."""
    if not _NUMBER.fullmatch(text.lower()) or not math.isfinite(float(text)):
        raise ValueError(f"{what} should be a number, not {text[:SHOWN]!r}")
    return float(text)


def require(condition: bool, message: str) -> None:
    """Raise ``ValueError`` unless a condition holds."""
    if not condition:
        raise ValueError(message)


def _number(text: str, known: Number) -> float:
    value = parse_number(text, known.name.upper())
    if not known.whole:
        return value
    require(
        value.is_integer(), f"{known.name.upper()} should be a whole number, not {text[:SHOWN]}"
    )
    return int(value)


def _wanted(least: int, most: int) -> str:
    if most == 0:
        return "no parameters"
    counts = f"{least}" if least == most else f"{least} to {most}"
    return f"{counts} number{'s' if most > 1 else ''}"
