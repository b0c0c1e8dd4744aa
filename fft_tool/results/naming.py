"""Names of outputs. No two sources ever share an output name.

``plants/forest.png`` → ``plants/forest_magnitude.png``. A name that does not end in exactly
``.png`` keeps its extension (``photo.jpg_magnitude.png``), and so does one whose stem seems to
have an extension of its own (``photo.jpg.png``). A name without an extension gets a dot, to
distinguish it from ``photo.png``: ``photo`` → ``photo._magnitude.png``. Where each page of a file
is analysed on its own, its number follows: ``stack.tif`` → ``stack.tif_p0003_magnitude.png``.
"""

from __future__ import annotations

import re

from fft_tool.results.registry import ARTIFACT_KINDS, RECORD
from fft_tool.results.values import OversizedSource, Source

__all__ = ["EXTENSIONS", "RECORD", "base_of", "output_base", "output_name", "output_of"]

_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]*\Z")

EXTENSIONS = {kind.name: kind.extension for kind in ARTIFACT_KINDS.values()}
"""File extension of each kind of output."""


def output_base(source: str, page: int | None = None) -> str:
    """Common prefix of the output names of a source, including its folders.

    >>> output_base("plants/forest.png"), output_base("photo.jpg")
    ('plants/forest', 'photo.jpg')
    >>> output_base("stack.tif", page=3)
    'stack.tif_p0003'
    """
    if page is not None:
        return f"{output_base(source)}_p{page:04}"
    stem = source.removesuffix(".png")
    if stem == source:
        return source if _EXTENSION.search(source) else source + "."
    plain = stem and not stem.endswith((".", "/")) and not _EXTENSION.search(stem)
    return stem if plain else source


def output_name(source: str, artifact: str, page: int | None = None) -> str:
    """Name of one output of a source.

    >>> output_name("plants/forest.png", "magnitude")
    'plants/forest_magnitude.png'
    """
    return f"{output_base(source, page)}_{artifact}.{ARTIFACT_KINDS[artifact].extension}"


def base_of(source: Source | OversizedSource) -> str:
    """Common prefix of the output names of this source: its own, or derived from its name."""
    return output_base(source.name, source.page) if source.base is None else source.base


def output_of(source: Source | OversizedSource, artifact: str) -> str:
    """Name of one output of this source.

    >>> output_of(Source("forest.png", b"", base="forest/original"), "magnitude")
    'forest/original_magnitude.png'
    """
    return f"{base_of(source)}_{artifact}.{ARTIFACT_KINDS[artifact].extension}"
