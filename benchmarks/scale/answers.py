"""What a question of docs/scale.md is answered with, and how its numbers are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scale.drawing import Chart


@dataclass(frozen=True, slots=True)
class Finding:
    """Charts by file name, tables and single numbers by their names in the page."""

    charts: Mapping[str, Chart] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table; all columns but the first are aligned to the right."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def digits(value: float, count: int = 2) -> str:
    """Write a number with about ``count`` digits: 0.034, 5.6, 12,000.

    >>> digits(0.0342), digits(5.62), digits(12345), digits(0.0)
    ('0.034', '5.6', '12,000', '0')
    """
    if value == 0:
        return "0"
    rounded = float(f"{value:.{count - 1}e}")
    if abs(rounded) >= 10 ** (count - 1):
        return f"{rounded:,.0f}"
    text = f"{rounded:.{count + 6}f}".rstrip("0")
    return text.rstrip(".")


def percent(share: float) -> str:
    """Write a share in per cent: 0.8 %, 12 %, 100 %."""
    return f"{digits(100 * share)} %"


def duration(seconds: float) -> str:
    """Write a time in the unit that suits it: 28 s, 4.6 min, 7.7 h, 3.2 days."""
    for limit, unit, size in ((100, "s", 1), (6000, "min", 60), (48 * 3600, "h", 3600)):
        if seconds < limit:
            return f"{digits(seconds / size)} {unit}"
    return f"{digits(seconds / 86400)} days"


def dollars(amount: float) -> str:
    """Write dollars, with cents where they matter."""
    return f"{amount:,.2f}" if amount < 100 else f"{float(f'{amount:.2e}'):,.0f}"
