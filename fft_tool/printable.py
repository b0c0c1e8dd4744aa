"""Texts of strangers, for terminals and logs."""

from __future__ import annotations


def printable(text: str, *, keep: str = "") -> str:
    r"""Give a text in which nothing moves a cursor, sets a colour or turns the way of writing.

    What does not print (control characters, invisible ones, lone surrogates) comes as its escape,
    but for the characters in ``keep``.

    >>> printable("a\x1b[31m\u202egnp.b")
    'a\\x1b[31m\\u202egnp.b'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else ascii(c)[1:-1] for c in text)
