"""The histogram as a picture: one panel for the grey plane, and one for each colour.

Solid bars show the number of pixels on a linear scale (left axis). The light bars behind them show
the same numbers on a logarithmic scale (right axis), which keeps rare levels visible. A line marks
the threshold between black and white in the plane that is analysed.

All text is large enough to be read when the picture is shown 400 pixels wide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

    from fft_tool.image.statistics import PixelStatistics

Colour = tuple[int, int, int]

WIDTH = 768
BAR = 2  # width of a bar in pixels
LEFT, RIGHT = 128, 640
HEAD = 96  # rows above the plot of the first panel
HEADING = 54  # rows from the bottom of one plot to the top of the next
FOOT = 84  # rows below the last plot
HEIGHTS = {1: 300, 2: 200}  # rows of a plot, by the number of panels
MANY = 150  # rows of a plot if there are more panels

_PAPER: Colour = (255, 255, 255)
_GRID: Colour = (228, 231, 236)
_AXIS: Colour = (150, 156, 166)
_SOFT: Colour = (112, 118, 130)
_INK: Colour = (52, 58, 68)
_MARK: Colour = (208, 83, 36)
_GREY: Colour = (72, 84, 104)
_COLOURS: dict[str, Colour] = {"red": (200, 48, 44), "green": (38, 132, 60), "blue": (36, 92, 196)}
_LIGHT = 0.3  # share of a colour in its light bars
_PALE = 0.65  # the same in numbers of the right axis, which have to be legible
_TEXT_SIZE = 22
_LINE = 30  # rows that a number on an axis takes


def drawn_planes(
    statistics: Mapping[str, PixelStatistics], channel: str
) -> dict[str, PixelStatistics]:
    """Planes to draw by title: the grey plane, made of ``channel``, and the colours beside it.

    ``statistics`` are those of an analysis: of the plane ``grey``, and of the channels by name.
    """
    colours = {name: found for name, found in statistics.items() if name in _COLOURS}
    first = channel if colours or channel == "alpha" else "grey"
    return {first: statistics["grey"], **{n: s for n, s in colours.items() if n != first}}


def histogram_picture(planes: Mapping[str, PixelStatistics]) -> NDArray[np.uint8]:
    """Draw the 256-bin histograms of planes, by title; returns RGB pixels ``(h, 768, 3)``.

    The threshold is marked in the first plane. The same statistics and the same version of Pillow
    give the same pixels.
    """
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415  (takes 30 ms)

    panels = _panels(planes)
    pixels = np.full((panels[-1].bottom + FOOT, WIDTH, 3), _PAPER, np.uint8)
    for panel in panels:
        panel.paint(pixels)
    image = Image.fromarray(pixels)
    pen = _Pen(image, ImageDraw.Draw(image), ImageFont.load_default(_TEXT_SIZE))
    for panel in panels:
        _draw_count_axes(pen, panel)
        _draw_value_axis(pen, panel, numbers=panel is panels[-1])
        pen.write((LEFT, panel.top - 15), panel.title, panel.colour, "ls")
        pen.write((RIGHT + 64, panel.top - 15), _summary(panel.statistics), _INK, "rs")
    _draw_threshold(pen, panels[0])
    middle = (panels[0].top + panels[-1].bottom) // 2
    pen.write_upwards((18, middle), "pixels, linear", _INK)
    pen.write_upwards((WIDTH - 18, middle), "pixels, logarithmic", _SOFT)
    pen.write(((LEFT + RIGHT) // 2, panels[-1].bottom + 66), "grey level", _INK, "mm")
    return np.array(image)


@dataclass(frozen=True, slots=True)
class _Panel:
    """One plot: its title, what it shows, and its first row and the one below its last."""

    title: str
    statistics: PixelStatistics
    top: int
    bottom: int

    @property
    def colour(self) -> Colour:
        return _COLOURS.get(self.title, _GREY)

    @property
    def most(self) -> int:
        """Number of pixels in the fullest bin."""
        return max(self.statistics.histogram)

    def row(self, share: float) -> int:
        """Row at a fraction ``share`` of the plot's height."""
        return self.bottom - round(share * (self.bottom - self.top))

    def paint(self, pixels: NDArray[np.uint8]) -> None:
        """Paint the grid and the bars."""
        counts = np.array(self.statistics.histogram, np.float64)
        for count in self.ticks():
            pixels[self.row(count / self.most), LEFT:RIGHT] = _GRID
        plot = pixels[self.top : self.bottom, LEFT:RIGHT]
        _paint_bars(plot, np.log1p(counts) / np.log1p(self.most), _lighter(self.colour, _LIGHT))
        _paint_bars(plot, counts / self.most, self.colour)

    def ticks(self) -> range:
        """Numbers on the linear axis."""
        return round_counts(self.most, (self.bottom - self.top) // (_LINE + 20))


@dataclass(frozen=True, slots=True)
class _Pen:
    image: PillowImage
    draw: ImageDraw
    font: FreeTypeFont | ImageFont

    def write(self, place: tuple[float, float], text: str, colour: Colour, anchor: str) -> None:
        self.draw.text(place, text, fill=colour, font=self.font, anchor=anchor)

    def write_upwards(self, centre: tuple[int, int], text: str, colour: Colour) -> None:
        """Write a text from the bottom to the top."""
        from PIL import Image, ImageDraw  # noqa: PLC0415  (loaded already)

        width = round(self.font.getlength(text)) + 4
        strip = Image.new("RGB", (width, _LINE), _PAPER)
        place = (width / 2, _LINE / 2)
        ImageDraw.Draw(strip).text(place, text, fill=colour, font=self.font, anchor="mm")
        turned = strip.transpose(Image.Transpose.ROTATE_90)
        self.image.paste(turned, (centre[0] - _LINE // 2, centre[1] - width // 2))

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: Colour) -> None:
        self.draw.line((*start, *end), fill=colour, width=2)


def _panels(planes: Mapping[str, PixelStatistics]) -> list[_Panel]:
    height = HEIGHTS.get(len(planes), MANY)
    tops = range(HEAD, HEAD + len(planes) * (height + HEADING), height + HEADING)
    return [
        _Panel(title, statistics, top, top + height)
        for (title, statistics), top in zip(planes.items(), tops, strict=True)
    ]


def _paint_bars(plot: NDArray[np.uint8], heights: NDArray[np.float64], colour: Colour) -> None:
    """Blend bars of ``heights`` 0 to 1 over the plot, with antialiased tops."""
    rows = plot.shape[0]
    above_axis = np.arange(rows - 1, -1, -1)[:, None]
    cover = np.clip(heights * rows - above_axis, 0, 1)
    cover = np.repeat(cover, BAR, axis=1)[:, :, None]
    plot[:] = np.rint(plot + cover * (np.array(colour) - plot))


def _draw_count_axes(pen: _Pen, panel: _Panel) -> None:
    for count in panel.ticks():
        row = panel.row(count / panel.most)
        pen.write((LEFT - 10, row), _short(count), _INK, "rm")
    for count in powers_of_ten(panel.most, (panel.bottom - panel.top) // _LINE):
        row = panel.row(float(np.log1p(count) / np.log1p(panel.most)))
        pen.line((RIGHT, row), (RIGHT + 6, row), _AXIS)
        pen.write((RIGHT + 12, row), _short(count), _lighter(panel.colour, _PALE), "lm")


def _draw_value_axis(pen: _Pen, panel: _Panel, *, numbers: bool) -> None:
    pen.line((LEFT, panel.bottom), (RIGHT - 1, panel.bottom), _AXIS)
    white = panel.statistics.white
    quarters = {quarter * (white + 1) // 4 for quarter in range(4)}
    for value in sorted(quarters | {white}):
        column = LEFT + BAR * (value * 256 // (white + 1))
        pen.line((column, panel.bottom), (column, panel.bottom + 6), _AXIS)
        if numbers:
            pen.write((column, panel.bottom + 24), str(value), _INK, "mm")


def _draw_threshold(pen: _Pen, panel: _Panel) -> None:
    statistics = panel.statistics
    boundary = (statistics.threshold + 1) / (statistics.white + 1)
    column = LEFT + round(boundary * (RIGHT - LEFT))
    pen.line((column, 34), (column, 42), _MARK)
    pen.line((column, panel.top), (column, panel.bottom - 1), _MARK)
    text = f"threshold {statistics.threshold} ({statistics.threshold_method})"
    half = pen.font.getlength(text) / 2
    pen.write((min(max(column, LEFT + half), RIGHT - half), 20), text, _MARK, "mm")


def _summary(statistics: PixelStatistics) -> str:
    return (
        f"{_level(statistics.mean)} ± {_level(statistics.deviation)}, "
        f"median {_level(statistics.median)}, {statistics.minimum} to {statistics.maximum}"
    )


def _level(value: float) -> str:
    """Format a grey level: one decimal, none beyond 1,000."""
    return f"{value:.1f}" if value < 1000 else f"{value:.0f}"


def round_counts(most: int, number: int) -> range:
    """At most ``number`` ticks after 0, up to ``most``, in steps of 1, 2 or 5 times a power of ten.

    >>> list(round_counts(430, 5)), list(round_counts(430, 2))
    ([0, 100, 200, 300, 400], [0, 200, 400])
    """
    magnitude = 10 ** (len(str(most)) - 1)
    steps = (magnitude * factor // 10 for factor in (2, 5, 10, 20, 50))
    step = next(step for step in steps if step and most // step <= number)
    return range(0, most + 1, step)


def powers_of_ten(most: int, number: int) -> list[int]:
    """Powers of ten up to ``most``, at most about ``number`` of them.

    >>> powers_of_ten(43_000, 10), powers_of_ten(43_000, 3)
    ([1, 10, 100, 1000, 10000], [1, 100, 10000])
    """
    powers = [10**exponent for exponent in range(len(str(most)))]
    return powers[:: 1 + (len(powers) - 1) // max(1, number)]


def _lighter(colour: Colour, share: float) -> Colour:
    """Mix a colour with the paper."""
    red, green, blue = (
        round(paper + share * (ink - paper)) for ink, paper in zip(colour, _PAPER, strict=True)
    )
    return red, green, blue


def _short(count: int) -> str:
    """Format a count for an axis: 500, 20k, 1.5M."""
    for unit, suffix in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if count >= unit:
            return f"{count / unit:g}{suffix}"
    return str(count)
