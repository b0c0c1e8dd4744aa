"""Building of HTML and SVG: everything that is not markup already is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable

from fft_tool.printable import printable

_VOID = frozenset({"br", "col", "img", "link", "meta", "wbr"})


class Markup(str):
    """Text that is already markup; other text is escaped when it is inserted."""

    __slots__ = ()

    def __html__(self) -> str:
        """Itself: templates insert it without escaping."""
        return self


def element(name: str, /, *children: object, **attributes: object) -> Markup:
    """Build an element of HTML or SVG.

    Children and attribute values are escaped unless they are :class:`Markup`, including invisible
    characters; those that are None are omitted. In attribute names, ``_`` stands for ``-``, and a
    trailing one is dropped (``class_``).

    >>> element("p", "a < b", element("br"), class_="note")
    '<p class="note">a &lt; b<br></p>'
    """
    words = [name]
    for key, value in attributes.items():
        if value is not None:
            words.append(f'{key.rstrip("_").replace("_", "-")}="{escape(value)}"')
    if name in _VOID:
        return Markup(f"<{' '.join(words)}>")
    return Markup(f"<{' '.join(words)}>{join(children)}</{name}>")


def join(children: Iterable[object], separator: str = "") -> Markup:
    """Concatenate markup and text; text is escaped, and None is omitted."""
    return Markup(separator.join(escape(child) for child in children if child is not None))


def escape(value: object) -> Markup:
    """Convert any value to markup that shows it as text."""
    if isinstance(value, Markup):
        return value
    return Markup(html.escape(printable(str(value))))
