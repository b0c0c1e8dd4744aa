"""Frequency filters with soft edges, measured in pixels of period.

A filter multiplies the spectrum by a real mask between 0 and 1 that is the same at ``(fy, fx)``
and ``(-fy, -fx)``, so that the filtered image is real. Every filter leaves DC alone: the picture
keeps its mean brightness, also under `HighPass` and `BandPass`.

In text, ``name:numbers``, several joined by ``+`` and applied one after the other::

    lowpass:PERIOD[,EDGE]             keeps what repeats over more than PERIOD px
    highpass:PERIOD[,EDGE]            keeps what repeats over less than PERIOD px
    bandpass:SHORTEST,LONGEST[,EDGE]  keeps what repeats over SHORTEST to LONGEST px
    notch:PERIOD,ANGLE[,WIDTH]        removes the wave of PERIOD px at ANGLE degrees
    stripe:ANGLE[,LONGEST]            removes stripes with periods below LONGEST px (64)

EDGE is in octaves (0.5; 0 for a hard edge), ANGLE that of the wave vector (90 for horizontal
stripes), WIDTH the notch's radius as a part of its frequency (0.1).
"""

from __future__ import annotations

import math
import re
from dataclasses import MISSING, astuple, dataclass, fields
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fft_tool.parallel import map_rows, rows_per_block
from fft_tool.spectrum.half import Spectrum, check_spectrum, frequencies

Frequencies = NDArray[np.floating[Any]]
Mask = NDArray[np.float32]

LONGEST = 1_000_000
"""Longest period in pixels that can be named: longer than the side of any image."""

WIDEST_EDGE = 10.0
"""Widest edge in octaves that can be named."""

EDGE = 0.5
"""Width of a filter's edge in octaves, unless told otherwise."""

NOTCH_BINS = 1.5
"""Least radius of a notch in bins: a wave between two bins leaks into its neighbours."""

STRIPE_BINS = 0.5
"""Standard deviation in bins of the profile across a stripe filter's line, about a bin wide."""

STRIPE_START = 1.0
"""Octaves over which a stripe filter sets in."""

TOLERANCE = 1e-6
"""Octaves or cycles per pixel that rounding may add: closer values count as equal."""


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

    The mask is ``1 - exp(-d² / 2)`` with ``d`` the distance to the wave's frequency or its mirror,
    whichever is nearer, in units of the radius: ``width`` times the frequency, along each axis at
    least one and a half bins. Frequencies are cyclic, so a notch near Nyquist reaches round to the
    other side. ``angle`` is stored modulo 180.
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

    def mask(self, fy: Frequencies, fx: Frequencies, shape: tuple[int, int]) -> Mask:
        """Gain at frequencies ``(fy, fx)`` in cycles per pixel, for an image of ``shape``."""
        y, x = self._centre()
        down, across = (max(self.width / self.period, NOTCH_BINS / side) for side in shape)
        here = _bell(_cyclic(fy - y) / down) * _bell(_cyclic(fx - x) / across)
        mirrored = _bell(_cyclic(fy + y) / down) * _bell(_cyclic(fx + x) / across)
        return _keep_mean(1 - np.maximum(here, mirrored), fy, fx)


@dataclass(frozen=True, slots=True)
class Stripe:
    """Removes stripes with wave vector at ``angle`` degrees and periods below ``longest`` px.

    Such stripes lie on a line through DC. The mask is ``1 - r exp(-d² / 2)`` with ``d`` the
    distance from that line in half bins, and ``r`` rising like `HighPass` over the octave around
    ``longest``, measured along the line, so that large structures stay. ``angle`` is stored modulo
    180; 90 removes horizontal stripes, 0 vertical ones.
    """

    angle: float
    longest: float = 64.0

    name: ClassVar[str] = "stripe"
    form: ClassVar[str] = "stripe:ANGLE[,LONGEST]"

    def __post_init__(self) -> None:
        _require(math.isfinite(self.angle), "ANGLE must be finite")
        object.__setattr__(self, "angle", _half_turn(self.angle))
        _require_period("LONGEST", self.longest)

    def mask(self, fy: Frequencies, fx: Frequencies, shape: tuple[int, int]) -> Mask:
        """Gain at frequencies ``(fy, fx)`` in cycles per pixel, for an image of ``shape``."""
        gain = self._gain(fy, fx, shape)
        # +1/2 and -1/2 are one frequency: a line that meets Nyquist must do so on both sides.
        edge = np.broadcast_to(_at_nyquist(fy) | _at_nyquist(fx), gain.shape)
        y, x = np.broadcast_to(-fy, gain.shape)[edge], np.broadcast_to(fx, gain.shape)[edge]
        gain[edge] = np.minimum(gain[edge], self._gain(y, x, shape))
        return _keep_mean(gain, fy, fx)

    def _gain(self, fy: Frequencies, fx: Frequencies, shape: tuple[int, int]) -> Mask:
        turn = math.radians(self.angle)
        sine, cosine = math.sin(turn), math.cos(turn)
        bins = math.hypot(sine / shape[1], cosine / shape[0]) * STRIPE_BINS
        across = (fy * (cosine / bins)).astype(np.float32) - (fx * (sine / bins)).astype(np.float32)
        along = (fy * (sine * self.longest)).astype(np.float32)
        along = along + (fx * (cosine * self.longest)).astype(np.float32)
        return 1 - _rise(np.square(along), STRIPE_START) * _bell(across)


Filter: TypeAlias = LowPass | HighPass | BandPass | Notch | Stripe

KINDS: tuple[type[Filter], ...] = (LowPass, HighPass, BandPass, Notch, Stripe)

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def parse_filters(text: str) -> tuple[Filter, ...]:
    """Read filters from their text, as in ``bandpass:4,32+stripe:90``.

    Raises
    ------
    ValueError
        With the faulty part, what is wrong with it and the form that it must have.
    """
    # A plus before a digit belongs to a number such as 1e+3.
    return tuple(_parse_one(part.strip()) for part in re.split(r"\+(?![\d.])", text))


def format_filters(filters: tuple[Filter, ...]) -> str:
    """Write filters as their canonical text: no spaces, trailing defaults left out.

    ``parse_filters`` gives back equal filters.
    """
    return "+".join(map(_format_one, filters))


def apply_filter(
    spectrum: Spectrum, what: str | Filter | tuple[Filter, ...], *, threads: int = 1
) -> Spectrum:
    """Filter a spectrum; the one that is passed in is not changed.

    >>> flat = Spectrum(np.ones((16, 9), np.complex64), width=16)
    >>> apply_filter(flat, "notch:8,0").half[0, 2].real
    np.float32(0.0)

    Parameters
    ----------
    spectrum : Spectrum
        What to filter.
    what : str or filters
        One or more filters, as text such as ``"notch:8,90+lowpass:3"`` or as values. Periods are
        in pixels, angles in degrees.
    threads : int
        Number of threads; the result does not depend on it.
    """
    check_spectrum(spectrum)
    if isinstance(what, str):
        filters = parse_filters(what)
    else:
        filters = what if isinstance(what, tuple) else (what,)
    return apply_filters(spectrum, filters, threads=threads)


def apply_filters(spectrum: Spectrum, filters: tuple[Filter, ...], *, threads: int = 1) -> Spectrum:
    """Spectrum times the product of the filters' masks, in the same precision."""
    half = spectrum.half
    filtered = half.copy()
    fy, fx = frequencies(spectrum.shape)

    def block(start: int, stop: int) -> None:
        for each in filters:
            filtered[start:stop] *= each.mask(fy[start:stop], fx, spectrum.shape)

    rows = rows_per_block(half.shape[1] * half.dtype.itemsize)
    map_rows(block, half.shape[0], rows, threads=threads)
    return Spectrum(filtered, spectrum.width)


def _parse_one(text: str) -> Filter:
    name, _, numbers = text.partition(":")
    kind = next((kind for kind in KINDS if kind.name == name.strip()), None)
    if kind is None:
        forms = ", ".join(kind.form for kind in KINDS)
        raise ValueError(f"{text!r}: expected one of {forms}, or several joined by +")
    try:
        return _build(kind, numbers)
    except ValueError as exc:
        raise ValueError(f"{text!r}: {exc}; the form is {kind.form}") from None


def _build(kind: type[Filter], text: str) -> Filter:
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


def _bell(distance: NDArray[np.floating[Any]]) -> Mask:
    bell: Mask = np.exp(-0.5 * np.square(distance)).astype(np.float32)
    return bell


def _cyclic(difference: Frequencies) -> Frequencies:
    """Shortest way between two frequencies, which repeat after one cycle per pixel."""
    return difference - np.round(difference)


def _at_nyquist(frequency: Frequencies) -> NDArray[np.bool_]:
    return np.abs(np.abs(frequency) - 0.5) < TOLERANCE


def _keep_mean(mask: Mask, fy: Frequencies, fx: Frequencies) -> Mask:
    mask[(fy == 0) & (fx == 0)] = 1
    return mask
