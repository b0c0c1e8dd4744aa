"""Charts of a job as inline SVG: the counts of each image, and the statistics of each batch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fft_tool.batches.rows import COLOURS, Row
from fft_tool.report import svg
from fft_tool.report.markup import Markup, element, join

MOST_BARS = 400  # images of a batch; of more, bars would be thinner than a pixel

_WIDTH, _TOP, _BOTTOM, _LEFT, _RIGHT = 440, 30, 190, 50, 432
_TICKS = 4
_MOST_LABELS = 12
_UNITS = ((1e9, "thousand million pixels"), (1e6, "million pixels"), (1e3, "thousand pixels"))


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis of pixel counts, upwards from 0 to ``most``."""

    most: float

    def place(self, value: float) -> float:
        """Coordinate of a value."""
        return _BOTTOM - (_BOTTOM - _TOP) * value / self.most

    def draw(self) -> Markup:
        """Lines and numbers at round values, and the unit."""
        size, unit = next((u for u in _UNITS if self.most >= 2 * u[0]), (1, "pixels"))
        step = _step(self.most)
        ticks = [step * k for k in range(math.floor(self.most / step) + 1)]
        return join(
            [
                *(svg.line(_LEFT, self.place(t), _RIGHT, self.place(t), "grid") for t in ticks),
                *(svg.text(_LEFT - 6, self.place(t) + 4, f"{t / size:g}", "end") for t in ticks),
                svg.text(2, _TOP - 14, unit, "start"),
            ]
        )


def axis_of(rows: Iterable[Row]) -> Axis:
    """Axis on which all counts of a colour have their place."""
    return Axis(max((row.max_pixels or 0 for row in rows), default=0) or 1)


def batches_plot(rows: Sequence[Row], color: str) -> Markup:
    """Plot the statistics of each batch: smallest to largest count, mean ± deviation, mean.

    ``rows`` are those of one colour, in the order of the batches.
    """
    axis, wide = axis_of(rows), (_RIGHT - _LEFT) / len(rows)
    every = math.ceil(len(rows) / _MOST_LABELS)
    parts: list[Markup | None] = []
    for place, row in enumerate(rows):
        middle = _LEFT + wide * (place + 0.5)
        parts.append(_spread(row, axis, middle, min(wide * 0.3, 16)))
        if place % every == 0:
            parts.append(svg.text(middle, _BOTTOM + 16, row.batch_id, "middle"))
    return svg.chart(
        (_WIDTH, _BOTTOM + 40),
        f"{color.capitalize()} pixels of each batch. " + " ".join(_sentences(rows)),
        axis.draw(),
        *parts,
        svg.line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, "axis"),
        svg.text((_LEFT + _RIGHT) / 2, _BOTTOM + 34, "batch", "middle"),
        name="batches",
    )


def plots_of(rows: Sequence[Row]) -> Iterator[Markup]:
    """Plots of the black and of the white pixels of all batches, with captions."""
    for color in COLOURS:
        plot = batches_plot([row for row in rows if row.color == color], color)
        yield figure(f"{color.capitalize()} pixels", "in an image, by batch", plot)


def images_plot(row: Row, counts: Sequence[tuple[str, int]], axis: Axis) -> Markup:
    """Plot the counts of the images of a batch as bars, over mean ± deviation and mean.

    ``counts`` are names and counts, at most :data:`MOST_BARS`; pointing at a bar shows them.
    """
    wide = (_RIGHT - _LEFT) / max(len(counts), 1)
    bars = [
        element(
            "rect",
            element("title", f"{name}: {count:,}"),
            x=f"{_LEFT + wide * (place + 0.1):.1f}",
            y=f"{axis.place(count):.1f}",
            width=f"{wide * 0.8:.1f}",
            height=f"{_BOTTOM - axis.place(count):.1f}",
            class_="bars",
        )
        for place, (name, count) in enumerate(counts)
    ]
    return svg.chart(
        (_WIDTH, _BOTTOM + 24),
        " ".join([f"{row.color.capitalize()} pixels of each image.", *_sentences([row])]),
        axis.draw(),
        _band(row, axis, _LEFT, _RIGHT),
        *bars,
        _mean(row, axis, _LEFT, _RIGHT),
        svg.line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, "axis"),
        svg.text((_LEFT + _RIGHT) / 2, _BOTTOM + 18, "images, by name", "middle"),
        name="images",
    )


def figure(kind: str, note: str, plot: Markup) -> Markup:
    """Plot with its caption."""
    return element("figure", plot, element("figcaption", element("b", kind), " ", note))


def _spread(row: Row, axis: Axis, middle: float, half: float) -> Markup | None:
    if row.min_pixels is None or row.max_pixels is None:
        return svg.text(middle, _BOTTOM - 6, "–", "middle")
    low, high = axis.place(row.min_pixels), axis.place(row.max_pixels)
    return join(
        [
            _band(row, axis, middle - half, middle + half),
            svg.line(middle, low, middle, high, "whisker"),
            *(svg.line(middle - half / 2, y, middle + half / 2, y, "whisker") for y in (low, high)),
            _mean(row, axis, middle - half, middle + half),
        ]
    )


def _band(row: Row, axis: Axis, left: float, right: float) -> Markup | None:
    """Area of mean ± deviation, as far as it is on the axis."""
    if row.avg_pixels is None or row.std_pixels is None:
        return None
    low = axis.place(max(row.avg_pixels - row.std_pixels, 0))
    high = axis.place(min(row.avg_pixels + row.std_pixels, axis.most))
    return element(
        "rect",
        x=f"{left:.1f}",
        y=f"{high:.1f}",
        width=f"{right - left:.1f}",
        height=f"{low - high:.1f}",
        class_="rare",
    )


def _mean(row: Row, axis: Axis, left: float, right: float) -> Markup | None:
    if row.avg_pixels is None:
        return None
    place = axis.place(row.avg_pixels)
    return svg.line(left, place, right, place, "mean")


def _sentences(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        if row.avg_pixels is None:
            yield f"Batch {row.batch_id}: no image could be counted."
        else:
            yield (
                f"Batch {row.batch_id}: mean {row.avg_pixels:,.6g}, from {row.min_pixels:,} to "
                f"{row.max_pixels:,}."
            )


def _step(most: float) -> float:
    """Round distance between ticks, of which there are at most five."""
    power = 10 ** math.floor(math.log10(most / _TICKS)) if most >= _TICKS else 1
    return next((m * power for m in (1, 2, 5) if m * power * _TICKS >= most), 10.0 * power)
