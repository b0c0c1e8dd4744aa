"""Line charts as SVG files that can be looked at on their own, in light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from fft_tool.report.charts import LogAxis
from fft_tool.report.markup import Markup, element, join

WIDTH, HEIGHT = 700, 400
LEFT, RIGHT, TOP, BOTTOM = 78, 674, 84, 344
LEGEND_ROW = 20

# Okabe and Ito's colours, which people with any colour vision can tell apart, and dashes.
STYLES = (
    ("#0072b2", ""),
    ("#d55e00", "8 4"),
    ("#009e73", "2 3"),
    ("#7b3294", "10 3 2 3"),
    ("#6b6b6b", "5 5"),
)


@dataclass(frozen=True, slots=True)
class LinearAxis:
    """An axis from ``low`` to ``high``, drawn from coordinate ``start`` to ``stop``."""

    low: float
    high: float
    start: float
    stop: float

    def place(self, value: float) -> float:
        """Coordinate of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start)

    def ticks(self) -> list[float]:
        """Between four and eight round values."""
        rough = (self.high - self.low) / 6
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= rough)
        first = math.ceil(self.low / step - 1e-9)
        return [round(n * step, 10) for n in range(first, math.floor(self.high / step + 1e-9) + 1)]


@dataclass(frozen=True, slots=True)
class Line:
    """A curve with its name in the legend."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Scale:
    """What an axis shows, with its unit, and its range."""

    label: str
    low: float
    high: float
    log: bool = False

    def axis(self, start: float, stop: float) -> LinearAxis | LogAxis:
        """Place it between two coordinates."""
        return (LogAxis if self.log else LinearAxis)(self.low, self.high, start, stop)


@dataclass(frozen=True, slots=True)
class Chart:
    """A line chart; ``levels`` are horizontal lines with a name, such as a limit."""

    title: str
    x: Scale
    y: Scale
    lines: Sequence[Line]
    levels: Sequence[tuple[str, float]] = field(default_factory=tuple)

    def svg(self) -> str:
        """Return the content of the file."""
        x, y = self.x.axis(LEFT, RIGHT), self.y.axis(BOTTOM, TOP)
        return (
            element(
                "svg",
                element("title", self.title),
                element("rect", width=WIDTH, height=HEIGHT, fill="#fff"),
                _text(16, 26, self.title, "start", font_size=16, font_weight=600),
                self._legend(),
                _grid(x, y),
                _text((LEFT + RIGHT) / 2, HEIGHT - 14, self.x.label, "middle"),
                _text(
                    *(18, (TOP + BOTTOM) / 2, self.y.label, "middle"),
                    transform=f"rotate(-90 18 {(TOP + BOTTOM) / 2:g})",
                ),
                *(self._level(name, value, y) for name, value in self.levels),
                *(self._curve(n, x, y) for n in range(len(self.lines))),
                xmlns="http://www.w3.org/2000/svg",
                viewBox=f"0 0 {WIDTH} {HEIGHT}",
                width=WIDTH,
                height=HEIGHT,
                font_family="system-ui, 'DejaVu Sans', sans-serif",
                font_size=13,
            )
            + "\n"
        )

    def _legend(self) -> Markup:
        """Names beside pieces of their lines, in rows below the title."""
        parts, left, row = [], 16.0, 0
        for number, line in enumerate(self.lines):
            width = 44 + 7.4 * len(line.name)
            if left + width > WIDTH - 8 and left > 16:
                left, row = 16.0, row + 1
            height = 46 + LEGEND_ROW * row
            parts += [
                _stroke(f"M{left:.1f} {height}h28", number),
                _text(left + 34, height + 4, line.name, "start"),
            ]
            left += width + 12
        return join(parts)

    def _curve(self, number: int, x: LinearAxis | LogAxis, y: LinearAxis | LogAxis) -> Markup:
        """One curve, cut off where it leaves the range of the axes."""
        pieces: list[str] = []
        pen_down = False
        for here, value in self.lines[number].points:
            inside = self.x.low <= here <= self.x.high * (
                1 + 1e-9
            ) and self.y.low <= value <= self.y.high * (1 + 1e-9)
            if inside:
                pieces.append(f"{'L' if pen_down else 'M'}{x.place(here):.1f} {y.place(value):.1f}")
            pen_down = inside
        return _stroke("".join(pieces) or f"M{LEFT} {BOTTOM}", number)

    def _level(self, name: str, value: float, y: LinearAxis | LogAxis) -> Markup:
        place = y.place(value)
        line = element(
            *("path",), d=f"M{LEFT} {place:.1f}H{RIGHT}", stroke="#b00020", stroke_width=1
        )
        return join([line, _text(RIGHT - 4, place - 5, name, "end", fill="#b00020")])


def thinned(
    points: Sequence[tuple[float, float]], most: int = 160, *, log: bool = False
) -> list[tuple[float, float]]:
    """Leave out points of a long series, evenly or for a logarithmic axis; both ends stay."""
    last = len(points) - 1
    if last < most:
        return list(points)
    shares = [n / (most - 1) for n in range(most)]
    places = {round(last**share if log else last * share) for share in shares}
    return [points[place] for place in sorted(places)]


def _grid(x: LinearAxis | LogAxis, y: LinearAxis | LogAxis) -> Markup:
    return join(
        [
            *(_rule(f"M{LEFT} {y.place(t):.1f}H{RIGHT}") for t in y.ticks()),
            *(_text(LEFT - 8, y.place(t) + 4.5, _number(t), "end") for t in y.ticks()),
            *(_rule(f"M{x.place(t):.1f} {TOP}V{BOTTOM}") for t in x.ticks()),
            *(_text(x.place(t), BOTTOM + 18, _number(t), "middle") for t in x.ticks()),
            element("path", d=f"M{LEFT} {TOP}V{BOTTOM}H{RIGHT}", stroke="#333", fill="none"),
        ]
    )


def _number(value: float) -> str:
    """Write a number of an axis: 0.1, 2.5, 10,000, 5 M."""
    for size, unit in ((1e9, " G"), (1e6, " M")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:,.0f}" if value >= 100 else f"{value:g}"


def _rule(path: str) -> Markup:
    return element("path", d=path, stroke="#e3e3e3")


def _stroke(path: str, number: int) -> Markup:
    colour, dashes = STYLES[number % len(STYLES)]
    return element(
        *("path",),
        d=path,
        fill="none",
        stroke=colour,
        stroke_width=2,
        stroke_dasharray=dashes or None,
        stroke_linejoin="round",
    )


def _text(x: float, y: float, text: str, anchor: str, **attributes: object) -> Markup:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}"}
    return element("text", text, **place, text_anchor=anchor, **{"fill": "#222", **attributes})
