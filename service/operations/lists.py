"""A list of operations as a form: what each field is called and holds, and what is wrong with it.

Everything said here about operations comes from :mod:`fft_tool.operations.registry`. The text of a
list is its whole state, also where it cannot be parsed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from fft_tool.errors import FftToolError, OperationsError
from fft_tool.limits import Limits
from fft_tool.operations.operation import Layout, Operation, format_number
from fft_tool.operations.prediction import layouts
from fft_tool.operations.registry import (
    OPERATIONS,
    format_operations,
    parse_operations,
    split_operations,
)
from fft_tool.validate import Json

_PARAMETER = re.compile(r"([:,])([^\[\]:,]+)")
_ALTERNATIVES = " or "


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter as a form asks for it: ``before`` is what separates it from the text before.

    ``choices`` are the words that it may be, if it is a word; ``default`` is empty if a value is
    required.
    """

    label: str
    before: str
    default: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation of a list, which may have faults.

    ``kind`` is None if there is no operation of that name. ``values`` are the texts of its
    parameters. ``size`` is the width and height of the image after it and all before it.
    """

    place: int
    name: str
    text: str
    kind: type[Operation] | None
    values: tuple[str, ...]
    faults: tuple[str, ...] = ()
    size: tuple[int, int] | None = None

    @property
    def fields(self) -> list[tuple[Parameter, str]]:
        """Parameters with their texts."""
        known = parameters_of(self.kind) if self.kind else ()
        return list(zip(known, self.values, strict=True))


@dataclass(frozen=True, slots=True)
class Listing:
    """A list as it is shown: its ``text``, its entries, and faults of the whole.

    The text is canonical if the list can be parsed. ``fits`` tells that it can also be applied.
    """

    text: str
    entries: tuple[Entry, ...]
    faults: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether there are operations, and all of them can be applied."""
        return bool(self.entries) and not self.faults and not any(e.faults for e in self.entries)


@cache
def parameters_of(kind: type[Operation]) -> tuple[Parameter, ...]:
    """Parameters of an operation, read from its form.

    >>> [(each.label, each.default) for each in parameters_of(OPERATIONS["sharpen"])]
    [('AMOUNT', '1'), ('SIGMA', '1')]
    >>> [(each.label, each.choices) for each in parameters_of(OPERATIONS["flip"])]
    [('direction', ('horizontal', 'vertical'))]
    >>> [each.label for each in parameters_of(OPERATIONS["resize"])]
    ['W,H or W or P%']
    """
    form = kind.form.removeprefix(kind.name)
    if _ALTERNATIVES in form:
        ways = [way.strip().removeprefix(f"{kind.name}:") for way in kind.form.split(_ALTERNATIVES)]
        return (Parameter(_ALTERNATIVES.join(ways), ":"),)
    numbers = {each.name.upper(): each for each in kind.numbers()}
    found = []
    for before, label in _PARAMETER.findall(form):
        words = tuple(label.split("|")) if "|" in label else ()
        number = numbers.get(label)
        default = number.default if number else None
        found.append(
            Parameter(
                "direction" if words else label,
                before,
                words[0] if words else "" if default is None else format_number(default),
                words,
            )
        )
    return tuple(found)


def text_of(name: str, values: Sequence[str]) -> str:
    """Text of an operation with these texts as parameters; empty ones at the end are left out.

    >>> text_of("sharpen", ["", "3"]), text_of("rotate", ["12", ""]), text_of("sepia", [])
    ('sharpen:1,3', 'rotate:12', 'sepia')
    """
    kind = OPERATIONS.get(name)
    known = parameters_of(kind) if kind else ()
    given = [value.strip() for value in values[: len(known)]]
    while given and not given[-1]:
        given.pop()
    pairs = zip(known, given, strict=False)
    return name + "".join(each.before + (value or each.default) for each, value in pairs)


def first_text(name: str) -> str:
    """Text with which an operation is added to a list: its first example."""
    kind = OPERATIONS.get(name)
    return kind.examples[0] if kind else name


def read_list(text: str, source: Layout | None, limits: Limits) -> Listing:
    """Read a list, with all of its faults.

    With the layout of an image, operations are tried on it: in sequence, and each alone.
    """
    parts = split_operations(text)
    entries = [_entry(place, part) for place, part in enumerate(parts, 1)]
    if not entries:
        return Listing("", ())
    try:
        operations = parse_operations(text)
    except OperationsError as exc:
        of_all = tuple(each.problem for each in exc.faults if not each.place)
        told = {each.place: (each.problem,) for each in exc.faults if each.place}
        shown = (replace(each, faults=told.get(each.place, ())) for each in entries)
        return Listing(text, tuple(shown), of_all)
    entries = [_entry(place, str(each)) for place, each in enumerate(operations, 1)]
    if source is not None:
        entries = _tried(entries, operations, source, limits)
    return Listing(format_operations(operations), tuple(entries))


def layout_of(record: Json) -> Layout:
    """Layout of the image of a record."""
    image = record["image"]
    sample = 1 if image["white"] < 256 else 2
    return Layout(image["height"], image["width"], len(image["channels"]), sample)


def _entry(place: int, text: str) -> Entry:
    name, _, rest = text.partition(":")
    kind = OPERATIONS.get(name.strip())
    if kind is None:
        return Entry(place, name.strip(), text, None, ())
    known = parameters_of(kind)
    return Entry(place, name.strip(), text, kind, _values(rest.strip(), known))


def _values(rest: str, known: tuple[Parameter, ...]) -> tuple[str, ...]:
    """Texts of the parameters, the last of which takes what is left."""
    if not known:
        return ()
    separator = known[1].before if len(known) > 1 else None
    given = (
        [each.strip() for each in rest.split(separator, len(known) - 1)] if separator else [rest]
    )
    given += [each.default for each in known[len(given) :]]
    return tuple(value or each.default for value, each in zip(given, known, strict=True))


def _tried(
    entries: Sequence[Entry], operations: Sequence[Operation], source: Layout, limits: Limits
) -> list[Entry]:
    """Entries with the size after each, and with what keeps an operation from being applied."""
    found: list[Entry] = []
    before: Layout | None = source
    for entry, operation in zip(entries, operations, strict=True):
        faults = []
        try:
            if before is not None:
                before = layouts(before, [operation], limits, first=entry.place)[0]
        except FftToolError as exc:
            faults.append(_problem(exc, f"operation {entry.place}, {operation}"))
            before = None
        try:
            layouts(source, [operation], limits, first=entry.place, only=True)
        except FftToolError as exc:
            subject = f"operation {entry.place}, {operation}, alone on the original"
            problem = _problem(exc, subject)
            if problem not in faults:
                faults.append(f"alone on the original: {problem}")
        size = (before.width, before.height) if before else None
        found.append(replace(entry, faults=tuple(faults), size=size))
    return found


def _problem(error: FftToolError, subject: str) -> str:
    """What is wrong, without the name of the operation, beside which it is shown."""
    if isinstance(error, OperationsError):
        return "; ".join(each.problem for each in error.faults)
    return str(error).removeprefix(subject).lstrip(": ")
