"""Rows of results, as aligned text and as Markdown."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

COLUMNS = ("what", "ours", "peer", "its", "ratio", "goal", "verdict")
NOTHING = "–"

_SENSES = {"≥": operator.ge, ">": operator.gt, "≤": operator.le}


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure should be, such as at least 10 × or at most 16 bytes a pixel."""

    sense: Literal["≥", ">", "≤"]
    limit: float
    unit: str = "×"

    def met(self, value: float) -> bool:
        """Whether a figure reaches the goal."""
        return bool(_SENSES[self.sense](value, self.limit))

    def __str__(self) -> str:
        return f"{self.sense} {self.limit:g} {self.unit}"


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison.

    ``value`` is the figure that the goal applies to, in ``unit``; None if the peer is missing.
    """

    what: str
    ours: str
    peer: str = NOTHING
    its: str = NOTHING
    value: float | None = None
    unit: str = ""
    goal: Goal | None = None

    @property
    def verdict(self) -> str:
        """Whether the goal is "met" or "missed"; empty if there is no goal or no figure."""
        if self.value is None or self.goal is None:
            return ""
        return "met" if self.goal.met(self.value) else "missed"

    @property
    def cells(self) -> tuple[str, ...]:
        """Texts of the columns."""
        ratio = NOTHING if self.value is None else f"{self.value:.2f} {self.unit}"
        goal = str(self.goal or NOTHING)
        return (self.what, self.ours, self.peer, self.its, ratio, goal, self.verdict or NOTHING)


@dataclass(frozen=True, slots=True)
class Section:
    """Related rows with a title and a description of how they were measured."""

    title: str
    how: str
    rows: tuple[Row, ...]

    def without_goals(self) -> Section:
        """The same figures without goals."""
        return replace(self, rows=tuple(replace(row, goal=None) for row in self.rows))


def as_text(section: Section) -> str:
    """An aligned table for a terminal."""
    lines = [COLUMNS, *(row.cells for row in section.rows)]
    body = "\n".join(_aligned(lines))
    return f"{section.title}\n{section.how}\n\n{body}\n"


def as_markdown(section: Section) -> str:
    """The table as aligned Markdown."""
    lines = [COLUMNS, *(row.cells for row in section.rows)]
    header, *rows = _aligned(lines, "| ", " | ", " |")
    rule = "".join(char if char == "|" else "-" for char in header)
    body = "\n".join((header, rule, *rows))
    return f"## {section.title}\n\n{section.how}\n\n{body}\n"


def tally(sections: Iterable[Section]) -> str:
    """A sentence on how many goals were met."""
    verdicts = [row.verdict for section in sections for row in section.rows if row.verdict]
    if not verdicts:
        return "No goals were judged."
    return f"{verdicts.count('met')} of {len(verdicts)} goals met."


def _aligned(
    lines: Sequence[Sequence[str]], left: str = "", between: str = "  ", right: str = ""
) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = (
        [cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines
    )
    return [(left + between.join(cells) + right).rstrip() for cells in padded]
