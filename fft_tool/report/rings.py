"""Plot of a Fourier ring correlation: for pages, and as an SVG file of its own."""

from __future__ import annotations

from collections.abc import Sequence

from fft_tool.report import svg
from fft_tool.report.markup import Markup, element, join
from fft_tool.report.sentences import length, number
from fft_tool.results.likeness import Rings

_WIDTH, _HEIGHT = 440, 290
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 428, 30, 236
_NYQUIST = 0.5
_SEVENTH = 1 / 7

_STYLE = """
svg { background: #fff; font: 11px system-ui, sans-serif; }
text { fill: #333; }
.grid { stroke: #ddd; } .axis { stroke: #888; }
.curve { stroke: #1460a8; stroke-width: 1.5; fill: none; }
.threshold { stroke: #c0392b; fill: none; }
.half { stroke: #c0392b; stroke-dasharray: 4 3; fill: none; }
.found { stroke: #c0392b; stroke-width: 1.5; }
.order { font-weight: 600; paint-order: stroke; stroke: #fff; stroke-width: 3px; }
"""


def ring_plot(rings: Rings) -> str:
    """Curve over frequency, both thresholds, and where the curve falls below them.

    >>> rings = Rings((0.25, 0.5), (1.0, 0.0), (0.6, 0.4), {"0.143": 0.46, "half-bit": None})
    >>> ring_plot(rings)[:20]
    '<svg viewBox="0 0 44'
    """
    drawing = element(
        "svg",
        element("style", Markup(_STYLE)),
        _drawing(rings, None),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        width=str(_WIDTH),
        height=str(_HEIGHT),
        role="img",
        aria_label=_label(rings),
    )
    return str(drawing)


def ring_chart(rings: Rings, pixel_um: float | None = None) -> Markup:
    """The same for a page, whose style sheet it follows.

    ``pixel_um`` is the side of a pixel in micrometres, in which periods are told as well.
    """
    return svg.chart((_WIDTH, _HEIGHT), _label(rings), _drawing(rings, pixel_um), name="rings")


def _drawing(rings: Rings, pixel_um: float | None) -> Markup:
    lowest = min(-0.2, *rings.correlation)
    ticks = [tick / 10 for tick in range(-10, 11, 2) if tick / 10 >= lowest]

    def down(value: float) -> float:
        return _BOTTOM - (value - lowest) / (1.0 - lowest) * (_BOTTOM - _TOP)

    def curve(values: Sequence[float], name: str) -> Markup:
        points = zip(rings.frequency, values, strict=True)
        return svg.path([(_across(f), down(value)) for f, value in points], class_=name)

    level = [_SEVENTH] * len(rings.frequency)
    found = rings.resolution["0.143"]
    return join(
        [
            *(svg.line(_LEFT, down(t), _RIGHT, down(t), class_="grid") for t in ticks),
            *(svg.text(_LEFT - 6, down(t) + 4, f"{t:g}", "end") for t in ticks),
            _frequencies(),
            curve(level, "threshold"),
            curve(rings.half_bit, "half"),
            curve(rings.correlation, "curve"),
            *(
                svg.line(_across(at), down(0) - 7, _across(at), down(0) + 7, class_="found")
                for at in rings.resolution.values()
                if at is not None
            ),
            _period_mark(found, down(0) + 20, pixel_um) if found is not None else None,
            svg.text(_RIGHT, _TOP - 14, "— 0.143   - - half a bit", "end"),
            svg.text(2, _TOP - 14, "correlation", "start"),
        ]
    )


def _period_mark(frequency: float, y: float, pixel_um: float | None) -> Markup:
    """Period at the resolution, beside its mark."""
    physical = f" = {length(pixel_um / frequency)}" if pixel_um else ""
    text = f"{number(1 / frequency)} px{physical}"
    left = frequency > _NYQUIST / 2
    x = min(_across(frequency) + 4, _RIGHT) if left else _across(frequency) - 4
    return svg.text(x, y, text, "end" if left else "start", class_="order")


def _across(frequency: float) -> float:
    return _LEFT + frequency / _NYQUIST * (_RIGHT - _LEFT)


def _frequencies() -> Markup:
    ticks = [tick / 10 for tick in range(6)]
    return join(
        [
            svg.line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, class_="axis"),
            *(svg.text(_across(t), _BOTTOM + 16, f"{t:g}", "middle") for t in ticks),
            svg.text((_LEFT + _RIGHT) / 2, _BOTTOM + 36, "frequency, cycles per pixel", "middle"),
        ]
    )


def _label(rings: Rings) -> str:
    found = [
        f"{name}: {'none' if at is None else number(at)}" for name, at in rings.resolution.items()
    ]
    return f"Fourier ring correlation; resolution in cycles per pixel, {', '.join(found)}."
