"""Text from untrusted sources, made safe to print on a terminal."""

from __future__ import annotations

import unicodedata


def printable(text: str) -> str:
    r"""Escape control and format characters, giving text on one line.

    These are characters that move the cursor or set colours, override the direction of writing
    (bidi controls), are invisible (zero-width characters), break the line or are not assigned.
    Spaces of every width are kept.

    >>> printable("input/\x1b[31mred\n.png")
    'input/\\x1b[31mred\\n.png'
    """
    if text.isprintable():
        return text
    return "".join(c if _is_shown(c) else ascii(c)[1:-1] for c in text)


def printable_lines(text: str) -> str:
    """Escape each line of a text; line breaks are kept."""
    return "\n".join(map(printable, text.splitlines()))


def _is_shown(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs"
