"""Parts of charts: SVG elements with coordinates rounded to a tenth of a pixel."""

from __future__ import annotations

from collections.abc import Iterable

from fft_tool.report.markup import Markup, element

Points = Iterable[tuple[float, float]]


def chart(
    size: tuple[int, int], label: str, *parts: Markup | None, name: str, **data: float
) -> Markup:
    """Chart of a width and height; ``label`` is what it shows, in words.

    ``data`` are numbers for scripts, such as the ends of axes.
    """
    box = f"0 0 {size[0]} {size[1]}"
    numbers = {f"data_{key}": f"{value:g}" for key, value in data.items()}
    kind = f"chart {name}"
    return element("svg", *parts, viewBox=box, class_=kind, role="img", aria_label=label, **numbers)


def path(points: Points, class_: str) -> Markup:
    """Line through points."""
    places = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return element("path", d=f"M{places}", class_=class_)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Straight line."""
    places = {"x1": f"{x1:.1f}", "y1": f"{y1:.1f}", "x2": f"{x2:.1f}", "y2": f"{y2:.1f}"}
    return element("line", **places, class_=class_)


def text(x: float, y: float, text: object, anchor: str, **attributes: object) -> Markup:
    """Text at a place; ``anchor`` is start, middle or end."""
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}"}
    return element("text", text, **place, text_anchor=anchor, **attributes)
