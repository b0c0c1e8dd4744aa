"""Operations on the spectrum: the recipe's filters, on every colour channel for itself."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from fft_tool.operations.operation import (
    Layout,
    Number,
    Operation,
    format_numbers,
    numbers_of,
    parse_numbers,
)
from fft_tool.recipe import Recipe

if TYPE_CHECKING:
    from typing import Self

    from fft_tool.arrays import Pixels
    from fft_tool.spectrum.filters import NumericFilter

_CHANNELS = (
    "Every colour channel is filtered for itself, in single precision, and clipped at black and "
    "white; the mean and alpha stay. The same as `filter={}` in a recipe."
)


@dataclass(frozen=True, slots=True)
class Spectral(Operation):
    """An operation by one of the filters of :mod:`fft_tool.spectrum.filters`."""

    filter: NumericFilter

    filter_name: ClassVar[str]
    defaults: ClassVar[tuple[float, ...]] = ()
    """Defaults of the first numbers, where the filter itself has none."""

    @classmethod
    def parse(cls, parameters: str) -> Self:
        """Parse the numbers of the filter."""
        return cls(_kind(cls.filter_name)(*parse_numbers(parameters, cls.numbers())))

    def parameters(self) -> str:
        """Return the numbers, without trailing defaults."""
        return format_numbers(astuple(self.filter), self.numbers())

    @classmethod
    def numbers(cls) -> list[Number]:
        """Numbers of the filter with their defaults."""
        known = numbers_of(_kind(cls.filter_name))
        for index, default in enumerate(cls.defaults):
            known[index] = replace(known[index], default=default)
        return known

    def memory(self, before: Layout) -> int:
        """What the filter takes, and one channel: levels before and after, and real numbers."""
        from fft_tool.spectrum.filters import memory_of_filters, memory_of_lines  # noqa: PLC0415  (loads numpy)

        half = 8 * (before.width // 2 + 1) / before.width
        each = memory_of_filters((self.filter,), 4, half) + 4 + 2 * before.sample
        lines = memory_of_lines((self.filter,)) + 80
        return round(before.pixels * each) + lines * (before.height + before.width)

    def apply(self, pixels: Pixels, white: int, *, threads: int = 1) -> Pixels:
        """Filter every channel but alpha."""
        from fft_tool.results.filtered import filtered_plane  # noqa: PLC0415  (loads numpy)

        result, recipe = pixels.copy(), Recipe()
        for index in range(1 if pixels.shape[2] < 3 else 3):
            plane = pixels[:, :, index].copy()
            result[:, :, index], _, _ = filtered_plane(
                plane, white, (self.filter,), recipe, threads
            )
        return result


@dataclass(frozen=True, slots=True)
class Lowpass(Spectral):
    """Keeps coarse structures."""

    name: ClassVar[str] = "lowpass"
    filter_name: ClassVar[str] = "lowpass"
    form: ClassVar[str] = "lowpass:PERIOD[,EDGE]"
    help: ClassVar[str] = "keep what repeats over more than PERIOD pixels"
    details: ClassVar[str] = (
        "EDGE is the width of the transition in octaves (0.5). " + _CHANNELS.format("lowpass:…")
    )
    examples: ClassVar[tuple[str, ...]] = ("lowpass:8",)


@dataclass(frozen=True, slots=True)
class Highpass(Spectral):
    """Keeps fine structures."""

    name: ClassVar[str] = "highpass"
    filter_name: ClassVar[str] = "highpass"
    form: ClassVar[str] = "highpass:PERIOD[,EDGE]"
    help: ClassVar[str] = "keep what repeats over less than PERIOD pixels, and the mean"
    details: ClassVar[str] = (
        "EDGE is the width of the transition in octaves (0.5). " + _CHANNELS.format("highpass:…")
    )
    examples: ClassVar[tuple[str, ...]] = ("highpass:32",)


@dataclass(frozen=True, slots=True)
class Bandpass(Spectral):
    """Keeps structures of some sizes."""

    name: ClassVar[str] = "bandpass"
    filter_name: ClassVar[str] = "bandpass"
    form: ClassVar[str] = "bandpass:SHORTEST,LONGEST[,EDGE]"
    help: ClassVar[str] = "keep what repeats over SHORTEST to LONGEST pixels, and the mean"
    details: ClassVar[str] = (
        "EDGE is the width of the transitions in octaves (0.5). " + _CHANNELS.format("bandpass:…")
    )
    examples: ClassVar[tuple[str, ...]] = ("bandpass:4,32",)


@dataclass(frozen=True, slots=True)
class NotchOut(Spectral):
    """Removes a wave."""

    name: ClassVar[str] = "notch"
    filter_name: ClassVar[str] = "notch"
    form: ClassVar[str] = "notch:PERIOD,ANGLE[,WIDTH]"
    help: ClassVar[str] = "remove the wave of PERIOD pixels whose wave vector is at ANGLE degrees"
    details: ClassVar[str] = (
        "Angles are counter-clockwise from the x axis: 90 for horizontal stripes. WIDTH is the "
        "radius of the notch as a part of its frequency (0.1). " + _CHANNELS.format("notch:…")
    )
    examples: ClassVar[tuple[str, ...]] = ("notch:8,90",)


@dataclass(frozen=True, slots=True)
class Destripe(Spectral):
    """Removes stripes."""

    name: ClassVar[str] = "destripe"
    filter_name: ClassVar[str] = "stripe"
    form: ClassVar[str] = "destripe[:ANGLE[,LONGEST]]"
    help: ClassVar[str] = "remove stripes whose wave vector is at ANGLE degrees (90: horizontal)"
    details: ClassVar[str] = (
        "Stripes go whose periods are below LONGEST (64) pixels; 0 is the angle of vertical ones. "
        + _CHANNELS.format("stripe:…")
    )
    examples: ClassVar[tuple[str, ...]] = ("destripe", "destripe:0")
    defaults: ClassVar[tuple[float, ...]] = (90.0,)


KINDS: tuple[type[Operation], ...] = (Lowpass, Highpass, Bandpass, NotchOut, Destripe)


def _kind(name: str) -> type[NumericFilter]:
    from fft_tool.spectrum.filters import NUMERIC  # noqa: PLC0415  (loads numpy)

    return next(kind for kind in NUMERIC if kind.name == name)
