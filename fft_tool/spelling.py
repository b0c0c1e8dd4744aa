"""American spellings of the words that this project spells the British way, and near misses."""

from __future__ import annotations

import re
from collections.abc import Iterable

_BRITISH = {
    "analyse": "analyze",  # the command and the function are spelt like this
    "center": "centre",
    "color": "colour",
    "gray": "grey",
    "grayscale": "greyscale",
}
_WORD = re.compile(r"[a-z]+")


def british(text: str) -> str:
    """Text with words in the spelling that keys, values, flags and commands have here.

    >>> british("center:64,64"), british("--no-color"), british("#a0b0c0")
    ('centre:64,64', '--no-colour', '#a0b0c0')

    Only whole words in lower case are replaced.
    """
    return _WORD.sub(lambda word: _BRITISH.get(word[0], word[0]), text)


def did_you_mean(word: str, choices: Iterable[str], start: str = "") -> str:
    """Give ``"; did you mean …?"`` with the choice most like ``word``, or nothing.

    ``start`` is written in front of the choice.

    >>> did_you_mean("windw", ["window", "bits"], "--")
    '; did you mean --window?'
    """
    import difflib  # noqa: PLC0415  (only mistakes need it)

    close = difflib.get_close_matches(word.lower(), choices, n=1, cutoff=0.6)
    return f"; did you mean {start}{close[0]}?" if close else ""
