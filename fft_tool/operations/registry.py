"""The registry of operations, and the text of a list of operations.

Texts such as ``grayscale,blur:3,crop:10,10,50,50,flip:horizontal``: names, each with its parameters
after a colon, separated by commas. A comma before a letter separates operations, any other one
parameters. Spaces around commas and capital letters do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from fft_tool.errors import OperationFault, OperationsError
from fft_tool.operations import geometry, neighbourhood, spectral, tones
from fft_tool.operations.operation import SHOWN, Operation
from fft_tool.spelling import british, did_you_mean

MOST_OPERATIONS = 20
"""Most operations in one list."""

MOST_CHARACTERS = 2000
"""Most characters in the text of a list."""

_SEPARATOR = re.compile(r",\s*(?=[a-z])")
_OTHER_SPELLINGS = {"greyscale": "grayscale", "equalize": "equalise", "posterise": "posterize"}


def registry(*kinds: type[Operation]) -> dict[str, type[Operation]]:
    """Classes of operations by name; raises ``ValueError`` if a name occurs twice."""
    found = {kind.name: kind for kind in kinds}
    if len(found) < len(kinds):
        raise ValueError("two operations have the same name")
    return found


OPERATIONS: Mapping[str, type[Operation]] = registry(
    *tones.KINDS, *neighbourhood.KINDS, *geometry.KINDS, *spectral.KINDS
)
"""Every operation by name, in the order of the documentation."""


def parse_operations(text: str) -> tuple[Operation, ...]:
    """Parse a list of operations.

    >>> [str(operation) for operation in parse_operations("greyscale, crop:10,10,50,50, blur")]
    ['grayscale', 'crop:10,10,50,50', 'blur']

    Raises
    ------
    OperationsError
        Lists every invalid entry, with the form that it must have.
    """
    if len(text) > MOST_CHARACTERS:
        raise _whole(f"{len(text):,} characters, at most {MOST_CHARACTERS:,} are accepted")
    parts = split_operations(text)
    check_operations(parts)
    operations, faults = [], []
    for place, part in enumerate(parts, 1):
        try:
            operations.append(_parse_one(part))
        except ValueError as exc:
            faults.append(OperationFault(place, part[:SHOWN], str(exc)))
    if faults:
        raise OperationsError(faults)
    return tuple(operations)


def split_operations(text: str) -> list[str]:
    """Split a list into the texts of its operations, whether they can be parsed or not.

    >>> split_operations("Greyscale, crop:10,10,50,50,blurr")
    ['greyscale', 'crop:10,10,50,50', 'blurr']
    """
    plain = british(text.strip().lower())
    return [part.strip() for part in _SEPARATOR.split(plain)] if plain else []


def check_operations(operations: Sequence[object]) -> None:
    """Reject a list that is empty or too long."""
    if not operations:
        raise _whole(f"no operations: name one or more, separated by commas, of {_known()}")
    if len(operations) > MOST_OPERATIONS:
        raise _whole(f"{len(operations)} operations, at most {MOST_OPERATIONS} are accepted")


def format_operations(operations: Iterable[Operation]) -> str:
    """Canonical text of a list, from which :func:`parse_operations` gives equal operations."""
    return ",".join(map(str, operations))


def _parse_one(text: str) -> Operation:
    written, _, parameters = text.partition(":")
    name = _OTHER_SPELLINGS.get(written.strip(), written.strip())
    kind = OPERATIONS.get(name)
    if kind is None:
        raise ValueError(_unknown(name))
    try:
        return kind.parse(parameters)
    except ValueError as exc:
        raise ValueError(f"{exc}; the form is {kind.form}") from None


def _unknown(name: str) -> str:
    """Fault of a name that does not exist: the known ones, and what was probably meant."""
    word = re.match(r"[a-z]*", name)
    start = word[0] if word else ""
    if not name or name[-1] == ",":
        return "an operation is missing: name one, or leave out the comma"
    if start != name and start in OPERATIONS:
        return f"parameters follow a colon; the form is {OPERATIONS[start].form}"
    near = did_you_mean(start or name, [*OPERATIONS, *_OTHER_SPELLINGS])
    return f"unknown operation; known: {_known()}{near}"


def _known() -> str:
    return ", ".join(OPERATIONS)


def _whole(problem: str) -> OperationsError:
    return OperationsError([OperationFault(0, "", problem)])
