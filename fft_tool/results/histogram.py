"""The histogram as a picture.

Solid bars show the counts on a linear scale (left axis). The light bars behind them show the same
counts on a logarithmic scale (right axis), which keeps rare values visible. A line marks the
threshold between black and white.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

    from fft_tool.image.statistics import PixelStatistics

Colour = tuple[int, int, int]

WIDTH, HEIGHT = 640, 360
BAR = 2  # width of a bar in pixels
LEFT, TOP, BOTTOM = 64, 54, 324

_PAPER: Colour = (255, 255, 255)
_GRID: Colour = (230, 233, 238)
_AXIS: Colour = (150, 156, 166)
_INK: Colour = (64, 70, 80)
_LINEAR: Colour = (43, 90, 148)
_LOGARITHMIC: Colour = (193, 212, 234)
_LOGARITHMIC_INK: Colour = (112, 146, 186)
_MARK: Colour = (208, 83, 36)
_TEXT_SIZE = 12


def histogram_picture(statistics: PixelStatistics) -> NDArray[np.uint8]:
    """Draw the 256-bin histogram; returns RGB pixels of shape ``(360, 640, 3)``.

    The same statistics and the same version of Pillow give the same pixels.
    """
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415  (takes 30 ms)

    counts = np.array(statistics.histogram, np.float64)
    pixels = np.full((HEIGHT, WIDTH, 3), _PAPER, np.uint8)
    right = LEFT + BAR * counts.size
    for count in _round_counts(int(counts.max())):
        pixels[_height_of(count / counts.max()), LEFT:right] = _GRID
    _paint_bars(pixels, np.log1p(counts) / np.log1p(counts.max()), _LOGARITHMIC)
    _paint_bars(pixels, counts / counts.max(), _LINEAR)

    image = Image.fromarray(pixels)
    pen = _Pen(ImageDraw.Draw(image), ImageFont.load_default(_TEXT_SIZE))
    _draw_count_axes(pen, int(counts.max()), right)
    _draw_value_axis(pen, statistics.white, right)
    _draw_threshold(pen, statistics, right)
    pen.write((LEFT, 20), _summary(statistics), _INK, "lm")
    return np.array(image)


@dataclass(frozen=True, slots=True)
class _Pen:
    draw: ImageDraw
    font: FreeTypeFont | ImageFont

    def write(self, place: tuple[float, float], text: str, colour: Colour, anchor: str) -> None:
        self.draw.text(place, text, fill=colour, font=self.font, anchor=anchor)

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: Colour) -> None:
        self.draw.line((*start, *end), fill=colour)


def _paint_bars(pixels: NDArray[np.uint8], heights: NDArray[np.float64], colour: Colour) -> None:
    """Blend bars of ``heights`` 0 to 1 over the plot, with antialiased tops."""
    plot = pixels[TOP:BOTTOM, LEFT : LEFT + BAR * heights.size]
    above_axis = np.arange(BOTTOM - TOP - 1, -1, -1)[:, None]
    cover = np.clip(heights * (BOTTOM - TOP) - above_axis, 0, 1)
    cover = np.repeat(cover, BAR, axis=1)[:, :, None]
    plot[:] = np.rint(plot + cover * (np.array(colour) - plot))


def _height_of(share: float) -> int:
    """Row of the picture at a fraction ``share`` of the plot's height."""
    return BOTTOM - round(share * (BOTTOM - TOP))


def _draw_count_axes(pen: _Pen, most: int, right: int) -> None:
    pen.write((LEFT - 8, TOP - 16), "linear", _LINEAR, "rm")
    for count in _round_counts(most):
        pen.write((LEFT - 8, _height_of(count / most)), _short(count), _LINEAR, "rm")
    pen.write((right + 8, TOP - 16), "log", _LOGARITHMIC_INK, "lm")
    for count in _powers_of_ten(most):
        row = _height_of(float(np.log1p(count) / np.log1p(most)))
        pen.line((right, row), (right + 4, row), _LOGARITHMIC_INK)
        pen.write((right + 8, row), _short(count), _LOGARITHMIC_INK, "lm")


def _draw_value_axis(pen: _Pen, white: int, right: int) -> None:
    pen.line((LEFT, BOTTOM), (right - 1, BOTTOM), _AXIS)
    quarters = {quarter * (white + 1) // 4 for quarter in range(4)}
    for value in sorted(quarters | {white}):
        column = LEFT + BAR * (value * 256 // (white + 1))
        pen.line((column, BOTTOM), (column, BOTTOM + 4), _AXIS)
        pen.write((column, BOTTOM + 16), str(value), _INK, "mm")


def _draw_threshold(pen: _Pen, statistics: PixelStatistics, right: int) -> None:
    boundary = (statistics.threshold + 1) / (statistics.white + 1)
    column = LEFT + round(boundary * (right - LEFT))
    pen.line((column, TOP - 6), (column, BOTTOM - 1), _MARK)
    text = f"threshold {statistics.threshold} ({statistics.threshold_method})"
    pen.write((right, 20), text, _MARK, "rm")


def _summary(statistics: PixelStatistics) -> str:
    return (
        f"mean {statistics.mean:.1f} ± {statistics.deviation:.1f}     "
        f"median {statistics.median:g}     entropy {statistics.entropy:.2f} bits"
    )


def _round_counts(most: int) -> range:
    """At most six ticks from 0 to ``most``, in steps of 1, 2 or 5 times a power of ten."""
    magnitude = 10 ** (len(str(most)) - 1)
    steps = (magnitude * factor // 10 for factor in (2, 5, 10, 20, 50))
    step = next(step for step in steps if step and most // step <= 5)
    return range(0, most + 1, step)


def _powers_of_ten(most: int) -> list[int]:
    powers = [10**exponent for exponent in range(len(str(most)))]
    return powers[:: 1 + len(powers) // 7]


def _short(count: int) -> str:
    """Format a count for an axis: 500, 20k, 1.5M."""
    for unit, suffix in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if count >= unit:
            return f"{count / unit:g}{suffix}"
    return str(count)
