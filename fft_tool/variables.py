"""Settings from environment variables: one table, read with all faults reported together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Variable:
    """One setting: environment variable, field of ``Settings``, default, parser and help.

    The value of a ``secret`` one is not shown.
    """

    name: str
    field: str
    default: str
    parse: Callable[[str], Any]
    help: str
    secret: bool = False

    def shown(self, text: str) -> str:
        """The value in a message."""
        return "…" if self.secret else repr(text)


def read(
    variables: Iterable[Variable], environ: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """Parse variables; return the values by field, and what is wrong with the others.

    >>> port = Variable("PORT", "port", "80", whole(0, 65_535), "port to listen on")
    >>> read([port], {})
    ({'port': 80}, [])
    >>> read([port], {"PORT": "http"})
    ({}, ["PORT='http': should be a whole number from 0 to 65,535"])
    """
    values: dict[str, Any] = {}
    faults: list[str] = []
    for variable in variables:
        text = environ.get(variable.name, variable.default)
        try:
            values[variable.field] = variable.parse(text)
        except ValueError as exc:
            faults.append(f"{variable.name}={variable.shown(text)}: {exc}")
    return values, faults


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from ``low`` to ``high``."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,12}", text, re.ASCII) or not low <= int(text) <= high:
            raise ValueError(f"should be a whole number from {low:,} to {high:,}")
        return int(text)

    return parse
