"""Names of outputs, such that no two sources ever share one.

``plants/forest.png`` → ``plants/forest_magnitude.png``; a name that does not end in exactly
``.png`` keeps its extension (``photo.jpg_magnitude.png``), and so does one whose stem looks as if
it had one of its own (``photo.jpg.png``). A name without any gets a dot, to stay apart from
``photo.png``: ``photo`` → ``photo._magnitude.png``.
"""

from __future__ import annotations

import re

from fft_tool.results.registry import KINDS, RECORD

__all__ = ["EXTENSIONS", "RECORD", "output_base", "output_name"]

_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]*\Z")

EXTENSIONS = {kind.name: kind.extension for kind in KINDS.values()}
"""Extension of every kind of output."""


def output_base(source: str) -> str:
    """Give the common beginning of the output names of a source, folders kept.

    >>> output_base("plants/forest.png"), output_base("photo.jpg")
    ('plants/forest', 'photo.jpg')
    """
    stem = source.removesuffix(".png")
    if stem == source:
        return source if _EXTENSION.search(source) else source + "."
    plain = stem and not stem.endswith((".", "/")) and not _EXTENSION.search(stem)
    return stem if plain else source


def output_name(source: str, artifact: str) -> str:
    """Name of one output of a source.

    >>> output_name("plants/forest.png", "magnitude")
    'plants/forest_magnitude.png'
    """
    return f"{output_base(source)}_{artifact}.{KINDS[artifact].extension}"
