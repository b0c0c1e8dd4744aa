"""What a comparison of two images says: each measure as a line, and in a sentence.

Sentences state what was measured, and what follows from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fft_tool.report.sentences import length, number
from fft_tool.results.likeness import Comparison, Displacement, Likeness, Rings

COPY_BITS = 10
"""Hashes that differ in so few bits are those of one picture: one in 10⁸ random pairs does."""

CHANCE_BITS = 22
"""Hashes that differ in so many bits say nothing: one in 100 random pairs differs in fewer."""

_CONSTANT = "none: an image is constant"
_APART = 0.5  # pixels from which on images are not aligned
_NYQUIST = 0.5  # cycles per pixel


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure: its ``name``, its ``value`` in short, and what that ``says``."""

    name: str
    value: str
    says: str


def measures(found: Comparison, pixel_um: float | None = None) -> tuple[Measure, ...]:
    """All measures of a comparison, in the order in which the command line prints them.

    ``pixel_um`` is the side of a pixel in micrometres, if both images have that.
    """
    return tuple(_measures(found, pixel_um))


def are_apart(found: Comparison) -> bool:
    """Whether the images show the same at different places, so that pixels do not correspond."""
    shift = found.shift
    return shift is not None and shift.reliable and max(abs(shift.right), abs(shift.down)) > _APART


def _measures(found: Comparison, pixel_um: float | None) -> Iterator[Measure]:
    pixels = found.likeness
    fitted = ", scaled down to a common size" if pixels.fitted else ""
    yield Measure(
        "size",
        f"{pixels.width:,} × {pixels.height:,}{fitted}",
        "The size at which they were compared, by their grey levels.",
    )
    yield _ratio(pixels)
    yield _similarity(pixels)
    yield _difference(pixels)
    yield _correlation(pixels)
    yield _hash(pixels)
    yield _shift(found.shift)
    yield _resolution(found, pixel_um)


def _ratio(pixels: Likeness) -> Measure:
    if pixels.psnr_db is None:
        return Measure(
            "PSNR", "none: the grey levels are equal", "There is no difference to measure."
        )
    error = pixels.white / 10 ** (pixels.psnr_db / 20)
    return Measure(
        "PSNR",
        f"{pixels.psnr_db:.2f} dB, of white {pixels.white:,}",
        f"The root mean square difference is {number(error)} of {pixels.white:,} grey levels; "
        "6 dB more would be half of it.",
    )


def _similarity(pixels: Likeness) -> Measure:
    if pixels.ssim is None:
        return Measure("SSIM", "none: a side is too short", "It needs windows of 7 × 7 pixels.")
    return Measure(
        "SSIM",
        f"{pixels.ssim:.4f}",
        "How much local means, contrasts and structures agree: 1 if they are equal, about 0 if "
        "they have nothing to do with each other.",
    )


def _difference(pixels: Likeness) -> Measure:
    mean, most = number(pixels.mean_difference), number(pixels.max_difference)
    says = (
        "Every pixel has the same grey level in both."
        if pixels.identical
        else "Absolute differences of pixels at the same place."
    )
    return Measure("difference", f"{mean} grey levels on average, {most} at most", says)


def _correlation(pixels: Likeness) -> Measure:
    if pixels.correlation is None:
        return Measure("correlation", _CONSTANT, "A constant image goes along with nothing.")
    return Measure(
        "correlation",
        f"{pixels.correlation:.4f}",
        "Of the grey levels at the same place: 1 if one is the other at another brightness and "
        "contrast, −1 if it is its negative.",
    )


def _hash(pixels: Likeness) -> Measure:
    distance = pixels.hash_distance
    if distance <= COPY_BITS:
        says = "Both are versions of one picture, as scaled or compressed copies are."
    elif distance < CHANCE_BITS:
        says = "They may be related: more alike than unrelated pictures are, less than copies."
    else:
        says = "They are unrelated, as far as coarse structure tells: chance gives about 32."
    return Measure("hash", f"{distance} of 64 bits differ: {' '.join(pixels.hashes)}", says)


def _shift(shift: Displacement | None) -> Measure:
    if shift is None:
        return Measure("shift", _CONSTANT, "Nothing in it can be found at another place.")
    if not shift.reliable:
        return Measure(
            "shift",
            f"none found: a peak of {shift.peak:.3f} may be chance",
            "One in 1000 pairs of unrelated images, or more, reach such a peak.",
        )
    right, down = _signed(shift.right), _signed(shift.down)
    value = f"{right} px to the right, {down} px down, peak {shift.peak:.3f}"
    if max(abs(shift.right), abs(shift.down)) <= _APART:
        return Measure("shift", value, "They are aligned: pixels show the same.")
    return Measure(
        "shift",
        value,
        f"What the first shows at (x, y) is at (x {_added(shift.right)}, y {_added(shift.down)}) "
        "in the second. Align them before trusting the other numbers.",
    )


def _resolution(found: Comparison, pixel_um: float | None) -> Measure:
    value = resolutions(found.rings)
    if are_apart(found):
        says = "They are not aligned, which takes fine detail away from what both have in common."
        return Measure("resolution", f"{value}, of images that are not aligned", says)
    at = found.rings.resolution["0.143"]
    if at is None:
        says = "What they have in common could be chance at any frequency."
    elif at == _NYQUIST:
        says = "They agree to the finest detail that pixels can hold; noise in both counts as such."
    else:
        says = f"They agree in detail down to a period of {_period(at, pixel_um)}."
    return Measure("resolution", value, says)


def resolutions(rings: Rings) -> str:
    """Resolution by each threshold.

    >>> resolutions(Rings((), (), (), {"0.143": 0.25, "half-bit": None}))
    '0.250 cycles/px, 4.00 px (0.143); none (half-bit)'
    """
    return "; ".join(f"{_at(at)} ({name})" for name, at in rings.resolution.items())


def _at(frequency: float | None) -> str:
    if frequency is None:
        return "none"
    nyquist = "Nyquist, " if frequency == _NYQUIST else ""
    return f"{nyquist}{number(frequency)} cycles/px, {number(1 / frequency)} px"


def _period(frequency: float, pixel_um: float | None) -> str:
    physical = f" = {length(pixel_um / frequency)}" if pixel_um else ""
    return f"{number(1 / frequency)} px{physical}"


def _signed(value: float) -> str:
    return f"{value + 0.0:.2f}".replace("-0.00", "0.00").replace("-", "−")


def _added(value: float) -> str:
    return f"{'−' if value < 0 else '+'} {abs(value):.2f}"
