"""Frequency filters: what they keep and remove, and the text that names them.

`LowPass`, `HighPass` and `BandPass` multiply the spectrum by a real mask between 0 and 1 that is
the same at ``(fy, fx)`` and ``(-fy, -fx)``, so that the filtered image is real. `Notch` and
`Stripe` fit what they remove to the pixels and subtract it: a wave that does not fit the frame
leaks across the spectrum, where no mask finds it. Every filter keeps the mean.

In text, ``name:numbers``, several joined by ``+`` and applied one after the other::

    lowpass:PERIOD[,EDGE]             keeps what repeats over more than PERIOD px
    highpass:PERIOD[,EDGE]            keeps what repeats over less than PERIOD px
    bandpass:SHORTEST,LONGEST[,EDGE]  keeps what repeats over SHORTEST to LONGEST px
    notch:PERIOD,ANGLE[,WIDTH]        removes the wave of PERIOD px at ANGLE degrees
    stripe:ANGLE[,LONGEST]            removes stripes with periods below LONGEST px (64)
    mask:FILE[,SHA256]                keeps what is white in a picture of the spectrum

EDGE is the width of the transition in octaves (0.5; 0 for a hard edge), ANGLE that of the wave
vector (90 for horizontal stripes), WIDTH the notch's radius as a part of its frequency (0.1).
:mod:`fft_tool.spectrum.masks` says what FILE is.

Beside a step, every edge overshoots. A transition makes the ripples die out sooner; the first one
is lower only where it is octaves wide. It measures 9 % of the step up to EDGE 0.5, 8 % at 1, 5 % at
2, and 2 % at 4.
"""

from __future__ import annotations

import math
import re
from dataclasses import MISSING, astuple, dataclass, fields
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import FloatArray
from fft_tool.spectrum import masks
from fft_tool.spectrum.masks import MaskFile
from fft_tool.spelling import did_you_mean

Frequencies = NDArray[np.floating[Any]]
Mask = NDArray[np.float32]

LONGEST = 1_000_000
"""Longest period in pixels that can be named: longer than the side of any image."""

WIDEST_EDGE = 10.0
"""Widest edge in octaves that can be named."""

EDGE = 0.5
"""Width of a filter's edge in octaves, unless told otherwise."""

NOTCH_BINS = 1.5
"""Least radius of a notch in bins, which are one cycle per side of the image."""

STRIPE_START = 1.0
"""Octaves over which a stripe filter sets in."""

TOLERANCE = 1e-6
"""Octaves or cycles per pixel that rounding may add: closer values count as equal."""

_LINE = 250  # bytes per row and column: profiles, and lines that are transformed


@dataclass(frozen=True, slots=True)
class LowPass:
    """Keeps periods longer than ``period`` px.

    With ``u = log2(f period)`` octaves above the edge, the mask is ``(1 - sin(pi u / edge)) / 2``
    for ``|u| < edge / 2``, 1 below and 0 above: one half at ``period``. With ``edge = 0`` it is 1
    up to and including ``period``, then 0.
    """

    period: float
    edge: float = EDGE

    name: ClassVar[str] = "lowpass"
    form: ClassVar[str] = "lowpass:PERIOD[,EDGE]"

    def __post_init__(self) -> None:
        _require_period("PERIOD", self.period)
        _require_edge(self.edge)

    def mask(self, fy: Frequencies, fx: Frequencies, shape: tuple[int, int]) -> Mask:
        """Gain at frequencies ``(fy, fx)`` in cycles per pixel, for an image of ``shape``."""
        del shape
        return _keep_mean(1 - _rise(_radius2(fy, fx, self.period), self.edge), fy, fx)


@dataclass(frozen=True, slots=True)
class HighPass:
    """Keeps periods shorter than ``period`` px, and the mean: otherwise 1 minus `LowPass`."""

    period: float
    edge: float = EDGE

    name: ClassVar[str] = "highpass"
    form: ClassVar[str] = "highpass:PERIOD[,EDGE]"

    def __post_init__(self) -> None:
        _require_period("PERIOD", self.period)
        _require_edge(self.edge)

    def mask(self, fy: Frequencies, fx: Frequencies, shape: tuple[int, int]) -> Mask:
        """Gain at frequencies ``(fy, fx)`` in cycles per pixel, for an image of ``shape``."""
        del shape
        return _keep_mean(_rise(_radius2(fy, fx, self.period), self.edge), fy, fx)


@dataclass(frozen=True, slots=True)
class BandPass:
    """Keeps periods from ``shortest`` to ``longest`` px, and the mean.

    The product of `LowPass` at ``shortest`` and `HighPass` at ``longest``; a band that is narrower
    than its edges lets nothing through whole.
    """

    shortest: float
    longest: float
    edge: float = EDGE

    name: ClassVar[str] = "bandpass"
    form: ClassVar[str] = "bandpass:SHORTEST,LONGEST[,EDGE]"

    def __post_init__(self) -> None:
        _require_period("SHORTEST", self.shortest)
        _require_period("LONGEST", self.longest)
        _require_edge(self.edge)
        _require(self.shortest < self.longest, "SHORTEST must be less than LONGEST")

    def mask(self, fy: Frequencies, fx: Frequencies, shape: tuple[int, int]) -> Mask:
        """Gain at frequencies ``(fy, fx)`` in cycles per pixel, for an image of ``shape``."""
        low = LowPass(self.shortest, self.edge).mask(fy, fx, shape)
        low *= HighPass(self.longest, self.edge).mask(fy, fx, shape)
        return low


@dataclass(frozen=True, slots=True)
class Notch:
    """Removes the wave of ``period`` px whose wave vector is at ``angle`` degrees.

    Away from the borders the gain is ``1 - exp(-d² / 2)``, with ``d`` the distance to the wave's
    frequency in units of the radius: ``width`` times the frequency, along each axis at least one
    and a half bins. At the borders the wave is fitted to the pixels that are there, see
    :mod:`fft_tool.spectrum.waves`. ``angle`` is stored modulo 180.
    """

    period: float
    angle: float
    width: float = 0.1

    name: ClassVar[str] = "notch"
    form: ClassVar[str] = "notch:PERIOD,ANGLE[,WIDTH]"

    def __post_init__(self) -> None:
        _require(math.isfinite(self.angle), "ANGLE must be finite")
        object.__setattr__(self, "angle", _half_turn(self.angle))
        _require(0 < self.period <= LONGEST, f"PERIOD must be more than 0, at most {LONGEST} px")
        _require(
            max(map(abs, self._centre())) <= 0.5 + TOLERANCE,
            "PERIOD must be at least 2 px measured along x and along y (Nyquist)",
        )
        _require(0 <= self.width <= 1, "WIDTH must be from 0 to 1")

    def _centre(self) -> tuple[float, float]:
        turn = math.radians(self.angle)
        return math.sin(turn) / self.period, math.cos(turn) / self.period

    def radius(self, shape: tuple[int, int]) -> tuple[float, float]:
        """Radius (down, across) in cycles per pixel, for an image of ``shape`` (h, w)."""
        down, across = (max(self.width / self.period, NOTCH_BINS / side) for side in shape)
        return down, across

    def subtract(self, levels: FloatArray, *, threads: int = 1) -> None:
        """Subtract the wave, in place, from an image (h, w)."""
        from fft_tool.spectrum.waves import subtract_wave  # noqa: PLC0415  (few recipes need it)

        up, across = self._centre()
        radius = self.radius((levels.shape[0], levels.shape[1]))
        subtract_wave(levels, (-up, across), radius, threads=threads)

    def memory(self, real: int) -> float:
        """Bytes per pixel that this takes where a number has ``real`` bytes."""
        nodes = self._nodes()
        return 32 * nodes + 7 * 2 * real * nodes**2

    def memory_of_line(self) -> int:
        """Bytes per row and column that this takes: a wide one pads narrow images manifold."""
        return _LINE + round(500 * self._nodes() ** 2)

    def _nodes(self) -> float:
        """Nodes of the fit per pixel, along an axis."""
        return min(1.0, 12 * max(self.width / self.period, 0.01))


@dataclass(frozen=True, slots=True)
class Stripe:
    """Removes stripes with wave vector at ``angle`` degrees and periods below ``longest`` px.

    What is subtracted is the mean over each line of the stripes, without its long periods: the
    share that goes rises like `HighPass` over the octave around ``longest``, so that large
    structures stay. Up to 0.7 times ``longest`` stripes go whole. See
    :mod:`fft_tool.spectrum.stripes`. ``angle`` is stored modulo 180; 90 removes horizontal
    stripes, 0 vertical ones.
    """

    angle: float
    longest: float = 64.0

    name: ClassVar[str] = "stripe"
    form: ClassVar[str] = "stripe:ANGLE[,LONGEST]"

    def __post_init__(self) -> None:
        _require(math.isfinite(self.angle), "ANGLE must be finite")
        object.__setattr__(self, "angle", _half_turn(self.angle))
        _require_period("LONGEST", self.longest)

    def removed(self, frequency: FloatArray) -> FloatArray:
        """Share of a stripe that goes, by its frequency in cycles per pixel."""
        return _rise(np.square(frequency * self.longest).astype(np.float32), STRIPE_START)

    def subtract(self, levels: FloatArray, *, threads: int = 1) -> None:
        """Subtract the stripes, in place, from an image (h, w)."""
        from fft_tool.spectrum.stripes import subtract_stripes  # noqa: PLC0415  (few need it)

        subtract_stripes(levels, self.angle, self.removed, self.longest, threads=threads)

    def memory(self, _real: int) -> float:
        """Bytes per pixel that this takes, for lines."""
        return 6

    def memory_of_line(self) -> int:
        """Bytes per row and column that this takes."""
        return _LINE


FittedFilter: TypeAlias = Notch | Stripe
NumericFilter: TypeAlias = LowPass | HighPass | BandPass | FittedFilter
Filter: TypeAlias = NumericFilter | MaskFile
"""What a recipe holds."""

MaskFilter: TypeAlias = LowPass | HighPass | BandPass | masks.Mask
Applicable: TypeAlias = MaskFilter | FittedFilter
"""What can be applied: masks of files are decoded."""

AnyFilter: TypeAlias = Filter | Applicable

NUMERIC: tuple[type[NumericFilter], ...] = (LowPass, HighPass, BandPass, Notch, Stripe)
KINDS: tuple[type[Filter], ...] = (*NUMERIC, MaskFile)

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def parse_filters(text: str) -> tuple[Filter, ...]:
    """Read filters from their text, as in ``bandpass:4,32+stripe:90``.

    Raises
    ------
    ValueError
        With the faulty part, what is wrong with it and the form that it must have.
    """
    # A plus before a digit belongs to a number such as 1e+3.
    parts = [part.strip() for part in re.split(r"\+(?![\d.])", text)]
    has_file = any(part.startswith(f"{MaskFile.name}:") for part in parts[:-1])
    return tuple(_parse_one(part, "; rename a FILE that has a +" * has_file) for part in parts)


def format_filters(filters: tuple[Filter, ...]) -> str:
    """Write filters as their canonical text: no spaces, trailing defaults left out.

    ``parse_filters`` gives back equal filters.
    """
    return "+".join(map(_format_one, filters))


def memory_of_filters(filters: tuple[Filter, ...], real: int, half: float) -> float:
    """Bytes per pixel that filtering takes beside its input and its output.

    ``real`` is the size of a number, ``half`` that of the spectrum per pixel.
    """
    pictures = masks.BYTES_PER_PIXEL * sum(isinstance(each, MaskFile) for each in filters)
    fitted = [each.memory(real) for each in filters if isinstance(each, FittedFilter)]
    if not fitted:
        return pictures + half
    masked = any(not isinstance(each, FittedFilter) for each in filters)
    return pictures + real + max(half * masked, *fitted)


def memory_of_lines(filters: tuple[Filter, ...]) -> int:
    """Bytes per row and column that filtering takes."""
    fitted = (each.memory_of_line() for each in filters if isinstance(each, FittedFilter))
    pictures = (masks.BYTES_OF_LINE for each in filters if isinstance(each, MaskFile))
    return max(*fitted, *pictures, 0, 0)


def _parse_one(text: str, hint: str) -> Filter:
    name, _, parameters = text.partition(":")
    kind = next((kind for kind in KINDS if kind.name == name.strip()), None)
    if kind is None:
        forms = ", ".join(kind.form for kind in KINDS)
        near = did_you_mean(name.strip(), [kind.name for kind in KINDS])
        raise ValueError(f"{text!r}: expected one of {forms}, or several joined by +{near}{hint}")
    try:
        return _build(kind, parameters)
    except ValueError as exc:
        raise ValueError(f"{text!r}: {exc}; the form is {kind.form}") from None


def _build(kind: type[Filter], text: str) -> Filter:
    if issubclass(kind, MaskFile):
        return kind.parse(text)
    numbers = [_number(each.strip()) for each in text.split(",")] if text.strip() else []
    most = len(fields(kind))
    least = sum(field.default is MISSING for field in fields(kind))
    _require(
        least <= len(numbers) <= most,
        f"expected {least} to {most} numbers, got {len(numbers)}",
    )
    return kind(*numbers)


def _number(text: str) -> float:
    _require(_NUMBER.fullmatch(text) is not None, f"{text!r} is not a number")
    _require(math.isfinite(float(text)), f"{text!r} is not finite")
    return float(text)


def _format_one(each: Filter) -> str:
    if isinstance(each, MaskFile):
        return str(each)
    numbers = list(astuple(each))
    defaults = [field.default for field in fields(each)]
    while numbers and numbers[-1] == defaults[len(numbers) - 1]:
        numbers.pop()
    return f"{each.name}:{','.join(map(_text, numbers))}"


def _text(value: float) -> str:
    # Without the plus of an exponent, which joins filters; minus zero is written as zero.
    return repr(float(value) + 0.0).removesuffix(".0").replace("e+", "e")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _require_period(name: str, period: float) -> None:
    _require(2 <= period <= LONGEST, f"{name} must be from 2 px (Nyquist) to {LONGEST} px")


def _require_edge(edge: float) -> None:
    _require(0 <= edge <= WIDEST_EDGE, f"EDGE must be from 0 to {WIDEST_EDGE:g} octaves")


def _half_turn(angle: float) -> float:
    # Twice: the remainder of a tiny negative angle rounds up to 180 itself.
    return angle % 180.0 % 180.0


def _radius2(fy: Frequencies, fx: Frequencies, period: float) -> Mask:
    """Square of ``period`` times the frequency: 1 on the circle where a filter's edge lies."""
    # The axes are scaled in double, so that bins on the edge come out at 1 to the last digit.
    y, x = (fy * period).astype(np.float32), (fx * period).astype(np.float32)
    return np.square(y) + np.square(x)


def _rise(ratio2: Mask, edge: float) -> Mask:
    """Rise like a cosine from 0 to 1 over ``edge`` octaves about the frequency ratio 1."""
    octaves = np.log2(np.maximum(ratio2, np.finfo(np.float32).tiny))
    octaves *= 0.5
    if edge <= TOLERANCE:
        return (octaves > TOLERANCE).astype(np.float32)
    octaves /= edge
    np.clip(octaves, -0.5, 0.5, out=octaves)
    octaves *= np.pi
    np.sin(octaves, out=octaves)
    octaves *= 0.5
    octaves += 0.5
    return octaves


def _keep_mean(mask: Mask, fy: Frequencies, fx: Frequencies) -> Mask:
    mask[(fy == 0) & (fx == 0)] = 1
    return mask
