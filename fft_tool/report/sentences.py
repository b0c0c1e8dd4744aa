"""Findings of a record in plain sentences, and formatting of the numbers in them.

The sentences state what was measured. Interpretations ("as in photographs") are always accompanied
by the measured value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

Json = Mapping[str, Any]

PATTERN_PERIODS = 4  # with fewer periods in the image, a wave may be layout rather than a pattern

_SAME_PERIOD = 0.02  # relative tolerance for waves of the same lattice
_SAME_ANGLE = 2.0  # tolerance in degrees
_SAME_PLACE = 0.5  # tolerance in coefficients for multiples and sums of waves
_SMALL = 16  # pixels; in smaller images, directions and fractions depend on few coefficients
_NATURAL = (1.6, 3)  # slopes of most photographs
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LENGTHS = ((1.0, "nm", 1e-3), (1e3, "µm", 1.0), (1e6, "mm", 1e3), (math.inf, "m", 1e6))
_BYTES = ((1e3, "bytes", 1), (1e6, "kB", 1e3), (1e9, "MB", 1e6), (math.inf, "GB", 1e9))


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding on one ``topic``: a ``text`` of one or more sentences, without markup."""

    topic: str
    text: str


def findings(record: Json) -> tuple[Finding, ...]:
    """Findings of a record (see :mod:`fft_tool.results.record`), the most significant first.

    A rejected source has one finding, the reason. Measures that do not exist for an image (the
    direction of a single row, the slope of a tiny image) are omitted, never guessed.

    >>> [finding.topic for finding in findings(record)]
    ['Waves', 'Directions', 'Slope', 'Detail', 'Clipping', 'Inversion']
    """
    if record["outcome"] == "rejected":
        return (Finding("Rejected", str(record["error"]["message"])),)
    return tuple(_findings(record))


def dominant(record: Json) -> Json | None:
    """Peak to name in a one-line summary, or None if there are no peaks.

    This is the strongest wave with at least four periods in the image or, failing that, the
    strongest wave.
    """
    peaks: Sequence[Json] = record["measures"]["peaks"]
    return next((peak for peak in peaks if _is_pattern(peak, record)), peaks[0] if peaks else None)


def number(value: float, digits: int = 3) -> str:
    """Format a number with the given significant digits; integer digits are never dropped.

    >>> number(0.019687), number(13007.1), number(-2e-7)
    ('0.0197', '13,007', '−2.00 × 10⁻⁷')
    """
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if value and not -4 <= int(exponent) <= 8:
        text = f"{mantissa} × 10{superscript(int(exponent))}"
    elif value:
        text = f"{value:,.{max(digits - 1 - int(exponent), 0)}f}"
    else:
        text = "0"
    return text.replace("-", "−")


def superscript(exponent: int) -> str:
    """Format an integer in superscript digits."""
    return str(exponent).translate(_SUPERSCRIPTS)


def length(micrometres: float, digits: int = 3) -> str:
    """Format a length in a suitable unit: nm, µm, mm or m."""
    unit, size = length_unit(micrometres)
    return f"{number(micrometres / size, digits)} {unit}"


def length_unit(micrometres: float) -> tuple[str, float]:
    """Return a suitable unit for a length, and the size of the unit in micrometres."""
    return next((unit, size) for below, unit, size in _LENGTHS if micrometres < below)


def percent(share: float) -> str:
    """Format a fraction as a percentage with one decimal, never rounding to 0 % or 100 %."""
    if 0 < share < 0.001:
        return "under 0.1 %"
    if 0.999 < share < 1:
        return "over 99.9 %"
    return f"{100 * share:.3g} %" if share in (0, 1) else f"{100 * share:.1f} %"


def file_size(count: int) -> str:
    """Format a number of bytes."""
    unit, size = next((unit, size) for below, unit, size in _BYTES if count < below)
    return f"{number(count / size)} {unit}" if size > 1 else f"{count} {unit}"


def decimal(value: float, places: int = 2) -> str:
    """Format a number with the given number of decimals."""
    return f"{value:,.{places}f}".replace("-", "−")


def with_error(value: float, error: float) -> str:
    """Format a value with its standard error, with two decimals or more if the error is small."""
    places = min(max(2, -math.floor(math.log10(error))), 4) if error else 4
    return f"{decimal(value, places)} ± {decimal(error, places)}"


def period(peak: Json) -> str:
    """Format a wave's period in pixels and, if known, in units of length."""
    pixels = f"{number(peak['period'])} px"
    return f"{pixels} = {length(peak['period_um'])}" if "period_um" in peak else pixels


def angle(degrees: float) -> str:
    """Format an angle in degrees, from 0 to below 180."""
    return f"{degrees % 180:.1f}°".replace("180.0", "0.0")


def _findings(record: Json) -> Iterator[Finding]:
    grey = record["statistics"]["grey"]
    if grey["minimum"] == grey["maximum"]:
        yield _constant(grey)
    else:
        yield _waves(record)
        yield from _directions(record)
        yield from _slope(record["measures"]["slope"])
        yield from _detail(record)
        yield _clipping(grey)
    yield _inversion(record)
    yield from _origin(record["image"], record["recipe"]["values"])


def _origin(image: Json, recipe: Json) -> Iterator[Finding]:
    """Which frame was analysed, and which values its levels stand for."""
    frames, values = image["frames"], image.get("values")
    if frames > 1 and recipe.get("frame", "none") == "none":
        yield Finding("Frames", f"Only the first of {frames:,} frames was analysed.")
    elif frames > 1:
        yield Finding("Frames", f"Frame {image['frame']:,} of {frames:,} was analysed.")
    if values:
        yield Finding("Values", " ".join(_on_values(values)))


def _on_values(values: Json) -> Iterator[str]:
    yield (
        f"The image has values from {values['minimum']:.6g} to {values['maximum']:.6g}, scaled to "
        f"grey levels: value = {values['offset']:.6g} + {values['step']:.6g} · level."
    )
    if values["clipped"]:
        yield f"{values['clipped']:,} of them were out of range and became black or white."
    if values["exact"]:
        yield "The levels give every value back exactly."
    else:
        yield "The levels give values back to within half a step, not exactly."


def _constant(grey: Json) -> Finding:
    return Finding(
        "Constant",
        f"All pixels have the value {grey['minimum']:,}: beside their sum, the spectrum is empty.",
    )


def _waves(record: Json) -> Finding:
    first = dominant(record)
    if first is None:
        text = "No wave stands out from the spectrum: no regular pattern was found."
        return Finding("Waves", text)
    return Finding("Waves", " ".join(_on_waves(record, first)))


def _on_waves(record: Json, first: Json) -> Iterator[str]:
    peaks = record["measures"]["peaks"]
    yield _described(record, first)
    lattice = _lattice(record, first)
    if lattice:
        yield _lattice_sentence(lattice)
    base = lattice or [first]
    family = [peak for peak in peaks if peak not in base and _is_sum(peak, base[:2], record)]
    if family:
        waves = _count(len(family), "further wave is", "further waves are")
        at = "sums and multiples of these" if lattice else "multiples of its frequency"
        yield f"{waves} at {at}: the pattern is not purely sinusoidal."
    told = [*base, *family]
    others = [peak for peak in peaks if peak not in told and _is_pattern(peak, record)]
    if others:
        waves = " and ".join(f"{period(peak)} at {angle(peak['angle'])}" for peak in others[:2])
        yield f"{'Next comes' if len(others) == 1 else 'Next come'} {waves}."
    if first is not peaks[0]:
        yield f"A longer wave, of {period(peaks[0])}, is stronger, but {_layout(peaks[0], record)}."


def _described(record: Json, first: Json) -> str:
    text = f"The dominant wave has a period of {period(first)}, at {angle(first['angle'])}: "
    text += _stripes(first["angle"])
    text += f", with an amplitude of {number(first['amplitude'])} grey levels"
    if not _is_pattern(first, record):
        text += f"; {_layout(first, record)}"
    return f"{text}."


def _stripes(degrees: float) -> str:
    if min(degrees, 180 - degrees) < _SAME_ANGLE:
        return "vertical stripes"
    if abs(degrees - 90) < _SAME_ANGLE:
        return "horizontal stripes"
    return f"stripes that run at {angle(degrees + 90)}"


def _layout(peak: Json, record: Json) -> str:
    periods = number(_periods(peak, record), 2)
    return f"with {periods} periods in the image it may be its layout rather than a pattern"


def _lattice(record: Json, first: Json) -> list[Json]:
    """Waves that make a square (two) or hexagonal (three) lattice with ``first``, or none."""
    size = record["measures"]["pixel_size_um"]
    if size and not math.isclose(*size, rel_tol=_SAME_PERIOD):
        return []  # square in pixels is not square in physical units
    same = [
        peak
        for peak in record["measures"]["peaks"]
        if math.isclose(peak["period"], first["period"], rel_tol=_SAME_PERIOD)
    ]
    angles = sorted(peak["angle"] for peak in same)
    gaps = [b - a for a, b in pairwise([*angles, angles[0] + 180])]
    regular = all(abs(gap - 180 / len(same)) < _SAME_ANGLE for gap in gaps)
    return same if len(same) in (2, 3) and regular else []


def _lattice_sentence(lattice: list[Json]) -> str:
    square = len(lattice) == 2
    widening = 1 if square else 2 / math.sqrt(3)  # rows are closer than neighbours in a row
    spacing = {
        key: widening * sum(peak[key] for peak in lattice) / len(lattice)
        for key in ("period", "period_um")
        if key in lattice[0]
    }
    made_of = "Two such waves at right angles" if square else "Three such waves, 60° apart,"
    return (
        f"{made_of} make a {'square' if square else 'hexagonal'} lattice: "
        f"neighbours are {period(spacing)} apart."
    )


def _is_sum(peak: Json, base: Sequence[Json], record: Json) -> bool:
    """Whether a wave's vector is a sum of whole multiples of one or two base vectors."""
    if not _is_pattern(base[0], record):
        return False  # multiples of so low a frequency lie everywhere
    size = np.array([record["spectrum"]["width"], record["spectrum"]["height"]])
    vectors = np.array([(wave["fx"], wave["fy"]) for wave in base]) * size
    vector = np.array([peak["fx"], peak["fy"]]) * size
    multiples = np.rint(vector @ np.linalg.pinv(vectors))
    return bool(multiples.any()) and math.hypot(*(vector - multiples @ vectors)) < _SAME_PLACE


def _periods(peak: Json, record: Json) -> float:
    spectrum = record["spectrum"]
    return float(max(abs(peak["fx"]) * spectrum["width"], abs(peak["fy"]) * spectrum["height"]))


def _is_pattern(peak: Json, record: Json) -> bool:
    return _periods(peak, record) >= PATTERN_PERIODS


def _directions(record: Json) -> Iterator[Finding]:
    orientation, spectrum = record["measures"]["orientation"], record["spectrum"]
    if orientation is None or min(spectrum["width"], spectrum["height"]) < _SMALL:
        return
    strength = orientation["anisotropy"]
    if strength < 0.05:
        text = f"No direction is preferred (anisotropy {number(strength, 2)} of 1)."
    else:
        how = "slightly prefer" if strength < 0.3 else "clearly prefer"
        text = (
            f"The waves {how} {angle(orientation['angle'])} (anisotropy {number(strength, 2)} "
            "of 1); edges and stripes run square to that."
        )
    yield Finding("Directions", text)


def _slope(slope: Json | None) -> Iterator[Finding]:
    """Compare beta with those of photographs of natural scenes, most of them from 1.6 to 3.

    D. J. Tolhurst, Y. Tadmor, T. Chao, "Amplitude spectra of natural images", Ophthalmic and
    Physiological Optics 12 (1992) 229-232: slopes of amplitude from 0.8 to 1.5.
    """
    if slope is None:
        return
    beta, error = slope["beta"], slope["error"]
    band = f"from {number(slope['low'], 2)} to {number(slope['high'], 2)} cycles per pixel"
    fit = f"(β = {with_error(beta, error)})"
    if error > 0.3:
        text = f"Power follows no clear power law {band} {fit}."
    elif abs(beta) < 0.5:
        text = f"Power hardly depends on frequency {band} {fit}, as in white noise."
    elif beta < 0:
        text = f"Power rises with frequency {band} {fit}."
    else:
        text = f"Power falls as 1/f^{beta:.2f} {band} {fit}: {_compared(beta)}."
    yield Finding("Slope", text)


def _compared(beta: float) -> str:
    low, high = _NATURAL
    if beta < low:
        return f"more fine detail, or noise, than in most photographs (β from {low} to {high})"
    if beta > high:
        return f"less fine detail than in most photographs (β from {low} to {high})"
    return f"as in most photographs (β from {low} to {high})"


def _detail(record: Json) -> Iterator[Finding]:
    fraction, sharpness = record["measures"]["high_frequency_fraction"], record["sharpness"]
    sentences = []
    if fraction is not None:
        sentences.append(_fine_detail(fraction, record["spectrum"]))
    if sharpness is not None:
        sentences.append(
            f"The variance of the Laplacian is {number(sharpness['laplacian_variance'])}, "
            "to be compared between images of one subject only."
        )
    if sentences:
        yield Finding("Detail", " ".join(sentences))


def _fine_detail(fraction: float, spectrum: Json) -> str:
    if fraction == 0:
        return "There is no detail at periods below 4 px beyond the rounding of grey levels."
    text = f"{percent(fraction)} of the energy beside the mean lies at periods below 4 px"
    wide = min(spectrum["width"], spectrum["height"]) >= _SMALL
    noise = " (white noise: 80 %)" if wide else ""
    return f"{text[0].upper()}{text[1:]}{noise}."


def _clipping(grey: Json) -> Finding:
    black, white = grey["clipped_share"]["black"], grey["clipped_share"]["white"]
    if black == white == 0:
        text = (
            f"No pixel is clipped: the values go from {grey['minimum']:,} to "
            f"{grey['maximum']:,} on a scale from 0 to {grey['white']:,}."
        )
        return Finding("Clipping", text)
    ends = ((black, "0", "darker"), (white, f"{grey['white']:,}", "brighter"))
    shares = ", ".join(f"{percent(share)} of the pixels at {at}" for share, at, _ in ends if share)
    lost = " or ".join(what for share, _, what in ends if share)
    return Finding("Clipping", f"Clipped: {shares}. Anything {lost} is lost there.")


def _inversion(record: Json) -> Finding:
    certificate = record["certificate"]
    if certificate is None:
        text = f"The artifacts do not give the image back: {_missing(record)}."
        return Finding("Inversion", text)
    saved = certificate["from"] == "spectrum"
    what = "The saved spectrum" if saved else f"The {record['spectrum']['bits']}-bit pictures"
    if certificate["exact"]:
        gives = "gives" if saved else "give"
        text = f"{what} {gives} {_subject(record)} back {_exactly(certificate)}"
    else:
        does = "does" if saved else "do"
        error = _error(record, certificate)
        text = f"{what} {does} not give {_subject(record)} back exactly: {error}"
    if certificate["lost_pixels"]:
        lost = _count(certificate["lost_pixels"], "pixel", "pixels")
        text += f" The window has taken {lost} at the border to zero."
    return Finding("Inversion", text)


def _exactly(certificate: Json) -> str:
    corrected = certificate.get("corrected_pixels")  # records of earlier versions have none
    if not corrected:
        return "bit for bit."
    pixels = _count(corrected, "pixel", "pixels")
    return f"bit for bit, {pixels} of it from the correction in the record."


def _missing(record: Json) -> str:
    values = record["recipe"]["values"]
    missing = [kind for kind in ("magnitude", "phase") if values.get(kind) == "no"]
    if missing == ["magnitude", "phase"]:
        return "no pictures were made"
    return f"there is no {missing[0]} picture" if missing else "the pictures are in colour"


def _subject(record: Json) -> str:
    if record["image"]["channels"] != ["grey"]:
        return "the grey image that was analysed"
    return "the source" if record["region"]["method"] == "whole" else "the region"


def _error(record: Json, certificate: Json) -> str:
    levels = _count(certificate["max_abs_error"], "grey level", "grey levels")
    ratio = certificate["psnr_db"]
    text = f"errors reach {levels} of {record['spectrum']['preparation']['white']:,}"
    return f"{text}, at {ratio:.1f} dB (PSNR)." if ratio is not None else f"{text}."


def _count(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
