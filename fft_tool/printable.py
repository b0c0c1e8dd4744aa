"""Text from untrusted sources, made safe to print on a terminal."""

from __future__ import annotations

import unicodedata


def printable(text: str) -> str:
    r"""Text on one line, whose control and format characters are written out.

    Those are what moves the cursor or sets colours, what turns the direction of writing (bidi
    overrides), what cannot be seen (zero-width characters), breaks the line or is no text at all.
    Spaces of every width stay.

    >>> printable("input/\x1b[31mred\n.png")
    'input/\\x1b[31mred\\n.png'
    """
    if text.isprintable():
        return text
    return "".join(c if _is_shown(c) else ascii(c)[1:-1] for c in text)


def printable_lines(text: str) -> str:
    """Text of several lines, each of them printable."""
    return "\n".join(map(printable, text.splitlines()))


def _is_shown(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs"
