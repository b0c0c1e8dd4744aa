"""American spellings of words that this project spells the British way, and suggestions."""

from __future__ import annotations

import re
from collections.abc import Iterable

_BRITISH = {
    "analyse": "analyze",  # the command and the function are spelt with a z
    "center": "centre",
    "color": "colour",
    "gray": "grey",
    "grayscale": "greyscale",
}
_WORD = re.compile(r"[a-z]+")


def british(text: str) -> str:
    """Change American words to the spelling that keys, values, flags and commands use.

    >>> british("center:64,64"), british("--no-color"), british("#a0b0c0")
    ('centre:64,64', '--no-colour', '#a0b0c0')

    Only whole words in lower case are replaced.
    """
    return _WORD.sub(lambda word: _BRITISH.get(word[0], word[0]), text)


def did_you_mean(word: str, choices: Iterable[str], start: str = "") -> str:
    """Return ``"; did you mean …?"`` with the choice most similar to ``word``, if there is one.

    ``start`` is prepended to the choice.

    >>> did_you_mean("windw", ["window", "bits"], "--")
    '; did you mean --window?'
    """
    import difflib  # noqa: PLC0415  (only mistakes need it)

    close = difflib.get_close_matches(word.lower(), choices, n=1, cutoff=0.6)
    return f"; did you mean {start}{close[0]}?" if close else ""
