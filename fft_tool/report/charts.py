"""Charts of a record as inline SVG.

Colours and line widths come from the page's style sheet, so that charts follow its light and dark
themes. Each chart has a text label for screen readers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from fft_tool.report import svg
from fft_tool.report.markup import Markup, element, join
from fft_tool.report.sentences import angle, length_unit, number, period, superscript

Json = Mapping[str, Any]

MARKED_PEAKS = 3

_STEPS = ((1, 1.5, 2, 3, 4, 5, 6, 8), (1, 2, 5), (1, 3), (1,))
_MAX_TICKS = 7


@dataclass(frozen=True, slots=True)
class LogAxis:
    """A logarithmic axis from ``low`` to ``high``, drawn from coordinate ``start`` to ``stop``."""

    low: float
    high: float
    start: float
    stop: float

    def place(self, value: float) -> float:
        """Coordinate of a value."""
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.stop - self.start)

    def ticks(self) -> list[float]:
        """At most seven round values within the range, such as 1, 2 and 5 times powers of ten."""
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for steps in _STEPS:
            ticks = [
                value
                for decade in decades
                for step in steps
                if self.low <= (value := float(f"{step}e{decade}")) <= self.high
            ]
            if len(ticks) <= _MAX_TICKS:
                return ticks
        return ticks[:: math.ceil(len(ticks) / _MAX_TICKS)]


def radial_plot(measures: Json) -> Markup | None:
    """Plot mean power against frequency on log axes, with fitted slope and dominant periods.

    ``measures`` is the record's section of that name. The lower axis shows cycles per pixel; the
    upper ones show periods in pixels and, if pixels are square and their size is known, in units of
    length. Returns None unless at least two frequencies have power.
    """
    profile = measures["radial_profile"]
    points = [(f, p) for f, p in zip(profile["frequency"], profile["mean"], strict=True) if p > 0]
    if len(points) < 2:
        return None
    unit_size = measures["pixel_size_um"][0] if "frequency_per_um" in profile else None
    top = 78 if unit_size else 40
    powers = [power for _, power in points]
    x = LogAxis(points[0][0], max(points[-1][0], 0.5), 46, 428)
    y = LogAxis(min(powers) / 1.5, max(powers) * 1.5, top + 212, top)
    return svg.chart(
        (440, top + 254),
        _radial_label(measures, points),
        _left_axis(x, y),
        _bottom_axis(x, y),
        _period_axis(x, top, 1.0, "px"),
        _physical_axis(x, unit_size) if unit_size else None,
        _period_marks(measures["peaks"], x, y),
        svg.path(((x.place(f), y.place(p)) for f, p in points), class_="curve"),
        _slope_line(measures, x, y),
        name="radial",
        low=x.low,
        high=x.high,
        start=x.start,
        stop=x.stop,
        top=y.stop,
        bottom=y.start,
    )


def histogram_plot(statistics: Json, *, beside: Sequence[Json] = ()) -> Markup:
    """Plot the histogram of the grey plane, with those of colour channels as lines on top.

    ``statistics`` is the record's section of that name. Charts that are drawn ``beside`` the
    statistics of other images have one scale: the same height is the same share of the pixels of
    each image. The solid area shows counts on a linear
    scale, the light area behind it the same on a logarithmic scale; a dashed line marks the
    threshold.
    """
    grey = statistics["grey"]
    counts = grey["histogram"]["counts"]
    channels = {name: statistics[name]["histogram"]["counts"] for name in _colours(statistics)}
    pixels = sum(counts)
    most = pixels * max(map(_highest, (statistics, *beside)))
    most_grey = pixels * max(_highest_grey(each) for each in (statistics, *beside))
    cut = _bar_edge((grey["threshold"]["value"] + 1) / (grey["white"] + 1))
    return svg.chart(
        (320, 200),
        f"Histogram of grey values: mean {number(grey['mean'])}, from {grey['minimum']:,} to "
        f"{grey['maximum']:,} on a scale from 0 to {grey['white']:,}.",
        _bars((math.log1p(n) / math.log1p(most_grey) for n in counts), class_="rare"),
        _bars((count / most for count in counts), class_="bars"),
        *(
            _bars((count / most for count in each), class_=f"channel {name}")
            for name, each in channels.items()
        ),
        svg.line(cut, 12, cut, 168, class_="threshold"),
        svg.line(12, 168, 308, 168, class_="axis"),
        *(
            svg.text(_bar_edge(value / (grey["white"] + 1)), 184, f"{value:,}", anchor)
            for value, anchor in (
                (0, "start"),
                ((grey["white"] + 1) // 2, "middle"),
                (grey["white"], "end"),
            )
        ),
        name="histogram",
    )


def _colours(statistics: Json) -> list[str]:
    return [name for name in ("red", "green", "blue") if name in statistics]


def _highest(statistics: Json) -> float:
    """Largest share of the pixels in one bar, of any channel."""
    return max(_share_of_highest(statistics[name]) for name in ("grey", *_colours(statistics)))


def _highest_grey(statistics: Json) -> float:
    return _share_of_highest(statistics["grey"])


def _share_of_highest(plane: Json) -> float:
    counts = plane["histogram"]["counts"]
    return float(max(counts) / sum(counts))


def rose_plot(orientation: Json | None) -> Markup | None:
    """Plot the distribution of power over the directions of waves, y up; areas are fractions.

    ``orientation`` is part of the record's measures. All sectors would end at the circle if no
    direction were preferred; the line marks the dominant angle. Returns None if there is no
    orientation.
    """
    if orientation is None:
        return None
    shares = orientation["histogram"]
    radii = [86 * math.sqrt(share / max(shares)) for share in shares]
    half = 90 / len(shares)
    sectors = " ".join(
        _sector(degrees + turn, half, radius)
        for degrees, radius in zip(orientation["angles"], radii, strict=True)
        for turn in (0, 180)
    )
    even = 86 * math.sqrt(1 / (len(shares) * max(shares)))
    dominant, strength = orientation["angle"], orientation["anisotropy"]
    return svg.chart(
        (240, 232),
        f"Directions of the waves: dominant angle {angle(dominant)}, "
        f"anisotropy {number(strength, 2)} of 1.",
        *(svg.line(*_polar(t, 92), *_polar(t + 180, 92), class_="grid") for t in (0, 45, 90, 135)),
        element("path", d=sectors, class_="bars"),
        element("circle", cx=120, cy=116, r=f"{even:.1f}", class_="even"),
        svg.line(*_polar(dominant, 96), *_polar(dominant + 180, 96), class_="dominant")
        if strength >= 0.05
        else None,
        *(
            svg.text(*_polar(t, 105), f"{t}°", "middle", dominant_baseline="central")
            for t in (0, 45, 90, 135, 180)
        ),
        name="rose",
    )


def peak_marks(peaks: Sequence[Json], width: int, height: int) -> Markup:
    """Overlay for a picture of ``width`` × ``height`` pixels: circles around the spectrum's peaks.

    Each wave has two circles, since F[-k] mirrors F[k]; pointing at one shows the wave's period and
    angle. For the strongest waves, the circle at the angle in [0, 180) has a number.
    """
    size = max(width, height)
    circles: list[Markup] = []
    for order, peak in enumerate(peaks, start=1):
        told = f"{period(peak)} at {angle(peak['angle'])}"
        for sign in (1, -1):
            cx = (width // 2 + sign * peak["fx"] * width) % width + 0.5
            cy = (height // 2 - sign * peak["fy"] * height) % height + 0.5
            place = {"cx": f"{cx:.2f}", "cy": f"{cy:.2f}", "r": f"{size / 40:.2f}"}
            circles.append(element("circle", element("title", told), **place))
            if sign == 1 and order <= MARKED_PEAKS:
                left = cx > 0.92 * width
                x = cx + (-1 if left else 1) * size / 28
                y = max(cy - size / 60, size / 20)
                circles.append(
                    svg.text(x, y, order, "end" if left else "start", font_size=f"{size / 24:.2f}")
                )
    box = f"0 0 {width} {height}"
    return element("svg", *circles, viewBox=box, class_="marks", aria_hidden="true")


def _radial_label(measures: Json, points: list[tuple[float, float]]) -> str:
    (low, first), (high, last) = points[0], points[-1]
    text = (
        f"Mean power against frequency: {number(first)} at {number(low)} cycles per pixel, "
        f"{number(last)} at {number(high)}."
    )
    slope = measures["slope"]
    return f"{text} Fitted slope {number(-slope['beta'])}." if slope else text


def _left_axis(x: LogAxis, y: LogAxis) -> Markup:
    ticks = y.ticks()
    return join(
        [
            *(svg.line(x.start, y.place(t), x.stop, y.place(t), class_="grid") for t in ticks),
            *(svg.text(x.start - 6, y.place(t) + 4, _power_of_ten(t), "end") for t in ticks),
            svg.text(2, y.stop - 8, "power", "start"),
        ]
    )


def _bottom_axis(x: LogAxis, y: LogAxis) -> Markup:
    ticks = x.ticks()
    return join(
        [
            *(svg.line(x.place(t), y.start, x.place(t), y.stop, class_="grid") for t in ticks),
            svg.line(x.start, y.start, x.stop, y.start, class_="axis"),
            *(svg.text(x.place(t), y.start + 16, f"{t:g}", "middle") for t in ticks),
            svg.text((x.start + x.stop) / 2, y.start + 34, "frequency, cycles per pixel", "middle"),
        ]
    )


def _period_axis(x: LogAxis, line: float, pixel: float, unit: str) -> Markup:
    """Axis of periods above the plot, in a ``unit`` in which a pixel measures ``pixel``."""
    periods = LogAxis(pixel / x.high, pixel / x.low, x.stop, x.start)
    places = [(periods.place(t), f"{t:,g}") for t in periods.ticks()]
    return join(
        [
            svg.line(x.start, line, x.stop, line, class_="axis"),
            *(svg.line(place, line, place, line - 4, class_="axis") for place, _ in places),
            *(svg.text(place, line - 8, text, "middle") for place, text in places),
            svg.text((x.start + x.stop) / 2, line - 24, f"period, {unit}", "middle"),
        ]
    )


def _physical_axis(x: LogAxis, pixel_size_um: float) -> Markup:
    unit, size = length_unit(pixel_size_um / math.sqrt(x.low * x.high))
    return _period_axis(x, 38, pixel_size_um / size, unit)


def _power_of_ten(value: float) -> str:
    if 1e-2 <= value < 1e4:
        return f"{value:g}"
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{'' if mantissa == '1' else f'{mantissa}·'}10{superscript(int(exponent))}"


def _period_marks(peaks: Sequence[Json], x: LogAxis, y: LogAxis) -> Markup:
    """Numbered lines at the frequencies of the strongest peaks; coinciding peaks share a line."""
    marks: dict[float, list[str]] = {}
    for order, peak in enumerate(peaks[:MARKED_PEAKS], start=1):
        if x.low <= peak["frequency"] <= x.high:
            place = x.place(peak["frequency"])
            near = next((other for other in marks if abs(other - place) < 12), place)
            marks.setdefault(near, []).append(str(order))
    return join(
        join(
            [
                svg.line(place, y.start, place, y.stop, class_="period"),
                svg.text(place + 4, y.stop + 13, ", ".join(orders), "start", class_="order"),
            ]
        )
        for place, orders in marks.items()
    )


def _slope_line(measures: Json, x: LogAxis, y: LogAxis) -> Markup | None:
    """Line of the fitted power law, through the mean of the logarithms in its band."""
    slope, profile = measures["slope"], measures["radial_profile"]
    if slope is None:
        return None
    rings = zip(profile["frequency"], profile["mean"], profile["count"], strict=True)
    band = [(f, p, n) for f, p, n in rings if slope["low"] <= f <= slope["high"] and p > 0]
    if not band:
        return None
    total = sum(n for _, _, n in band)
    level = sum(n * (math.log(p) + slope["beta"] * math.log(f)) for f, p, n in band) / total
    ends = [(f, math.exp(level) * f ** -slope["beta"]) for f in (slope["low"], slope["high"])]
    return svg.path(((x.place(f), y.place(p)) for f, p in ends), class_="fit")


def _bars(heights: Iterable[float], class_: str) -> Markup:
    """Outline of histogram bars with heights from 0 to 1.

    Coordinates are whole: one unit to the right for each bar, and a tenth of a pixel up.
    """
    levels = [round(1500 * height) for height in heights]
    steps = (f"v{after - before}h1" for before, after in pairwise([0, *levels]))
    width = 296 / len(levels)
    return element(
        "path",
        d=f"M0 0{''.join(steps)}V0Z".replace("v0h", "h"),
        transform=f"translate(12 168) scale({width:.5f} -.1)",
        class_=class_,
    )


def _bar_edge(share: float) -> float:
    return 12 + 296 * share


def _sector(degrees: float, half: float, radius: float) -> str:
    (x1, y1), (x2, y2) = _polar(degrees - half, radius), _polar(degrees + half, radius)
    arc = f"A{radius:.1f} {radius:.1f} 0 0 0 {x2:.1f} {y2:.1f}"
    return f"M120 116L{x1:.1f} {y1:.1f}{arc}Z"


def _polar(degrees: float, radius: float) -> tuple[float, float]:
    """Coordinates in the rose plot, y up."""
    turn = math.radians(degrees)
    return 120 + radius * math.cos(turn), 116 - radius * math.sin(turn)
