"""Charts of the service itself, in the style of those of records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from fft_tool.report import svg
from fft_tool.report.markup import Markup, element

_WIDTH, _HEIGHT, _TOP, _BOTTOM = 440, 84, 8, 60


def days_chart(values: Sequence[tuple[date, int]], what: str) -> Markup:
    """Bars for consecutive days; ``what`` says what is counted, in the plural.

    >>> str(days_chart([(date(2026, 12, 1), 3)], "images"))[:20]
    '<svg viewBox="0 0 44'
    """
    most = max(count for _, count in values) or 1
    wide = _WIDTH / len(values)
    bars = [
        element(
            "rect",
            element("title", f"{day:%Y-%m-%d}: {count:,} {what}"),
            x=f"{wide * (place + 0.1):.1f}",
            y=f"{_BOTTOM - (_BOTTOM - _TOP) * count / most:.1f}",
            width=f"{wide * 0.8:.1f}",
            height=f"{(_BOTTOM - _TOP) * count / most:.1f}",
            class_="bars",
        )
        for place, (day, count) in enumerate(values)
        if count
    ]
    total = sum(count for _, count in values)
    first, last = values[0][0], values[-1][0]
    return svg.chart(
        (_WIDTH, _HEIGHT),
        f"{total:,} {what} from {first:%Y-%m-%d} to {last:%Y-%m-%d}, at most {most:,} on a day",
        *bars,
        svg.line(0, _BOTTOM, _WIDTH, _BOTTOM, "axis"),
        svg.text(0, _BOTTOM + 18, f"{first:%Y-%m-%d}", "start"),
        svg.text(_WIDTH, _BOTTOM + 18, f"{last:%Y-%m-%d}", "end"),
        name="days",
    )
